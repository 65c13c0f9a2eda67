import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// API keys: made once, listed without their secret, revoked.
struct KeyRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/keys", .key(.manageKeys), replay: .unkept, create)
    router.add("GET", "/v1/keys", .key(.manageKeys), list)
    router.add("POST", "/v1/keys/{id}/revoke", .key(.manageKeys), revoke)
  }

  private func create(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["name", "role"], later: ["expires_at"])
    let name = try fields.requiredText("name", limit: 80, remedy: "Name who or what will use the key.")
    let roles = Role.allCases.map(\.word).joined(separator: ", ")
    let word = try fields.requiredText("role", limit: 20, remedy: "Write one of \(roles).")
    guard let role = Role(word: word) else {
      throw Problem.invalid("role", "There is no such role.", remedy: "Write one of \(roles).")
    }
    let made = try await services.keys.create(
      name: name, role: role, business: call.caller.business, by: call.caller.actor, on: services.pool)
    return .json(
      201,
      ["id": .id(made.id), "name": .string(name), "role": .string(role.word), "key": .string(made.key)])
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let entries = try await Keys.list(of: call.caller.business, on: services.pool)
    return .page(
      entries.map { entry in
        [
          "id": .id(entry.id), "name": .string(entry.name), "role": .string(entry.role.word),
          "created_at": .time(entry.createdAt), "revoked_at": .time(entry.revokedAt),
        ]
      }, next: nil)
  }

  private func revoke(_ call: Call) async throws -> HTTPResponse {
    let id: APIKey.ID = try call.id("key")
    guard try await Keys.revoke(id, of: call.caller.business, by: call.caller.actor, on: services.pool) else {
      throw Problem.notFound("key that still works")
    }
    return .json(200, ["id": .id(id), "revoked": true])
  }
}
