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

  @Test func `only warn of messages that Meta holds, and of readers who stay away`() throws {
    let rules = GuardRules(CampaignSpec.Guarding())
    func warned(held: Int = 0, reads: GuardRules.Reads? = nil) -> [GuardRules.Finding] {
      let outcomes = GuardRules.Outcomes(
        accepted: 400, delivered: 350, optedOut: 0, failures: [131_049: 20, 131_026: 7, 1: 3], held: held, reads: reads)
      #expect(rules.judge(outcomes).isEmpty, "nothing stops")
      return rules.judge(outcomes, .suspected)
    }
    #expect(warned(held: 2).isEmpty)
    let held = try #require(warned(held: 3).first)
    #expect(held.rule == .heldForQuality && held.evidence["bad"]?.int64Value == 3)
    // What Meta did not deliver stands beside it; other codes are not of the audience.
    #expect(held.evidence["failed_by_code"]?.objectValue?.map(\.0) == ["131026", "131049"])
    // Usual: 60 of 100. Surely below half of that, and not yet.
    func reads(_ read: Int, of delivered: Int, usual: Int = 6000, past: Int = 10_000) -> [GuardRule] {
      warned(reads: .init(delivered: delivered, read: read, usualDelivered: past, usualRead: usual)).map(\.rule)
    }
    #expect(reads(60, of: 400) == [.readRate] && reads(110, of: 400).isEmpty && reads(240, of: 400).isEmpty)
    // A floor of evidence on both sides.
    #expect(reads(0, of: 199).isEmpty && reads(0, of: 200) == [.readRate])
    #expect(reads(0, of: 400, usual: 599, past: 999).isEmpty && reads(0, of: 400, usual: 0).isEmpty)
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
