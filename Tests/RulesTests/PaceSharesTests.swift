import Domain
import Governor
import Simulation
import Testing

@Suite struct `Shares of a pace` {
  @Test func `add up to the pace, by weight, and give nothing to a number that can't be used`() {
    #expect(PaceShares.divide(100, over: [64, 16]) == [80, 20])
    #expect(PaceShares.divide(1, over: [64, 64, 64]) == [1, 0, 0])
    #expect(PaceShares.divide(10, over: [1, 0, 1]) == [5, 0, 5])
    #expect(PaceShares.divide(10, over: [0, 0]) == [0, 0])
    var chance = SplitMix64(seed: 1)
    for _ in 0..<10_000 {
      let weights = (0...Int(chance.below(6))).map { _ in Int(chance.below(1000)) }
      let pace = Int(chance.below(36_000_000))
      let shares = PaceShares.divide(pace, over: weights)
      if shares.reduce(0, +) != (weights.contains { $0 > 0 } ? pace : 0) { Issue.record("\(pace) over \(weights): \(shares)") }
      if zip(shares, weights).contains(where: { $0.0 > 0 && $0.1 == 0 }) { Issue.record("\(weights): \(shares)") }
    }
  }

  @Test func `rise at once when nobody's fall stands against it, else after it was heard`() {
    let old = PaceShares.Version(pace: 10, shares: [1: 5, 2: 5])
    let raised = PaceShares.Version(pace: 20, shares: [1: 10, 2: 10])
    #expect(PaceShares.share(of: 1, in: [raised, old]) == 10)
    let lost = PaceShares.Version(pace: 10, shares: [1: 0, 2: 10])
    #expect(PaceShares.share(of: 1, in: [lost, old]) == 0)
    #expect(PaceShares.share(of: 2, in: [lost, old]) == 5, "what 1 sent is still in the window")
    #expect(PaceShares.share(of: 2, in: [lost]) == 10)
    #expect(PaceShares.share(of: 3, in: [lost]) == 0 && PaceShares.share(of: 1, in: []) == 0)
  }

  /// Numbers that fail and come back, each of which hears of it some time later, together keep one window.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func `keep the campaign's window over numbers that hear late of each change`(seed: UInt64) {
    var chance = SplitMix64(seed: seed)
    let (pace, window, hearing) = (Int(chance.within(3...40)), Int64(1_000_000_000), Int64(12_000_000_000))
    let numbers: [Int64] = [1, 2, 3]
    var versions: [(at: Int64, version: PaceShares.Version)] = []
    func inForce(_ now: Int64) -> [PaceShares.Version] {
      versions.indices.filter { index in
        versions[index].at <= now && (index + 1 == versions.count || versions[index + 1].at > now - window - hearing)
      }.reversed().map { versions[$0].version }
    }
    var lines = numbers.map { number in
      (number: number, read: [PaceShares.Version](), readAt: Int64.min, share: 0,
        bucket: Bucket(interval: EmissionInterval(perSecond: 1)), ring: GuardRing(limit: 1, window: .seconds(1)))
    }
    var law = WindowLaw(window: window)
    var (now, nextChange, sent): (Int64, Int64, [Int64: Int]) = (0, 0, [:])
    while now < 600_000_000_000 {
      if now >= nextChange {
        let weights = numbers.map { _ in chance.below(3) == 0 ? 0 : Int(chance.within(1...80)) }
        let shares = PaceShares.divide(pace, over: weights)
        versions.append((now, PaceShares.Version(pace: pace, shares: Dictionary(uniqueKeysWithValues: zip(numbers, shares)))))
        nextChange = now + chance.below(40_000_000_000)
      }
      for index in lines.indices {
        // A lane looks again after a quarter of a second, or as late as it may.
        if now >= lines[index].readAt {
          lines[index].read = inForce(now)
          lines[index].readAt = now + (chance.once(in: 8) ? chance.below(hearing) : 250_000_000)
          let share = PaceShares.share(of: lines[index].number, in: lines[index].read)
          if share != lines[index].share, share > 0 {
            let interval = EmissionInterval(perSecond: share)
            lines[index].bucket.tat += max(0, interval.nanoseconds - lines[index].bucket.interval.nanoseconds)
            lines[index].bucket.interval = interval
            lines[index].ring = lines[index].ring.under(limit: share, window: .seconds(1))
          }
          lines[index].share = share
        }
        guard lines[index].share > 0, lines[index].bucket.tat <= now, lines[index].ring.permits(at: now) else { continue }
        _ = lines[index].bucket.reserve(1, at: now)
        lines[index].ring.note(at: now)
        law.send(at: now)
        sent[lines[index].number, default: 0] += 1
      }
      now += 1_000_000 + chance.below(4_000_000)
    }
    #expect(law.fullest <= pace, "seed \(seed): \(law.fullest) of \(pace)")
    #expect(sent.count == 3 && law.count > pace * 300, "seed \(seed): \(sent)")
  }
}

@Suite struct `A guard ring under another law` {
  @Test func `still knows what was sent`() {
    var ring = GuardRing(limit: 5, window: .seconds(1))
    for instant in [100, 200, 300, 400] as [Int64] { ring.note(at: instant) }
    let lower = ring.under(limit: 2, window: .seconds(1))
    #expect(!lower.permits(at: 500) && lower.earliest(after: 0) == 1_000_000_300)
    let higher = ring.under(limit: 6, window: .seconds(1))
    #expect(higher.permits(at: 500))
    #expect(ring.under(limit: 4, window: .seconds(1)).earliest(after: 0) == 1_000_000_100)
  }
}
