import JSON

/// A business's own stop words, and what a text would be read as.
enum StopWordsCommand {
  static let commands = [
    Command(
      words: ["stop-words", "list"], summary: "your own words, beside those that are always understood",
      options: [Commands.json], settings: Setting.client, run: list),
    Command(
      words: ["stop-words", "add"], arguments: ["PHRASE"], summary: "read a phrase as a stop, or as something else",
      options: [Option("verdict", "V", "stop (unless given), stop+, ask, start or none"), Commands.json],
      settings: Setting.client, run: add),
    Command(
      words: ["stop-words", "remove"], arguments: ["PHRASE"], summary: "forget a phrase of your own",
      options: [Commands.json], settings: Setting.client, run: remove),
    Command(
      words: ["stop-words", "try"], arguments: ["TEXT"], summary: "what a text would be read as; nothing is recorded",
      options: [Option("answering", "CATEGORY", "of the message it answers, e.g. marketing or utility"), Commands.json],
      settings: Setting.client, run: tryOut),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/stop-words", limit: 1000),
      [
        ("phrase", .left, { $0.text("phrase") }), ("verdict", .left, { $0.text("verdict") }),
        ("by", .left, { $0.text("by") }), ("since", .left, { $0.time("since") }),
      ])
  }

  private static func add(_ invocation: Invocation) async throws {
    let body: JSONValue = [
      "phrase": .string(invocation.required(0)), "verdict": .string(invocation.option("verdict") ?? "stop"),
    ]
    invocation.show(try await ServiceClient(invocation).post("/v1/stop-words", body)) { _ in
      "Stored. It holds within a second."
    }
  }

  private static func remove(_ invocation: Invocation) async throws {
    let body: JSONValue = ["phrases": .array([.string(invocation.required(0))])]
    invocation.show(try await ServiceClient(invocation).post("/v1/stop-words/remove", body)) {
      $0.text("removed") == "0" ? "There is no such phrase of your own." : "Removed."
    }
  }

  private static func tryOut(_ invocation: Invocation) async throws {
    var body: JSONObject = ["text": .string(invocation.required(0))]
    if let category = invocation.option("answering") { body.append("answering", .string(category)) }
    invocation.show(try await ServiceClient(invocation).post("/v1/stop-words/try", .object(body))) { answer in
      let matched = answer.text("matched")
      return answer.text("verdict") + (matched.isEmpty ? "" : ": \(matched)")
    }
  }
}
