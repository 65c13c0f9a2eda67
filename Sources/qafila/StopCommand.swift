import JSON
import Postgres
import Store

/// The brake that works at 3 a.m.: over the service, or straight on the database when the service is down.
enum StopCommand {
  static let commands = [
    Command(
      words: ["stop"], summary: "stop everything at once",
      details: [
        """
        Over the service; with --database-url, or when the service does not answer and QAFILA_DATABASE_URL \
        is set, directly on the database. Nothing more is handed over after 250 ms and the write. qafila \
        resume --all undoes it.
        """
      ],
      options: [Option("all", nil, "everything; required"), Option("reason", "TEXT", "why"), Commands.json],
      settings: Setting.client + [.databaseURL], run: stop),
    Command(
      words: ["resume"], summary: "undo a stop of everything",
      options: [
        Option("all", nil, "everything; required"), Option("reason", "TEXT", "why it may go on; required"),
        Commands.json,
      ], settings: Setting.client, run: resume),
  ]

  private static func stop(_ invocation: Invocation) async throws {
    guard invocation.has("all") else { throw UsageError("What is to stop?", remedy: "Write qafila stop --all.") }
    try await Brake.pull(invocation) { client in
      _ = try await client.post("/v1/stop", invocation.reason)
    } directly: { pool in
      _ = try await Pauses.stopAll(reason: invocation.option("reason") ?? "", actor: "cli", on: pool)
    }
    invocation.show(["stopped": true]) { _ in "Stopped. qafila resume --all --reason TEXT undoes it." }
  }

  private static func resume(_ invocation: Invocation) async throws {
    guard invocation.has("all") else {
      throw UsageError("What is to go on?", remedy: "Write qafila resume --all --reason TEXT.")
    }
    let answer = try await ServiceClient(invocation).post("/v1/resume", invocation.reason)
    invocation.show(answer) { "Ended: \($0["ended"]?.arrayValue?.count ?? 0) pauses over everything." }
  }
}

/// Does a thing over the service, or on the database when the service cannot be asked.
enum Brake {
  static func pull(
    _ invocation: Invocation, _ asked: (ServiceClient) async throws -> Void, directly: (Pool) async throws -> Void
  ) async throws {
    let mayGoDirectly = try invocation.setting(.databaseURL) != nil
    // A missing key must not stand in the way at 3 a.m. where the database is at hand.
    let hasKey = try invocation.setting(.apiKey) != nil
    if invocation.has("database-url") || (mayGoDirectly && !hasKey) {
      return try await invocation.withDatabase(directly)
    }
    do {
      try await asked(try ServiceClient(invocation))
    } catch let failure where mayGoDirectly && Failure.isAway(failure) {
      Terminal.say("The service does not answer; working on the database.")
      try await invocation.withDatabase(directly)
    }
  }
}
