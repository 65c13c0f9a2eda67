import Domain
import Phone
import Testing

private func accepted(_ e164: String, _ country: String, _ fixed: PhoneFix? = nil) -> PhoneVerdict {
  .accepted(PhoneNumber(e164: e164)!, country: country, fixed: fixed)
}

private func word(_ text: String, _ region: String?) -> String {
  switch PhoneReader.read(text, region: region) {
  case .accepted: "accepted"
  case .suspect: "suspect"
  case .rejected(let reason): reason.word
  }
}

@Suite struct `A number as people write it` {
  @Test(arguments: [
    "01001234567", "1001234567", "201001234567", "2001001234567", "00201001234567", "+2 01001234567", "2 01001234567",
    "+2 0100 123 4567", "+201001234567", "+20 (0)100-123-4567", "0100.123.4567", "(0100) 123 4567", " 01001234567 ",
    "٠١٠٠١٢٣٤٥٦٧", "۰۱۰۰۱۲۳۴۵۶۷", "０１００１２３４５６７", "＋２０１００１２３４５６７", "\u{202A}+20 100 123 4567\u{202C}",
    "\u{2068}01001234567\u{2069}", "0100\u{A0}123\u{A0}4567", "0100\u{2011}123\u{2011}4567", "'01001234567",
    "=\"01001234567\"", "\u{FEFF}01001234567", "wa.me/201001234567", "https://wa.me/201001234567?text=hi",
    "https://api.whatsapp.com/send/?phone=201001234567&text&type=phone_number", "tel:01001234567", "tel:+201001234567",
    "+٢٠١٠٠١٢٣٤٥٦٧", "0020 100 123 4567", "+20 0100 123 4567",
  ])
  func `is the Egyptian mobile it means`(_ text: String) {
    #expect(PhoneReader.read(text, region: "EG") == accepted("+201001234567", "EG"))
  }

  @Test(arguments: [
    ("+966 0501234567", "SA", "+966501234567"), ("+966(0)501234567", "SA", "+966501234567"),
    ("966-050-1234567", "SA", "+966501234567"), ("+971 (0)50 123 4567", "AE", "+971501234567"),
    ("+9620791234567", "JO", "+962791234567"), ("+212 0612345678", "MA", "+212612345678"),
    ("0612345678", "MA", "+212612345678"), ("03 123 456", "LB", "+9613123456"), ("70123456", "LB", "+96170123456"),
    ("0501234567", "SA", "+966501234567"), ("501234567", "SA", "+966501234567"), ("0791234567", "JO", "+962791234567"),
    ("07712345678", "IQ", "+9647712345678"), ("0551234567", "DZ", "+213551234567"), ("20123456", "TN", "+21620123456"),
    ("0911234567", "LY", "+218911234567"), ("0912345678", "SD", "+249912345678"), ("0591234567", "PS", "+970591234567"),
    ("0933123456", "SY", "+963933123456"), ("92123456", "OM", "+96892123456"), ("33123456", "QA", "+97433123456"),
    ("36123456", "BH", "+97336123456"), ("733123456", "YE", "+967733123456"),
  ])
  func `is a mobile of its region`(_ text: String, _ region: String, _ e164: String) {
    #expect(PhoneReader.read(text, region: region) == accepted(e164, region))
  }

  @Test(arguments: ["50123456", "66123456", "97123456", "41123456", "90012345", "98812345"])
  func `is a Kuwaiti mobile only when the region says so`(_ text: String) {
    #expect(PhoneReader.read(text, region: "KW") == accepted("+965" + text, "KW"))
    #expect(word(text, "EG") == "needs_region")
    #expect(word(text, nil) == "needs_region")
  }

  /// A stranger gets it: nothing in the digits tells, so the import's summary by country has to.
  @Test func `means other people under other regions`() {
    #expect(PhoneReader.read("0501234567", region: "AE") == accepted("+971501234567", "AE"))
    #expect(PhoneReader.read("0501234567", region: "SA") == accepted("+966501234567", "SA"))
    #expect(word("0501234567", "EG") == "landline")
  }

