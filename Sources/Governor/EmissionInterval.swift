import Domain

/// The least time between two sends that keeps a limit: T = ceil((W + A) / R), in whole nanoseconds.
///
/// With sends at least T apart no half-open window of length W holds more than R of them. Rounding is upward on
/// purpose: a floor lets 4 of "3 per second" through, a floating-point T 81 of 80. The allowance A pays for what moves
/// sends closer together after their slots: jitter, or a path to Meta's edge whose delay varies.
public struct EmissionInterval: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64

  /// At most `limit` sends in any window. Both must be positive; `pathAllowance` must not be negative.
  public init(limit: Int, per window: Duration, pathAllowance: Duration = .zero) {
    precondition(limit > 0, "a limit is positive, not \(limit)")
    precondition(window > .zero && pathAllowance >= .zero, "a window is positive and its allowance not negative")
    let span = window.nanoseconds + pathAllowance.nanoseconds
    nanoseconds = (span - 1) / Int64(limit) + 1
  }

  public init(perSecond limit: Int) { self.init(limit: limit, per: .seconds(1)) }

  /// For an interval that was stored.
  public init(nanoseconds: Int64) {
    precondition(nanoseconds > 0, "an interval is positive, not \(nanoseconds) ns")
    self.nanoseconds = nanoseconds
  }

  /// The interval of a rate reduced to `millionths` of this one, rounded up; 1,000,000 is the rate itself.
  public func slowed(toMillionths millionths: Int64) -> EmissionInterval {
    precondition(
      (1...1_000_000).contains(millionths), "a rate is slowed to 1 to 1,000,000 millionths, not \(millionths)")
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: millionths)
    return EmissionInterval(nanoseconds: whole * 1_000_000 + (rest * 1_000_000 + millionths - 1) / millionths)
  }

  public static func < (a: EmissionInterval, b: EmissionInterval) -> Bool { a.nanoseconds < b.nanoseconds }
}
