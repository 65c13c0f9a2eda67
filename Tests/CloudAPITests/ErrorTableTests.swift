import CloudAPI
import Domain
import Testing

@Suite struct `The error table` {
  @Test func `has each code once, and a sentence in both languages`() {
    var seen: Set<Int> = []
    for entry in ErrorTable.entries {
      if entry.codes.count == 1 { #expect(seen.insert(entry.codes.lowerBound).inserted, "\(entry.codes)") }
      #expect(entry.english.hasSuffix(".") && entry.arabic.hasSuffix("."), "\(entry.codes)")
      #expect(entry.arabic.unicodeScalars.contains { (0x600...0x6FF).contains($0.value) })
    }
    #expect(seen.count > 60)
  }

  /// Sending again after one of these could reach a person twice.
  @Test func `leaves the outcome open for the codes that say nothing about acceptance`() {
    for code in [1, 2, 131000] { #expect(ErrorTable.entry(code).accepted == .maybe, "\(code)") }
    #expect(ErrorTable.entries.filter { $0.accepted == .maybe }.map(\.codes.lowerBound).sorted() == [1, 2, 131000])
  }

  @Test(arguments: [4, 613, 80007, 130429, 131016, 131056, 131057, 133004, 190, 100, 132000, 131049])
  func `knows the documented refusals before acceptance`(code: Int) {
    #expect(ErrorTable.entry(code, httpStatus: 500).accepted == .no)
  }

  @Test func `takes an unknown code for refused only when the status says so`() {
    #expect(ErrorTable.entry(987654, httpStatus: 400).accepted == .no)
    #expect(ErrorTable.entry(987654, httpStatus: 500).accepted == .maybe)
    #expect(ErrorTable.entry(987654, httpStatus: 200).accepted == .maybe)
    #expect(ErrorTable.entry(987654, httpStatus: 500).errorClass == .unclassified)
  }

  @Test func `tells who must act`() {
    let expected: [(Int, Role?)] = [
      (131042, .finance), (190, .admin), (200, .admin), (299, .admin), (132001, .marketer), (132015, .marketer),
      (131048, .operate), (368, .operate), (131049, nil), (130429, nil), (131050, nil),
    ]
    for (code, actor) in expected { #expect(ErrorTable.entry(code).actor == actor, "\(code)") }
  }

  @Test func `sorts codes into the classes that rules and pauses name`() {
    let expected: [Int: ErrorClass] = [
      0: .authorization, 250: .authorization, 131005: .authorization, 130429: .throttleNumber, 131056: .throttlePair,
      80007: .throttleAccount, 131049: .holdPerson, 130472: .recipient, 131026: .recipient, 131050: .optedOut,
      131048: .pauseNumber, 133010: .pauseNumber, 131031: .pauseAccount, 132015: .pauseTemplate, 132000: .request,
      131042: .billing, 133005: .operations, 133004: .transient, 133011: .operations,
      2_388_019: .operations, 131057: .restNumber,
    ]
    for (code, errorClass) in expected { #expect(ErrorTable.entry(code).errorClass == errorClass, "\(code)") }
  }

  @Test func `never calls a number wrong, because Meta does not say so`() {
    let entry = ErrorTable.entry(131026)
    #expect(entry.english.contains("can't receive") && entry.english.contains("Meta doesn't say which"))
    #expect(!ErrorTable.entries.contains { $0.english.lowercased().contains("wrong number") })
  }

  @Test func `keeps Meta's words out of what is logged`() {
    let error = MetaError(code: 131026, details: "to +16505551234")
    #expect("\(error)" == "Meta's error 131026")
    #expect(MetaError(code: 1, details: String(repeating: "x", count: 900)).details?.count == 500)
  }
}

@Suite struct `Meta's time zone ids` {
  @Test func `name IANA zones`() {
    #expect(TimeZones.name(of: 1) == "America/Los_Angeles")
    #expect(TimeZones.name(of: 8) == "Asia/Dubai")
    #expect(TimeZones.name(of: 53) == "Africa/Cairo")
    #expect(TimeZones.name(of: 86) == "Africa/Casablanca")
    #expect(TimeZones.name(of: 112) == "Asia/Qatar")
    #expect(TimeZones.name(of: 126) == "Asia/Riyadh")
    #expect(TimeZones.name(of: 141) == "Africa/Johannesburg")
    for id in [0, -1, 142, 480] { #expect(TimeZones.name(of: id) == nil) }
  }
}
