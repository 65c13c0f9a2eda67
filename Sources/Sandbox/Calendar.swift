import Domain
import Reactor

/// The double's calendar: the machine's, or days ahead of it, so that a month of receipts and charges passes within a
/// test. Delays, limits and windows go on by the boot clock.
final class Calendar {
  var daysAhead = 0
  var now: Instant { .now + .seconds(Int64(daysAhead) * 86_400) }
  var seconds: UInt32 { UInt32(now.nanoseconds / 1_000_000_000) }
}
