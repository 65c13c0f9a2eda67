import Crypto
import Domain
import Importing
import Phone
import Postgres
import Testing

@Suite struct `A file of contacts` {
  static let arabic =
    "الجوال,الاسم الأول,المدينة\r\n+201001234567,سارة,القاهرة\r\n+201221234567,\"عمر, علي\",\"سطر\r\nثان\"\r\n"

  static func utf16(_ text: String, bigEndian: Bool, mark: Bool) -> [UInt8] {
    ((mark ? [0xFEFF] : []) + Array(text.utf16)).flatMap { unit in
      let (high, low) = (UInt8(unit >> 8), UInt8(truncatingIfNeeded: unit))
      return bigEndian ? [high, low] : [low, high]
    }
  }

  /// The letters of the text above in Windows-1256.
  static func windows1256(_ text: String) -> [UInt8] {
    let table: [Unicode.Scalar: UInt8] = [
      "ا": 0xC7, "أ": 0xC3, "ب": 0xC8, "ة": 0xC9, "ث": 0xCB, "ج": 0xCC, "د": 0xCF, "ر": 0xD1, "س": 0xD3, "ط": 0xD8,
      "ع": 0xDA,
      "ق": 0xDE, "ل": 0xE1, "م": 0xE3, "ن": 0xE4, "ه": 0xE5, "و": 0xE6, "ي": 0xED,
    ]
    return text.unicodeScalars.map { $0.isASCII ? UInt8($0.value) : table[$0]! }
  }

  @Test(arguments: ["plain", "mark", "16le", "16be", "16le plain", "16be plain", "1256"], [1, 7, 100_000])
  func `is read in every encoding, cut anywhere`(_ form: String, _ chunk: Int) async throws {
    let file: [UInt8] =
      switch form {
      case "plain": Array(Self.arabic.utf8)
      case "mark": [0xEF, 0xBB, 0xBF] + Array(Self.arabic.utf8)
      case "16le": Self.utf16(Self.arabic, bigEndian: false, mark: true)
      case "16be": Self.utf16(Self.arabic, bigEndian: true, mark: true)
      case "16le plain": Self.utf16(Self.arabic, bigEndian: false, mark: false)
      case "16be plain": Self.utf16(Self.arabic, bigEndian: true, mark: false)
      default: Self.windows1256(Self.arabic)
      }
    let lists = try await Lists()
    let report = try await lists.send(file, chunk: chunk)
    #expect((report.rows, report.created) == (2, 2))
    #expect(try await lists.attributes(201_001_234_567) == ["first_name": "سارة", "المدينة": "القاهرة"])
    #expect(try await lists.attributes(201_221_234_567) == ["first_name": "عمر, علي", "المدينة": "سطر\r\nثان"])
  }

  @Test func `turns out to be Windows-1256 at its first row that is not ASCII`() async throws {
    let lists = try await Lists()
    var file = Array("phone,first_name\n".utf8)
    for index in 0..<2000 { file += Array("+20100\(1_000_000 + index),Ali\n".utf8) }
    file += Self.windows1256("+201221234567,سارة\n+201221234568,نور\n")
    let report = try await lists.send(file, chunk: 1000)
    #expect((report.created, report.rejected, report.encoding) == (2002, 0, .windows1256))
    #expect(try await lists.attributes(201_221_234_568) == ["first_name": "نور"])
  }

