/// Whom the portfolio's templates reached outside a service window, as Meta's messaging limit counts: different people,
/// each until a day after the latest message that did not fail. The double's own count, by its own people.
struct Reached {
  static let day: Int64 = 86_400_000_000_000

  /// Everybody ever, and when last; kept for a limit that comes later.
  private var latest = Sharded<Int64>()
  /// While there is a limit: the messages of the last day that count, by person.
  private var counted: [Int64: [Int64]]?
  private let startedAt: Int64

  init(startedAt: Int64) { self.startedAt = startedAt }

  /// Whether `limit` people leave no room for this one.
  mutating func isFull(_ limit: Int?, for phone: Int64, at now: Int64) -> Bool {
    guard let limit else {
      counted = nil
      return false
    }
    begin(at: now)
    if counted![phone]?.contains(where: { $0 > now - Reached.day }) ?? false { return false }
    if counted!.count >= limit { forget(before: now - Reached.day) }
    return counted!.count >= limit
  }

  mutating func note(_ phone: Int64, at now: Int64) {
    latest[phone, default: 0] = now
    counted?[phone, default: []].append(now)
  }

  /// A message that was taken and then failed never reached anybody.
  mutating func failed(_ phone: Int64, sentAt: Int64) {
    guard var messages = counted?[phone] else { return }
    messages.removeAll { $0 == sentAt }
    counted![phone] = messages.isEmpty ? nil : messages
  }

  mutating func people(at now: Int64) -> Int {
    if counted != nil {
      forget(before: now - Reached.day)
      return counted!.count
    }
    // In its first day, everybody: no walk over a million people for a sum that tests ask for all the time.
    guard now - startedAt > Reached.day else { return latest.count }
    var count = 0
    latest.forEach { _, at in if at > now - Reached.day { count += 1 } }
    return count
  }

  private mutating func begin(at now: Int64) {
    guard counted == nil else { return }
    var begun: [Int64: [Int64]] = [:]
    latest.forEach { phone, at in if at > now - Reached.day { begun[phone] = [at] } }
    counted = begun
  }

  private mutating func forget(before: Int64) {
    for (phone, messages) in counted! where messages.allSatisfy({ $0 <= before }) { counted![phone] = nil }
  }

  /// People of a tier in Meta's word; nil without a limit.
  static func people(ofTier tier: String) -> Int? {
    let word = tier.hasPrefix("TIER_") ? tier.dropFirst(5) : tier[...]
    if word.hasSuffix("K") { return Int(word.dropLast()).map { $0 * 1000 } }
    return Int(word)
  }
}
