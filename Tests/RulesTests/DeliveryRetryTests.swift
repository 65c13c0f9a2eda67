import Governor
import Testing

@Suite struct `A delivery that failed` {
  @Test func `waits four times as long after each attempt, about a day and a half in all, and is given up`() {
    let rule = DeliveryRetry()
    var chance = SplitMix64(seed: 5)
    var sum: Int64 = 0
    var last: Int64 = 0
    for attempt in 1..<rule.attempts {
      guard let wait = rule.wait(after: attempt, &chance) else {
        Issue.record("given up after \(attempt)")
        return
      }
      #expect(wait > last || wait >= rule.longest * 4 / 5)
      #expect(wait <= rule.longest * 6 / 5)
      (sum, last) = (sum + wait, wait)
    }
    #expect(rule.wait(after: rule.attempts, &chance) == nil)
    #expect((24 * 3_600_000_000_000...48 * 3_600_000_000_000).contains(sum))
  }

  @Test func `is spread, and heeds what the receiver asks for, within the longest wait`() {
    let rule = DeliveryRetry()
    var chance = SplitMix64(seed: 7)
    let waits = (0..<200).map { _ in rule.wait(after: 1, &chance)! }
    #expect(Set(waits).count > 150)
    #expect(waits.allSatisfy { (4_000_000_000...6_000_000_000).contains($0) })
    #expect(rule.wait(after: 1, asked: 90_000_000_000, &chance) == 90_000_000_000)
    #expect(rule.wait(after: 1, asked: .max, &chance)! <= rule.longest * 6 / 5)
  }
}