  @Test func `rejects a row that is not in the encoding of those before`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      Array("phone,n\n+201001234567,سارة\n+201001234568,".utf8) + [0xD3, 0xC7, 0x0A] + Array("+201001234569,x\n".utf8))
    #expect(report.rejectedByReason == ["encoding": 1])
    #expect(report.created == 2)
  }

  @Test(arguments: [",", ";", "\t"], ["\n", "\r\n", "\r"])
  func `is read with its own delimiter and line ends`(_ delimiter: String, _ end: String) async throws {
    let lists = try await Lists()
    let rows = [["phone", "a,b", "c;d"], ["+201001234567", "1", "2"], ["+201001234568", "", "x;y,z"]]
    let file = rows.map { $0.map { "\"\($0)\"" }.joined(separator: delimiter) + end }.joined()
    for chunk in [1, 1000] {
      let report = try await lists.send(file, chunk: chunk)
      #expect(report.rows == 2)
      #expect(report.delimiter == delimiter.utf8.first)
    }
    #expect(try await lists.attributes(201_001_234_567) == ["a,b": "1", "c;d": "2"])
    #expect(try await lists.attributes(201_001_234_568) == ["c;d": "x;y,z"])
  }

  @Test func `may begin with Excel's line, blank lines and blank cells`() async throws {
    let lists = try await Lists()
    let report = try await lists.send("sep=;\r\n\r\nphone;city;;\r\n+201001234567;Cairo;;\r\n;;;\r\n\r\n")
    #expect((report.rows, report.created) == (1, 1))
    #expect(try await lists.attributes(201_001_234_567) == ["city": "Cairo"])
  }

  @Test(arguments: [
    "phone", "Phone", " PHONE ", "Mobile", "msisdn", "رقم الهاتف", "الهاتف", "الجوال", "رقم الجوال", "الموبايل",
    "موبايل", "المحمول",
    "واتساب", "phone_number", "Phone Number",
  ])
  func `has its phones under any usual name`(_ name: String) async throws {
    let lists = try await Lists()
    let report = try await lists.send("id,\(name)\n7,+201001234567\n")
    #expect(report.created == 1)
    #expect(try await lists.attributes(201_001_234_567) == ["id": "7"])
  }

  @Test func `has its phones under the name given, and prefers phone among several`() async throws {
    let lists = try await Lists()
    let file = "mobile,phone,tel home\n+201001234561,+201001234562,+201001234563\n"
    _ = try await lists.send(file)
    #expect(try await lists.attributes(201_001_234_562)?["mobile"] == "+201001234561")
    _ = try await lists.send(file, try egypt { $0.phoneColumn = "Tel Home" })
    #expect(try await lists.attributes(201_001_234_563)?["phone"] == "+201001234562")
  }

  @Test func `names reserved attributes in one way`() async throws {
    let lists = try await Lists()
    _ = try await lists.send("phone,First Name,Language,City\n+201001234567,A,ar,Cairo\n")
    #expect(try await lists.attributes(201_001_234_567) == ["City": "Cairo", "language": "ar", "first_name": "A"])
  }

  @Test func `loses bidi controls and blanks at the edges of its texts and keeps joiners inside`() async throws {
    let lists = try await Lists()
    _ = try await lists.send(
      "phone,a,b,c\n\u{202A}+201001234567\u{202C},"
        + "\u{200F} نامه\u{200C}ها \u{200E}\u{A0},\u{2068}x\u{2069}y\u{2069},\u{202B}\u{202C}\n"
    )
    #expect(try await lists.attributes(201_001_234_567) == ["a": "نامه\u{200C}ها", "b": "x\u{2069}y"])
  }

  @Test func `keeps what JSON has to escape and drops NUL`() async throws {
    let lists = try await Lists()
    _ = try await lists.send("phone,a\n+201001234567,x\0\u{01}\\ \u{1F} y\"z\n", try egypt { $0.encoding = .utf8 })
    #expect(try await lists.attributes(201_001_234_567) == ["a": "x\u{01}\\ \u{1F} y\"z"])
  }

  @Test(arguments: [
    ("", "file_empty"), ("\n\n", "file_empty"), ("name,city\nA,B\n", "phone_column_missing"),
    ("+201001234567,Ali\n", "phone_column_missing"), ("phone,a,A \n", "column_twice_not"),
    ("phone,a,a\n", "column_twice"),
    ("phone,first_name,First Name\n", "column_twice"),
    ("phone" + (0..<200).map { ",c\($0)" }.joined() + "\n", "columns_too_many"),
    ("phone," + String(repeating: "x", count: 101) + "\n", "column_name_too_long"),
    ("phone,a\n+201001234567,\"" + String(repeating: "x", count: 1 << 21), "line_too_long"),
    ("phone,a\n+201001234567," + String(repeating: "x", count: (1 << 20) + 1) + "\n", "line_too_long"),
  ])
  func `that can't be used is refused by name`(_ file: String, _ code: String) async throws {
    let lists = try await Lists()
    if code.hasSuffix("_not") {
      #expect(try await lists.send(file).rows == 0)
      return
    }
    let problem = await #expect(throws: Problem.self) { try await lists.send(file) }
    #expect(problem?.code == code)
    #expect(problem?.remedy?.isEmpty == false)
  }

  @Test func `may have 200 columns and a line of a mebibyte`() async throws {
    let lists = try await Lists()
    let wide = try await lists.send(
      "phone" + (0..<199).map { ",c\($0)" }.joined() + "\n+201001234567" + (0..<199).map { ",\($0)" }.joined() + "\n")
    #expect(wide.created == 1)
    let long = try await lists.send(
      "phone,a\n+201001234568," + String(repeating: "x", count: (1 << 20) - 14) + "\n", chunk: 50_000)
    #expect(long.created == 1)
  }
}

