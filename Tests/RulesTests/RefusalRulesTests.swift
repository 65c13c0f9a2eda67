import Governor
import Simulation
import Testing

private let second: Int64 = 1_000_000_000

@Suite struct `A pair limit` {
  @Test func `lends 45 messages and takes one in six seconds after them`() {
    var pairs = PairLimit()
    var now = 5 * second
    for _ in 0..<45 {
      #expect(pairs.earliest(for: 7, at: now) == now)
      pairs.handedOver(to: 7, at: now)
    }
    #expect(pairs.earliest(for: 7, at: now) == now + 6 * second)
    #expect(pairs.earliest(for: 8, at: now) == now, "nobody else is concerned")
    now += 6 * second
    pairs.handedOver(to: 7, at: now)
    #expect(pairs.earliest(for: 7, at: now) == now + 6 * second)
    #expect(pairs.earliest(for: 7, at: now + PairLimit.memory) == now + PairLimit.memory, "every debt is paid in the end")
  }

  /// Meta's rule, said by a second, dumber model: in any window no more than 45 and one for each six seconds of it.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `holds in every window for persons written to by many campaigns`(seed: UInt64) {
    var (chance, pairs) = (SplitMix64(seed: seed), PairLimit())
    var sent: [Int64: [Int64]] = [:]
    var now: Int64 = 0
    for _ in 0..<60_000 {
      now += chance.below(chance.once(in: 500) ? 200 * second : second / 4)
      let person = chance.below(5)
      guard pairs.earliest(for: person, at: now) == now else { continue }
      pairs.handedOver(to: person, at: now)
      sent[person, default: []].append(now)
    }
    for (person, times) in sent {
      #expect(times.count > 1000)
      for last in times.indices {
        for first in max(0, last - 60)...last {
          let allowed = 45 + (times[last] - times[first]) / (6 * second)
          if Int64(last - first + 1) > allowed { Issue.record("person \(person): \(last - first + 1) of \(allowed)") }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `is the same for a new owner that read the last 270 seconds`(seed: UInt64) {
    var (chance, old, new) = (SplitMix64(seed: seed), PairLimit(), PairLimit())
    var now: Int64 = 0
    // A burst of a day before is paid; what follows a silence falls into what the new owner reads.
    for _ in 0..<200 where old.earliest(for: 1, at: now) == now { old.handedOver(to: 1, at: now) }
    now += 86_400 * second
    let from = now
    while now < from + 200 * second {
      now += chance.below(second)
      let person = chance.below(4)
      guard old.earliest(for: person, at: now) == now else { continue }
      old.handedOver(to: person, at: now)
      new.learn(person, handedOverAt: now)
    }
    for person in 0..<4 as Range<Int64> {
      #expect(new.earliest(for: person, at: now) == old.earliest(for: person, at: now))
    }
    #expect((0..<4 as Range<Int64>).contains { new.earliest(for: $0, at: now) > now })
  }

  @Test func `holds whom Meta refused for 4^X seconds, up to about an hour`() {
    var pairs = PairLimit()
    #expect((1...8).map { PairLimit.hold($0) / second } == [6, 16, 64, 256, 1024, 4096, 4096, 4096])
    #expect(pairs.refused(1, times: 2, at: second) == 17 * second)
    #expect(pairs.earliest(for: 1, at: 2 * second) == 17 * second)
    #expect(pairs.refused(1, times: 1, at: 2 * second) == 17 * second, "a shorter hold ends no longer one")
    #expect(pairs.earliest(for: 1, at: 17 * second) == 17 * second)
  }
}

@Suite struct `A breather` {
  @Test func `doubles with each trouble and counts one burst once`() {
    var breather = Breather()
    var now = 10 * second
    for index in 0..<30 { breather.troubled(handedOver: now - Int64(index), at: now) }
    #expect(breather.until == now + second / 4)
    now = breather.until
    breather.troubled(handedOver: now, at: now + 1)
    #expect(breather.until == now + 1 + second / 2)
    for _ in 0..<20 { breather.troubled(handedOver: breather.until, at: breather.until) }
    let last = breather.until
    breather.troubled(handedOver: last, at: last)
    #expect(breather.until == last + 60 * second, "a minute at most")
  }

  @Test func `is short again once Meta took a message that left after it`() {
    var breather = Breather()
    breather.troubled(handedOver: 0, at: 0)
    breather.troubled(handedOver: second, at: second)
    breather.answered(handedOver: 0)
    #expect(breather.until == second + second / 2)
    breather.answered(handedOver: 2 * second)
    breather.troubled(handedOver: 3 * second, at: 3 * second)
    #expect(breather.until == 3 * second + second / 4)
    breather.troubled(handedOver: 3 * second, least: 60 * second, at: 3 * second)
    #expect(breather.until == 63 * second)
  }
}
