/// One number to one person, over all campaigns: one message in six seconds, up to 45 of them borrowed from the future
/// (GCRA with a burst), and what Meta holds after it refused one (131056).
///
/// A person is named by the caller's own key. Times are nanoseconds of one clock. Only debts that are still open are
/// kept: a person written to once is forgotten six seconds later, so a number at 1,000 a second keeps some 10,000 of
/// them, and each message costs two look-ups.
public struct PairLimit: Sendable {
  public static let interval: Int64 = 6_000_000_000
  public static let burst: Int64 = 45
  /// A debt of this age is paid whatever it was: what a new owner must read of the past.
  public static let memory: Int64 = burst * interval

  /// When each person's debt is paid.
  private var paidAt: [Int64: Int64] = [:]
  /// Whom Meta refused for this limit: nothing before.
  private var heldUntil: [Int64: Int64] = [:]
  private var sweepAt = 4096

  public init() {}

  /// The first instant, not before `now`, at which the person may be written to.
  public func earliest(for person: Int64, at now: Int64) -> Int64 {
    var earliest = now
    if let paid = paidAt[person] { earliest = max(earliest, paid - (PairLimit.burst - 1) * PairLimit.interval) }
    if !heldUntil.isEmpty, let held = heldUntil[person] { earliest = max(earliest, held) }
    return earliest
  }

  /// A message leaves to this person.
  public mutating func handedOver(to person: Int64, at now: Int64) {
    if paidAt.count >= sweepAt {
      paidAt = paidAt.filter { $0.value > now }
      heldUntil = heldUntil.filter { $0.value > now }
      // Half of what it may hold is new each time: sweeping costs each message the same little.
      sweepAt = max(4096, paidAt.count * 2)
    }
    paidAt[person] = max(paidAt[person] ?? now, now) + PairLimit.interval
  }

  /// Meta refused a message for this limit, the `times`th time in a row: the person is held for 4^times seconds, at most
  /// a little over an hour, for every campaign of the number. Answers until when.
  @discardableResult
  public mutating func refused(_ person: Int64, times: Int, at now: Int64) -> Int64 {
    let until = now + PairLimit.hold(times)
    heldUntil[person] = max(heldUntil[person] ?? until, until)
    return heldUntil[person]!
  }

  /// 6 s (Meta's own interval, where 4^1 is less), 16, 64, 256, 1,024, 4,096 seconds.
  public static func hold(_ times: Int) -> Int64 {
    max(interval, 1_000_000_000 << Int64(2 * min(6, max(1, times))))
  }

  /// A new owner learns the debts of the last `memory` from what the old one handed over, oldest first.
  public mutating func learn(_ person: Int64, handedOverAt past: Int64) {
    paidAt[person] = max(paidAt[person] ?? past, past) + PairLimit.interval
  }
}
