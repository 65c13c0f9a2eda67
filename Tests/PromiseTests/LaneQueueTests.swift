import CloudAPI
import Domain
import Governor
import JSON
import Schedule
import Simulation
import Testing

@testable import Sending
@testable import Store

/// The lane's decisions in virtual time: laws that hold whatever the world does to it.
@Suite struct `A lane's queue` {
  static func plan(
    _ campaign: Int64, pace: Int, paused: Bool = false, jitter: Jitter.Profile = .none, reserve: Int = 0
  ) throws -> CampaignPlan {
    let definition = try TemplateDefinition(
      name: "t", language: "ar", parameterFormat: nil,
      components: .array([.object(["type": "BODY", "text": "مرحبًا"])]))
    return CampaignPlan(
      campaign: Campaign.ID(campaign), template: Template.ID(1), marketing: true, counts: true, frequencyCap: nil,
      message: .template(try TemplateMessage(definition, TemplateFill())), jitter: jitter, ownPace: (pace, .seconds(1)),
      reservePercent: reserve, opening: Opening(window: nil), endAt: nil, endsAt: nil, isPaused: paused,
      isCancelled: false, hasDue: false,
      freeZones: [], zones: [])
  }

  static func recipients(from first: Int32, _ count: Int) -> [LaneLog.Recipient] {
    (first..<first + Int32(count)).map {
      LaneLog.Recipient(
        seq: $0, attempt: 1, contact: Contact.ID(Int64($0)), phone: PhoneNumber(digits: 201_000_000_000 + Int64($0))!,
        person: PersonKey(high: 0, low: UInt64($0)), values: [])
    }
  }

  struct Outcome {
    var sentAt: [Int64] = []
    var bySeq: [Int32: Int] = [:]
    var oldestGate: Int64 = 0
    var end: Int64 = 0
    var refusals = 0
    var held = 0
    var steps = 0
    var pauses = 0
    var changedAt: [(at: Int64, pace: Int)] = []
  }

