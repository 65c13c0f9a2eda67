import Domain

/// Which market a phone belongs to, by its longest calling-code prefix, as of a day: markets leave a "rest of" region
/// on the first day of a quarter.
///
/// Each version is a flat table over the first four digits, so a look-up costs two loads however many prefixes there
/// are.
public struct MarketMap: Sendable {
  /// Prefixes that change on a day. A prefix has at most four digits.
  public struct Change: Sendable {
    public let from: CivilDate
    public let prefixes: [(prefix: String, market: Market)]

    public init(from: CivilDate, prefixes: [(prefix: String, market: Market)]) {
      (self.from, self.prefixes) = (from, prefixes)
    }
  }

  private struct Version: Sendable {
    let from: CivilDate
    let markets: [Market]
  }

  private let versions: [Version]

  /// Each change adds to those before it. The first also holds for every earlier day.
  public init(_ changes: [Change]) {
    var known: [String: Market] = [:]
    versions = changes.sorted { $0.from < $1.from }.map { change in
      for (prefix, market) in change.prefixes {
        precondition((1...4).contains(prefix.utf8.count) && Int(prefix) != nil, "a prefix has one to four digits")
        known[prefix] = market
      }
      var markets = Array(repeating: Market.other, count: 10_000)
      for (prefix, market) in known.sorted(by: { $0.key.utf8.count < $1.key.utf8.count }) {
        var (low, size) = (Int(prefix) ?? 0, 1)
        for _ in prefix.utf8.count..<4 { (low, size) = (low * 10, size * 10) }
        for place in low..<low + size { markets[place] = market }
      }
      return Version(from: change.from, markets: markets)
    }
  }

  public func market(of phone: PhoneNumber, on day: CivilDate) -> Market {
    var leading = phone.digits
    while leading >= 10_000 { leading /= 10 }
    return markets(on: day)?[Int(leading)] ?? .other
  }

  private func markets(on day: CivilDate) -> [Market]? { (versions.last { $0.from <= day } ?? versions.first)?.markets }

  /// The stored numbers of the markets by the first four digits of a phone, 0000 to 9999.
  public func flat(on day: CivilDate) -> [Int16] {
    (markets(on: day) ?? Array(repeating: .other, count: 10_000)).map(\.rawValue)
  }

  /// The markets that some phone belongs to on a day: what a complete card lists.
  public func listed(on day: CivilDate) -> Set<Market> { Set(markets(on: day) ?? []).union([.other]) }

  /// The days after `first`, up to `last`, on which some phone changes its market.
  public func changes(after first: CivilDate, through last: CivilDate) -> [CivilDate] {
    versions.lazy.map(\.from).filter { $0 > first && $0 <= last }
  }

  /// The prefixes of Meta's pricing page, as publicly transcribed (70876878421, cross-read with 69014075277). That +7
  /// 6xx and +7 7xx are Kazakhstan follows the numbering plan, not Meta's page.
  public static let shipped = MarketMap(shippedChanges)

  /// The same as rows: what a new database is filled with.
  public static let shippedChanges = [
    change(
      "2025-07-01",
      [
        (.northAmerica, "1"),
        (.other, "1242 1246 1264 1268 1284 1345 1441 1473 1649 1664 1721 1758 1767 1784 1868 1869"),
        (.restOfLatinAmerica, "1809 1829 1849 1658 1876 1787 1939 591 506 593 503 502 509 504 505 507 595 598 58"),
        (
          .restOfAfrica,
          """
          213 244 229 267 226 257 237 235 242 291 251 241 220 233 245 225 254 266 231 218 261 265 223 222 258 264 227 \
          250 \
          221 232 252 211 249 268 255 228 216 256 260 263 212
          """
        ),
        (.restOfAsiaPacific, "93 61 855 86 81 856 976 64 675 63 886 992 66 993 998 84 880 977 94 852 65"),
        (.restOfCentralAndEasternEurope, "355 374 994 375 359 385 420 995 30 371 370 373 389 381 421 386 380 36 48 40"),
        (.restOfWesternEurope, "43 32 45 358 353 47 351 46 41"),
        (.restOfMiddleEast, "973 962 961 967 964 965 968 974"),
        (.argentina, "54"), (.brazil, "55"), (.chile, "56"), (.colombia, "57"), (.egypt, "20"), (.france, "33"),
        (.germany, "49"), (.india, "91"), (.indonesia, "62"), (.israel, "972"), (.italy, "39"), (.malaysia, "60"),
        (.mexico, "52"), (.netherlands, "31"), (.nigeria, "234"), (.pakistan, "92"), (.peru, "51"), (.russia, "7"),
        (.saudiArabia, "966"), (.southAfrica, "27"), (.spain, "34"), (.turkey, "90"), (.unitedArabEmirates, "971"),
        (.unitedKingdom, "44"),
      ]),
    change(
      "2026-07-01",
      [
        (.hongKong, "852"), (.hungary, "36"), (.poland, "48"), (.qatar, "974"), (.romania, "40"), (.singapore, "65"),
      ]),
    change(
      "2026-10-01",
      [
        (.bangladesh, "880"), (.iraq, "964"), (.kuwait, "965"), (.morocco, "212"), (.nepal, "977"), (.oman, "968"),
        (.sriLanka, "94"), (.ukraine, "380"), (.kazakhstan, "76 77"),
      ]),
  ]

  private static func change(_ day: String, _ markets: [(Market, String)]) -> Change {
    guard let from = CivilDate(day) else { preconditionFailure("\(day) is no day") }
    return Change(
      from: from,
      prefixes: markets.flatMap { market, prefixes in
        prefixes.split(separator: " ").map { (prefix: String($0), market: market) }
      })
  }
}
