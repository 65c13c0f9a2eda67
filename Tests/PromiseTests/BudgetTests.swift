import Domain
import JSON
import Money
import Population
import Postgres
import Reactor
import Sandbox
import Store
import Testing

/// Promise 5: what all nodes reserve together never exceeds a budget, not by one message.
@Suite(.serialized) struct `A budget` {
  /// Everybody gets what is sent: what fails would come back and be sent to others.
  private static var reachable: PeopleModel {
    var model = World.unmoved
    (model.notOnWhatsApp, model.unreachable, model.holdout) = (0, 0, 0)
    return model
  }

  /// A campaign to everybody over four numbers, cut in short runs so that every lane has some, and started.
  private func launch(_ world: World, budget: String, pace: Int = 1200) async throws -> Campaign.ID {
    let campaign = try await world.launch(pace: pace, startAt: .now + .seconds(3600), more: ", \"budget\": \(budget)")
    try await world.until("prepared") {
      try await !world.pool.run("select prepared_at from campaign where campaign_id = $1", .int8(campaign.rawValue))[0].isNull(0)
    }
    _ = try await world.pool.run(
      """
      with r as (delete from run where campaign_id = $1 returning lo, hi, zone)
      insert into run (campaign_id, run_no, lo, hi, zone)
      select $1, row_number() over (order by s), s, least(s + 39, hi), zone from r, generate_series(lo, hi, 40) s
      """, .int8(campaign.rawValue))
    _ = try await world.pool.run("update job set due_at = now() where kind = 'start' and ended_at is null")
    return campaign
  }

  private func isStopped(_ campaign: Campaign.ID, _ world: World) async throws -> Bool {
    try await world.pool.run(
      "select exists (select from open_pause where scope = 7 and scope_id = $1 and rule = 'budget_exhausted')",
      .int8(campaign.rawValue))[0].bool(0)
  }

  @Test func `of exactly 1,000 messages lets four nodes send exactly 1,000, and 50 more when it is raised`() async throws {
    let world = try await World(people: 1300, numbers: 4, people: Self.reachable)
    for _ in 0..<4 { try await world.startNode() }
    let pricing = try await RateCards.prices(on: world.pool).pricing
    var prices = DearestPrices(
      pricing, category: .marketing, currency: try #require(Currency("USD")),
      day: CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400)))
    let known = prices.price(of: world.phone(1))
    let price = try #require(known)
    // A remainder of less than one message must stay.
    let amount = price * 1000 + Amount(billionths: 1)
    let campaign = try await launch(world, budget: "{\"amount\": \"\(amount)\", \"currency\": \"USD\"}")
    try await world.until("it stops") { try await isStopped(campaign, world) }
    let messages = try await world.offers()
    #expect(messages.count == 1000 && Set(messages.map(\.to)).count == 1000)
    #expect(try await world.pool.run("select count(distinct number_id) from fact")[0].int64(0) == 4)
    let entry = try #require(try await Budgets.of(campaign, on: world.pool))
    #expect(entry.left < price)
    let events = try await world.pool.run(
      """
      select evidence->>'percent' from campaign_event where campaign_id = $1 and event = 'budget_threshold'
      order by event_id
      """, .int8(campaign.rawValue))
    #expect(events.map { $0.text(0) }.first == "80")
    try await Budgets.set(
      .amount(amount + price * 50, try #require(Currency("USD"))), over: .campaign, campaign.rawValue,
      of: world.installation.business, by: "finance", reason: "fifty more", on: world.pool)
    #expect(try await !isStopped(campaign, world))
    try await world.until("it stops again") { try await isStopped(campaign, world) }
    #expect(try await world.offers().count == 1050)
    try await world.end()
  }

  @Test func `is not exceeded when a node is killed in the middle, and what is missing is unknown`() async throws {
    let world = try await World(people: 1300, numbers: 4, people: Self.reachable)
    let first = try ServiceProcess.start(world)
    try await world.listen(first.port)
    // One number may send few of them: the others take over its runs.
    try await Budgets.set(
      .messages(60), over: .number, world.number.rawValue, of: world.installation.business, by: "finance", reason: "",
      on: world.pool)
    let campaign = try await launch(world, budget: "{\"messages\": 1000}", pace: 400)
    try await world.until("it sends") { try await world.summary("accepted") > 150 }
    try await world.startNode()
    first.killNow()
    try await world.until("it stops") { try await isStopped(campaign, world) }
    let arrived = try await world.offers().filter(\.isAccepted)
    #expect(arrived.count <= 1000 && Set(arrived.map(\.to)).count == arrived.count)
    let facts = try await world.pool.run(
      """
      select count(*), count(*) filter (where outcome in (1, 2)),
        count(*) filter (where outcome in (4, 5) or exists (select from standing s
          where s.campaign_id = f.campaign_id and s.seq = f.seq)) from fact f where campaign_id = $1
      """, .int8(campaign.rawValue))[0]
    #expect(facts.int64(0) == 1000, "every message reserved came to an end")
    let byNumber = try await world.pool.run(
      "select number_id, sum(people)::int8 from lane_log where kind = 1 group by 1 order by 1")
    #expect(byNumber.first?.int64(1) == 60 && byNumber.reduce(0) { $0 + $1.int64(1) } == 1000)
    #expect(1000 - Int64(arrived.count) <= facts.int64(1), "what is missing is unknown")
    try await world.end()
  }
}
