import Domain
import Governor

/// A boot clock and a wall clock moved by hand. The boot clock only goes on; the wall clock also jumps, as NTP and
/// operators make it.
public struct VirtualClock: Sendable {
  /// Nanoseconds of the boot clock.
  public private(set) var boot: Int64
  private var wallOffset: Int64

  public init(boot: Int64 = 1_000_000_000, wall: Instant = Instant(seconds: 1_767_225_600)) {
    self.boot = boot
    wallOffset = wall.nanoseconds - boot
  }

  public var wall: Instant { Instant(nanoseconds: boot + wallOffset) }

  public mutating func advance(by nanoseconds: Int64) {
    precondition(nanoseconds >= 0, "a boot clock never goes back")
    boot += nanoseconds
  }

  public mutating func advance(to instant: Int64) { advance(by: max(0, instant - boot)) }

  /// Moves the wall clock alone, forwards or back.
  public mutating func jumpWall(by nanoseconds: Int64) { wallOffset += nanoseconds }
}
