import Domain
import HTTPServer
import Store

/// Finds the handler of a request by its method and path.
struct Router: Sendable {
  typealias Handler = @Sendable (Call) async throws -> HTTPResponse

  enum Access: Sendable {
    /// Health and Meta's webhooks: everything else needs a key.
    case open
    case key(Permission)
  }

  /// Whether an `Idempotency-Key` is looked at, and when the body is hashed. `unkept`: the answer holds a secret or a phone,
  /// or changes nothing, so neither it nor the hash of its body is kept. `none`: the handler reads the body by itself.
  enum Replay: Sendable { case none, unkept, wholeBody, streamed }

  struct Route: Sendable {
    let method: String
    /// `/v1/campaigns/{id}/launch`, cut at the slashes.
    let pattern: [String]
    let access: Access
    let replay: Replay
    let handler: Handler
  }

  enum Match: Sendable {
    case found(Route, [String: String])
    case unknown
    /// The path exists; these methods work on it.
    case otherMethods([String])
  }

  private(set) var routes: [Route] = []

  mutating func add(
    _ method: String, _ pattern: String, _ access: Access, replay: Replay? = nil, _ handler: @escaping Handler
  ) {
    routes.append(
      Route(
        method: method, pattern: Router.segments(pattern), access: access,
        replay: replay ?? (method == "POST" ? .wholeBody : .none), handler: handler))
  }

  func match(_ method: String, _ path: String) -> Match {
    let segments = Router.segments(path)
    var allowed: [String] = []
    for route in routes where route.pattern.count == segments.count {
      var parameters: [String: String] = [:]
      let fits = zip(route.pattern, segments).allSatisfy { wanted, given in
        guard wanted.hasPrefix("{") else { return wanted == given }
        parameters[String(wanted.dropFirst().dropLast())] = given
        return !given.isEmpty
      }
      guard fits else { continue }
      if route.method == method { return .found(route, parameters) }
      allowed.append(route.method)
    }
    return allowed.isEmpty ? .unknown : .otherMethods(allowed.sorted())
  }

  private static func segments(_ path: String) -> [String] {
    path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
  }
}