  @Test(arguments: ["EG", "SA", nil])
  func `gets the plus it lacks when it is an Arab mobile with its country's code`(_ region: String?) {
    #expect(PhoneReader.read("96550123456", region: region) == accepted("+96550123456", "KW", .plusAdded))
    if region != "SA" {
      #expect(PhoneReader.read("966501234567", region: region) == accepted("+966501234567", "SA", .plusAdded))
      #expect(PhoneReader.read("9660501234567", region: region) == accepted("+966501234567", "SA", .plusAdded))
    }
  }

  @Test func `is never guessed to be of a far country`() {
    #expect(word("4915112345678", "EG") != "accepted")
    #expect(PhoneReader.read("+4915112345678", region: "EG") == accepted("+4915112345678", "DE"))
  }
}

@Suite struct `A refused number` {
  @Test(arguments: [
    ("010", "0100"), ("011", "0111"), ("012", "0122"), ("014", "0114"), ("016", "0106"), ("017", "0127"),
    ("018", "0128"),
    ("019", "0109"),
  ])
  func `of Egypt's old format is offered its new one`(_ old: String, _ new: String) {
    let today = PhoneNumber(e164: "+2" + new + "1234567")!
    for text in [old + "1234567", String(old.dropFirst()) + "1234567", "+2" + old + "1234567"] {
      #expect(PhoneReader.read(text, region: "EG") == .rejected(.oldFormat(today: today)))
      var options = PhoneOptions()
      options.fixesOldFormat = true
      let fixed = PhoneReader.read(text, region: PhoneRegion("EG"), options: options)
      #expect(fixed.verdict == .accepted(today, country: "EG", fixed: .oldFormat))
    }
  }

  @Test(arguments: [
    ("0151234567", "EG", "old_format?"), ("0501234567", "EG", "landline"), ("0112345678", "SA", "landline"),
    ("0223456789", "EG", "landline"), ("034567890", "EG", "landline"), ("064612345", "JO", "landline"),
    ("920012345", "SA", "service"), ("8001234567", "SA", "service"), ("0801001234", "MA", "service"),
    ("+201001234567+201221234567", "EG", "two_numbers"), ("01001234567 / 01221234567", "EG", "two_numbers"),
    ("01001234567-01221234567", "EG", "two_numbers"), ("01001234567 01221234567", "EG", "two_numbers"),
    ("01001234567، 01221234567", "EG", "two_numbers"), ("01001234567\n01221234567", "EG", "two_numbers"),
    ("0223456789/90", "EG", "two_numbers"), ("50123456-66123456", "KW", "two_numbers"),
    ("01001234567 (ماما)", "EG", "letters"), ("01OO1234567", "EG", "letters"), ("call me", "EG", "letters"),
    ("01001234567 ☎", "EG", "letters"), ("2.01001E+11", "EG", "spreadsheet"), ("2,01001E+11", "EG", "spreadsheet"),
    ("2E11", "EG", "spreadsheet"), ("201001234567.0", "EG", "spreadsheet"), ("201001234567,00", "EG", "spreadsheet"),
    ("", "EG", "empty"), (" - ", "EG", "empty"), ("\u{200E}\u{200F}", "EG", "empty"), ("123", "EG", "too_short"),
    ("0100123456", "EG", "old_format"), ("010012345678", "EG", "too_long"), ("1234567890123456", "EG", "too_long"),
    ("01001234567", "SA", "other_country"), ("0551234567", "EG", "landline"), ("0561234567", "JO", "needs_region"),
    ("01001234567", nil, "needs_region"), ("01001234567", "XX", "needs_region"),
    ("+99912345678", nil, "invalid"),
  ])
  func `says why`(_ text: String, _ region: String?, _ reason: String) { #expect(word(text, region) == reason) }

  @Test func `names the country it may belong to`() throws {
    guard case .rejected(let reason) = PhoneReader.read("01001234567", region: "SA") else {
      Issue.record("it was not rejected")
      return
    }
    #expect(reason == .otherCountry("EG"))
    #expect(reason.remedy.english.contains("Egypt"))
    #expect(reason.remedy.arabic.contains("مصر"))
  }

  @Test func `has a remedy in both languages that quotes no digit of it`() {
    let phone = PhoneNumber(e164: "+201009876543")!
    let all: [PhoneRejection] = [
      .empty, .letters, .twoNumbers, .spreadsheet, .oldFormat(today: phone), .maybeOldFormat, .landline, .service,
      .needsRegion(candidates: []), .needsRegion(candidates: ["KW", "QA", "TN"]), .otherCountry("EG"), .tooShort,
      .tooLong,
      .invalid,
    ]
    for reason in all {
      #expect(reason.remedy.english.count > 20 && reason.remedy.arabic.count > 10)
      #expect(!reason.remedy.english.contains("9876543"))
    }
    #expect(Set(all.map(\.word)).count == 13)
    #expect(
      PhoneRejection.needsRegion(candidates: ["KW", "QA", "TN"]).remedy.english.contains("Kuwait, Qatar or Tunisia"))
  }