  /// Runs one lane with two campaigns over `people` each; stalls and gate outages come from the seed.
  static func run(
    seed: UInt64, perSecond: Int, paces: [Int], people: Int, troubled: Bool, refusing: Bool = false,
    jitter: Jitter.Profile = .none, changes: [(afterSends: Int, pace: Int)] = [], limits: LaneQueue.Limits = .init()
  ) throws -> Outcome {
    var chance = SplitMix64(seed: seed)
    var queue = LaneQueue(perSecond: perSecond, limits: limits, seed: seed)
    var plans = try paces.enumerated().map { try plan(Int64($0 + 1), pace: $1, jitter: jitter) }
    var changes = changes[...]
    var pausedUntil: Int64?
    queue.adopt(plans, perSecond: perSecond)
    var next = [Int32](repeating: 1, count: paces.count)
    var outcome = Outcome()
    var now: Int64 = 1_000_000_000
    var (nextGate, nextClaim, claim): (Int64, Int64, Int64) = (0, 0, 0)
    var gateBack: Int64 = 0
    var answers: [(at: Int64, message: LaneQueue.Message, handedOver: Int64)] = []
    // Refused: waiting for its time, as in the due table.
    var due: [(at: Int64, message: LaneQueue.Message)] = []
    let total = people * paces.count
    while outcome.bySeq.count < total, now < 4_000_000_000_000 {
      while let first = answers.first, first.at <= now {
        answers.removeFirst()
        queue.answered(handedOver: first.handedOver, at: now)
        if refusing, chance.below(60) == 0 {
          outcome.refusals += 1
          if chance.below(2) == 0 {
            queue.throttled(handedOver: first.handedOver, at: now)
          } else {
            queue.troubled(handedOver: first.handedOver, at: now)
          }
          due.append((now + 1_000_000_000, first.message))
          continue
        }
        queue.accepted(handedOver: first.handedOver)
        outcome.bySeq[Int32(first.message.campaign.rawValue) * 1_000_000 + first.message.recipient.seq, default: 0] += 1
      }
      outcome.steps += 1
      if troubled, chance.below(15_000) == 0 || (pausedUntil != nil && now >= pausedUntil!) {
        // One campaign is paused for a while, or all go on.
        let paused = pausedUntil == nil ? Int(chance.below(Int64(paces.count))) : nil
        pausedUntil = paused.map { _ in now + chance.below(4_000_000_000) }
        queue.adopt(
          try paces.enumerated().map { try plan(Int64($0 + 1), pace: $1, paused: $0 == paused, jitter: jitter) },
          perSecond: perSecond)
        outcome.pauses += paused == nil ? 0 : 1
      }
      if let change = changes.first, outcome.sentAt.count >= change.afterSends {
        changes.removeFirst()
        plans = try paces.indices.map { try plan(Int64($0 + 1), pace: change.pace, jitter: jitter) }
        queue.adopt(plans, perSecond: perSecond)
        outcome.changedAt.append((now, change.pace))
      }
      if now >= nextClaim {
        let back = due.filter { $0.at <= now }
        if !back.isEmpty {
          due.removeAll { $0.at <= now }
          for plan in plans {
            let recipients = back.filter { $0.message.campaign == plan.campaign }.map(\.message.recipient)
            queue.claimed(recipients, claim: claim, campaign: plan.campaign, at: now)
          }
        }
        for (index, plan) in plans.enumerated() {
          if let want = queue.want(plan.campaign, at: now) {
            let count = min(want.count, people - Int(next[index]) + 1)
            if count > 0 {
              claim += 1
              queue.claimed(recipients(from: next[index], count), claim: claim, campaign: plan.campaign, at: now)
              next[index] += Int32(count)
            }
          }
        }
        nextClaim = now + 20_000_000
      }
      if now >= nextGate, now >= gateBack {
        let asked = queue.toAsk(at: now)
        let verdicts = asked.map { _ in chance.below(50) == 0 ? Gate.Verdict.raced : .pass }
        // The answer takes a while: what it allows is as old as its question.
        _ = queue.judged(asked, verdicts, askedAt: now - chance.below(20_000_000))
        nextGate = now + 50_000_000
        if troubled, chance.below(40) == 0 { gateBack = now + chance.below(1_500_000_000) }
      }
      pacing: while true {
        switch queue.next(at: now) {
        case .handOver(let message, _):
          queue.left(message, at: now)
          outcome.sentAt.append(now)
          outcome.oldestGate = max(outcome.oldestGate, now - message.gatedAt)
          answers.append((now + chance.below(80_000_000), message, now))
          answers.sort { $0.at < $1.at }
        case .hold(let message, let until):
          outcome.held += 1
          due.append((until, message))
        case .wait, .idle: break pacing
        }
      }
      now += 200_000 + chance.below(800_000)
      if troubled, chance.below(3000) == 0 { now += chance.below(3_000_000_000) }
    }
    outcome.end = now
    return outcome
  }