@Suite struct `Lines of JSON` {
  private func options(_ query: [(String, String)] = []) throws -> ImportOptions {
    try ImportOptions(query: query, contentType: "application/x-ndjson; charset=utf-8")
  }

  @Test func `are people, too`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      """
      {"phone":"+201001234567","first_name":"سارة","age":30,"vip":true,"none":null,"score":1.50}
      {"الجوال":"01221234567","country":"EG"}

      {"phone":201001234568}
      """, chunk: 5, try options())
    #expect((report.rows, report.created, report.rejected) == (3, 3, 0))
    #expect(report.fixes == ["plus_added": 1])
    #expect(
      try await lists.attributes(201_001_234_567) == [
        "age": "30", "vip": "true", "score": "1.50", "first_name": "سارة",
      ])
  }

  @Test func `are rejected one by one`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      """
      {"phone":"+201001234567"}
      {"phone":"+201001234568"
      ["+201001234568"]
      {"phone":"+201001234568","tags":["a"]}
      {"phone":"+201001234568","phone":"+201001234569"}
      {"name":"x"}
      """, try options())
    #expect(report.created == 1)
    #expect(report.rejectedByReason == ["not_json": 3, "nested": 1, "empty": 1])
    #expect(try await lists.rejects(report.upload).map(\.line) == [2, 3, 4, 5, 6])
  }

  @Test func `are bounded`() async throws {
    let lists = try await Lists()
    let wide = "{\"phone\":\"+201001234567\"" + (0..<200).map { ",\"c\($0)\":1" }.joined() + "}\n"
    #expect(
      await #expect(throws: Problem.self) { try await lists.send(wide, try options()) }?.code == "columns_too_many")
    let long = "{\"phone\":\"" + String(repeating: "1", count: 1 << 21)
    #expect(await #expect(throws: Problem.self) { try await lists.send(long, try options()) }?.code == "line_too_long")
    #expect(await #expect(throws: Problem.self) { try await lists.send("", try options()) }?.code == "file_empty")
  }
}

@Suite struct `Consent in a file` {
  @Test func `is recorded by row or for the whole file, and never invented`() async throws {
    let lists = try await Lists()
    let plain = try await lists.send("phone\n+201001234560\n")
    #expect(plain.consented == 0)
    let declared = try await lists.send("phone\n+201001234561\n", try egypt { $0.consentSource = "till" })
    #expect(declared.consented == 1)
    let dated = try await lists.send(
      "phone\n+201001234567\n",
      ImportOptions(query: [("consent_source", "desk"), ("consent_at", "2026-03-01T00:00:00Z")], contentType: nil))
    #expect(dated.consented == 1)
    let byRow = try await lists.send(
      """
      phone,consent_source,consent_at,consent_text
      +201001234562,shop,2026-01-02T10:00:00+02:00,I agree
      +201001234563,web,2026-01-02,
      +201001234564,,,
      +201001234565,web,yesterday,
      +201001234566,web,2999-01-01,
      """)
    #expect((byRow.consented, byRow.unreadableConsents) == (2, 2))
    let rows = try await lists.pool.run(
      "select phone, opt_in_at, opt_in_source, opt_in_upload from contact order by phone")
    #expect(rows.map { $0.isNull(1) } == [true, false, false, false, true, true, true, false])
    #expect(rows.map { $0.optionalText(2) } == [nil, "till", "shop", "web", nil, nil, nil, "desk"])
    #expect(rows[2].instant(1) == Instant(rfc3339: "2026-01-02T08:00:00Z"))
    #expect(rows[3].instant(1) == Instant(rfc3339: "2026-01-02T00:00:00Z"))
    #expect(rows[7].instant(1) == Instant(rfc3339: "2026-03-01T00:00:00Z"))
    #expect(rows[2].int64(3) == byRow.upload.rawValue)
    #expect(try await lists.attributes(201_001_234_562) == ["consent_text": "I agree"])
  }

