import Domain
import Governor

/// A number's way out in the fake world: claims slots, moves them by jitter, is frozen, delayed and throttled, and
/// sends in order. It uses the governor as a sender does and keeps the log that tests judge.
public struct Line {
  /// What the world does to it. Each is one in so many steps; zero is never.
  public struct Faults: Sendable {
    public var freeze: Int64 = 0
    public var longestFreeze: Int64 = 3_000_000_000
    public var throttled: Int64 = 0
    public var idle: Int64 = 0
    public var lateness: Int64 = 0
    public init() {}
  }

  public struct Sent: Sendable {
    public let slot: Int64
    public let at: Int64
  }

  public private(set) var clock = VirtualClock()
  public private(set) var bucket: Bucket
  public private(set) var ring: GuardRing
  public private(set) var jitter: Jitter
  public private(set) var throttle = Throttle()
  /// How often the ring had to hold a send that the slots would have let go.
  public private(set) var ringHeld = 0
  public private(set) var law: WindowLaw
  /// The longest time by which a send missed its jittered slot that neither a freeze nor a throttle answer explains.
  public private(set) var longestWait: Int64 = 0

  private let pace: EmissionInterval
  private let horizon: Int64
  private var faults: Faults
  private var chance: SplitMix64
  /// Reserved half a horizon ahead, counted in unsent slots: by time alone a line that the ring holds back would
  /// reserve more and more, and later only would lose the slots that jitter is behind by.
  private var slots: [(at: Int64, step: Int64, lost: Int64)] = []
  private var used = 0
  private var idles = false
  /// All the time that freezes and throttle answers have taken so far.
  private var lost: Int64 = 0

  public init(
    limit: Int, per window: Duration, pace: EmissionInterval, jitter profile: Jitter.Profile, faults: Faults,
    seed: UInt64,
    horizon: Int64 = 1_000_000_000
  ) {
    (self.pace, self.faults, self.horizon) = (pace, faults, horizon)
    chance = SplitMix64(seed: seed)
    bucket = Bucket(interval: pace)
    ring = GuardRing(limit: limit, window: window)
    jitter = Jitter(profile, seed: chance.next(), limit: limit, per: window)
    law = WindowLaw(window: window.nanoseconds)
  }

  private mutating func reserve() {
    if used == slots.count { (slots, used) = ([], 0) }
    bucket.interval = throttle.interval(pace, at: clock.boot)
    var taken = bucket.reserve(upTo: Int(chance.within(1...64)), before: clock.boot + horizon, at: clock.boot)
    if taken.count == 0 { taken = bucket.reserve(1, at: clock.boot) }
    for index in 0..<taken.count { slots.append((taken[index], taken.step, lost)) }
  }

  private mutating func happens(_ rarity: Int64) -> Bool { rarity > 0 && chance.once(in: rarity) }

  /// Sends one message and returns it.
  public mutating func step() -> Sent {
    if happens(faults.idle) { idles = true }
    if idles, used == slots.count {
      clock.advance(by: chance.below(20_000_000_000))
      idles = false
    }
    while used == slots.count || !idles && Int64(slots.count - used) * bucket.interval.nanoseconds < horizon / 2 {
      reserve()
    }
    let (slot, step, lostBefore) = slots[used]
    used += 1
    let due = slot + jitter.offset(step: step)
    clock.advance(to: due)
    clock.advance(by: chance.below(faults.lateness + 1))
    let undisturbed = clock.boot
    if happens(faults.freeze) { clock.advance(by: chance.below(faults.longestFreeze)) }
    clock.advance(to: throttle.earliest(after: clock.boot))
    lost += clock.boot - undisturbed
    if !ring.permits(at: clock.boot) {
      ringHeld += 1
      clock.advance(to: ring.earliest(after: clock.boot))
    }
    ring.note(at: clock.boot)
    law.send(at: clock.boot)
    longestWait = max(longestWait, clock.boot - due - (lost - lostBefore))
    if happens(faults.throttled) { throttle.handle(.throttled(handedOver: clock.boot), at: clock.boot) }
    return Sent(slot: slot, at: clock.boot)
  }
}
