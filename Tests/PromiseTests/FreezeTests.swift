import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Product §1.6 on the wire: between launch and start everything may change but what is sent.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A campaign launched for later` {
  @Test func `goes to the people of its launch, with its text and their values of then`() async throws {
    let world = try await World(people: 100)
    try await world.startNode()
    let later = Instant(nanoseconds: Instant.now.nanoseconds + 4_000_000_000)
    let campaign = try await world.launch(pace: 200, startAt: later)
    try await world.until("its people are frozen") {
      try await world.pool.run("select prepared_at from campaign where campaign_id = $1", .int8(campaign.rawValue))[0]
        .optionalInstant(0) != nil
    }
    #expect(try await world.campaignState(campaign) == .scheduled, "frozen and waiting")
    // A text of one value: what is rendered from it would be refused for its number of parameters.
    let text: JSONValue = [["type": "BODY", "text": "نص جديد {{1}}"]]
    _ = try await Templates.sync(
      [
        Templates.Seen(
          metaID: "1", name: "ramadan_offer", language: "ar", status: "APPROVED", category: .marketing, quality: "GREEN",
          parameterFormat: "POSITIONAL", components: text.rendered())
      ], account: world.account, business: world.installation.business, by: "test", on: world.pool)
    _ = try await world.pool.run("update contact set attributes = '{}' where contact_id = 1")
    _ = try await world.pool.run("delete from audience_member where contact_id > 90")
    // A stop after the freeze is the gate's matter, and holds.
    try await world.sandboxPost("people/text", #"{"phone": "\#(world.phone(50).e164)", "text": "STOP"}"#)

    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let arrivals = try await world.journal()
    #expect(arrivals.allSatisfy { $0.isAccepted } && arrivals.count == 99, "\(arrivals.count)")
    #expect(!arrivals.contains { $0.to == world.phone(50) })
    let facts = try await world.pool.run(
      "select min(f.at) from fact f where f.campaign_id = $1", .int8(campaign.rawValue))
    #expect(facts[0].instant(0) >= later, "nothing left before its time")
    let first = try await world.pool.run(
      "select vars from recipient where campaign_id = $1 and contact_id = 1", .int8(campaign.rawValue))
    #expect(first[0].texts(0) == ["منى", "20%"])
    try await world.end()
  }
}
