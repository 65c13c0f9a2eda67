import Domain
import Governor
import Simulation
import Testing

@Suite struct `An emission interval` {
  @Test func `is rounded up, so that no window holds one send too many`() {
    #expect(EmissionInterval(limit: 80, per: .seconds(1)).nanoseconds == 12_500_000)
    #expect(EmissionInterval(limit: 3, per: .seconds(1)).nanoseconds == 333_333_334)
    #expect(EmissionInterval(limit: 1, per: .seconds(60)).nanoseconds == 60_000_000_000)
    #expect(EmissionInterval(perSecond: 1000).nanoseconds == 1_000_000)
  }

  @Test func `pays for a path whose delay varies`() {
    // 60 ms of variation leave 75.5 and 943 of 80 and 1,000 a second.
    #expect(EmissionInterval(limit: 80, per: .seconds(1), pathAllowance: .milliseconds(60)).nanoseconds == 13_250_000)
    #expect(EmissionInterval(limit: 1000, per: .seconds(1), pathAllowance: .milliseconds(60)).nanoseconds == 1_060_000)
  }

  @Test func `slows down without overflow and rounds up`() {
    #expect(EmissionInterval(limit: 3, per: .seconds(1)).slowed(toMillionths: 500_000).nanoseconds == 666_666_668)
    #expect(EmissionInterval(nanoseconds: 7).slowed(toMillionths: 300_000).nanoseconds == 24)
  }
}

@Suite struct `A bucket` {
  @Test func `gives slots one interval apart and saves up nothing`() {
    var bucket = Bucket(interval: EmissionInterval(perSecond: 10))
    #expect(bucket.reserve(3, at: 1000) == Slots(first: 1000, step: 100_000_000, count: 3))
    #expect(bucket.reserve(1, at: 2000).first == 300_001_000)
    #expect(bucket.reserve(2, at: 9_000_000_000).first == 9_000_000_000)
    #expect(bucket.tat == 9_200_000_000)
  }

  @Test func `stops at the horizon`() {
    var bucket = Bucket(interval: EmissionInterval(nanoseconds: 100))
    #expect(bucket.reserve(upTo: 50, before: 1000, at: 500).count == 5)
    #expect(bucket.reserve(upTo: 50, before: 1000, at: 500).count == 0)
    #expect(bucket.reserve(upTo: 50, before: 1001, at: 500).count == 1)
    #expect(bucket.tat == 1100)
  }

  @Test func `is not moved by an empty reservation or a clock that goes back`() {
    var bucket = Bucket(interval: EmissionInterval(nanoseconds: 100), tat: 700)
    #expect(bucket.reserve(0, at: 900).count == 0)
    #expect(bucket.tat == 700)
    #expect(bucket.reserve(1, at: -5).first == 700)
  }

  @Test(arguments: [(80, 1), (3, 1), (7, 6), (1000, 1), (1, 6)])
  func `never fills a window over its limit`(limit: Int, seconds: Int) {
    for seed in UInt64(1)...4 {
      var chance = SplitMix64(seed: seed)
      var bucket = Bucket(interval: EmissionInterval(limit: limit, per: .seconds(seconds)))
      var law = WindowLaw(window: Int64(seconds) * 1_000_000_000)
      var now: Int64 = 0
      while law.count < 10_000 {
        let slots = bucket.reserve(Int(chance.below(20)), at: now)
        for index in 0..<slots.count { law.send(at: slots[index]) }
        now += chance.below(chance.once(in: 10) ? 3_000_000_000 : 100_000_000)
        if chance.once(in: 50) { now -= chance.below(now + 1) }
      }
      #expect(law.fullest == limit, "seed \(seed)")
    }
  }
}

@Suite struct `A guard ring` {
  @Test func `refuses the send after the limit until the window has passed`() {
    var ring = GuardRing(limit: 2, window: .seconds(1))
    #expect(ring.permits(at: 0))
    ring.note(at: 0)
    ring.note(at: 300)
    #expect(!ring.permits(at: 999_999_999))
    #expect(ring.earliest(after: 500) == 1_000_000_000)
    #expect(ring.permits(at: 1_000_000_000))
    ring.note(at: 1_000_000_000)
    #expect(!ring.permits(at: 1_000_000_299))
    #expect(ring.permits(at: 1_000_000_300))
  }

  @Test func `errs towards silence when the clock goes back`() {
    var ring = GuardRing(limit: 3, window: .nanoseconds(10))
    ring.note(at: 100)
    #expect(!ring.permits(at: 99))
    ring.note(at: 50)
    ring.note(at: 60)
    #expect(ring.earliest(after: 0) == 110)
  }

  @Test func `keeps the law whatever it is asked`() {
    var chance = SplitMix64(seed: 7)
    for limit in [1, 2, 5, 80] {
      var ring = GuardRing(limit: limit, window: .microseconds(1))
      var law = WindowLaw(window: 1000)
      var now: Int64 = 0
      for _ in 0..<50_000 {
        now += chance.below(30)
        let permitted = ring.permits(at: now)
        #expect(permitted == (ring.earliest(after: now) == now))
        if permitted {
          ring.note(at: now)
          law.send(at: now)
        }
      }
      #expect(law.fullest <= limit)
      #expect(limit < 40 ? law.fullest == limit : true)
    }
  }
}
