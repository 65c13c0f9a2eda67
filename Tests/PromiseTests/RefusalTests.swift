import Domain
import Postgres
import Reactor
import Sending
import Testing

@testable import Store

/// A refusal before acceptance costs time, never a recipient; one that concerns us stops us; one that concerns a person
/// concerns nobody else.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A refusal of Meta's` {
  @Test func `that is about time loses nobody and makes no second attempt`() async throws {
    let world = try await World(people: 60)
    try await world.startNode()
    var written = 0
    for code in [130429, 131016, 131056] {
      try await world.sandboxPost("faults", #"{"refuse": {"code": \#(code), "next": 3}}"#)
      let campaign = try await world.launch(pace: 100, name: "\(code)")
      try await world.until("sent after \(code)") {
        let marked = try await world.pool.run(
          "select from due join touch using (campaign_id, seq, attempt) where campaign_id = $1", .int8(campaign.rawValue))
        #expect(marked.isEmpty, "who was refused must not look sent to the one that sweeps after a crash")
        return try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
      }
      let waited = try await world.pool.run(
        """
        select count(distinct u.seq) from lane_log l, unnest(l.seqs) u (seq) where l.campaign_id = $1 and l.kind = 2
        """, .int8(campaign.rawValue))[0].int64(0)
      #expect(waited >= 3, "three waited after \(code)")
      // Whom a receipt of the one before called undeliverable is left out.
      let people = try await world.pool.run(
        "select recipients from campaign where campaign_id = $1", .int8(campaign.rawValue))[0].int64(0)
      written += Int(people)
      let facts = try await world.pool.run(
        "select count(*), max(attempt), count(*) filter (where outcome = 5) from fact where campaign_id = $1",
        .int8(campaign.rawValue))[0]
      #expect(facts.int64(0) == people && facts.int64(2) == people && facts.int16(1) == 1, "\(code)")
    }
    #expect(try await world.summary("accepted") == written && written > 150)
    try await world.end()
  }

  @Test(arguments: [(131048, PauseScope.number), (131042, .account), (368, .portfolio), (190, .token), (132015, .template)])
  func `that needs somebody pauses its scope and loses nobody`(code: Int, scope: PauseScope) async throws {
    let world = try await World(people: 40)
    try await world.startNode()
    try await world.sandboxPost("faults", #"{"refuse": {"code": \#(code), "next": 1}}"#)
    let campaign = try await world.launch(pace: 200)
    try await world.until("paused") { try await world.pool.run("select from open_pause").count == 1 }
    let pause = try await world.pool.run("select scope, rule, pause_id from open_pause")[0]
    #expect(pause.int16(0) == scope.rawValue && pause.text(1) == "meta_\(code)")
    try await world.desk.sleep(for: .milliseconds(700))
    let before = try await world.summary("arrived")
    try await world.desk.sleep(for: .milliseconds(500))
    #expect(try await world.summary("arrived") == before, "nothing leaves while it is open")
    _ = try await world.pool.run(
      "insert into pause_end (pause_id, reason, actor) values ($1, 'mended', 'test')", .int8(pause.int64(2)))
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    #expect(try await world.summary("accepted") == 40)
    try await world.end()
  }

  /// 131049: in the answer for three people, by receipt for three others.
  @Test func `that holds a person for a day tries again, looks at consent again, and ends after its retries`() async throws {
    let world = try await World(people: 30)
    try await world.startNode { $0.marketingRetries = 2 }
    try await world.sandboxPost("faults", #"{"refuse": {"code": 131049, "next": 3}}"#)
    let campaign = try await world.launch(pace: 100)
    func held() async throws -> Int64 {
      try await world.pool.run(
        "select count(*) from due where campaign_id = $1 and reason = 5 and due_at > now() + interval '23 hours'",
        .int8(campaign.rawValue))[0].int64(0)
    }
    /// As if a day had passed.
    func tomorrow() async throws { _ = try await world.pool.run("update due set due_at = now() where reason = 5") }
    try await world.until("three are held") { try await held() == 3 }
    try await world.until("all others are taken") { try await world.summary("accepted") == 27 }
    #expect(try await world.states(campaign)[.held] == 3)
    #expect(try await world.campaignState(campaign) == .sending, "it goes by itself")

    // One of them opts out meanwhile; the second day Meta refuses one more time, then takes nobody else back.
    let stopped = try await world.pool.run("select seq from due where campaign_id = $1 order by seq limit 1", .int8(campaign.rawValue))
    let seq = stopped[0].int32(0)
    _ = try await world.pool.run(
      """
      insert into suppression (business_id, person_key, scope, active, at, consent_id)
      select $1, person_key, 1, true, now(), 1 from recipient where campaign_id = $2 and seq = $3
      """, .int8(world.installation.business.rawValue), .int8(campaign.rawValue), .int4(seq))
    try await world.sandboxPost("faults", #"{"refuse": {"code": 131049, "next": 1}}"#)
    try await tomorrow()
    try await world.until("one is held again, one is taken, one is skipped") {
      let (held, accepted) = (try await held(), try await world.summary("accepted"))
      return held == 1 && accepted == 28
    }
    try await world.sandboxPost("faults", #"{"refuse": {"code": 131049, "next": 1}}"#)
    try await tomorrow()
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let rows = try await world.pool.run(
      "select attempt, code from fact where campaign_id = $1 and outcome = 3 order by attempt", .int8(campaign.rawValue))
    #expect(rows.map { $0.int16(0) } == [1, 1, 1, 2, 3], "three attempts at most")
    #expect(rows.allSatisfy { $0.int32(1) == 131049 })
    let skipped = try await world.pool.run("select reason from skip where campaign_id = $1 and seq = $2", .int8(campaign.rawValue), .int4(seq))
    #expect(skipped[0].int16(0) == SkipReason.optedOut.rawValue, "consent is looked at again")
    let states = try await world.states(campaign)
    #expect(states.values.reduce(0, +) == 30)
    // Others fail too, by receipt: people who are not there.
    let failures = try await CampaignCounts.read(campaign, on: world.pool).failures
    #expect(failures[131049] == 2, "whoever stopped after a refused attempt stays with that: \(states)")
    // A receipt that repeats what the answer said changes nothing.
    let again = MarketingHolds.Hold(campaign: campaign, seq: seq, attempt: 1, dueAt: .now)
    _ = try await world.pool.batch(MarketingHolds.statements([again], retries: 2, byReceipt: true))
    #expect(try await world.pool.run("select from due").isEmpty)
    try await world.end()
  }

  @Test func `that comes by receipt holds the person too, also when the campaign had settled`() async throws {
    let world = try await World(people: 20, heldByMeta: 1)
    try await world.startNode()
    let campaign = try await world.launch(pace: 200)
    try await world.until("all are held for a day") {
      try await world.pool.run(
        "select count(*) from due where campaign_id = $1 and reason = 5 and attempt = 2", .int8(campaign.rawValue))[0].int64(0) == 20
    }
    #expect(try await world.campaignState(campaign) == .sending)
    #expect(try await world.states(campaign)[.held] == 20)
    // Meta tells everything again: nobody gets a further attempt.
    try await world.sandboxPost("receipts/replay", "{}")
    try await world.desk.sleep(for: .milliseconds(500))
    _ = try await world.pool.run("update due set due_at = now() where reason = 5")
    try await world.until("each was tried twice more") {
      _ = try await world.pool.run("update due set due_at = now() where reason = 5")
      return try await world.summary("accepted") == 60
    }
    try await world.until("sent for good") {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    try await world.end()
  }
}
