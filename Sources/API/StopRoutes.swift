import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// The brake over everything: stop, and its undoing.
struct StopRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/stop", .key(.pauseNumbers), stop)
    router.add("POST", "/v1/resume", .key(.pauseNumbers), resume)
    router.add("GET", "/v1/pauses", .key(.read), list)
  }

  private func stop(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.optional(try call.json())
    let business = call.caller.business
    _ = try await services.pool.batch([
      Pauses.opening(
        .business, business.rawValue, business: business, cause: .stopAll, reason: reason, actor: call.caller.actor),
      Audit.entry(
        business: business, actor: call.caller.actor, action: "stop_all", detail: ["reason": .string(reason)]),
    ])
    return .json(
      200,
      [
        "stopped": true,
        "pauses": .array(try await Pauses.open(.business, business.rawValue, on: services.pool).map(PauseView.json)),
      ])
  }

  private func resume(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.required(try call.json())
    let business = call.caller.business
    let open = try await Pauses.open(.business, business.rawValue, on: services.pool)
    _ = try await services.pool.batch([
      Pauses.ending(open.map(\.id), reason: reason, actor: call.caller.actor),
      Audit.entry(
        business: business, actor: call.caller.actor, action: "resume_all", detail: ["reason": .string(reason)]),
    ])
    return .json(200, ["stopped": false, "ended": .array(open.map(PauseView.json))])
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    .page(try await Pauses.open(of: call.caller.business, on: services.pool).map(PauseView.json), next: nil)
  }
}

/// A pause in answers.
enum PauseView {
  static func json(_ pause: Pauses.Entry) -> JSONValue {
    var object: JSONObject = [
      "id": .id(pause.id), "scope": .string(pause.scope.word), "scope_id": .string(String(pause.scopeID)),
      "cause": .string(pause.cause), "rule": .string(pause.rule), "reason": .string(pause.reason),
      "by": .string(pause.actor),
      "since": .time(pause.at), "evidence": .stored(pause.evidence),
    ]
    if let ended = pause.ended {
      object.append("ended", ["by": .string(ended.actor), "reason": .string(ended.reason), "at": .time(ended.at)])
    }
    return .object(object)
  }
}

/// The `reason` of a request: optional where something stops, required where it goes on (product §1.14).
enum Reason {
  static func optional(_ json: JSONValue, also known: [String] = []) throws(Problem) -> String {
    try Fields(json, known: ["reason"] + known).text("reason", limit: 500) ?? ""
  }

  static func required(_ json: JSONValue, also known: [String] = []) throws(Problem) -> String {
    try Fields(json, known: ["reason"] + known).requiredText(
      "reason", limit: 500, remedy: "Say why it may go on; the record keeps it.")
  }
}