  static func fullestSecond(_ times: [Int64]) -> Int {
    var (highest, first) = (0, 0)
    for last in times.indices {
      while times[last] - times[first] >= 1_000_000_000 { first += 1 }
      highest = max(highest, last - first + 1)
    }
    return highest
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func `keeps every law through stalls and outages, and forgets nobody`(seed: UInt64) throws {
    let outcome = try Self.run(
      seed: seed, perSecond: 80, paces: [80, 20], people: 3200, troubled: true, jitter: seed % 2 == 0 ? .none : .human)
    // Eight worlds of so many looks: more than a million steps of the governor.
    #expect(outcome.steps > 125_000 && outcome.pauses > 0, "\(outcome.steps) steps, \(outcome.pauses) pauses")
    #expect(Self.fullestSecond(outcome.sentAt) <= 80)
    #expect(outcome.oldestGate < 250_000_000, "nothing leaves on an old gate answer")
    #expect(outcome.bySeq.count == 6400, "nobody lost")
    #expect(outcome.bySeq.values.allSatisfy { $0 == 1 }, "nobody twice")
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `loses time and nobody to Meta's refusals before acceptance`(seed: UInt64) throws {
    let outcome = try Self.run(seed: seed, perSecond: 80, paces: [80, 20], people: 400, troubled: false, refusing: true)
    #expect(outcome.refusals > 5)
    #expect(Self.fullestSecond(outcome.sentAt) <= 80)
    #expect(outcome.bySeq.count == 800 && outcome.bySeq.values.allSatisfy { $0 == 1 }, "each is taken once")
    #expect(outcome.sentAt.count == 800 + outcome.refusals)
  }

  @Test func `holds a person whom many campaigns of the number write to, and goes on with the others`() throws {
    // Fifty campaigns to the same four people: 45 messages each are lent, the rest wait.
    let outcome = try Self.run(seed: 4, perSecond: 1000, paces: Array(repeating: 50, count: 50), people: 4, troubled: false)
    #expect(outcome.bySeq.count == 200 && outcome.held > 0)
    let firstBurst = outcome.sentAt.filter { $0 < outcome.sentAt[0] + 6_000_000_000 }.count
    #expect(firstBurst <= 4 * 45 + 4, "\(firstBurst)")
  }

  @Test func `rests a template that Meta prepares, and no other campaign`() throws {
    var queue = LaneQueue(perSecond: 80, limits: LaneQueue.Limits(), seed: 1)
    queue.adopt([try Self.plan(1, pace: 40)], perSecond: 80)
    let now: Int64 = 5_000_000_000
    queue.rest(Template.ID(1), until: now + 60_000_000_000)
    #expect(queue.want(Campaign.ID(1), at: now) == nil)
    #expect(queue.want(Campaign.ID(1), at: now + 60_000_000_000) != nil)
  }

  /// Without the path's allowance the pacer's slack for late wake-ups would let one message too many through.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func `keeps the window by its guard ring where the pacer alone would not`(seed: UInt64) throws {
    var limits = LaneQueue.Limits()
    limits.pathAllowance = .zero
    let outcome = try Self.run(seed: seed, perSecond: 80, paces: [1000], people: 800, troubled: true, limits: limits)
    #expect(Self.fullestSecond(outcome.sentAt) <= 80)
    #expect(outcome.bySeq.count == 800 && outcome.bySeq.values.allSatisfy { $0 == 1 })
  }

  @Test func `uses nearly all the slots of its number when nothing is wrong`() throws {
    let outcome = try Self.run(seed: 9, perSecond: 80, paces: [80], people: 2400, troubled: false)
    let seconds = Double(outcome.sentAt.last! - outcome.sentAt.first!) / 1e9
    #expect(Double(outcome.sentAt.count) >= 0.97 * (seconds / 0.01375))
    #expect(Self.fullestSecond(outcome.sentAt) <= 80)
  }

  /// The mean of `human` is the pace, its fullest second at most 5/4 of it and never above the number's limit; nobody would
  /// take its gaps for a machine's.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func `looks human, keeps the mean pace and the number's law`(seed: UInt64) throws {
    let outcome = try Self.run(seed: seed, perSecond: 80, paces: [64], people: 4000, troubled: false, jitter: .human)
    #expect(Self.fullestSecond(outcome.sentAt) <= 80)
    let seconds = Double(outcome.sentAt.last! - outcome.sentAt.first!) / 1e9
    #expect(abs(Double(outcome.sentAt.count - 1) / seconds - 64) < 0.64, "\(outcome.sentAt.count) in \(seconds) s")
    let gaps = zip(outcome.sentAt.dropFirst(), outcome.sentAt).map { $0 - $1 }.sorted()
    let (mean, median) = (gaps.reduce(0, +) / Int64(gaps.count), gaps[gaps.count / 2])
    // As with a log-normal: most gaps are shorter than the mean, a few are pauses.
    #expect(median < mean && gaps[gaps.count * 98 / 100] > 2 * mean && gaps[gaps.count / 10] < mean * 3 / 4)
  }

  @Test(arguments: [Jitter.Profile.none, .human])
  func `keeps every window while its pace is changed up and down`(jitter: Jitter.Profile) throws {
    let outcome = try Self.run(
      seed: 12, perSecond: 80, paces: [20], people: 900, troubled: false, jitter: jitter,
      changes: [(100, 60), (300, 5), (400, 40)])
    #expect(outcome.bySeq.count == 900 && outcome.changedAt.count == 3)
    let borders = [0] + outcome.changedAt.map(\.at) + [Int64.max]
    for (index, pace) in [20, 60, 5, 40].enumerated() {
      // A second after a change nothing of the old pace is in the window any more.
      let part = outcome.sentAt.filter { $0 >= borders[index] + 1_000_000_000 && $0 < borders[index + 1] }
      let law = jitter == .human ? (pace * 5 + 3) / 4 : pace
      #expect(Self.fullestSecond(part) <= law, "\(pace)")
      #expect(part.count > pace, "\(pace): it goes on at once")
    }
  }

