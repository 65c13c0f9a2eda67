import JSON

enum EndpointsCommand {
  static let commands = [
    Command(
      words: ["endpoints", "list"], summary: "addresses that are told what happens", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["endpoints", "add"], arguments: ["URL"],
      summary: "tell an address what happens, or pass it Meta's webhooks; shows its secret, once",
      details: [
        """
        Events are signed after Standard Webhooks (webhook-signature, a secret whsec_…). A forward gets Meta's own bodies, \
        signed by X-Hub-Signature-256 under a secret that is made here, or read from --secret-file: what the desk or bot \
        behind it takes for its app secret.
        """
      ],
      options: [
        Option("event", "KIND", "only this kind, e.g. campaign.paused", isRepeatable: true),
        Option("forward", "WHAT", "instead of events Meta's webhooks: all, messages or statuses"),
        Option("secret-file", "PATH", "of a forward: its secret"), Commands.json,
      ], settings: Setting.client, run: add),
    Command(
      words: ["endpoints", "rotate"], arguments: ["ID"], summary: "make a new secret and show it, once",
      options: [Option("valid-hours", "N", "how long the old one signs too (24 unless given)"), Commands.json],
      settings: Setting.client, run: rotate),
    Command(
      words: ["endpoints", "remove"], arguments: ["ID"], summary: "tell an address nothing more; what waited is dropped",
      options: [Commands.json], settings: Setting.client, run: remove),
    Command(
      words: ["endpoints", "undelivered"], arguments: ["ID"], summary: "what an address has not taken, and why",
      options: [Commands.json], settings: Setting.client, run: undelivered),
    Command(
      words: ["endpoints", "replay"], arguments: ["ID"], summary: "try again now what an address has not taken",
      options: [Option("alert", "ID", "only this one", isRepeatable: true), Commands.json], settings: Setting.client,
      run: replay),
    Command(
      words: ["alerts", "list"], summary: "what happened, and who was told",
      options: [
        Option("type", "KIND", "of one kind, e.g. campaign.paused"), Option("limit", "N", "how many (50 unless given)"),
        Commands.json,
      ], settings: Setting.client, run: alerts),
  ]

  private static func path(_ invocation: Invocation) -> String {
    "/v1/endpoints/" + ServiceClient.encoded(invocation.required(0))
  }

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/endpoints"),
      [
        ("id", .right, { $0.text("id") }), ("url", .left, { $0.text("url") }),
        ("told", .left, { $0.text("forward").isEmpty ? $0.text("events") : "forward: " + $0.text("forward") }),
        ("waiting", .right, { $0.text("waiting") }), ("undelivered", .right, { $0.text("undelivered") }),
      ])
  }

  private static func add(_ invocation: Invocation) async throws {
    var object: JSONObject = ["url": .string(invocation.required(0))]
    if let events = invocation.options["event"] { object.append("events", .array(events.map { .string($0) })) }
    if let forward = invocation.option("forward") { object.append("forward", .string(forward)) }
    if let path = invocation.option("secret-file") { object.append("secret", .string(try Setting.contents(of: path))) }
    let answer = try await ServiceClient(invocation).post("/v1/endpoints", .object(object))
    invocation.show(answer) { "Endpoint \($0.text("id")).\n\($0.text("secret"))" }
    if !invocation.has("json") {
      if !answer.text("text").isEmpty { Terminal.say("Not reached now: \(answer.text("text"))") }
      Terminal.say("Keep the secret: it is not shown again.")
    }
  }

  private static func rotate(_ invocation: Invocation) async throws {
    var object = JSONObject()
    if let hours = invocation.option("valid-hours") { object.append("valid_hours", .number(hours)) }
    invocation.show(try await ServiceClient(invocation).post(path(invocation) + "/rotate", .object(object))) {
      let until = $0.time("old_secret_until")
      return $0.text("secret") + (until.isEmpty ? "\nThe old one is void." : "\nThe old one signs too until \(until).")
    }
  }

  private static func remove(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).delete(path(invocation))) { _ in "Removed." }
  }

  private static func undelivered(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all(path(invocation) + "/undelivered"),
      [
        ("alert", .right, { $0.text("alert") }), ("type", .left, { $0.text("type") }), ("at", .left, { $0.time("at") }),
        ("state", .left, { $0.text("state") }), ("attempts", .right, { $0.text("attempts") }),
        ("next", .left, { $0.time("next_attempt_at") }), ("why", .left, { $0.text("text") }),
      ])
  }

  private static func replay(_ invocation: Invocation) async throws {
    var object = JSONObject()
    if let alerts = invocation.options["alert"] { object.append("alerts", .array(alerts.map { .string($0) })) }
    invocation.show(try await ServiceClient(invocation).post(path(invocation) + "/replay", .object(object))) {
      "\($0.text("replayed")) are tried again."
    }
  }

  private static func alerts(_ invocation: Invocation) async throws {
    guard let limit = Int(invocation.option("limit") ?? "50"), limit > 0 else {
      throw UsageError("--limit is a whole number above 0.")
    }
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/alerts", [("type", invocation.option("type"))], limit: limit),
      [
        ("id", .right, { $0.text("id") }), ("at", .left, { $0.time("timestamp") }), ("what", .left, { $0.text("text") }),
        (
          "told", .left,
          { ($0["deliveries"]?.arrayValue ?? []).map { $0.text("endpoint") + " " + $0.text("state") }.joined(separator: ", ") }
        ),
      ])
  }
}
