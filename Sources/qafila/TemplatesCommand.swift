import JSON

enum TemplatesCommand {
  static let commands = [
    Command(
      words: ["templates", "list"], summary: "templates as the last synchronisation saw them", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["templates", "sync"], summary: "read the templates of all accounts from Meta", options: [Commands.json],
      settings: Setting.client, run: sync),
    Command(
      words: ["templates", "insights"], summary: "have Meta count clicks and costs of an account's templates",
      details: ["Meta offers no way back. Shown by: qafila reports templates."],
      options: [Option("enable", "WABA", "the account"), Commands.json], settings: Setting.client, run: insights),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/templates"),
      [
        ("name", .left, { $0.text("name") }), ("language", .left, { $0.text("language") }),
        ("status", .left, { $0.text("status") }), ("category", .left, { $0.text("category") }),
        ("quality", .left, { $0.text("quality") }), ("version", .right, { $0.text("version") }),
        ("lives", .right, { life($0) }),
        ("text", .left, { String(body($0).prefix(60)) }),
      ])
  }

  private static func insights(_ invocation: Invocation) async throws {
    guard let account = invocation.option("enable") else {
      throw UsageError("templates insights needs --enable WABA.", remedy: "qafila numbers list shows the accounts.")
    }
    let answer = try await ServiceClient(invocation).post("/v1/templates/insights", ["account": .string(account)])
    invocation.show(answer) { "Meta counts the templates of \($0.text("account")) from now on." }
  }

  /// How long Meta tries to deliver, in the largest unit that is whole.
  private static func life(_ template: JSONValue) -> String {
    guard let seconds = template["time_to_live"]?["seconds"]?.int64Value else { return "" }
    let units: [(Int64, String)] = [(86_400, "d"), (3600, "h"), (60, "min")]
    guard let unit = units.first(where: { seconds % $0.0 == 0 }) else { return "\(seconds) s" }
    return "\(seconds / unit.0) \(unit.1)"
  }

  private static func body(_ template: JSONValue) -> String {
    template["components"]?.arrayValue?.first { $0["type"]?.stringValue == "BODY" }?["text"]?.stringValue ?? ""
  }

  private static func sync(_ invocation: Invocation) async throws {
    let answer = try await ServiceClient(invocation).post("/v1/templates/sync")
    invocation.show(answer) { answer in
      var table = Table([
        ("account", .left), ("seen", .right), ("added", .right), ("changed", .right), ("gone", .right),
        ("problem", .left),
      ])
      for account in answer["accounts"]?.arrayValue ?? [] {
        table.add(["waba_id", "seen", "added", "changed", "gone", "detail"].map { account.text($0) })
      }
      return table.text
    }
  }
}