  @Test func `keeps a campaign's own pace on a faster number`() throws {
    let outcome = try Self.run(seed: 10, perSecond: 1000, paces: [20], people: 400, troubled: true)
    #expect(Self.fullestSecond(outcome.sentAt) <= 20)
    #expect(outcome.bySeq.count == 400)
  }

  @Test func `hands nothing over while a campaign is paused`() throws {
    var queue = LaneQueue(perSecond: 80, limits: LaneQueue.Limits(), seed: 1)
    queue.adopt([try Self.plan(1, pace: 80)], perSecond: 80)
    let now: Int64 = 5_000_000_000
    let wanted = queue.want(Campaign.ID(1), at: now)
    let want = try #require(wanted)
    queue.claimed(Self.recipients(from: 1, want.count), claim: 1, campaign: Campaign.ID(1), at: now)
    let asked = queue.toAsk(at: now)
    #expect(!asked.isEmpty)
    _ = queue.judged(asked, asked.map { _ in .halted }, askedAt: now)
    guard case .idle = queue.next(at: now + 50_000_000) else {
      Issue.record("something left although the gate said halted")
      return
    }
    #expect(queue.want(Campaign.ID(1), at: now + 50_000_000) == nil)
    #expect(queue.withdraw(Campaign.ID(1)).count == want.count, "all are still here")
  }

  @Test func `waits with its campaigns when the people of the day are used up, while urgent messages pass or are held`() throws {
    var queue = LaneQueue(perSecond: 80, limits: LaneQueue.Limits(), seed: 1)
    var urgent = try Self.plan(2, pace: 80)
    urgent.isUrgent = true
    queue.adopt([try Self.plan(1, pace: 80), urgent], perSecond: 80)
    let now: Int64 = 5_000_000_000
    queue.claimed(Self.recipients(from: 1, 4), claim: 1, campaign: Campaign.ID(1), at: now)
    queue.claimed(Self.recipients(from: 11, 2), claim: 2, campaign: Campaign.ID(2), at: now)
    let asked = queue.toAsk(at: now)
    #expect(asked.count == 6)
    // Of the campaign the first two had room, of the urgent ones the second is in its service window.
    let judged = queue.judged(
      asked, asked.map { [1, 2, 12].contains($0.recipient.seq) ? .pass : .crowded }, askedAt: now)
    #expect(judged.finished.isEmpty && judged.crowded.map(\.recipient.seq) == [11])
    #expect(queue.isCrowded && queue.want(Campaign.ID(1), at: now) == nil && queue.want(Campaign.ID(2), at: now) != nil)
    func handed(until end: Int64) -> [Int32] {
      var (time, seqs): (Int64, [Int32]) = (end - 100_000_000, [])
      while time < end {
        if case .handOver(let message, _) = queue.next(at: time) {
          queue.left(message, at: time)
          seqs.append(message.recipient.seq)
        }
        time += 5_000_000
      }
      return seqs
    }
    #expect(Set(handed(until: now + 200_000_000)) == [1, 2, 12])
    // Nobody is asked about before there is room; then those who waited go first, by new slots.
    let later = now + 60_000_000_000
    #expect(queue.toAsk(at: later).isEmpty)
    queue.isCrowded = false
    #expect(queue.want(Campaign.ID(1), at: later) == nil)
    let again = queue.toAsk(at: later)
    #expect(again.map(\.recipient.seq) == [3, 4] && again.allSatisfy { $0.recipient.times == 0 })
    _ = queue.judged(again, again.map { _ in .pass }, askedAt: later)
    #expect(handed(until: later + 200_000_000) == [3, 4])
  }

