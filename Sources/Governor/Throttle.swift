import Domain

/// How much of its rate a number uses: halved by each throttle answer of Meta (130429), won back slowly and evenly.
///
/// One burst earns many such answers. Only those to messages handed over after the last slow-down count again; the
/// others tell what is known. Times are nanoseconds of the sender's clock. Rates are millionths of the number's own.
public struct Throttle: Hashable, Sendable {
  public enum Event: Hashable, Sendable {
    /// Meta refused a message that was handed over at this instant, because of the number's throughput.
    case throttled(handedOver: Int64)
    /// The guard or an operator asks for at most this share, e.g. 500,000 for a half.
    case slowed(toMillionths: Int64)
    /// Meta raised the throughput, or an operator vouches for the number.
    case restored
  }

  public static let full: Int64 = 1_000_000
  /// The slowest it gets: one 64th.
  public static let least: Int64 = 15_625
  /// Nothing leaves for so long after a throttle answer, so that Meta's window can empty.
  public static let rest: Int64 = 1_000_000_000
  /// Recovery begins after so long without a throttle answer,
  public static let patience: Int64 = 30_000_000_000
  /// and gains ten percent of the full rate each minute, so that the way back from a half takes five.
  static let nanosecondsPerMillionth: Int64 = 600_000

  private var base: Int64 = Throttle.full
  private var changedAt: Int64 = 0
  private var restsUntil = Int64.min

  public init() {}

  public mutating func handle(_ event: Event, at now: Int64) {
    switch event {
    case .throttled(let handedOver):
      restsUntil = max(restsUntil, now + Throttle.rest)
      guard base == Throttle.full || handedOver >= changedAt else { return }
      set(max(Throttle.least, share(at: now) / 2), at: now)
    case .slowed(let millionths):
      set(max(Throttle.least, min(share(at: now), millionths)), at: now)
    case .restored:
      (base, changedAt, restsUntil) = (Throttle.full, now, .min)
    }
  }

  private mutating func set(_ millionths: Int64, at now: Int64) { (base, changedAt) = (millionths, now) }

  /// The share of the rate now in use, in millionths.
  public func share(at now: Int64) -> Int64 {
    let recovering = max(0, now - changedAt - Throttle.patience)
    return min(Throttle.full, base + recovering / Throttle.nanosecondsPerMillionth)
  }

  /// The interval to reserve at, from that of the full rate.
  public func interval(_ full: EmissionInterval, at now: Int64) -> EmissionInterval {
    full.slowed(toMillionths: share(at: now))
  }

  /// The first instant, not before `now`, at which anything may leave.
  public func earliest(after now: Int64) -> Int64 { max(now, restsUntil) }

  /// When the full rate will be back if no throttle answer comes; nil when it is in use.
  public func recovered(at now: Int64) -> Int64? {
    guard share(at: now) < Throttle.full else { return nil }
    return changedAt + Throttle.patience + (Throttle.full - base) * Throttle.nanosecondsPerMillionth
  }
}
