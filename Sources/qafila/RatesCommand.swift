import JSON

enum RatesCommand {
  static let commands = [
    Command(
      words: ["rates", "list"], summary: "Meta's list prices as this installation knows them",
      options: [
        Option("currency", "CODE", "of one currency"), Option("on", "DAY", "only what holds on that day"),
        Option("market", "WORD", "of one market"), Commands.json,
      ], settings: Setting.client, run: list)
  ]

  private static func list(_ invocation: Invocation) async throws {
    let query = ["currency", "on", "market"].map { ($0, invocation.option($0)) }
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/rates", query),
      [
        ("market", .left, { $0.text("market_name") }), ("category", .left, { $0.text("category") }),
        ("amount", .right, { $0.text("amount") }), ("currency", .left, { $0.text("currency") }),
        ("from", .left, { $0.text("effective_from") }), ("source", .left, { $0.text("source") }),
      ])
  }
}
