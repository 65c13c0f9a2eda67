import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 4: a campaign whose first people do not want it stops there.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A pilot step` {
  private func opened(_ campaign: Campaign.ID, _ world: World) async throws -> [Int] {
    try await world.pool.run(
      "select step from pilot_step where campaign_id = $1 order by step", .int8(campaign.rawValue)
    ).map { Int($0.int16(0)) }
  }

  @Test func `is never claimed from before it is open, over two nodes and a restart; then everybody is written to once`()
    async throws
  {
    let world = try await World(people: 450)
    try await world.startNode()
    try await world.startNode()
    let campaign = try await world.launch(
      pace: 400, more: #", "guard": {"pilot": {"size": 60, "wait": "4s"}, "max_opt_out": 1}"#)
    try await world.until("the first step is sent") {
      try await Pilots.standings(of: [campaign], on: world.pool)[campaign]?.waitsUntil != nil
    }
    #expect(try await world.journal().count == 60)
    // Whoever starts anew finds the same steps.
    try await world.stopNodes()
    try await world.startNode()
    try await world.startNode()
    var most = 0
    try await world.until("sent") {
      // Asked for before the journal: what is open afterwards can only be more.
      let sent = try await world.journal().count
      let steps = try await opened(campaign, world)
      #expect(sent <= [60, 300, 450][steps.count - 1], "\(sent) people at step \(steps.count)")
      most = max(most, steps.count)
      return try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let all = try await opened(campaign, world)
    #expect(most == 3 && all == [1, 2, 3])
    let phones = try await world.journal().map(\.to)
    #expect(phones.count == 450 && Set(phones).count == 450)
    let told = try await world.pool.run(
      "select evidence from campaign_event where campaign_id = $1 and event = 'pilot_step' order by event_id",
      .int8(campaign.rawValue)
    ).map { try JSONValue(parsing: $0.jsonb(0)) }
    #expect(told.map { $0["opened"]?.int64Value } == [2, 3] && told.map { $0["people"]?.int64Value } == [60, 300])
    #expect(told.allSatisfy { $0["upper_bound"]?.doubleValue ?? 1 < 1 && $0["bad"]?.int64Value == 0 })
    try await world.end()
  }

  @Test func `that fails stops the campaign with its figures, until somebody lets it go on`() async throws {
    let world = try await World(people: 400)
    try await world.startNode()
    let campaign = try await world.launch(pace: 200, more: #", "guard": {"pilot": {"size": 50, "wait": "2s"}}"#)
    try await world.until("the first step is sent") { try await world.journal().count >= 50 }
    // Four of fifty: no rule is sure of it, but it is no proof either.
    let some = try await world.journal().prefix(4).compactMap(\.to)
    for phone in some { try await world.sandboxPost("people/text", #"{"phone": "\#(phone.e164)", "text": "STOP"}"#) }
    try await world.until("it is stopped") {
      try await !Pauses.open(.campaign, campaign.rawValue, on: world.pool).isEmpty
    }
    let pause = try #require(try await Pauses.open(.campaign, campaign.rawValue, on: world.pool).first)
    let evidence = try JSONValue(parsing: pause.evidence)
    #expect(pause.cause == "pilot" && pause.rule == "pilot" && pause.actor == "qafila")
    #expect(evidence["bad"]?.int64Value == 4 && evidence["limit"]?.stringValue == "0.04")
    let (sent, steps) = (try await world.offers().count, try await opened(campaign, world))
    #expect(sent == 50 && steps == [1])
    try await Campaigns.resume(
      campaign, ending: [pause.id], of: world.installation.business, by: "key:omar", reason: "we know these people",
      on: world.pool)
    try await world.until("the next step is open") { try await opened(campaign, world).count == 2 }
    let standing = try #require(try await Pilots.standings(of: [campaign], on: world.pool)[campaign])
    #expect(standing.steps[1].openedBy == "key:omar" && standing.count == 3)
    try await world.until("it is sent too") { try await world.offers().count >= 250 - 4 }
    try await world.end()
  }
}
