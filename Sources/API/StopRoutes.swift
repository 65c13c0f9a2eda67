import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// The brake over everything: stop, and its undoing; and the way out of every other pause.
struct StopRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/stop", .key(.pauseNumbers), stop)
    router.add("POST", "/v1/resume", .key(.pauseNumbers), resume)
    router.add("GET", "/v1/pauses", .key(.read), list)
    router.add("POST", "/v1/pauses/{id}/resume", .key(.pauseNumbers), end)
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

  /// Ends one pause, whatever it stands over: a portfolio, an account, a token or a template have no other way out. When
  /// its cause still holds, the next refusal opens it anew.
  private func end(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.required(try call.json())
    let business = call.caller.business
    let id: Pause.ID = try call.id("pause")
    guard let pause = try await Pauses.read(id, of: business, on: services.pool) else { throw Problem.notFound("pause") }
    guard pause.cause != Pauses.Cause.cancelled.rawValue else {
      throw Problem(
        409, "cancelled", "A cancelled campaign does not go on.", detail: "This pause is a cancellation, which is final.",
        remedy: "Make a new campaign.")
    }
    if let ended = pause.ended {
      throw Problem(
        409, "not_paused", "Nothing here is paused.", detail: "This pause was ended by \(ended.actor).",
        remedy: "GET /v1/pauses shows every pause that stands.")
    }
    var statements = [
      Pauses.ending([id], reason: reason, actor: call.caller.actor),
      Audit.entry(
        business: business, actor: call.caller.actor, action: "pause_ended", subject: id.description,
        detail: ["scope": .string(pause.scope.word), "rule": .string(pause.rule), "reason": .string(reason)]),
    ]
    if pause.scope == .campaign {
      statements.append(
        Campaigns.event(Campaign.ID(pause.scopeID), "resumed", actor: call.caller.actor, reason: reason))
    }
    _ = try await services.pool.batch(statements)
    guard let ended = try await Pauses.read(id, of: business, on: services.pool) else { throw Problem.notFound("pause") }
    return .json(200, PauseView.json(ended))
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
