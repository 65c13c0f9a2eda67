import Domain

/// One campaign's part of one number's way out: the arithmetic of pace that sending and the forecast share.
public struct LaneShare: Hashable, Sendable {
  public struct Pace: Hashable, Sendable {
    public let interval: EmissionInterval
    public let limit: Int
    public let window: Duration
    /// Set by the campaign, not by the number: then it is a law of its own.
    public let isOwn: Bool
    public let isJittered: Bool
    /// The most that any window may hold. Without jitter it is the pace. Moving sends about and keeping their mean needs
    /// room: `human` may fill a window to 5/4 of the pace, which at 0.8 of a number's limit is that limit.
    public var fullest: Int { isJittered ? (limit * 5 + 3) / 4 : limit }
  }

  /// At most so many messages in each window: this lane's part of the campaign's pace, none for 0.
  public struct Limit: Hashable, Sendable {
    public let limit: Int
    public let window: Duration
    public init(_ limit: Int, per window: Duration) { (self.limit, self.window) = (limit, window) }
  }

  /// What the path to Meta may vary by, unless the sender is set otherwise: it widens a number's own interval.
  public static let pathAllowance: Duration = .milliseconds(100)

  /// Nil: the number's rate less its reserve.
  public let own: Limit?
  public let reservePercent: Int
  public let isJittered: Bool

  public init(own: Limit?, reservePercent: Int, isJittered: Bool) {
    (self.own, self.reservePercent, self.isJittered) = (own, reservePercent, isJittered)
  }

  /// This lane's part of the campaign's pace; nil when it has none.
  public func pace(perSecond: Int, allowance: Duration) -> Pace? {
    guard let own else {
      let limit = max(1, perSecond * (100 - reservePercent) / 100)
      return Pace(
        interval: EmissionInterval(limit: limit, per: .seconds(1), pathAllowance: allowance), limit: limit,
        window: .seconds(1), isOwn: false, isJittered: false)
    }
    guard own.limit > 0 else { return nil }
    return Pace(
      interval: EmissionInterval(limit: own.limit, per: own.window), limit: own.limit, window: own.window, isOwn: true,
      isJittered: isJittered)
  }

  /// The distance of this campaign's slots on a number whose own interval is `number`, beside others of together the
  /// weight `others` that want all they can get: at most its part of the number's rate. What the lane does when others
  /// want less is `FairShare`'s matter.
  public static func step(_ pace: Pace, number: EmissionInterval, weight: Int, others: Int) -> EmissionInterval {
    let all = number.nanoseconds * Int64(weight + others)
    return max(pace.interval, EmissionInterval(nanoseconds: (all - 1) / Int64(weight) + 1))
  }
}
