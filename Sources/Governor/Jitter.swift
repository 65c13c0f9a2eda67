import Domain

/// Moves sends after their slots, never before, so that they look like a person's and still keep the mean pace.
///
/// The offset of one slot is not fed into the next slot's time: it only says how far behind its grid the sender may be.
/// It stays below a bound, hence n sends take n steps give or take that bound, and a pause is caught up. Two laws:
/// sends keep their order, and a window that the step alone would keep stays kept, because the bound is the slack
/// R x step - W. At the very limit the slack is nothing, so nothing is jittered (see `allows`).
///
/// Follows from its seed alone; allocates nothing.
public struct Jitter: Sendable {
  public enum Profile: String, Sendable, CaseIterable {
    case none, human
  }

  static let longestStep: Int64 = 10_000_000_000

  public let profile: Profile
  private let limit: Int64
  private let window: Int64
  private let longest: Int64
  private var chance: SplitMix64
  private var behind: Int64 = 0
  private var lastStep: Int64 = 0

  /// For sends under a limit of `limit` per `window`.
  ///
  /// No send is moved by `longest` or more, except that a slow pace may use its whole step, up to ten seconds. A sender
  /// must reserve `longest` ahead: one that reserves only after it sent would lose the slots it is behind by.
  public init(
    _ profile: Profile, seed: UInt64, limit: Int, per window: Duration, longest: Duration = .milliseconds(500)
  ) {
    precondition(limit > 0 && window > .zero && longest >= .zero, "a limit and its window are positive")
    self.profile = profile
    (self.limit, self.window, self.longest) = (Int64(limit), window.nanoseconds, longest.nanoseconds)
    chance = SplitMix64(seed: seed)
  }

  /// Whether a pace leaves `human` the room it needs: at most 0.8 of the limit. Nothing else has a condition.
  public static func allows(_ profile: Profile, pace: EmissionInterval, under limit: EmissionInterval) -> Bool {
    // Both were rounded up to whole nanoseconds; without the 1 a pace of 24 under a limit of 30 would be refused.
    profile == .none || pace.nanoseconds * 4 > (limit.nanoseconds - 1) * 5
  }

  /// How long after its slot the next send leaves, in nanoseconds; `step` is the distance of the slots.
  public mutating func offset(step: Int64) -> Int64 {
    precondition(step > 0, "a step is positive, not \(step)")
    let (room, overflow) = limit.multipliedReportingOverflow(by: step)
    let slack = overflow ? Int64.max : room - window
    let bound = min(slack, max(longest, min(step, Jitter.longestStep)), step < Int64.max / 8 ? step * 8 : Int64.max)
    // Order: the slot before was at least `lastStep` earlier, so falling back by no more than that cannot overtake it.
    // Where a shorter step has less slack, order comes first and the guard ring keeps the window for those few sends.
    let floor = max(0, behind - lastStep)
    lastStep = step
    guard profile == .human, bound > 1 else {
      behind = floor
      return behind
    }
    // A person mostly goes a little faster than asked and now and then looks up. Both together drift gently back to the
    // grid: -0.25 step in 15 of 16 sends, +3 steps on average in the one that pauses.
    let quarter = max(1, step / 4)
    let looksUp = chance.below(16) == 0
    let change = looksUp ? chance.below(6 * min(step, Int64.max / 8)) : chance.below(4 * quarter) - 3 * quarter
    behind = max(floor, min(max(0, behind + change), bound - 1))
    return behind
  }
}
