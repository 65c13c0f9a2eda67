import Domain
import Importing
import Phone
import Postgres
import Testing

/// Product §3 as a file: each way in which people write a number, what becomes of it, and what the sender is told.
@Suite struct `Phones as lists have them` {
  struct Row: Sendable {
    let region: String
    let written: [String]
    /// The number stored, or nil.
    var stored: Int64?
    /// The word in the file of rejected rows, or nil.
    var reason: String?
    /// What its remedy has to say.
    var remedy = ""
    var fix: PhoneFix?

    init(_ region: String, _ written: [String], accept stored: Int64, fix: PhoneFix? = nil) {
      (self.region, self.written, self.stored, self.fix) = (region, written, stored, fix)
    }
    init(_ region: String, _ written: [String], reject reason: String, _ remedy: String) {
      (self.region, self.written, self.reason, self.remedy) = (region, written, reason, remedy)
    }
  }

  static let table: [Row] = [
    Row(
      "EG",
      [
        "01001234567", "1001234567", "201001234567", "2001001234567", "00201001234567", "+2 01001234567",
        "+2 0100 123 4567", "2 01001234567",
      ], accept: 201_001_234_567),
    Row(
      "EG",
      [
        "٠١٠٠١٢٣٤٥٦٧", "۰۱۰۰۱۲۳۴۵۶۷", "０１００１２３４５６７", "\u{202A}+20 100 123 4567\u{202C}", "0100\u{A0}123\u{A0}4567",
        "0100\u{2011}123\u{2011}4567", "'01001234567", "=\"01001234567\"", "wa.me/201001234567",
        "https://wa.me/201001234567",
      ], accept: 201_001_234_567),
    Row("EG", ["0101234567", "101234567", "+20101234567"], reject: "old_format", "010 is 0100"),
    Row("EG", ["0121234567"], reject: "old_format", "012 is 0122"),
    Row("EG", ["0111234567"], reject: "old_format", "011 is 0111"),
    Row("EG", ["0141234567"], reject: "old_format", "014 is 0114"),
    Row("EG", ["0161234567"], reject: "old_format", "016 is 0106"),
    Row("EG", ["0171234567"], reject: "old_format", "017 is 0127"),
    Row("EG", ["0181234567"], reject: "old_format", "018 is 0128"),
    Row("EG", ["0191234567"], reject: "old_format", "019 is 0109"),
    Row("EG", ["0151234567"], reject: "old_format?", "landline of 10th of Ramadan"),
    Row("EG", ["0501234567"], reject: "landline", "mobile of another country"),
    Row("AE", ["0501234567"], accept: 971_501_234_567),
    Row("SA", ["0501234567"], accept: 966_501_234_567),
    Row("SA", ["01001234567"], reject: "other_country", "Egypt"),
    Row("EG", ["966501234567"], accept: 966_501_234_567, fix: .plusAdded),
    Row("EG", ["96550123456"], accept: 96_550_123_456, fix: .plusAdded),
    Row("SA", ["96550123456"], accept: 96_550_123_456, fix: .plusAdded),
    Row("SA", ["+966 0501234567", "+966(0)501234567", "966-050-1234567"], accept: 966_501_234_567),
    Row("AE", ["+971 (0)50 123 4567"], accept: 971_501_234_567),
    Row("JO", ["+9620791234567"], accept: 962_791_234_567),
    Row("MA", ["+212 0612345678"], accept: 212_612_345_678),
    Row("KW", ["50123456"], accept: 96_550_123_456),
    Row("KW", ["66123456"], accept: 96_566_123_456),
    Row("KW", ["97123456"], accept: 96_597_123_456),
    Row("KW", ["41123456"], accept: 96_541_123_456),
    Row("EG", ["50123456", "66123456", "97123456", "41123456"], reject: "needs_region", "country column"),
    Row("SA", ["0112345678"], reject: "landline", "switch them on"),
    Row("SA", ["920012345", "8001234567"], reject: "service", "switch"),
    Row("EG", ["0223456789", "034567890"], reject: "landline", "switch them on"),
    Row("JO", ["064612345"], reject: "landline", "switch them on"),
    Row("MA", ["0801001234"], reject: "service", "switch"),
    Row(
      "EG", ["01001234567 / 01221234567", "01001234567-01221234567"], reject: "two_numbers", "two numbers in one cell"),
    Row("EG", ["01001234567 (ماما)", "01OO1234567"], reject: "letters", "letter O"),
    Row("EG", ["2.01001E+11", "201001234567.0"], reject: "spreadsheet", "spreadsheet destroyed"),
    Row("AE", ["0531234567"], accept: 971_531_234_567),
  ]

