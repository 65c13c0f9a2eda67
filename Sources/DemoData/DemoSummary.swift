/// What a generated file holds, so that a program can compare it with what an import says of it.
public struct DemoSummary: Sendable, Equatable {
  public let rows: Int
  public let seed: UInt64
  public private(set) var kinds: [RowKind: Int] = [:]
  /// Of the rows of people, first and further ones.
  public private(set) var forms: [PhoneForm: Int] = [:]
  /// Of people.
  public private(set) var countries: [String: Int] = [:]
  public private(set) var withoutConsent = 0
  public private(set) var withoutName = 0
  public private(set) var withBrokenName = 0
  public private(set) var withoutCity = 0
  public private(set) var withoutDiscount = 0
  public private(set) var optedOut = 0
  /// Of those who opted out, how many are not in the file.
  public var optOutStrangers = 0

  /// Distinct people who can be written to.
  public var people: Int { kinds[.person] ?? 0 }

  init(rows: Int, seed: UInt64, kinds list: [RowKind]) {
    (self.rows, self.seed) = (rows, seed)
    for kind in list { kinds[kind, default: 0] += 1 }
  }

  mutating func count(_ form: PhoneForm) { forms[form, default: 0] += 1 }

  mutating func count(_ person: DemoPerson) {
    countries[person.phone.country.code, default: 0] += 1
    if person.consent == nil { withoutConsent += 1 }
    if person.firstName.isEmpty { withoutName += 1 }
    if person.hasBrokenName { withBrokenName += 1 }
    if person.city.isEmpty { withoutCity += 1 }
    if person.discount.isEmpty { withoutDiscount += 1 }
  }

  mutating func countOptOut(_: DemoPerson) { optedOut += 1 }

  /// One JSON object on one line. Every key is a plain word, so nothing needs escaping.
  public var json: String {
    func object(_ pairs: [(String, Int)]) -> String {
      "{" + pairs.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
    let rejected = kinds.reduce(0) { $0 + ([.person, .again, .possible, .blank].contains($1.key) ? 0 : $1.value) }
    let numbers: [(String, Int)] = [
      ("rows", rows), ("people", people), ("again", kinds[.again] ?? 0), ("rejected", rejected),
      ("possible", kinds[.possible] ?? 0), ("blank", kinds[.blank] ?? 0), ("without_consent", withoutConsent),
      ("without_name", withoutName), ("with_broken_name", withBrokenName), ("without_city", withoutCity),
      ("without_discount", withoutDiscount), ("opted_out", optedOut), ("opted_out_strangers", optOutStrangers),
    ]
    let parts = [
      "\"kinds\":" + object(RowKind.allCases.map { ($0.rawValue, kinds[$0] ?? 0) }),
      "\"forms\":" + object(PhoneForm.allCases.map { ($0.rawValue, forms[$0] ?? 0) }),
      "\"countries\":"
        + object(countries.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }),
    ]
    return "{\"seed\":\(seed)," + object(numbers).dropFirst().dropLast() + "," + parts.joined(separator: ",") + "}"
  }
}