  @Test func `stands in the ledger with its proof, once for each time it was set`() async throws {
    let lists = try await Lists()
    let file = """
      phone,consent_source,consent_at,consent_text
      +201001234561,shop,2026-01-02T10:00:00Z,I agree
      +201001234561,shop,2026-01-01T10:00:00Z,earlier
      +201001234562,web,,
      +201001234563,,,
      """
    let first = try await lists.send(file)
    func ledger() async throws -> Rows {
      try await lists.pool.run(
        """
        select k.phone, c.scope, c.event, c.source, c.evidence->>'import', c.evidence->>'from', c.evidence->>'text',
          c.source_at, (c.evidence->>'line')::int8
        from consent c join contact k using (person_key) order by k.phone, c.consent_id
        """)
    }
    var rows = try await ledger()
    #expect(rows.map { $0.int64(0) } == [201_001_234_561, 201_001_234_562])
    #expect(rows.allSatisfy { $0.int16(1) == 1 && $0.int16(2) == 2 && $0.int16(3) == 7 })
    #expect(rows.allSatisfy { $0.text(4) == "\(first.upload)" })
    #expect((rows[0].text(5), rows[0].optionalText(6), rows[0].int64(8)) == ("shop", "earlier", 2))
    #expect(rows[0].instant(7) == Instant(rfc3339: "2026-01-02T10:00:00Z"))
    #expect(rows[1].optionalText(6) == nil)
    // The same file says nothing new; a later date does.
    _ = try await lists.send(file)
    #expect(try await ledger().count == 2)
    _ = try await lists.send("phone,consent_source,consent_at\n+201001234561,call,2026-02-01\n")
    rows = try await ledger()
    #expect(rows.map { $0.text(5) } == ["shop", "call", "web"])
    // Nothing of it is a suppression or the end of one.
    #expect(try await lists.count("select count(*) from suppression") == 0)
  }

  @Test func `is renewed only by a later date`() async throws {
    let lists = try await Lists()
    func send(_ source: String, _ at: String) async throws -> String? {
      _ = try await lists.send("phone,consent_source,consent_at\n+201001234567,\(source),\(at)\n")
      return try await lists.pool.run("select opt_in_source from contact")[0].optionalText(0)
    }
    #expect(try await send("first", "2026-01-02") == "first")
    #expect(try await send("older", "2026-01-01") == "first")
    #expect(try await send("undated", "") == "first")
    #expect(try await send("newer", "2026-01-03") == "newer")
  }

  @Test func `does not undo a stop`() async throws {
    let lists = try await Lists()
    let key = Lists.keys.key(of: PhoneNumber(digits: 201_001_234_567)!)
    _ = try await lists.pool.run(
      """
      select record_consent(
        1, array[$1], '{1}', '{1}', '{5}', '{"{}"}', array['2026-01-01T00:00:00Z'::timestamptz])
      """,
      .uuid(key))
    _ = try await lists.send("phone,consent_source,consent_at\n+201001234567,shop,2026-05-01\n")
    #expect(try await lists.count("select count(*) from suppression where active") == 1)
  }
}

@Suite struct `Parameters of an import` {
  @Test(arguments: [
    ("default_region", "XX"), ("on_error", "ignore"), ("accept", "everything"), ("fix", "all"), ("encoding", "ebcdic"),
    ("delimiter", "|"), ("consent_source", ""), ("consent_at", "2999-01-01T00:00:00Z"), ("language", "fr"),
    ("phone_colum", "x"),
  ])
  func `are refused by name when wrong`(_ name: String, _ value: String) {
    let problem = #expect(throws: Problem.self) { try ImportOptions(query: [(name, value)], contentType: nil) }
    #expect(problem?.field == name)
  }

  @Test func `are understood`() throws {
    let options = try ImportOptions(
      query: [
        ("default_region", "مصر"), ("on_error", "keep"), ("accept", "landline,possible"), ("fix", "old_format"),
        ("encoding", "Windows-1256"), ("delimiter", "semicolon"), ("language", "ar"),
      ], contentType: "TEXT/CSV; header=present")
    #expect(options.defaultRegion?.code == "EG")
    #expect(options.phones.acceptsLandlines && !options.phones.acceptsServiceNumbers && options.acceptsPossible)
    #expect(options.phones.fixesOldFormat)
    #expect((options.encoding, options.delimiter, options.language) == (.windows1256, UInt8(ascii: ";"), .arabic))
  }

  @Test func `say which media types are read`() {
    let problem = #expect(throws: Problem.self) {
      try ImportOptions(query: [], contentType: "application/vnd.ms-excel")
    }
    #expect(problem?.status == 415)
  }
}
