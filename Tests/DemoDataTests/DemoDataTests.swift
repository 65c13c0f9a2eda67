import Domain
import Phone
import Testing

@testable import DemoData
@testable import Governor

@Suite struct `A demo audience` {
  @Test func `is the same bytes from the same seed, and others from another`() {
    let (first, second) = (DemoAudience(rows: 3000, seed: 7), DemoAudience(rows: 3000, seed: 7))
    #expect(first.contacts == second.contacts)
    #expect(first.optOuts == second.optOuts)
    #expect(first.summary == second.summary)
    #expect(DemoAudience(rows: 3000, seed: 8).contacts != first.contacts)
  }

  @Test func `has the kinds of rows in the shares of the table`() {
    let rows = 20_000
    let summary = DemoAudience(rows: rows, seed: 7).summary
    for (kind, share) in DemoShares.kinds { #expect(summary.kinds[kind] == rows * share / DemoShares.whole, "\(kind)") }
    #expect(summary.kinds.values.reduce(0, +) == rows)
    func isNear(_ count: Int, _ share: Int, of whole: Int) -> Bool {
      abs(count * DemoShares.whole - share * whole) < 3 * DemoShares.whole * Int(Double(whole).squareRoot())
    }
    let written = summary.people + (summary.kinds[.again] ?? 0)
    for (form, share) in DemoShares.forms { #expect(isNear(summary.forms[form] ?? 0, share, of: written), "\(form)") }
    for (country, share) in DemoShares.countries {
      #expect(isNear(summary.countries[country.code] ?? 0, share, of: summary.people), "\(country.code)")
    }
    #expect(isNear(summary.withoutConsent, DemoShares.noConsent, of: summary.people))
    #expect(isNear(summary.withoutName, DemoShares.noName, of: summary.people))
    #expect(isNear(summary.withoutDiscount, DemoShares.noDiscount, of: summary.people))
    #expect(isNear(summary.optedOut, DemoShares.optedOut, of: summary.people))
  }

  @Test func `has shares that add up`() {
    #expect(DemoShares.kinds.reduce(0) { $0 + $1.share } == DemoShares.whole)
    #expect(DemoShares.forms.reduce(0) { $0 + $1.share } == DemoShares.whole)
    #expect(DemoShares.countries.reduce(0) { $0 + $1.share } == DemoShares.whole)
    #expect(Set(DemoShares.forms.map(\.form)) == Set(PhoneForm.allCases))
    #expect(Set(DemoShares.kinds.map(\.kind)) == Set(RowKind.allCases))
  }

  @Test func `holds as many people as its summary says`() throws {
    let audience = DemoAudience(rows: 5000, seed: 3)
    var people: Set<PhoneNumber> = []
    var counts: [String: Int] = [:]
    for row in rows(of: audience.contacts).dropFirst() where row.contains(where: { !$0.isEmpty }) {
      try #require(row.count == DemoPerson.header.count)
      switch PhoneReader.read(row[0], region: row[3].isEmpty ? DemoAudience.defaultRegion : row[3]) {
      case .accepted(let phone, _, _):
        people.insert(phone)
        counts["accepted", default: 0] += 1
      case .suspect: counts["suspect", default: 0] += 1
      case .rejected: counts["rejected", default: 0] += 1
      }
    }
    let kinds = audience.summary.kinds
    #expect(people.count == audience.summary.people)
    #expect(counts["accepted"] == audience.summary.people + (kinds[.again] ?? 0))
    #expect(counts["suspect"] == kinds[.possible])
    #expect(audience.summary.json.contains("\"rejected\":\(counts["rejected"] ?? 0),"))

    let optedOut = String(decoding: audience.optOuts, as: UTF8.self).split(separator: "\n").map { line in
      PhoneReader.read(String(line), region: nil)
    }
    var inside = 0
    for case .accepted(let phone, _, _) in optedOut where people.contains(phone) { inside += 1 }
    #expect(inside == audience.summary.optedOut)
    #expect(optedOut.count == inside + audience.summary.optOutStrangers)
  }

  @Test(arguments: PhoneForm.allCases)
  func `writes numbers so that they still mean what they are`(_ form: PhoneForm) {
    var chance = SplitMix64(seed: 5)
    for (country, _) in DemoShares.countries {
      for _ in 0..<200 {
        let phone = WrittenPhone(country: country, national: country.mobile(&chance))
        guard case .accepted(let number, let code, _) = PhoneReader.read(phone.text(form), region: country.code) else {
          Issue.record("\(phone.text(form)) is refused in \(country.code)")
          return
        }
        #expect(number.e164 == phone.e164)
        #expect(code == country.code)
        guard !form.needsCountry else { continue }
        guard case .accepted(number, code, _) = PhoneReader.read(phone.text(form), region: DemoAudience.defaultRegion)
        else {
          Issue.record("\(phone.text(form)) needs its country beside it")
          return
        }
      }
    }
  }

  @Test(arguments: RowKind.allCases.filter { ![.person, .again, .blank].contains($0) })
  func `writes phones that no import takes`(_ kind: RowKind) {
    var chance = SplitMix64(seed: 6)
    var words: [String: Int] = [:]
    for _ in 0..<2000 {
      let (text, country) = UselessPhone.text(kind, of: chance.draw(DemoShares.countries), &chance)
      switch PhoneReader.read(text, region: country?.code ?? DemoAudience.defaultRegion) {
      case .accepted: Issue.record("\(kind): \(text) is taken in \(country?.code ?? "none")")
      case .suspect: words["suspect", default: 0] += 1
      case .rejected(let reason): words[reason.word, default: 0] += 1
      }
    }
    let wanted: Set<String> =
      switch kind {
      case .landline: ["landline"]
      case .service: ["service"]
      case .wrong: ["too_short", "too_long", "invalid", "other_country", "landline", "needs_region"]
      case .letters: ["letters"]
      case .twoNumbers: ["two_numbers"]
      case .spreadsheet: ["spreadsheet"]
      case .oldFormat: ["old_format"]
      case .noCountry: ["needs_region"]
      case .possible: ["suspect"]
      case .noPhone: ["empty"]
      case .person, .again, .blank: []
      }
    #expect(Set(words.keys).isSubset(of: wanted), "\(words)")
  }

  /// A small reader of its own, so that the file is not judged by what wrote it.
  private func rows(of bytes: [UInt8]) -> [[String]] {
    var rows: [[String]] = []
    var (row, cell, isQuoted) = ([String](), [UInt8](), false)
    for byte in bytes.dropFirst(3) {
      switch (byte, isQuoted) {
      case (0x22, _):
        isQuoted.toggle()
        cell.append(0x22)
      case (0x2C, false), (0x0D, false):
        if cell.first == 0x22 { cell = Array(cell.dropFirst().dropLast()) }
        row.append(String(decoding: cell, as: UTF8.self).replacing("\"\"", with: "\""))
        cell = []
        if byte == 0x0D { rows.append(row) }
      case (0x0A, false): row = []
      default: cell.append(byte)
      }
    }
    return rows
  }
}
