import HTTPClient
import JSON

enum RatesCommand {
  private static let file = [
    Option("effective-from", "DAY", "the day it holds from, where the file does not say it"),
    Option("currency", "CODE", "the card's currency, where the file does not say it"),
    Option("source", "TEXT", "where the card comes from, for the record"),
    Option("partial", nil, "it only overrides the card before it"),
    Option("replace", nil, "replace a card of the same day that has other prices"),
  ]

  static let commands = [
    Command(
      words: ["rates", "list"], summary: "Meta's list prices as this installation knows them",
      options: [
        Option("currency", "CODE", "of one currency"), Option("on", "DAY", "only what holds on that day"),
        Option("market", "WORD", "of one market"), Option("cards", nil, "a line per card instead of per price"),
        Commands.json,
      ], settings: Setting.client, run: list),
    Command(
      words: ["rates", "import"], arguments: ["FILE"], summary: "load Meta's rate card (CSV); all of it or none",
      details: [
        "Takes Meta's own file in any of its 16 currencies, or a line per price: effective_from, market, category, "
          + "currency, rate, source; with `above` a volume tier. Messages that waited for the prices are then charged."
      ], options: file + [Commands.json], settings: Setting.client,
      run: { try await load($0, isTrial: false) }),
    Command(
      words: ["rates", "check"], arguments: ["[FILE]"],
      summary: "whether the cards can be trusted today; of a file, whether it could be loaded",
      options: file + [Commands.json], settings: Setting.client,
      run: { invocation in
        if invocation.argument(0) == nil { try await check(invocation) } else { try await load(invocation, isTrial: true) }
      }),
  ]

  private static func list(_ invocation: Invocation) async throws {
    let query = ["currency", "on", "market"].map { ($0, invocation.option($0)) }
    let client = try ServiceClient(invocation)
    guard !invocation.has("cards") else {
      return invocation.showList(
        try await client.all("/v1/rates/cards", Array(query.prefix(1))),
        [
          ("currency", .left, { $0.text("currency") }), ("from", .left, { $0.text("effective_from") }),
          ("complete", .left, { $0.text("complete") }), ("prices", .right, { $0.text("prices") }),
          ("tiers", .right, { $0.text("tiers") }), ("revision", .right, { $0.text("revision") }),
          ("loaded by", .left, { $0.text("loaded_by") }), ("source", .left, { $0.text("source") }),
        ])
    }
    invocation.showList(
      try await client.all("/v1/rates", query),
      [
        ("market", .left, { $0.text("market_name") }), ("category", .left, { $0.text("category") }),
        ("amount", .right, { $0.text("amount") }), ("currency", .left, { $0.text("currency") }),
        ("from", .left, { $0.text("effective_from") }), ("source", .left, { $0.text("source") }),
      ])
  }

  private static func load(_ invocation: Invocation, isTrial: Bool) async throws {
    let path = invocation.required(0)
    guard let bytes = Files.read(path) else {
      throw UsageError("\(path) cannot be read: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
    let query = [
      ("effective_from", invocation.option("effective-from")), ("currency", invocation.option("currency")),
      ("source", invocation.option("source")), ("complete", invocation.has("partial") ? "false" : nil),
      ("replace", invocation.has("replace") ? "true" : nil), ("dry_run", isTrial ? "true" : nil),
    ]
    let answer = try await ServiceClient(invocation).send("/v1/rates", bytes, type: "text/csv", query)
    invocation.show(answer) { answer in
      var lines = (answer["cards"]?.arrayValue ?? []).map { card in
        let missing = card["missing_markets"]?.arrayValue ?? []
        return "\(card.text("currency")) from \(card.text("effective_from")): \(card.text("prices")) prices, "
          + (card["complete"]?.boolValue == true ? "complete" : "partial") + ", \(card.text("outcome"))"
          + (missing.isEmpty ? "" : "; lacks \(card.text("missing_markets"))")
      }
      if let tiers = answer["tiers"]?.int64Value, tiers > 0 { lines.append("\(tiers) volume tiers") }
      return (lines + [isTrial ? "Nothing was loaded: this was a check." : "Loaded."]).joined(separator: "\n")
    }
  }

  private static func check(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/rates/check"),
      [
        ("currency", .left, { $0.text("currency") }), ("state", .left, { $0.text("state") }),
        ("unpriced", .right, { $0.text("unpriced") }), ("what to do", .left, { $0.text("text") }),
      ])
  }
}
