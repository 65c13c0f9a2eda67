import Domain
import Governor
import Guarding
import JSON
import Store
import Testing

@Suite struct `The sequential test` {
  @Test func `does not stop for 3 of 4, and does for 2 percent of 50,000`() {
    let test = SequentialTest(limit: 0.02)
    #expect(!test.isAbove(bad: 3, of: 4))
    #expect(!test.isAbove(bad: 4, of: 99))
    #expect(test.isAbove(bad: 1000, of: 50_000))
    #expect(!test.isAbove(bad: 500, of: 50_000))
    #expect(!test.isAbove(bad: 0, of: 50_000))
  }

  @Test func `keeps its stated errors over 10,000 campaigns`() throws {
    let test = SequentialTest(limit: 0.02, falseAlarm: 0.001)
    var random = SplitMix64(seed: 20_261_126)
    /// The outcome at which a campaign at this rate is stopped; nil when it never is.
    func stop(at rate: Double, length: Int) -> Int? {
      var bad = 0
      let bar = UInt64(rate * 0x1p64)
      for count in 1...length {
        if random.next() < bar { bad += 1 }
        if test.isAbove(bad: bad, of: count) { return count }
      }
      return nil
    }
    // Looked at after every single outcome, 5,000 times a campaign. 10 expected at most; 25 has a chance below 1e-4.
    let alarms = (0..<10_000).count { _ in stop(at: 0.01, length: 5_000) != nil }
    #expect(alarms <= 25, "\(alarms) false alarms in 10,000 campaigns at half the limit")
    // At the limit: within five times the expected decision all but 1 in 100 are stopped.
    let expected = try #require(test.expectedDecision(at: 0.02))
    let missed = (0..<1_000).count { _ in stop(at: 0.02, length: expected * 5) == nil }
    #expect(missed <= 10, "\(missed) of 1,000 campaigns at the limit went on")
    // Far above it: soon.
    let stops = (0..<500).map { _ in stop(at: 0.06, length: 5_000) ?? 5_000 }.sorted()
    #expect(stops[475] < 700, "of campaigns at three times the limit the 95th percent stopped after \(stops[475])")
    print("false alarms \(alarms)/10000, missed \(missed)/1000 within \(expected * 5), at 6 %: median \(stops[250]), p95 \(stops[475])")
  }
}

@Suite struct `The rules of the guard` {
  private static func findings(_ delivered: Int, _ optedOut: Int, _ failures: [Int32: Int]) -> [GuardRule] {
    GuardRules(CampaignSpec.Guarding()).judge(
      .init(delivered: delivered, optedOut: optedOut, failures: failures)
    ).map(\.rule)
  }

  @Test func `count each limit over its own error classes`() {
    #expect(Self.findings(1000, 5, [:]).isEmpty)
    #expect(Self.findings(1000, 60, [:]) == [.optOutRate])
    #expect(Self.findings(1000, 30, [131_050: 30]) == [.optOutRate])
    #expect(Self.findings(500, 0, [131_026: 300]) == [.undeliverableRate])
    // Receipts that wait are no alarm: 14 stops of 1,000 taken by Meta, 256 of them told as delivered so far.
    #expect(
      GuardRules(CampaignSpec.Guarding()).judge(.init(accepted: 1000, delivered: 256, optedOut: 14, failures: [:])).isEmpty)
    // Meta's own choices are nobody's fault.
    #expect(Self.findings(500, 0, [131_049: 400, 130_472: 100]).isEmpty)
  }

  @Test func `suspect before they find`() {
    let rules = GuardRules(CampaignSpec.Guarding())
    let near = GuardRules.Outcomes(accepted: 150, delivered: 0, optedOut: 7, failures: [:])
    #expect(rules.judge(near).isEmpty)
    #expect(rules.judge(near, .suspected).map(\.rule) == [.optOutRate])
    #expect(rules.judge(.init(accepted: 1000, delivered: 0, optedOut: 9, failures: [:]), .suspected).isEmpty)
  }

  @Test func `tell the figures`() throws {
    let found = try #require(
      GuardRules(CampaignSpec.Guarding()).judge(.init(delivered: 1000, optedOut: 60, failures: [:])).first)
    #expect(found.evidence["bad"]?.int64Value == 60 && found.evidence["of"]?.int64Value == 1000)
    #expect(found.evidence["limit"]?.stringValue == "0.02")
  }

  @Test func `have a sentence in both languages`() {
    for rule in GuardRule.allCases {
      #expect(!rule.sentence.isEmpty && rule.arabicSentence.unicodeScalars.contains { $0.value >= 0x600 })
    }
  }
}
