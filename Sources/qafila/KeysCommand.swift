import Crypto
import Domain
import JSON
import Postgres
import Store

/// API keys, made directly on the database: the first one has no other way.
enum KeysCommand {
  private static let settings: [Setting] = [.databaseURL, .sealKey]

  static let commands = [
    Command(
      words: ["keys", "create"], summary: "make an API key and show it, once",
      details: ["Works directly on the database. Roles: \(Role.allCases.map(\.word).joined(separator: ", "))."],
      options: [
        Option("role", "ROLE", "what the key may do"),
        Option("name", "NAME", "who or what will use it (the role unless given)"),
        Commands.json,
      ], settings: settings, run: create),
    Command(
      words: ["keys", "list"], summary: "list API keys, without their secrets", options: [Commands.json],
      settings: [.databaseURL], run: list),
    Command(
      words: ["keys", "revoke"], arguments: ["ID"], summary: "revoke an API key; it holds from the next request on",
      settings: [.databaseURL], run: revoke),
  ]

  private static func create(_ invocation: Invocation) async throws {
    let roles = Role.allCases.map(\.word).joined(separator: ", ")
    guard let role = Role(word: invocation.option("role") ?? "") else {
      throw UsageError("--role is one of: \(roles).", remedy: "Write e.g. --role admin.")
    }
    let name = invocation.option("name") ?? role.word
    let sealKey = try sealKey(invocation)
    let made = try await invocation.withDatabase { pool in
      try await Migrator.check(pool)
      let installation = try await Installation.open(pool, sealKey: sealKey)
      return try await Keys(sealKey: sealKey).create(
        name: name, role: role, business: installation.business, by: "cli", on: pool)
    }
    invocation.show(
      ["id": .string(made.id.description), "name": .string(name), "role": .string(role.word), "key": .string(made.key)]
    ) { $0.text("key") }
    if !invocation.has("json") { Terminal.say("Keep it: it is not shown again.") }
  }

  private static func list(_ invocation: Invocation) async throws {
    let entries = try await invocation.withDatabase { pool in
      try await Installation.business(on: pool).mapAsync { try await Keys.list(of: $0, on: pool) } ?? []
    }
    let items = entries.map { entry -> JSONValue in
      [
        "id": .string(entry.id.description), "name": .string(entry.name), "role": .string(entry.role.word),
        "created_at": .string(entry.createdAt.rfc3339()),
        "revoked_at": entry.revokedAt.map { .string($0.rfc3339()) } ?? .null,
      ]
    }
    invocation.showList(
      items,
      [
        ("id", .right, { $0.text("id") }), ("role", .left, { $0.text("role") }), ("name", .left, { $0.text("name") }),
        ("created", .left, { $0.time("created_at") }), ("revoked", .left, { $0.time("revoked_at") }),
      ])
  }

  private static func revoke(_ invocation: Invocation) async throws {
    guard let id = Int64(invocation.required(0)) else { throw UsageError("\(invocation.required(0)) is no key's id.") }
    let done = try await invocation.withDatabase { pool in
      try await Installation.business(on: pool).mapAsync {
        try await Keys.revoke(APIKey.ID(id), of: $0, by: "cli", on: pool)
      } ?? false
    }
    guard done else {
      Terminal.say("There is no key \(id) that still works.")
      throw ExitCode.missing
    }
    Terminal.print("Revoked.")
  }

  static func sealKey(_ invocation: Invocation) throws(UsageError) -> SealKey {
    guard let key = SealKey(secret: try invocation.required(.sealKey)) else {
      throw UsageError("The seal key is too short.", remedy: "Use 64 hexadecimal digits: openssl rand -hex 32")
    }
    return key
  }
}

extension Optional {
  /// As `map`, for what waits.
  func mapAsync<R>(_ body: (Wrapped) async throws -> R) async rethrows -> R? {
    guard let self else { return nil }
    return try await body(self)
  }
}
