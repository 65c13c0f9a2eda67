import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Store

/// Addresses that are told what happens, or passed Meta's webhooks; what they have not taken, and why; and what happened.
struct EndpointRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/endpoints", .key(.manageEndpoints), replay: .unkept, create)
    router.add("GET", "/v1/endpoints", .key(.manageEndpoints), list)
    router.add("GET", "/v1/endpoints/{id}", .key(.manageEndpoints), show)
    router.add("DELETE", "/v1/endpoints/{id}", .key(.manageEndpoints), remove)
    router.add("POST", "/v1/endpoints/{id}/rotate", .key(.manageEndpoints), replay: .unkept, rotate)
    router.add("GET", "/v1/endpoints/{id}/undelivered", .key(.manageEndpoints), undelivered)
    router.add("POST", "/v1/endpoints/{id}/replay", .key(.manageEndpoints), replay)
    router.add("GET", "/v1/alerts", .key(.read), alerts)
  }

  private func create(_ call: Call) async throws -> HTTPResponse {
    let spec = try EndpointSpec(json: try call.json())
    let fault = await services.checkEndpoint(spec.url)
    if fault == "address_not_allowed" {
      throw Problem(
        422, "endpoint_address", "The address is not one that may be called.",
        detail: spec.url.hasPrefix("https:")
          ? "Its name leads to a private or reserved address." : "It is not encrypted, and not in an allowed network.",
        field: "url",
        remedy: "Write an https:// address of the internet, or have QAFILA_ENDPOINT_NETWORKS allow the network it is in.")
    }
    let secret = spec.secret ?? (spec.forward == nil ? EndpointSecrets.make() : EndpointSecrets.makeForForward())
    guard
      let id = try await Endpoints.add(
        spec, sealed: services.tokens.endpoints.sealed(secret), of: call.caller.business, by: call.caller.actor,
        on: services.pool),
      let entry = try await Endpoints.read(id, of: call.caller.business, on: services.pool)
    else {
      throw Problem(
        409, "endpoints_full", "There are as many endpoints as there may be.",
        detail: "There are \(Endpoints.most).", remedy: "Remove one first.")
    }
    var object = EndpointRoutes.json(entry)
    object.append("secret", .string(secret))
    // Not reached now is no reason to refuse: it may be started later.
    object.append("reached", .bool(fault == nil))
    if let fault { object.append("text", .string(call.alertWords.reason(fault, status: nil))) }
    return .json(201, .object(object))
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    .page(
      try await Endpoints.list(of: call.caller.business, on: services.pool).map { .object(EndpointRoutes.json($0)) },
      next: nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse { .json(200, .object(EndpointRoutes.json(try await entry(call)))) }

  private func remove(_ call: Call) async throws -> HTTPResponse {
    let id: Endpoint.ID = try call.id("endpoint")
    guard try await Endpoints.remove(id, of: call.caller.business, by: call.caller.actor, on: services.pool) else {
      throw Problem.notFound("endpoint")
    }
    return .json(200, ["id": .id(id), "removed": true])
  }

  /// A new secret; the old one signs too for a while. A forward has one signature, so its old secret ends at once.
  private func rotate(_ call: Call) async throws -> HTTPResponse {
    let entry = try await entry(call)
    let fields = try Fields(try call.json(), known: ["valid_hours"])
    let hours = try fields.integer("valid_hours", in: 0...720) ?? 24
    if entry.forward != nil, fields["valid_hours"] != nil {
      throw Problem.invalid(
        "valid_hours", "A forwarded webhook has one signature.", remedy: "Leave it out: the old secret ends at once.")
    }
    let until = Instant.now + .seconds(entry.forward == nil ? hours * 3600 : 0)
    let secret = entry.forward == nil ? EndpointSecrets.make() : EndpointSecrets.makeForForward()
    guard
      try await Endpoints.rotate(
        entry.id, to: services.tokens.endpoints.sealed(secret), oldUntil: until, of: call.caller.business,
        by: call.caller.actor, on: services.pool)
    else { throw Problem.notFound("endpoint") }
    return .json(200, ["id": .id(entry.id), "secret": .string(secret), "old_secret_until": entry.forward == nil ? .time(until) : .null])
  }

  private func undelivered(_ call: Call) async throws -> HTTPResponse {
    let entry = try await entry(call)
    let limit = try call.limit()
    if entry.forward != nil { return try await unforwarded(entry, limit, call) }
    let found = try await Deliveries.failed(entry.id, before: try call.cursor(), limit: limit, on: services.pool)
    let words = call.alertWords
    return .page(
      found.map { one in
        [
          "alert": .id(one.alert), "type": .string(one.event), "at": .time(one.at),
          "state": one.isGivenUp ? "undelivered" : "waiting", "attempts": .count(one.attempts),
          "status": one.status.map { .count($0) } ?? .null, "reason": .string(one.reason),
          "text": .string(words.reason(one.reason, status: one.status)),
          "next_attempt_at": one.isGivenUp ? .null : .time(one.dueAt),
        ]
      }, next: found.count == limit ? found.last.map { $0.alert.description } : nil)
  }

  /// What a forward waits for, and what was refused; a page of all of it.
  private func unforwarded(_ entry: Endpoints.Entry, _ limit: Int, _ call: Call) async throws -> HTTPResponse {
    let words = call.alertWords
    return .page(
      try await Forwards.failed(entry.id, limit: limit, on: services.pool).map { one in
        [
          "webhook": one.nextAt == nil ? .string(one.id) : .null, "type": "webhook", "at": .time(one.receivedAt),
          "state": one.nextAt == nil ? "undelivered" : "waiting", "attempts": .count(one.attempts),
          "status": one.status.map { .count($0) } ?? .null, "reason": .string(one.reason),
          "text": .string(words.reason(one.reason, status: one.status)), "next_attempt_at": .time(one.nextAt),
        ]
      }, next: nil)
  }

  private func replay(_ call: Call) async throws -> HTTPResponse {
    let entry = try await entry(call)
    let fields = try Fields(try call.json(), known: ["alerts"])
    if entry.forward != nil {
      guard fields["alerts"] == nil else {
        throw Problem.invalid("alerts", "A forward has no alerts.", remedy: "Leave it out: all that it refused is tried again.")
      }
      return .json(200, ["replayed": .count(try await Forwards.replay(entry.id, on: services.pool))])
    }
    var alerts: [Alert.ID]?
    if let given = fields["alerts"] {
      guard let members = given.arrayValue, (1...1000).contains(members.count) else {
        throw Problem.invalid("alerts", "Here a list of ids is expected.", remedy: "Write at most 1000, or leave it out for all.")
      }
      var ids: [Alert.ID] = []
      for (index, member) in members.enumerated() { ids.append(try Fields.identifier(member, at: "alerts[\(index)]")) }
      alerts = ids
    }
    return .json(200, ["replayed": .count(try await Deliveries.replay(entry.id, alerts: alerts, on: services.pool))])
  }

  private func alerts(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let event = call.query("type")
    if let event, AlertKind(rawValue: event) == nil {
      throw Problem.invalid(
        "type", "This kind is not known here.",
        remedy: "Write one of: \(AlertKind.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    let found = try await Deliveries.alerts(
      of: call.caller.business, before: try call.cursor(), event: event, limit: limit, on: services.pool)
    let words = call.alertWords
    return .page(
      found.map { alert in
        let data = JSONValue.stored(alert.data)
        return [
          "id": .id(alert.id), "type": .string(alert.event), "timestamp": .time(alert.at), "data": data,
          "text": .string(words.sentence(alert.event, data)), "deliveries": .stored(alert.told),
        ]
      }, next: found.count == limit ? found.last.map { $0.id.description } : nil)
  }

  private func entry(_ call: Call) async throws -> Endpoints.Entry {
    let id: Endpoint.ID = try call.id("endpoint")
    guard let entry = try await Endpoints.read(id, of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("endpoint")
    }
    return entry
  }

  static func json(_ entry: Endpoints.Entry) -> JSONObject {
    [
      "id": .id(entry.id), "url": .string(entry.url),
      "events": entry.events.map { .array($0.map { .string($0) }) } ?? .null,
      "forward": .text(entry.forward?.rawValue), "waiting": .count(entry.waiting), "undelivered": .count(entry.undelivered),
      "old_secret_until": .time(entry.beforeUntil), "by": .string(entry.by), "created_at": .time(entry.createdAt),
    ]
  }
}

extension Call {
  var alertWords: AlertWords { AlertWords(language == .arabic ? .arabic : .english) }
}
