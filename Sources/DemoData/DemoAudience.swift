import Governor

/// An audience file as shops have them, and the people who opted out before: the same seed gives the same bytes.
///
/// The phones are drawn from ranges in use, so they may be real people's: load such a file into a service that talks to
/// a Sandbox, never to Meta. A million rows take some seconds and 100 MB.
public struct DemoAudience: Sendable {
  public static let mostRows = 1_000_000

  /// CSV: UTF-8 with BOM, CRLF, a header.
  public private(set) var contacts: [UInt8] = []
  /// One phone a line, in international form, each person once.
  public private(set) var optOuts: [UInt8] = []
  public private(set) var summary: DemoSummary

  /// Rows without a country of their own are meant to be read with this default region.
  public static let defaultRegion = "EG"

  public init(rows: Int, seed: UInt64) {
    precondition(
      (1...DemoAudience.mostRows).contains(rows), "\(rows) rows are not between 1 and \(DemoAudience.mostRows)")
    var chance = SplitMix64(seed: seed)
    var kinds = DemoAudience.kinds(rows)
    kinds.shuffle(using: &chance)
    summary = DemoSummary(rows: rows, seed: seed, kinds: kinds)

    var taken: Set<String> = []
    let people = kinds.filter { $0 == .person }.map { _ in DemoPerson(&chance, &taken) }
    for person in people { summary.count(person) }

    var cells = CSVCells(header: DemoPerson.header)
    var next = people.makeIterator()
    var suspects: Set<String> = []
    for kind in kinds {
      switch kind {
      case .person:
        guard let person = next.next() else { preconditionFailure("fewer people than rows for them") }
        let form = chance.draw(DemoShares.forms)
        summary.count(form)
        cells.append(person.row(form, &chance))
      case .again:
        let form = chance.draw(DemoShares.forms)
        summary.count(form)
        cells.append(people[chance.place(people.count)].row(form, &chance))
      case .blank: cells.appendBlank(DemoPerson.header.count)
      case .landline, .service, .wrong, .letters, .twoNumbers, .spreadsheet, .oldFormat, .noCountry, .possible,
        .noPhone:
        // Somebody's row, with a phone that is none; its person is drawn anew each time.
        var (phone, country) = UselessPhone.text(kind, of: chance.draw(DemoShares.countries), &chance)
        if kind == .possible {
          while !suspects.insert(phone).inserted { (phone, country) = UselessPhone.text(kind, of: .egypt, &chance) }
        }
        cells.append(DemoPerson(&chance, &taken).row(phone: phone, country: country?.code ?? ""))
      }
    }
    contacts = cells.bytes

    for person in people where chance.hits(DemoShares.optedOut) {
      summary.countOptOut(person)
      appendOptOut(person, &chance)
    }
    for _ in 0..<(people.count * DemoShares.optedOutStrangers / DemoShares.whole) {
      summary.optOutStrangers += 1
      appendOptOut(DemoPerson(&chance, &taken), &chance)
    }
  }

  private mutating func appendOptOut(_ person: DemoPerson, _ chance: inout SplitMix64) {
    let forms: [PhoneForm] = [.e164, .e164, .e164, .bare, .zeros, .spaced, .bidiMarks]
    optOuts += Array(person.phone.text(forms[chance.place(forms.count)]).utf8) + [0x0A]
  }

  private static func kinds(_ rows: Int) -> [RowKind] {
    var kinds: [RowKind] = []
    for (kind, share) in DemoShares.kinds where kind != .person {
      kinds += Array(repeating: kind, count: rows * share / DemoShares.whole)
    }
    return kinds + Array(repeating: .person, count: rows - kinds.count)
  }
}

/// RFC 4180, as a spreadsheet saves it.
private struct CSVCells {
  private(set) var bytes: [UInt8] = [0xEF, 0xBB, 0xBF]

  init(header: [String]) { append(header) }

  mutating func append(_ cells: [String]) {
    for (index, cell) in cells.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      if cell.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) {
        bytes.append(0x22)
        for byte in cell.utf8 { bytes += byte == 0x22 ? [0x22, 0x22] : [byte] }
        bytes.append(0x22)
      } else {
        bytes += Array(cell.utf8)
      }
    }
    bytes += [0x0D, 0x0A]
  }

  mutating func appendBlank(_ count: Int) { append(Array(repeating: "", count: count)) }
}
