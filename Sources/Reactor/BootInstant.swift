import CLinux
import Domain

/// An instant of CLOCK_BOOTTIME in nanoseconds: it never jumps and goes on while the machine sleeps. Meaningless outside
/// this boot: never stored.
public struct BootInstant: Hashable, Comparable, Sendable {
  public let nanoseconds: Int64
  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public static var now: BootInstant { BootInstant(nanoseconds: clinux_boot_ns()) }
  public static func < (a: BootInstant, b: BootInstant) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func + (a: BootInstant, b: Duration) -> BootInstant {
    BootInstant(nanoseconds: a.nanoseconds + b.nanoseconds)
  }
  public static func - (a: BootInstant, b: Duration) -> BootInstant {
    BootInstant(nanoseconds: a.nanoseconds - b.nanoseconds)
  }
  public static func - (a: BootInstant, b: BootInstant) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }
}

extension Instant {
  /// The machine's wall clock (CLOCK_REALTIME). Only shells read it; rules are given their `now`.
  public static var now: Instant { Instant(nanoseconds: clinux_wall_ns()) }
}
