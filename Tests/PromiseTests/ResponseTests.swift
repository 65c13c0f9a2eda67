import Domain
import JSON
import Postgres
import Reports
import Store
import Testing

/// What a marketer sees of a campaign besides its money: who answered, who pressed a button, who stopped.
@Suite(.serialized) struct `What people do about a campaign` {
  @Test func `counts each once, for the message they answer, and a stop as a stop alone`() async throws {
    let world = try await World(people: 8)
    let node = try await world.startNode()
    func send(_ name: String) async throws -> Campaign.ID {
      let campaign = try await world.launch(pace: 100, name: name)
      try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
      return campaign
    }
    let first = try await send("first")
    let second = try await send("second")
    let wamid = try await world.pool.run(
      """
      select f.wamid from fact f join recipient r using (campaign_id, seq) where f.campaign_id = $1 and r.phone = $2
      """, .int8(first.rawValue), .int8(world.phone(3).digits))[0].text(0)
    // Twice is once; the newest is meant where none is named.
    try await node.hear(.text("بكام؟"), from: world.phone(1), id: "m1")
    try await node.hear(.text("شكرا"), from: world.phone(1), id: "m2")
    try await node.hear(.text("How much is it?"), from: world.phone(2), id: "m3")
    try await node.hear(.text("تمام"), from: world.phone(3), id: "m4", context: wamid)
    try await node.hear(.label("Yes, please"), from: world.phone(1), id: "m5")
    try await node.hear(.text("STOP"), from: world.phone(4), id: "m6")
    // Of nobody's campaign.
    try await node.hear(.text("شكرا"), from: PhoneNumber(digits: 201_555_555_555)!, id: "m7")

    let counts = try await CampaignCounts.read(second, on: world.pool).responses
    #expect(counts.replied == 2 && counts.clicked == 1 && counts.optedOut == 1)
    let named = try await CampaignCounts.read(first, on: world.pool).responses
    #expect(named.replied == 1 && named.clicked == 0 && named.optedOut == 0)
    let asked = CostLines.Asked(
      groups: [.campaign], business: world.installation.business, campaign: nil, from: nil, to: nil)
    try await world.until("the money stands beside it") {
      let lines = try await CostReport.lines(asked, comparing: false, on: world.pool)
      let line = lines.first { $0["campaign"]?.stringValue == second.description }
      return line?["replied"] == .number("2") && line?["clicked"] == .number("1") && line?["opted_out"] == .number("1")
    }
    try await world.end()
  }
}
