/// How long what could not be delivered to a stranger's address waits before it is tried again: four times as long after
/// each failure, spread by a fifth, so that a receiver that comes back is not met by everything at once.
///
/// Durations are nanoseconds.
public struct DeliveryRetry: Hashable, Sendable {
  public var first: Int64 = 5_000_000_000
  public var longest: Int64 = 6 * 3_600_000_000_000
  /// Attempts in all; with the waits above the last one is a day and a half after the first.
  public var attempts = 12

  public init() {}

  /// The wait after the `attempt`th failure (from 1); nil: it is given up. `asked` is what the receiver wants at least.
  public func wait(after attempt: Int, asked: Int64 = 0, _ chance: inout some RandomNumberGenerator) -> Int64? {
    precondition(attempt > 0, "attempts are counted from 1")
    guard attempt < attempts else { return nil }
    var wait = first
    for _ in 1..<attempt where wait < longest { wait *= 4 }
    wait = min(wait, longest)
    wait += Int64.random(in: -(wait / 5)...(wait / 5), using: &chance)
    return min(max(wait, asked), longest + longest / 5)
  }
}
