import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// Whom the business's campaigns leave alone unless they say otherwise. It holds for the next draft, without a restart.
struct PolicyRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/policy", .key(.read), show)
    router.add("POST", "/v1/policy", .key(.setPolicy), change)
  }

  private func show(_ call: Call) async throws -> HTTPResponse { .json(200, try await json(call)) }

  /// What is given changes, the rest stays.
  private func change(_ call: Call) async throws -> HTTPResponse {
    let given = try ContactLimits(json: try call.json())
    guard given != ContactLimits() else {
      throw Problem.missing("frequency_cap", remedy: "Write at least one field of GET /v1/policy.")
    }
    let known = try await ContactPolicies.read(of: call.caller.business, on: services.pool)
    guard
      try await ContactPolicies.append(
        given.filled(from: known.limits), after: known.version, of: call.caller.business, by: call.caller.actor,
        on: services.pool)
    else {
      throw Problem(
        409, "policy_changed", "Somebody else changed the policy in this moment.", detail: "Nothing was changed.",
        remedy: "GET /v1/policy, then send it again.")
    }
    return .json(200, try await json(call))
  }

  private func json(_ call: Call) async throws -> JSONValue {
    let entry = try await ContactPolicies.read(of: call.caller.business, on: services.pool)
    var object = entry.limits.json
    object.append("version", .count(entry.version))
    object.append("by", .text(entry.by))
    object.append("changed_at", .time(entry.at))
    return .object(object)
  }
}
