import JSON

enum BudgetsCommand {
  static let limits = [
    Option("amount", "DECIMAL", "money, in the currency the account is billed in"), Option("currency", "CODE", "of the amount"),
    Option("messages", "N", "instead of money: so many messages"), Option("reason", "TEXT", "why, for the record"),
  ]

  static let commands = [
    Command(
      words: ["budgets", "list"], summary: "what numbers and portfolios may spend this month, and what is reserved",
      options: [Commands.json], settings: Setting.client, run: list),
    Command(
      words: ["budgets", "set"], summary: "set what a number or a portfolio may spend each month",
      details: ["What it stopped goes on when the new one has room. A campaign that runs: campaigns budget ID."],
      options: [
        Option("number", "ID", "of this number (phone_number_id or label)"), Option("portfolio", "ID", "of this portfolio"),
      ] + limits + [Commands.json], settings: Setting.client, run: set),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/budgets", []),
      [
        ("of", .left, { $0.text("scope") + " " + $0.text("id") }), ("month", .left, { $0.text("month") }),
        ("limit", .right, { limit($0) }), ("reserved", .right, { $0.text("reserved") }),
        ("left", .right, { $0.text("left") }), ("overrun", .right, { $0.text("overrun") }), ("by", .left, { $0.text("by") }),
      ])
  }

  private static func set(_ invocation: Invocation) async throws {
    var object = try body(invocation)
    for place in ["number", "portfolio"] {
      if let id = invocation.option(place) { object.append(place, .string(id)) }
    }
    invocation.show(try await ServiceClient(invocation).post("/v1/budgets", .object(object))) { answer in
      "\(answer.text("scope")) \(answer.text("id")): \(limit(answer)) each month, \(answer.text("reserved")) reserved in "
        + answer.text("month")
    }
  }

  /// The limit as a request's body.
  static func body(_ invocation: Invocation) throws -> JSONObject {
    var object = JSONObject()
    for name in ["amount", "currency", "reason"] {
      if let text = invocation.option(name) { object.append(name, .string(text)) }
    }
    if let text = invocation.option("messages") {
      guard let count = Int(text), count > 0 else { throw UsageError("--messages is a whole number above 0.") }
      object.append("messages", .number(String(count)))
    }
    return object
  }

  static func limit(_ budget: JSONValue) -> String {
    budget["messages"] == nil ? budget.text("amount") + " " + budget.text("currency") : budget.text("messages") + " messages"
  }
}
