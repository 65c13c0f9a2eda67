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
        Option("format", "FORMAT", "csv (unless given) or ndjson"),
        Option("excel", nil, "for spreadsheets: BOM, phones as text"),
        Option("output", "PATH", "to a file that only you read, instead of standard output"),
      ], settings: Setting.client, run: messages),
    Command(
      words: ["reports", "costs"], summary: "what messages cost, summed",
      options: period + [
        Option("group-by", "WORDS", "some of campaign, market, category, number, day (comma between)"), Commands.json,
      ], settings: Setting.client, run: costs),
  ]

  private static func query(_ invocation: Invocation) -> [(String, String?)] {
    [
      ("campaign", invocation.option("campaign")), ("from", invocation.option("from")), ("to", invocation.option("to")),
      ("format", invocation.option("format")), ("group_by", invocation.option("group-by")),
      ("excel", invocation.has("excel") ? "true" : nil),
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
    let numbers: Set<String> = ["amount", "count", "messages", "charged", "free", "unpriced"]
    var table = Table(names.map { ($0.replacing("_", with: " "), numbers.contains($0) ? .right : .left) })
    for item in items { table.add(names.map { item.text($0) }) }
    Terminal.print(table.text)
  }
}
