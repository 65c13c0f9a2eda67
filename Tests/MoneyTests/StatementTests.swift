import Domain
import Intake
import JSON
import Money
import Postgres
import Reactor
import Reports
import Store
import Testing

@Suite struct `A month's statement` {
  /// 2027-01-20, noon UTC.
  private let january: Int64 = 1_800_446_400

  private func delivered(_ books: Books, _ id: Campaign.ID, _ seq: Int, at: Int64) -> Books.Receipt {
    Books.Receipt(
      campaign: id, seq: seq, number: "9010", status: "delivered", at: at, category: "marketing", type: "regular")
  }

  private func stage() async throws -> (Books, Statements.Account, Campaign.ID) {
    let books = try await Books(at: Instant(seconds: january))
    let cairo = try await books.account("901", currency: "USD", zone: "Africa/Cairo")
    let id = try await books.campaign(
      "عرض رمضان <b>&\"1\"</b>", of: cairo, to: (0..<10).map { 201_001_000_000 + Int64($0) })
    try await books.receive((1...7).map { delivered(books, id, $0, at: january) })
    try await books.foldAll()
    let account = try await Statements.accounts(of: books.installation.business, on: books.pool)[0]
    return (books, account, id)
  }

  private func day(_ books: Books, _ text: String) throws -> Instant {
    try #require(Instant(rfc3339: text + "T12:00:00+02:00"))
  }

  @Test func `closes on the eighth with a number, and what comes later stands in the next`() async throws {
    let (books, account, id) = try await stage()
    let month = BillingMonth("2027-01")!
    let seventh = try day(books, "2027-02-07")
    #expect(try await MonthClosing.run(now: seventh, on: books.pool) == 0)
    #expect(try await Statements.read(account, month, on: books.pool).number == nil)
    let eighth = try day(books, "2027-02-08")
    #expect(try await MonthClosing.run(now: eighth, on: books.pool) == 1)
    let closed = try await Statements.read(account, month, on: books.pool)
    #expect(closed.number == 1 && closed.totals.exactNet == Amount("0.4508") && closed.totals.net == Amount("0.45"))
    // A folder whose clock is late meant to post into January: the fence made it read that January is closed.
    books.clock.with { $0 = seventh }
    try await books.receive([delivered(books, id, 8, at: january + 60)])
    try await books.foldAll()
    #expect(try await Statements.read(account, month, on: books.pool).lines == closed.lines)
    let next = try await Statements.read(account, month.next, on: books.pool)
    #expect(next.number == nil && next.lines.count == 1 && next.totals.exactNet == Amount("0.0644"))
    #expect(next.lines[0].day == CivilDate("2027-01-20") && next.lines[0].card == CivilDate("2026-10-01"))
    #expect(StatementCSV.render(next).contains(",adjustment,charge,2027-01-20,"))
    await books.close()
  }

  @Test func `closes once when several nodes try, numbered without a gap`() async throws {
    let (books, _, _) = try await stage()
    let now = try day(books, "2027-03-20")
    let counts = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try await MonthClosing.run(now: now, on: books.pool) } }
      return try await group.reduce(0, +)
    }
    #expect(counts == 1)
    #expect(try await books.pool.run("select count(*), max(statement_no) from statement")[0].int64(1) == 1)
    await books.close()
  }

  @Test func `is a page that stands by itself, in both directions`() async throws {
    let (books, account, _) = try await stage()
    var parties = Statements.Parties()
    parties.seller.name = "Meta Platforms Ireland Limited"
    (parties.buyer.name, parties.buyer.taxNumber) = ("شركة القافلة", "100-200-300")
    parties.vatPercent = Amount("14")
    try await Statements.name(parties, of: account.business, by: "test", on: books.pool)
    let month = BillingMonth("2027-01")!
    let arabic = try await StatementReport.render(account, month, as: .html, language: .ar, on: books.pool)
    #expect(arabic.contains("<html lang=\"ar\" dir=\"rtl\">") && arabic.contains("<bdi dir=\"ltr\">0.4508</bdi>"))
    #expect(arabic.contains("هذا الكشف ليس فاتورة ضريبية.") && arabic.contains("<bdi dir=\"ltr\">100-200-300</bdi>"))
    #expect(arabic.contains("عرض رمضان &lt;b&gt;&amp;&quot;1&quot;&lt;/b&gt;") && !arabic.contains("<b>"))
    // Not closed, and of a quarter for which no card was loaded.
    #expect(arabic.contains("كشف مبدئي") && arabic.contains("لم تُؤكَّد بطاقة الأسعار"))
    let english = try await StatementReport.render(account, month, as: .html, language: .en, on: books.pool)
    #expect(english.contains("<html lang=\"en\" dir=\"ltr\">") && english.contains("not a tax invoice"))
    for page in [arabic, english] {
      // 0.4508: the net is 0.45, 14 % of it 0.06, together 0.51.
      for sum in ["0.4508 USD", "0.45 USD", "0.06 USD", "0.51 USD"] { #expect(page.contains(">\(sum)<"), "\(sum)") }
      #expect(!page.contains("http") && !page.contains("<script") && !page.contains("src="))
      // No digits of another script.
      let others = page.unicodeScalars.filter { (0x660...0x669).contains($0.value) || (0x6F0...0x6F9).contains($0.value) }
      #expect(others.isEmpty)
    }
    let json = try JSONValue(
      parsing: Array(try await StatementReport.render(account, month, as: .json, language: .en, on: books.pool).utf8))
    #expect(json["is_tax_invoice"] == false && json["card"] == "card_stale" && json["totals"]?["gross"] == "0.51")
    await books.close()
  }
}
