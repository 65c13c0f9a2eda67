import Domain
import Guarding
import JSON
import Store
import Testing

@Suite struct `A past campaign judged again` {
  /// 100 messages a second for 50 seconds, of which 97 arrive and 3 people stop; as it was, nobody stopped it.
  private static func past(pausedAfter seconds: Int64? = nil, colour: (String, after: Int64)? = nil) -> GuardHistory {
    let start = Instant(seconds: 1_800_000_000)
    var moments = (1...Int64(50)).map { second in
      var moment = GuardHistory.Moment(at: start + .seconds(second))
      (moment.left, moment.accepted, moment.delivered, moment.optedOut) = (100, 100, 97, 3)
      return moment
    }
    if let colour {
      var look = GuardHistory.Moment(at: start + .seconds(colour.after) + .milliseconds(1))
      look.colour = colour.0
      moments.insert(look, at: Int(colour.after))
    }
    let pauses = seconds.map { [GuardHistory.Pause(rule: "opt_out_rate", at: start + .seconds($0) - .milliseconds(500))] }
    return GuardHistory(moments: moments, pauses: pauses ?? [], step: .seconds(1), untimedStops: 0)
  }

  private static func rules(_ change: JSONValue) throws -> CampaignSpec.Guarding {
    try CampaignSpec.Guarding().changed(by: change)
  }

  @Test func `stops earlier under a stricter rule, and never under one it keeps`() throws {
    let usual = GuardReplay(try Self.rules([:])).run(Self.past())
    let strict = GuardReplay(try Self.rules(["max_opt_out": .number("0.01")])).run(Self.past())
    let loose = GuardReplay(try Self.rules(["max_opt_out": .number("0.10")])).run(Self.past())
    let (late, early) = (try #require(usual.pause), try #require(strict.pause))
    #expect(late.rule == .optOutRate && early.left < late.left && early.at < late.at)
    #expect(usual.left == 5000 && usual.messagesEarlier == 5000 - late.left)
    #expect(loose.pause == nil && loose.messagesEarlier == nil && loose.slow == nil && loose.left == 5000)
    // The pace is halved before.
    let slow = try #require(usual.slow)
    #expect(slow.left < late.left)
  }

  /// The first look at which the live rules find something, no other.
  @Test func `stops where the live rules do`() throws {
    let rules = try Self.rules([:])
    var outcomes = GuardRules.Outcomes(delivered: 0, optedOut: 0, failures: [:])
    var seconds = 0
    repeat {
      seconds += 1
      (outcomes.accepted, outcomes.delivered, outcomes.optedOut) = (seconds * 100, seconds * 97, seconds * 3)
    } while GuardRules(rules).judge(outcomes).isEmpty && seconds < 50
    #expect(GuardReplay(rules).run(Self.past()).pause?.left == seconds * 100)
  }

  @Test func `is compared with when it was paused`() throws {
    let strict = try Self.rules(["max_opt_out": .number("0.01")])
    let stop = try #require(GuardReplay(strict).run(Self.past()).pause?.left)
    #expect(GuardReplay(strict).run(Self.past(pausedAfter: 40)).messagesEarlier == 4000 - stop)
    // It was paused before these rules would have found anything, and went on.
    #expect(GuardReplay(strict).run(Self.past(pausedAfter: 1)).messagesEarlier == 100 - stop)
  }

  @Test func `stops at the colour that the rules name`() throws {
    let past = Self.past(colour: ("YELLOW", after: 2))
    #expect(GuardReplay(try Self.rules([:])).run(past).pause?.rule == .qualityYellow)
    #expect(GuardReplay(try Self.rules([:])).run(past).pause?.left == 200)
    let red = try Self.rules(["pause_at": "RED", "max_opt_out": 1])
    #expect(GuardReplay(red).run(past).pause == nil)
    #expect(GuardReplay(red).run(Self.past(colour: ("RED", after: 3))).pause?.rule == .qualityRed)
  }

  @Test func `refuses rules that no past can show`() {
    #expect(throws: Problem.self) { try Self.rules(["pilot": 500]) }
    #expect(throws: Problem.self) { try Self.rules(["max_opt_out": 2]) }
  }
}
