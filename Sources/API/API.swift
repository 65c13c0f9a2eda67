import CloudAPI
import Crypto
import Domain
import HTTPServer
import JSON
import Phone
import Postgres
import Reactor
import Store

/// The outside contract over HTTP (design §9): routes, keys and roles, problem documents, idempotent writes.
///
/// `handle` is the handler of an `HTTPServer`; it runs on whatever reactor that server has.
public final class API: Sendable {
  public let services: APIServices
  private let router: Router
  let counts: CountsCache

  public init(_ services: APIServices) {
    self.services = services
    counts = CountsCache(pool: services.pool)
    var router = Router()
    Health.add(to: &router, services)
    NumberRoutes(services).add(to: &router)
    TemplateRoutes(services).add(to: &router)
    AudienceRoutes(services).add(to: &router)
    UploadRoutes(services).add(to: &router)
    SegmentRoutes(services).add(to: &router)
    PolicyRoutes(services).add(to: &router)
    CampaignRoutes(services, counts).add(to: &router)
    CampaignActions(services, counts).add(to: &router)
    CampaignTrials(services).add(to: &router)
    GuardRoutes(services).add(to: &router)
    RecipientRoutes(services, counts).add(to: &router)
    MessageRoutes(services).add(to: &router)
    ConsentRoutes(services).add(to: &router)
    StopWordRoutes(services).add(to: &router)
    ContactRoutes(services).add(to: &router)
    ReportRoutes(services).add(to: &router)
    RateRoutes(services).add(to: &router)
    BudgetRoutes(services).add(to: &router)
    StatementRoutes(services).add(to: &router)
    KeyRoutes(services).add(to: &router)
    StopRoutes(services).add(to: &router)
    CalendarRoutes(services).add(to: &router)
    EndpointRoutes(services).add(to: &router)
    self.router = router
  }

  /// Method and pattern of every route, for documents and tests.
  public var routes: [(method: String, path: String, permission: Permission?)] {
    router.routes.map { route in
      var permission: Permission?
      if case .key(let needed) = route.access { permission = needed }
      return (route.method, "/" + route.pattern.joined(separator: "/"), permission)
    }
  }

  public func handle(_ request: HTTPServerRequest) async -> HTTPResponse {
    do {
      return try await answer(request)
    } catch let problem as Problem {
      return .problem(problem, headers: API.headers(for: problem))
    } catch let failure as HTTPBodyError {
      return API.answer(to: failure)
    } catch let failure as DatabaseError {
      return answer(to: failure, request)
    } catch is CancellationError {
      return .problem(API.leaving, headers: [("Retry-After", "1")])
    } catch {
      services.log("request_failed", [("method", request.method), ("error", "\(type(of: error))")])
      return .problem(API.internalProblem)
    }
  }

  private func answer(_ request: HTTPServerRequest) async throws -> HTTPResponse {
    switch router.match(request.method, request.path) {
    case .unknown:
      throw Problem(
        404, "route_unknown", "There is no such route.", detail: "Nothing answers at this path.",
        remedy: "GET /openapi.json lists the routes.")
    case .otherMethods(let methods):
      let problem = Problem(
        405, "method_not_allowed", "The route does not take this method.",
        detail: "\(request.method) is not taken here.", remedy: "Use \(methods.joined(separator: " or ")).")
      return .problem(problem, headers: [("Allow", methods.joined(separator: ", "))])
    case .found(let route, let parameters):
      var caller: Caller?
      if case .key(let permission) = route.access {
        let known = try await Authentication.caller(of: request, services)
        try Authentication.check(known, permission)
        caller = known
      }
      let call = { (body: [UInt8], upload: UploadReplay?) in
        Call(
          request: request, parameters: parameters, knownCaller: caller,
          language: Language(acceptLanguage: request.header("accept-language")), body: body, upload: upload)
      }
      switch route.replay {
      case .none:
        return try await route.handler(call([], nil))
      case .unkept:
        return try await route.handler(call(try await request.body(upTo: Call.bodyLimit), nil))
      case .wholeBody:
        let body = try await request.body(upTo: Call.bodyLimit)
        return try await replaying(request, body, caller) { try await route.handler(call(body, nil)) }
      case .streamed:
        return try await route.handler(call([], try UploadReplay(request, caller, services)))
      }
    }
  }

  private func replaying(
    _ request: HTTPServerRequest, _ body: [UInt8], _ caller: Caller?, _ work: () async throws -> HTTPResponse
  ) async throws -> HTTPResponse {
    guard let caller, let key = try IdempotencyKey.read(request) else { return try await work() }
    return try await IdempotencyKey.replaying(
      key, digest: IdempotencyKey.digest(request, body: Crypto.sha256(body)), caller, services, work)
  }

  // MARK: Failures

  static func answer(to failure: HTTPBodyError) -> HTTPResponse {
    switch failure {
    case .tooLarge(let limit):
      .problem(
        Problem(
          413, "body_too_large", "The body is too large.", detail: "This route takes at most \(limit) bytes.",
          remedy: "Contacts go to POST /v1/audiences/{id}/contacts, which streams."))
    case .timedOut:
      .problem(
        Problem(
          408, "body_too_slow", "The body came too slowly.", detail: "The rest of the body did not come in time.",
          remedy: "Send it again."))
    case .disconnected: .abort
    }
  }

  private func answer(to failure: DatabaseError, _ request: HTTPServerRequest) -> HTTPResponse {
    switch failure {
    case .unreachable, .interrupted, .cancelled:
      services.log("database_unavailable", [("error", "\(failure)")])
      return .problem(API.databaseAway, headers: [("Retry-After", "2")])
    case .rejected:
      services.log("request_failed", [("method", request.method), ("error", "\(failure)")])
      return .problem(API.internalProblem)
    }
  }

  private static func headers(for problem: Problem) -> [(String, String)] {
    switch problem.status {
    case 401: [("WWW-Authenticate", "Bearer realm=\"qafila\"")]
    case 503: [("Retry-After", "2")]
    default: []
    }
  }

  static let databaseAway = Problem(
    503, "database_away", "The database cannot be reached.",
    detail: "The database did not answer; whether the change was made is not known when it was a write.",
    remedy: "Ask again with the same Idempotency-Key.")
  private static let leaving = Problem(503, "stopping", "The service is stopping.", remedy: "Ask again in a moment.")
  private static let internalProblem = Problem(
    500, "internal", "Something went wrong inside.", detail: "The reason is in the service's log.",
    remedy: "Tell whoever runs the service the time of this request.")
}
