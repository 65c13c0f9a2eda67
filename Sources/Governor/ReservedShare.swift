import Domain

/// A part of a number's rate that urgent messages take ahead of everybody. What they don't use is the others'; what they
/// want beyond it waits its turn like the others: so neither starves.
///
/// A bucket in its GCRA form with a second's worth of burst: a code for each of ten people who log in at once is not made
/// to wait by the tenth part of a rate.
public struct ReservedShare: Hashable, Sendable {
  public static let burst: Int64 = 1_000_000_000

  public let interval: EmissionInterval
  private var tat = Int64.min

  /// `percent` of `perSecond`; nil for none.
  public init?(percent: Int, of perSecond: Int) {
    guard percent > 0, perSecond > 0 else { return nil }
    interval = EmissionInterval(limit: percent * perSecond, per: .seconds(100))
  }

  /// Whether one may go ahead of the others at `now`.
  public func permits(at now: Int64) -> Bool { tat == .min || tat - ReservedShare.burst <= now }

  /// One went. Beyond the share nothing is owed: it went in its turn.
  public mutating func went(at now: Int64) {
    guard permits(at: now) else { return }
    tat = max(tat, now) + interval.nanoseconds
  }
}
