import Domain
import Postgres
import Reactor
import Store
import Testing

/// A campaign's pace while the world changes: numbers that are lost, paces that are changed.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A campaign's pace` {
  @Test func `is kept by the numbers that are left, which take the rest of a lost one, and nobody is written to twice`()
    async throws
  {
    let world = try await World(people: 500, perSecond: 200, numbers: 2)
    try await world.startNode()
    let campaign = try await world.launch(pace: 40)
    try await world.until("both send") {
      try await world.pool.run("select from fact where campaign_id = $1", .int8(campaign.rawValue)).count > 60
    }
    _ = try await world.pool.run(
      """
      insert into pause (business_id, scope, scope_id, cause, actor) values ($1, 5, $2, 'operator', 'test')
      """, .int8(world.installation.business.rawValue), .int8(world.number.rawValue))
    try await world.until("its part is nothing") {
      try await world.pool.run("select from pace_share where shares[1] = 0").count == 1
    }
    try await world.until("sent", within: .seconds(60)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let arrivals = try await world.journal().filter(\.isAccepted)
    #expect(arrivals.count == 500 && Set(arrivals.map(\.to)).count == 500)
    let parts = try await world.pool.run(
      "select number_id, count(*) from fact where campaign_id = $1 group by 1 order by 1", .int8(campaign.rawValue))
    #expect(parts.count == 2 && parts[1].int64(1) > parts[0].int64(1), "the other number wrote to the rest")
    let moved = try await world.pool.run("select from run_take where number_id = 0")
    #expect(!moved.isEmpty, "the run was given back, not waited for")
    #expect(LaneQueueFigures.fullestSecond(arrivals.map(\.at)) <= 40 + 8)
    try await world.end()
  }

  @Test func `changes while it runs, up and down, without a restart`() async throws {
    let world = try await World(people: 600)
    try await world.startNode()
    let campaign = try await world.launch(pace: 20)
    try await world.until("it sends") { try await world.summary("accepted") > 40 }
    #expect(LaneQueueFigures.fullestSecond(try await world.journal().map(\.at)) <= 20 + 4)
    try await change(world, campaign, 200)
    try await world.until("it is faster", within: .seconds(5)) { try await world.summary("accepted") > 300 }
    try await change(world, campaign, 5)
    try await world.desk.sleep(for: .seconds(2))
    let from = BootInstant.now.nanoseconds
    try await world.desk.sleep(for: .seconds(3))
    let late = try await world.journal().map(\.at).filter { $0 >= from }
    #expect((10...16).contains(late.count), "5 a second for 3 s: \(late.count)")
    try await change(world, campaign, 500)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    #expect(try await world.summary("accepted") == 600)
    #expect(LaneQueueFigures.fullestSecond(try await world.journal().map(\.at)) <= 500)
    try await world.end()
  }

  private func change(_ world: World, _ campaign: Campaign.ID, _ perSecond: Int) async throws {
    var pace = try #require(try await CampaignPace.current(campaign, on: world.pool))
    pace.limit = perSecond
    try await CampaignPace.change(
      campaign, to: pace, of: world.installation.business, by: "test", reason: "", on: world.pool)
  }
}

enum LaneQueueFigures {
  /// The most of `times` in any second.
  static func fullestSecond(_ times: [Int64]) -> Int {
    var (highest, first) = (0, 0)
    for last in times.indices {
      while times[last] - times[first] >= 1_000_000_000 { first += 1 }
      highest = max(highest, last - first + 1)
    }
    return highest
  }
}
