import Domain

/// What a campaign does that could not start when it should have: `if_late`.
public enum LateRule: Int16, Word {
  /// Start now.
  case run = 1
  /// Do not start at all.
  case skip = 2
  /// Wait for an operator.
  case hold = 3

  public var word: String { "\(self)" }

  /// Lateness that nobody has to be asked about.
  public static let tolerance: Duration = .seconds(30 * 60)

  public enum Decision: Hashable, Sendable {
    /// Its time has not come.
    case wait(until: Instant)
    case start
    case skip
    case hold
  }

  public func decision(planned: Instant, now: Instant, tolerance: Duration = LateRule.tolerance) -> Decision {
    if now < planned { return .wait(until: planned) }
    if now - planned <= tolerance { return .start }
    switch self {
    case .run: return .start
    case .skip: return .skip
    case .hold: return .hold
    }
  }
}
