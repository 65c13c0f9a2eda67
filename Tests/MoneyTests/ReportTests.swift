import Domain
import Intake
import JSON
import Money
import Postgres
import Reactor
import Reports
import Store
import Testing

@Suite struct `The messages report` {
  private func stage(people: Int) async throws -> (Books, Campaign.ID) {
    let books = try await Books()
    let cairo = try await books.account("801", currency: "USD", zone: "Africa/Cairo", numbers: 2)
    let phones = (0..<people).map { n -> Int64 in (n % 2 == 0 ? 201_001_000_000 : 96_550_000_000) + Int64(n) }
    let id = try await books.campaign("=HYPERLINK(\"x\"), عرض\r\nرمضان", of: cairo, to: phones)
    var receipts: [Books.Receipt] = []
    for seq in 1...people where seq % 3 > 0 {
      receipts.append(
        Books.Receipt(
          campaign: id, seq: seq, number: "801\(seq % 2)", status: seq % 5 == 0 ? "read" : "delivered",
          at: 1_791_190_800, category: "marketing", type: "regular"))
    }
    try await books.receive(receipts)
    try await books.foldAll()
    return (books, id)
  }

  @Test func `is RFC 4180 with one line per message, its estimate beside its charge, and no formula`() async throws {
    let (books, id) = try await stage(people: 9)
    let text = try await books.text()
    #expect(!text.replacing("\r\n", with: "").contains("\n"))
    let lines = try await books.report()
    #expect(lines.map { $0["recipient_ref"] } == (1...9).map { "\(id)-\($0)" })
    #expect(lines[0]["campaign"] == "'=HYPERLINK(\"x\"), عرض  رمضان" && lines[0]["phone"] == "+201001000000")
    // In November 2026 Kuwait has its own price; it is estimated for those who have no receipt too.
    #expect(lines[1]["estimate"] == "0.0792" && lines[1]["charge"] == "0.0792" && lines[1]["market"] == "kuwait")
    #expect(lines[2]["estimate"] == "0.0644" && lines[2]["charge"] == "" && lines[2]["state"] == "accepted")
    #expect(lines[4]["state"] == "read" && lines[4]["rate_card"] == "2026-10-01" && lines[4]["number"] == "8011")
    await books.close()
  }

  @Test func `goes on after the line that was read last, to the same bytes`() async throws {
    let (books, _) = try await stage(people: 40)
    for format in [MessageReport.Format.csv, .ndjson] {
      let whole = try await books.text(format: format)
      let lines = try await books.report()
      for cut in [0, 1, 17, 39] {
        let rest = try await books.text(
          after: "\(lines[cut]["recipient_ref"]!)-\(lines[cut]["attempt"]!)", format: format)
        let expected = whole.split(separator: format == .csv ? "\r\n" : "\n").dropFirst(cut + (format == .csv ? 2 : 1))
        #expect(rest.split(separator: format == .csv ? "\r\n" : "\n") == Array(expected), "after line \(cut)")
      }
    }
    await books.close()
  }

  @Test func `is one document as JSON, a spreadsheet's friend on request, and masks phones`() async throws {
    let (books, _) = try await stage(people: 7)
    let json = try JSONValue(parsing: Array(try await books.text(format: .json).utf8)).arrayValue
    #expect(json?.count == 7 && json?[1]["charge"] == "0.0792" && json?[0]["campaign"]?.stringValue?.first == "=")
    let excel = try await books.text {
      ($0.isForSpreadsheet, $0.delimiter) = (true, ";")
    }
    #expect(excel.hasPrefix("\u{FEFF}campaign_id;campaign;") && excel.contains("\"=\"\"+201001000000\"\"\""))
    let masked = try await books.report(phones: false)
    #expect(masked.map { $0["phone"]! }.allSatisfy { $0.hasPrefix("+…") && $0.count == 5 })
    await books.close()
  }
}

@Suite struct `The cost report` {
  @Test func `stands beside the period before, with the cost of a delivery and of a reading`() async throws {
    let books = try await Books()
    let cairo = try await books.account("802", currency: "USD", zone: "Africa/Cairo")
    let id = try await books.campaign("One", of: cairo, to: (0..<6).map { 201_001_000_000 + Int64($0) })
    func receipt(_ seq: Int, _ status: String, _ at: Int64) -> Books.Receipt {
      Books.Receipt(
        campaign: id, seq: seq, number: "8020", status: status, at: at, category: "marketing", type: "regular")
    }
    // Five in October, one of them read; one in September.
    var receipts = (1...4).map { receipt($0, "delivered", 1_791_190_800) }
    receipts += [receipt(5, "read", 1_791_190_800), receipt(6, "delivered", 1_789_000_000)]
    try await books.receive(receipts)
    try await books.foldAll()
    let asked = CostLines.Asked(
      groups: [.market], business: books.installation.business, campaign: nil, from: CivilDate("2026-10-01"),
      to: CivilDate("2026-10-31"))
    let lines = try await CostReport.lines(asked, comparing: true, on: books.pool)
    #expect(lines.count == 1)
    #expect(lines[0]["amount"] == "0.3220" && lines[0]["delivered"] == .number("5") && lines[0]["read"] == .number("1"))
    #expect(lines[0]["per_delivered"] == "0.0644" && lines[0]["per_read"] == "0.3220")
    #expect(lines[0]["previous"]?["amount"] == "0.0644" && lines[0]["previous"]?["per_read"] == .null)
    await books.close()
  }
}
