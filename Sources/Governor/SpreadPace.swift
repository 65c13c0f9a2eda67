import Domain

/// The pace that lets the last of `people` leave when the time in which they may be written to ends: few enough to fill it,
/// enough not to go beyond it. Planned anew while a campaign runs, so that a pause, a throttle or a stop is made up for.
public struct SpreadPace: Hashable, Sendable {
  /// At most so many messages
  public let limit: Int
  /// in any window of so many seconds: a minute, or an hour where a minute would hold too few to be exact.
  public let seconds: Int

  public init(limit: Int, seconds: Int) { (self.limit, self.seconds) = (limit, seconds) }

  /// Nil with nobody left. `open`: how long they may still be written to; with none left they go at `most` a second, which
  /// no pace exceeds.
  public init?(people: Int, open: Duration, most: Int) {
    guard people > 0 else { return nil }
    let left = max(1, open.nanoseconds / 1_000_000_000)
    func limit(_ seconds: Int64) -> Int { Int((Int64(people) * seconds - 1) / left + 1) }
    seconds = open > .zero && limit(60) < 60 ? 3600 : 60
    self.limit = open > .zero ? min(limit(Int64(seconds)), most * seconds) : most * seconds
  }

  /// Whether `next` is worth changing to: parts of a pace that rise have to wait for a window, so small changes are left.
  public func isNear(_ next: SpreadPace) -> Bool {
    seconds == next.seconds && abs(limit - next.limit) * 50 <= limit
  }
}
