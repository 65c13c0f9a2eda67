import Domain
import Guarding
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 4: we stop before Meta stops us.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `The guard` {
  private static let number = "numbers/106540352242922"

  /// The rule that stopped the campaign, once one has.
  private func rule(_ campaign: Campaign.ID, _ world: World) async throws -> String? {
    try await world.pool.run(
      "select rule from open_pause where scope = 7 and scope_id = $1 and cause = 'guard'", .int8(campaign.rawValue)
    ).first?.text(0)
  }

  private func sending(_ world: World, people: Int = 40) async throws {
    try await world.until("it sends") { try await world.journal().count > people }
  }

  /// Nothing more arrives at the Sandbox within two seconds, once the gate's answers have run out.
  private func isSilent(_ world: World) async throws -> Bool {
    try await world.desk.sleep(for: .milliseconds(400))
    let before = try await world.journal().count
    try await world.desk.sleep(for: .seconds(2))
    return try await world.journal().count == before
  }

  @Test func `stops a campaign when the number's rating falls, once for each fall`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(pace: 50)
    try await sending(world)
    try await world.sandboxPost(Self.number, #"{"quality": "YELLOW"}"#)
    let fell = BootInstant.now
    try await world.until("it is stopped", within: .seconds(10)) { try await rule(campaign, world) == "quality_yellow" }
    try await world.desk.sleep(for: .seconds(1))
    let last = try #require(try await world.journal().last)
    // A look every 500 ms here, the judge's round of 100 ms, and the gate.
    let delay = Duration.nanoseconds(last.at - fell.nanoseconds)
    #expect(delay < .milliseconds(1200), "the last message left \(delay) after the fall")
    #expect(try await isSilent(world))
    // Whoever resumes at the same colour has seen it.
    let ended = "insert into pause_end (pause_id, reason, actor) select pause_id, 'seen', 'test' from open_pause"
    _ = try await world.pool.run(Statement(ended))
    let before = try await world.journal().count
    try await world.until("it goes on") { try await world.journal().count > before + 60 }
    #expect(try await rule(campaign, world) == nil)
    // A worse one stops it again.
    try await world.sandboxPost(Self.number, #"{"quality": "RED"}"#)
    try await world.until("it is stopped again", within: .seconds(10)) { try await rule(campaign, world) == "quality_red" }
    #expect(try await isSilent(world))
    let history = try await NumberWatch.history(world.number, limit: 10, on: world.pool)
    #expect(history.count >= 3 && history.allSatisfy { $0.source == "register" || $0.source == "poll" })
    try await world.end()
  }

  @Test func `stops within the gate's bound when Meta pauses the template, and again after a restart`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(pace: 100)
    try await sending(world)
    try await world.sandboxPost("templates/ramadan_offer", #"{"status": "PAUSED", "language": "ar"}"#)
    let told = BootInstant.now
    try await world.until("it is stopped", within: .seconds(5)) { try await rule(campaign, world) == "template_paused" }
    try await world.desk.sleep(for: .seconds(1))
    // Meta itself refuses from that moment: what must end is our handing over.
    let last = try #require(try await world.journal().last)
    let delay = Duration.nanoseconds(last.at - told.nanoseconds)
    #expect(delay < .milliseconds(500), "the last message left \(delay) after the webhook")
    try await world.stopNodes()
    try await world.startNode()
    #expect(try await isSilent(world))
    // Approved again: what stands over the template ends by itself, the campaign waits for a person.
    try await world.sandboxPost("templates/ramadan_offer", #"{"status": "APPROVED", "language": "ar"}"#)
    try await world.until("the template may be sent") {
      try await world.pool.run(Statement("select from open_pause where scope = 6")).isEmpty
    }
    #expect(try await rule(campaign, world) == "template_paused")
    #expect(try await isSilent(world))
    try await world.end()
  }

  @Test func `finds that Meta paused a template although nobody told`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(pace: 20)
    try await sending(world, people: 5)
    // Meta's webhooks go nowhere from here on; no message is refused before the look.
    _ = try await world.pool.run(
      "insert into pause (business_id, scope, scope_id, cause, actor) select business_id, 5, number_id, 'operator', 'test' from number"
    )
    try await world.sandboxPost("webhook", #"{"url": "http://127.0.0.1:1/nowhere"}"#)
    try await world.sandboxPost("templates/ramadan_offer", #"{"status": "PAUSED", "language": "ar"}"#)
    #expect(try await rule(campaign, world) == nil)
    _ = try await world.pool.run("update account set templates_at = now() - interval '11 minutes'")
    try await world.until("it is stopped", within: .seconds(10)) { try await rule(campaign, world) == "template_paused" }
    #expect(
      try await world.pool.run("select count(*) from audit where action = 'templates_synced' and actor = 'qafila'")[0].int64(0)
        == 0)
    try await world.end()
  }

  @Test func `does not heed a repeated webhook after an operator's resume`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(pace: 20)
    try await sending(world, people: 5)
    let notice = Notices.Notice(
      wabaID: "102290129340398",
      meaning: .templateStatus(
        .init(metaID: "1", name: "ramadan_offer", language: "ar"), status: "PAUSED", detail: "FIRST_PAUSE"),
      digest: [1, 2, 3])
    let connection = Connection(ConnectionSettings(url: world.url), on: world.desk)
    #expect(try await Notices.known([[1, 2, 3]], on: connection).isEmpty)
    _ = try await connection.batch(Notices.statements([notice]))
    #expect(try await rule(campaign, world) == "template_paused")
    #expect(try await Notices.known([[1, 2, 3], [4]], on: connection) == [[1, 2, 3]])
    await connection.close()
    try await world.end()
  }

  @Test func `stops a campaign that makes too many people opt out`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(pace: 100)
    try await sending(world, people: 300)
    // 30 of the first 300: ten percent, five times what the campaign allows.
    for index in stride(from: 1, through: 300, by: 10) {
      try await world.sandboxPost("people/text", #"{"phone": "\#(world.phone(index).e164)", "text": "STOP"}"#)
    }
    try await world.until("it is stopped", within: .seconds(20)) { try await rule(campaign, world) == "opt_out_rate" }
    let evidence = try await world.pool.run(
      "select evidence from open_pause where scope = 7 and scope_id = $1", .int8(campaign.rawValue))[0].jsonb(0)
    #expect(try JSONValue(parsing: evidence)["bad"]?.int64Value ?? 0 >= 5)
    #expect(try await isSilent(world))
    // Judged again, by its own rules and by others.
    let history = try await GuardHistory.read(campaign, on: world.pool)
    #expect(history.pauses.map(\.rule) == ["opt_out_rate"] && history.untimedStops == 0)
    let own = GuardReplay(.init()).run(history)
    #expect(own.pause?.rule == .optOutRate && own.left >= 300)
    // The live judge looks ten times a second, and later on a busy machine; the record is judged to the moment.
    #expect((0...150).contains(own.left - (own.leftBeforePause ?? 0)))
    #expect(own.left == (try await world.summary("arrived")))
    var rules = CampaignSpec.Guarding()
    rules.maxOptOut = Amount(billionths: 500_000_000)
    #expect(GuardReplay(rules).run(history).pause == nil)
    try await world.end()
  }

  @Test func `halves the pace before it must stop, once`() async throws {
    let world = try await World(people: 320)
    try await world.startNode()
    let campaign = try await world.launch(pace: 80)
    try await sending(world, people: 150)
    // Seven of about 170 stop: suspicious, not proven.
    _ = try await world.pool.run(
      "insert into outcome_tally (campaign_id, number_id, count, kind) values ($1, $2, 7, 5)", .int8(campaign.rawValue),
      .int8(world.number.rawValue))
    try await world.until("it is slowed", within: .seconds(10)) {
      try await CampaignPace.current(campaign, on: world.pool)?.limit == 40
    }
    #expect(try await rule(campaign, world) == nil, "it goes on")
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let told = try await world.pool.run(
      "select reason from campaign_event where campaign_id = $1 and event = 'slowed'", .int8(campaign.rawValue))
    #expect(told.count == 1 && told[0].text(0) == GuardRule.optOutRate.warning)
    #expect(try await CampaignPace.current(campaign, on: world.pool)?.limit == 40, "once")
    try await world.end()
  }

  @Test func `stops when receipts no longer come`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode(receiptPatience: .seconds(2))
    let campaign = try await world.launch(pace: 100)
    try await sending(world, people: 150)
    // Webhooks go where nobody listens.
    try await world.sandboxPost("webhook", #"{"url": "http://127.0.0.1:9/webhooks/whatsapp"}"#)
    try await world.until("it is stopped", within: .seconds(20)) { try await rule(campaign, world) == "receipts_missing" }
    #expect(try await isSilent(world))
    try await world.end()
  }

  @Test func `leaves a healthy campaign alone`() async throws {
    let world = try await World(people: 600)
    try await world.startNode(receiptPatience: .seconds(5))
    let campaign = try await world.launch(pace: 100)
    try await world.until("sent or stopped") {
      let stopped = try await rule(campaign, world)
      #expect(stopped == nil)
      return try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue || stopped != nil
    }
    try await world.end()
  }
}
