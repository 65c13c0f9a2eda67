import Domain

/// Meta's limit of people in any 24 hours: of a portfolio, outside their open service windows.
///
/// People are counted in buckets of five minutes, each until its end and a day: a little longer than Meta does, never
/// shorter. What this says of buckets is what `people_until` and `people_free_at` do in the database.
public enum PeopleLimit {
  /// Kept free of Meta's limit, in percent: it counts what is delivered, and that may be later than we think.
  public static let headroomPercent = 2
  public static let bucket: Int64 = 300_000_000_000
  /// A message is counted before it is at Meta's.
  public static let onTheWay: Int64 = 60_000_000_000
  public static let day: Int64 = 86_400_000_000_000

  /// Meta's word: `TIER_2K`, `250`; nil for no limit and for words not known.
  public static func people(ofTier tier: String) -> Int? {
    guard let word = tier.split(separator: "_").last else { return nil }
    if word.hasSuffix("K") { return Int(word.dropLast()).map { $0 * 1000 } }
    return Int(word)
  }

  /// What may be used of a limit; at least one.
  public static func usable(_ people: Int, headroomPercent percent: Int = headroomPercent) -> Int {
    max(1, people - (people * percent + 99) / 100)
  }

  /// Until when a message of `at` counts; nanoseconds since 1970.
  public static func until(_ at: Int64) -> Int64 { ((at + onTheWay) / bucket + 1) * bucket + day }

  /// People by the end of their bucket.
  public struct Used: Hashable, Sendable {
    public let until: Int64
    public let people: Int
    public init(until: Int64, people: Int) { (self.until, self.people) = (until, people) }
  }

  public static func used(_ buckets: [Used], at now: Int64) -> Int {
    buckets.reduce(0) { $0 + ($1.until > now ? $1.people : 0) }
  }

  /// When the first place comes free; nil while there is one.
  public static func freeAt(_ buckets: [Used], limit: Int, at now: Int64) -> Int64? {
    var left = used(buckets, at: now)
    guard left >= limit else { return nil }
    for bucket in buckets.sorted(by: { $0.until < $1.until }) where bucket.until > now {
      left -= bucket.people
      if left < limit { return bucket.until }
    }
    return nil
  }
}