  @Test func `are taken or refused as the table says, each with its remedy`() async throws {
    let lists = try await Lists()
    for row in Self.table {
      let written = row.written.map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
      let report = try await lists.send(
        "phone\n" + written.joined(separator: "\n") + "\n",
        ImportOptions(query: [("default_region", row.region)], contentType: nil))
      #expect(report.rows == row.written.count, "\(row)")
      if let stored = row.stored {
        #expect((report.rejected, report.suspect) == (0, 0), "\(row)")
        #expect(report.created + report.unchanged + report.merged == row.written.count, "\(row)")
        #expect(try await lists.attributes(stored) != nil, "\(row)")
        #expect(report.fixes == (row.fix.map { [$0.rawValue: row.written.count] } ?? [:]), "\(row)")
        #expect(report.kinds == ["mobile": row.written.count], "\(row)")
      } else {
        #expect(report.rejectedByReason == [row.reason ?? "": row.written.count], "\(row)")
        let rejects = try await lists.pool.run(
          "select line, remedy from upload_reject where upload_id = $1 order by line", .int8(report.upload.rawValue))
        #expect(rejects.map { $0.int64(0) } == (2..<Int64(2 + row.written.count)).map { $0 }, "\(row)")
        #expect(rejects.allSatisfy { $0.text(1).contains(row.remedy) }, "\(row): \(rejects.map { $0.text(1) })")
      }
    }
    #expect(try await lists.count("select count(*) from contact where suspect") == 0)
  }

  @Test func `of Egypt's old format are repaired when asked, each to today's number`() async throws {
    let lists = try await Lists()
    let old = ["010", "012", "011", "014", "016", "017", "018", "019"]
    let report = try await lists.send(
      "phone\n" + old.map { $0 + "1234567\n" }.joined(),
      ImportOptions(query: [("default_region", "EG"), ("fix", "old_format")], contentType: nil))
    #expect((report.created, report.fixes) == (8, ["old_format": 8]))
    let rows = try await lists.pool.run("select phone from contact")
    let today: Set<Int64> = [100, 122, 111, 114, 106, 127, 128, 109]
    #expect(Set(rows.map { $0.int64(0) }) == Set(today.map { 200_000_000_000 + $0 * 10_000_000 + 1_234_567 }))
  }

  @Test func `that are only possible are stored, held back and told, or taken when that is accepted`() async throws {
    let lists = try await Lists()
    let held = try await lists.send("phone\n+201301234567\n")
    #expect((held.created, held.suspect, held.rejected) == (1, 1, 0))
    let told = try await lists.pool.run("select reason, remedy from upload_reject")
    #expect(told.map { $0.text(0) } == ["only_possible"] && told[0].text(1).contains("accept=possible"))
    let taken = try await lists.send(
      "phone\n+201301234567\n", ImportOptions(query: [("accept", "possible")], contentType: nil))
    #expect((taken.updated, taken.suspect) == (1, 0))
    #expect(try await lists.count("select count(*) from contact where suspect") == 0)
  }

  @Test func `are told in the sender's language, without a digit of theirs`() async throws {
    let lists = try await Lists()
    _ = try await lists.send(
      "phone\n0501239876\n", ImportOptions(query: [("default_region", "EG"), ("language", "ar")], contentType: nil))
    let remedy = try await lists.pool.run("select remedy from upload_reject")[0].text(0)
    #expect(remedy.contains("رقم أرضي") && !remedy.contains("9876"))
  }
}