  @Test func `hands nothing over once the hours of its people have ended, and gives them back`() throws {
    var queue = LaneQueue(perSecond: 80, limits: LaneQueue.Limits(), seed: 1)
    queue.adopt([try Self.plan(1, pace: 80), try Self.plan(2, pace: 80)], perSecond: 80)
    let now: Int64 = 5_000_000_000
    let closes = now + 40_000_000
    queue.claimed(Self.recipients(from: 1, 10), claim: 1, campaign: Campaign.ID(1), until: closes, at: now)
    queue.claimed(Self.recipients(from: 1, 1), claim: 2, campaign: Campaign.ID(2), at: now)
    var (time, handed): (Int64, [(Campaign.ID, Int64)]) = (now, [])
    // Slots go on after the hours end: a stall has moved them.
    while time < now + 400_000_000 {
      let asked = queue.toAsk(at: time)
      _ = queue.judged(asked, asked.map { _ in .pass }, askedAt: time)
      if case .handOver(let message, _) = queue.next(at: time) {
        queue.left(message, at: time)
        handed.append((message.campaign, time))
      }
      time += 5_000_000
    }
    #expect(handed.contains { $0.0 == Campaign.ID(1) } && handed.contains { $0.0 == Campaign.ID(2) })
    #expect(handed.filter { $0.0 == Campaign.ID(1) }.allSatisfy { $0.1 < closes })
    let late = queue.closed(at: time)
    #expect(late.count + handed.count == 11, "nobody lost")
    #expect(queue.closed(at: time).isEmpty && queue.streams[Campaign.ID(1)]?.isEmpty == true)
  }

  @Test func `claims no slot at or after the end of the hours`() {
    let want = LaneQueue.Want(campaign: Campaign.ID(1), count: 40, step: 10, slot0: 100)
    #expect(want.count(before: .max) == 40 && want.count(before: 130) == 3 && want.count(before: 131) == 4)
    #expect(want.count(before: 100) == 1)
  }
}

/// Who may send on a lane: every order of events up to length six.
@Suite struct `A tenure` {
  @Test func `that was lost with the database is taken back by its own node, after the quarantine`() {
    var tenure = Tenure(me: 1, nodeTimeout: 2_000, quarantine: 1_600)
    let own = LaneLog.Head(k: 7, epoch: 3, kind: 1, node: 1, doneK: 5)
    guard case .takeOver(after: own) = tenure.observed(head: own, beat: 40, at: 10_000) else {
      Issue.record("a node waits for its own silence")
      return
    }
    tenure.tookOver(LaneLog.Head(k: 8, epoch: 4, kind: 3, node: 1, doneK: 5), after: own, at: 10_000)
    #expect(tenure.due(at: 11_599) == .none)
    guard case .sweep = tenure.due(at: 11_600) else {
      Issue.record("what it had handed over is never settled")
      return
    }
  }

  enum Event: CaseIterable { case otherBeats, silence, released, tookOver, swept, fenced }

  @Test func `never owns without a takeover and its quarantine, in any order of events`() {
    var tried = 0
    everySequence(of: Event.allCases, upTo: 6) { events in
      tried += 1
      var tenure = Tenure(me: 1, nodeTimeout: 2_000, quarantine: 1_600)
      var (now, beat): (Int64, Int64) = (10_000, 1)
      var takenAt: Int64?
      var clean = false
      let mine = LaneLog.Head(k: 2, epoch: 2, kind: 3, node: 1, doneK: 0)
      func other(_ kind: Int16) -> LaneLog.Head { LaneLog.Head(k: 1, epoch: 1, kind: kind, node: 2, doneK: 0) }
      for event in events {
        now += 500
        switch event {
        case .otherBeats:
          beat += 1
          if case .takeOver = tenure.observed(head: other(1), beat: beat, at: now) {
            Issue.record("took over from a node that beats: \(events)")
          }
        case .silence:
          now += 3_000
          _ = tenure.observed(head: other(1), beat: beat, at: now)
        case .released: _ = tenure.observed(head: other(4), beat: beat, at: now)
        case .tookOver:
          clean = false
          takenAt = now
          tenure.tookOver(mine, after: other(1), at: now)
        case .swept:
          if case .sweep = tenure.due(at: now) { tenure.swept() }
        case .fenced:
          takenAt = nil
          tenure.fenced()
        }
        if case .owning = tenure.state {
          guard let taken = takenAt else {
            Issue.record("owns without a takeover: \(events)")
            continue
          }
          if !clean, now - taken < 1_600 { Issue.record("owns inside the quarantine: \(events)") }
        }
      }
    }
    #expect(tried > 50_000)
  }
}
