import Domain
import Governor
import JSON
import Population
import Postgres
import Reactor
import Sandbox
import Schedule
import Store
import Testing

/// Promise 3: a portfolio's people in 24 hours, over all its numbers and nodes. The Sandbox keeps the tier as Meta does,
/// by its own count: one person too many is a refusal in its journal.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A portfolio's limit of people` {
  /// Of 250, less the headroom.
  private let usable = 245

  private func used(_ world: World) async throws -> Int {
    Int(try await world.pool.run("select people_standing(2::smallint, portfolio_id) from portfolio")[0].int32(0))
  }

  /// Everybody let through has come to an end.
  private func isCalm(_ world: World) async throws -> Bool {
    try await !world.pool.run(
      """
      select exists (select from touch t where not exists (select from fact f where f.campaign_id = t.campaign_id
        and f.seq = t.seq and f.attempt = t.attempt))
      """)[0].bool(0)
  }

  private func refusals(_ world: World) async throws -> Int { try await world.journal().count { !$0.isAccepted } }

  @Test func `is used up by two nodes to the last person, the failed given back, and a raised one holds at once`() async throws {
    var people = PeopleModel.obliging
    people.notOnWhatsApp = 0.05
    let world = try await World(people: 600, numbers: 2, people: people, tier: 250)
    for _ in 0..<2 { try await world.startNode() }
    // Ten people have just written, to whichever number will write to them: they are free.
    for index in 1...10 {
      for number in ["106540352242922", "106540352242931"] {
        try await world.sandboxPost(
          "people/text", #"{"phone": "\#(world.phone(index).e164)", "number": "\#(number)", "text": "السلام عليكم"}"#)
      }
    }
    try await world.until("their windows are open") {
      try await world.pool.run("select count(*) from service_window")[0].int64(0) == 20
    }
    let campaign = try await world.launch(pace: 400)
    func isUsedUp() async throws -> Bool {
      guard try await used(world) == usable, try await isCalm(world) else { return false }
      return try await world.summary("people_24h") == usable
    }
    try await world.until("it is used up") { try await isUsedUp() }
    let failed = try await world.pool.run("select count(*) from standing where standing = 20")[0].int64(0)
    #expect(failed > 0)
    let arrived = try await world.offers()
    #expect(Set(arrived.map(\.to)).count == arrived.count && arrived.count <= usable + 10 + Int(failed))
    #expect(try await refusals(world) == 0, "more people than Meta allows")
    #expect(try await world.campaignState(campaign) == .sending)

    try await world.sandboxPost("numbers/106540352242931", #"{"tier": "TIER_1K"}"#)
    try await world.until("everybody is written to") { try await world.offers().count == 600 }
    try await world.until("the counts agree") {
      guard try await isCalm(world) else { return false }
      let own = try await used(world)
      return try await world.summary("people_24h") == own
    }
    #expect(try await refusals(world) == 0)
    try await world.end()
  }

  @Test func `is not exceeded when a node is killed in the middle`() async throws {
    let world = try await World(people: 600, numbers: 2, people: .obliging, tier: 250)
    let first = try ServiceProcess.start(world)
    try await world.listen(first.port)
    _ = try await world.launch(pace: 100)
    try await world.until("it sends") { try await world.summary("accepted") > 80 }
    try await world.startNode()
    first.killNow()
    try await world.until("it is used up") {
      guard try await used(world) == usable else { return false }
      return try await isCalm(world)
    }
    // What the killed node let through and did not hand over stays counted: it may be at Meta's.
    let unknown = try await world.pool.run("select count(*) from fact where outcome in (1, 2)")[0].int64(0)
    let reached = try await world.summary("people_24h")
    #expect(reached <= usable && reached >= usable - Int(unknown))
    #expect(try await refusals(world) == 0, "more people than Meta allows")
    try await world.end()
  }

  @Test func `of a number that warms up is kept for its day, and gone at once when the ramp is taken away`() async throws {
    let world = try await World(people: 120, people: .obliging)
    let number = try #require(try await Numbers.list(of: world.installation.business, on: world.pool).first)
    let zone = try Zone(named: number.zone)
    func set(_ ramp: WarmUp?) async throws {
      try await Numbers.setWarmUp(
        ramp, of: number, in: zone, business: world.installation.business, by: "test", on: world.pool)
    }
    try await set(try #require(WarmUp(start: 40, growth: 150, until: 1000)))
    try await world.startNode()
    let campaign = try await world.launch(pace: 400)
    func isWaiting(_ count: Int) async throws -> Bool {
      guard try await isCalm(world), try await world.summary("accepted") == count else { return false }
      return try await world.pool.run(
        "select coalesce(sum(people), 0) from people_used where scope = 5 and until > now()")[0].int64(0) == count
    }
    try await world.until("today's people are written to") { try await isWaiting(40) }
    // Another ramp begins where today stands.
    try await set(try #require(WarmUp(start: 60, growth: 200, until: 1000)))
    try await world.until("twenty more") { try await isWaiting(60) }
    try await set(nil)
    try await world.until("everybody is written to") { try await world.summary("accepted") == 120 }
    try await world.until("it ends") { try await world.campaignState(campaign) != .sending }
    try await world.end()
  }
}
