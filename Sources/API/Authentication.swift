import Domain
import HTTPServer
import Postgres
import Store

/// Who is calling, and whether the role may.
enum Authentication {
  /// `Authorization: Bearer qk_…`.
  static func caller(of request: HTTPServerRequest, _ services: APIServices) async throws -> Caller {
    guard let header = request.header("authorization") else {
      throw Problem(
        401, "key_missing", "This route needs an API key.", detail: "There is no Authorization header.",
        remedy: "Send Authorization: Bearer qk_…; keys are made by qafila keys create.")
    }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer", parts[1].utf8.count <= 200,
      let caller = try await services.keys.caller(String(parts[1]), on: services.pool)
    else {
      throw Problem(
        401, "key_unknown", "The API key is not valid.", detail: "No key like this exists, or it was revoked.",
        remedy: "Check the key, or have an admin make another.")
    }
    return caller
  }

  static func check(_ caller: Caller, _ permission: Permission) throws(Problem) {
    guard !permission.allows(caller.role) else { return }
    throw forbidden(caller.role, to: permission.roles)
  }

  static func forbidden(_ role: Role, to roles: Set<Role>) -> Problem {
    let words = roles.sorted { $0.rawValue < $1.rawValue }.map(\.word)
    return Problem(
      403, "role_may_not", "The key's role may not do this.",
      detail: "A key with the role \(role.word) may not do this.",
      remedy: "Use a key with the role \(words.joined(separator: ", ")).")
  }
}
