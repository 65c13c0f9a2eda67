import JSON

enum ReportsCommand {
  private static let period = [
    Option("campaign", "ID", "of one campaign"), Option("from", "DAY", "first day, in the account's zone"),
    Option("to", "DAY", "last day"),
  ]

  static let commands = [
    Command(
      words: ["reports", "messages"], summary: "one line per message with its outcome and cost, streamed",
      options: period + [
        Option("format", "FORMAT", "csv (unless given), ndjson or json"),
        Option("excel", nil, "for spreadsheets: BOM, phones as text"),
        Option("delimiter", "WORD", "comma, semicolon or tab; semicolon for --excel in Arabic"),
        Option("after", "LINE", "go on after this line: its recipient_ref, a hyphen, its attempt"),
        Option("output", "PATH", "to a file that only you read, instead of standard output"),
      ], settings: Setting.client, run: messages),
    Command(
      words: ["reports", "costs"], summary: "what messages cost, summed",
      options: period + [
        Option("group-by", "WORDS", "some of campaign, market, category, number, day, month (comma between)"),
        Option("zone", "ZONE", "days and months of this time zone instead of the account's"),
        Option("previous", nil, "beside each line the period before; needs --from and --to"), Commands.json,
      ], settings: Setting.client, run: costs),
    Command(
      words: ["reports", "templates"], summary: "what Meta counts of templates beside the receipts, with clicks on links",
      details: ["Read once a day, where Meta's insights are enabled: qafila templates insights."],
      options: [Option("from", "DAY", "first day, UTC"), Option("to", "DAY", "last day"), Commands.json],
      settings: Setting.client, run: templates),
    Command(
      words: ["reports", "statement"], summary: "a month's statement: JSON, CSV or a page to print",
      details: [
        "Without --month it lists the months. A month is provisional from the first of the next and closes on the eighth, "
          + "with a number; then it never changes, and what comes later stands in the next as an adjustment."
      ],
      options: [
        Option("month", "YYYY-MM", "which"), Option("account", "WABA", "of which account, where there are several"),
        Option("format", "FORMAT", "csv (unless given), html or json"), Option("language", "WORD", "of the page: en or ar"),
        Option("output", "PATH", "to a file that only you read, instead of standard output"), Commands.json,
      ], settings: Setting.client, run: statement),
    Command(
      words: ["reports", "reconcile"], summary: "what Meta says it charged beside the ledger, and why they differ",
      details: ["Compared once a day over the last 37 days, in messages and in money, each difference with its reason."],
      options: [Option("now", nil, "compare now; look again in a minute"), Commands.json], settings: Setting.client,
      run: reconcile),
  ]

  private static func query(_ invocation: Invocation) -> [(String, String?)] {
    [
      ("campaign", invocation.option("campaign")), ("from", invocation.option("from")), ("to", invocation.option("to")),
      ("format", invocation.option("format")), ("group_by", invocation.option("group-by")),
      ("excel", invocation.has("excel") ? "true" : nil), ("delimiter", invocation.option("delimiter")),
      ("cursor", invocation.option("after")), ("zone", invocation.option("zone")),
      ("compare", invocation.has("previous") ? "previous" : nil),
    ]
  }

  private static func messages(_ invocation: Invocation) async throws {
    let target = invocation.option("output") ?? "-"
    try await ServiceClient(invocation).download("/v1/reports/messages", query(invocation), to: target)
    if target != "-" { Terminal.say("Written to \(target).") }
  }

  private static func costs(_ invocation: Invocation) async throws {
    let items = try await ServiceClient(invocation).all("/v1/reports/costs", query(invocation))
    if invocation.has("json") { return invocation.showList(items, []) }
    let names = items.first?.objectValue?.map(\.0) ?? []
    guard !names.isEmpty else { return Terminal.print("Nothing was charged.") }
    let words: Set<String> = ["campaign", "market", "category", "number", "day", "month", "currency"]
    // A line has adjustments only where there are some.
    let all = names + items.flatMap { $0.objectValue?.map(\.0) ?? [] }.filter { $0 == "charges" || $0 == "adjustments" }
    var shown: [String] = []
    for name in all where !shown.contains(name) { shown += name == "previous" ? ["previous.amount"] : [name] }
    var table = Table(shown.map { ($0.replacing("_", with: " "), words.contains($0) ? .left : .right) })
    for item in items { table.add(shown.map { item.text($0) }) }
    Terminal.print(table.text)
  }

