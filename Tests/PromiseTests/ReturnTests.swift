import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 4's way back, for campaigns that ask for it.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A campaign that may go on by rule` {
  private func pace(_ campaign: Campaign.ID, _ world: World) async throws -> Int? {
    try await CampaignPace.current(campaign, on: world.pool)?.limit
  }

  private func open(_ campaign: Campaign.ID, _ world: World) async throws -> Set<String> {
    Set(try await Pauses.open(.campaign, campaign.rawValue, on: world.pool).map { $0.rule.isEmpty ? $0.cause : $0.rule })
  }

  @Test func `does so once its number is GREEN, slowly, and no cause but the rating's ends with it`() async throws {
    let world = try await World(people: 3000)
    try await world.startNode()
    let campaign = try await world.launch(
      pace: 40, more: #", "guard": {"resume": {"green_for": "1s", "pace": 0.5}}"#)
    try await world.until("it sends") { try await world.journal().count > 5 }
    let number = "numbers/106540352242922"
    try await world.sandboxPost(number, #"{"quality": "YELLOW"}"#)
    try await world.until("it is stopped") { try await open(campaign, world) == ["quality_yellow"] }
    // A person's stop and one for opt-outs stand beside it.
    try await Campaigns.pause(
      campaign, of: world.installation.business, cause: .operator, by: "key:omar", reason: "", on: world.pool)
    #expect(
      try await GuardEvidence.pause(
        campaign, business: world.installation.business, rule: .optOutRate, evidence: [:], on: world.pool))
    try await world.sandboxPost(number, #"{"quality": "GREEN"}"#)
    try await world.until("the rating's cause ends") { try await !open(campaign, world).contains("quality_yellow") }
    #expect(try await open(campaign, world) == ["operator", "opt_out_rate"])
    let told = try await world.pool.run(
      "select evidence, actor from campaign_event where campaign_id = $1 and event = 'resumed'", .int8(campaign.rawValue))
    let evidence = try JSONValue(parsing: try #require(told.first).jsonb(0))
    #expect(told.count == 1 && told[0].text(1) == "qafila" && evidence["begins_at"]?.int64Value == 20)
    #expect(evidence["green_for_seconds"]?.int64Value == 1 && evidence["pace"]?["per_second"]?.int64Value == 40)
    #expect(try await pace(campaign, world) == 20)
    // A quarter of an hour later one step has passed; but while it stands still it gains nothing.
    func later(_ minutes: Int32) async throws {
      _ = try await world.pool.run(
        "update pace_return set began_at = began_at - make_interval(mins => $2) where campaign_id = $1",
        .int8(campaign.rawValue), .int4(minutes))
    }
    try await later(15)
    try await world.desk.sleep(for: .milliseconds(500))
    #expect(try await pace(campaign, world) == 20)
    let pauses = try await Pauses.open(.campaign, campaign.rawValue, on: world.pool).map(\.id)
    try await Campaigns.resume(
      campaign, ending: pauses, of: world.installation.business, by: "key:omar", reason: "seen", on: world.pool)
    let before = try await world.journal().count
    try await world.until("it goes on") { try await world.journal().count > before }
    try await world.until("its pace rises") { try await pace(campaign, world) == 22 }
    // What a person sets holds, whatever time passes.
    var own = try #require(try await CampaignPace.current(campaign, on: world.pool))
    own.limit = 30
    try await CampaignPace.change(
      campaign, to: own, of: world.installation.business, by: "key:omar", reason: "", on: world.pool)
    try await later(300)
    try await world.until("the way back is over") {
      try await world.pool.run("select from pace_return where done_at is not null").count == 1
    }
    #expect(try await pace(campaign, world) == 30)
    try await world.end()
  }
}