  @Test func `is let in when landlines or service numbers are wanted`() {
    var options = PhoneOptions()
    options.acceptsLandlines = true
    let landline = PhoneReader.read("0223456789", region: PhoneRegion("EG"), options: options)
    #expect(landline.verdict == accepted("+20223456789", "EG"))
    #expect(landline.kind == .landline)
    #expect(PhoneReader.read("920012345", region: PhoneRegion("SA"), options: options).kind == .service)
    options.acceptsServiceNumbers = true
    #expect(
      PhoneReader.read("920012345", region: PhoneRegion("SA"), options: options).verdict
        == accepted("+966920012345", "SA"))
  }
}

@Suite struct `A number that is only possible` {
  @Test func `is suspect, not accepted`() {
    #expect(
      PhoneReader.read("+201301234567", region: nil)
        == .suspect(PhoneNumber(e164: "+201301234567")!, reason: .onlyPossible))
  }
}

@Suite struct `The table of Arab mobiles` {
  @Test func `knows ranges opened after the library's metadata`() {
    #expect(PhoneReader.read("0531234567", region: "AE") == accepted("+971531234567", "AE"))
    #expect(PhoneReader.read("+971531234567", region: nil) == accepted("+971531234567", "AE"))
    #expect(PhoneReader.read("781234567", region: "YE") == accepted("+967781234567", "YE"))
  }

  @Test(arguments: [
    ("+201001234567", "EG"), ("+9613123456", "LB"), ("+12025550123", "US"), ("+442079460000", "GB"),
    ("+390612345678", "IT"), ("+77012345678", "KZ"),
  ])
  func `and the library tell the country`(_ e164: String, _ country: String) {
    #expect(PhoneReader.country(of: PhoneNumber(e164: e164)!) == country)
  }

  @Test func `has no country for a number that belongs to none`() {
    #expect(PhoneReader.country(of: PhoneNumber(e164: "+99912345678")!) == nil)
  }

  @Test(arguments: [
    ("Egypt", "EG"), ("egypt", "EG"), ("EG", "EG"), ("eg", "EG"), ("EGY", "EG"), ("مصر", "EG"), ("السعوديه", "SA"),
    ("KSA", "SA"), ("Saudi Arabia", "SA"), ("الامارات", "AE"), ("UAE", "AE"), ("الأردن", "JO"), ("de", "DE"),
    ("NO", "NO"),
  ])
  func `knows countries by code and by name`(_ text: String, _ code: String) {
    #expect(PhoneRegion(text)?.code == code)
  }

  @Test func `knows no country that is none`() {
    for text in ["", "XX", "ZZ", "Atlantis", "12"] { #expect(PhoneRegion(text) == nil) }
  }

  @Test func `reads a million rows of E.164 in about a second`() {
    let clock = ContinuousClock()
    let bytes = Array("+201001234567".utf8)
    var total: Int64 = 0
    let elapsed = clock.measure {
      bytes.withUnsafeBufferPointer { buffer in
        for _ in 0..<100_000 {
          if case .accepted(let phone, _, _) = PhoneReader.read(utf8: buffer, region: nil).verdict {
            total += phone.digits
          }
        }
      }
    }
    #expect(total == 201_001_234_567 * 100_000)
    // A tenth of the rows, in an unoptimised build on a busy machine: the bound only catches a path that left the
    // table.
    #expect(elapsed < .seconds(2))
  }
}