  private static func templates(_ invocation: Invocation) async throws {
    let items = try await ServiceClient(invocation).all(
      "/v1/reports/templates", [("from", invocation.option("from")), ("to", invocation.option("to"))])
    if items.isEmpty, !invocation.has("json") {
      return Terminal.print("Meta has counted nothing yet: see qafila templates insights.")
    }
    invocation.showList(
      items,
      [
        ("template", .left, { $0.text("template") }), ("language", .left, { $0.text("language") }),
        ("sent", .right, { $0.text("meta.sent") }), ("delivered", .right, { $0.text("meta.delivered") }),
        ("by receipts", .right, { $0.text("receipts.delivered") }), ("read", .right, { $0.text("meta.read") }),
        ("links", .right, { clicks($0, "url_button") }), ("presses", .right, { clicks($0, "quick_reply_button") }),
        ("cost", .right, { $0.text("meta.cost") }), ("by receipts", .right, { $0.text("receipts.cost") }),
        ("currency", .left, { $0.text("currency") }),
      ])
  }

  private static func clicks(_ item: JSONValue, _ type: String) -> String {
    let all = item["meta"]?["clicks"]?.arrayValue ?? []
    return String(all.reduce(Int64(0)) { $0 + ($1["type"]?.stringValue == type ? $1["count"]?.int64Value ?? 0 : 0) })
  }

  private static func statement(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    guard let month = invocation.option("month") else {
      return invocation.showList(
        try await client.all("/v1/statements"),
        [
          ("month", .left, { $0.text("month") }), ("account", .left, { $0.text("account") }),
          ("state", .left, { $0.text("state") }), ("statement", .right, { $0.text("statement") }),
          ("net", .right, { $0.text("net") }), ("currency", .left, { $0.text("currency") }),
          ("unpriced", .right, { $0.text("unpriced") }),
        ])
    }
    let target = invocation.option("output") ?? "-"
    try await client.download(
      "/v1/statements/" + ServiceClient.encoded(month),
      [
        ("account", invocation.option("account")), ("language", invocation.option("language")),
        ("format", invocation.has("json") ? "json" : invocation.option("format") ?? "csv"),
      ], to: target)
    if target != "-" { Terminal.say("Written to \(target).") }
  }

  private static func reconcile(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    if invocation.has("now") {
      _ = try await client.post("/v1/reconciliations")
      return Terminal.say("It is being compared.")
    }
    let items = try await client.all("/v1/reconciliations")
    if invocation.has("json") { return invocation.showList(items, []) }
    guard !items.isEmpty else { return Terminal.print("Nothing was compared yet; --now does it.") }
    for item in items {
      Terminal.print(
        "\(item.text("account")) from \(item.text("from")) to \(item.text("to")): Meta \(item.text("meta.volume")) messages, "
          + "\(item.text("meta.cost")) \(item.text("currency")); ledger \(item.text("ledger.volume")), "
          + item.text("ledger.cost"))
      var table = Table([
        ("day", .left), ("number", .left), ("country", .left), ("category", .left), ("why", .left), ("messages", .right),
        ("amount", .right),
      ])
      for line in item["lines"]?.arrayValue ?? [] {
        for part in line["differences"]?.arrayValue ?? [] {
          table.add(
            ["day", "number", "country", "category"].map { line.text($0) } + [
              part.text("reason").replacing("_", with: " "), part.text("volume"), part.text("amount"),
            ])
        }
      }
      Terminal.print(item["lines"]?.arrayValue?.isEmpty == false ? table.text : "They agree.")
    }
  }
}
