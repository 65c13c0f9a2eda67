import Domain
import Testing

@Suite struct `An instant` {
  @Test(arguments: [
    ("2027-02-09T20:30:00+02:00", "2027-02-09T18:30:00Z"), ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"), ("2028-02-29t00:00:00z", "2028-02-29T00:00:00Z"),
  ]) func `reads and writes RFC 3339`(_ text: String, _ expected: String) {
    #expect(Instant(rfc3339: text)?.description == expected)
  }

  @Test(arguments: ["2027-02-09T20:30:00", "2027-02-30T00:00:00Z", "2027-02-09", "2027-02-09T20:30:00+0200", ""])
  func `refuses a time without its zone and a day that does not exist`(_ text: String) {
    #expect(Instant(rfc3339: text) == nil)
  }
}

@Suite struct `An amount` {
  @Test func `is exact`() {
    #expect((Amount("0.0576")! * 1_000_000).text() == "57600.0000")
    #expect(Amount("0.1")! + Amount("0.2")! == Amount("0.3")!)
    #expect(Amount("-0.000000001")!.text() == "-0.000000001")
  }

  @Test func `rounds half away from zero, and only when asked`() {
    #expect(Amount("2.345")!.rounded(to: 2) == Amount("2.35")!)
    #expect(Amount("-2.345")!.rounded(to: 2) == Amount("-2.35")!)
    #expect(Amount("2.344999999")!.rounded(to: 2).text(minimumDecimals: 2) == "2.34")
  }

  @Test(arguments: ["", ".5", "1.", "1e3", "1,000", "0.0000000001", " 1", "--1"])
  func `refuses what is not a plain decimal`(_ text: String) { #expect(Amount(text) == nil) }
}

@Suite struct `A message key` {
  @Test func `comes back from its callback data, and only to its own installation`() {
    let key = MessageKey(campaign: Campaign.ID(104_419_115_122_689), seq: 20_000, attempt: 2)
    let text = key.callbackData(installation: "k3f9")
    #expect(MessageKey(callbackData: text, installation: "k3f9") == key)
    #expect(MessageKey(callbackData: text, installation: "other") == nil)
    #expect(MessageKey(callbackData: "q:k3f9:1:99999999999999999999:1", installation: "k3f9") == nil)
  }
}
