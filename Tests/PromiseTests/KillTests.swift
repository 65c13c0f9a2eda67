import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 1: a process that dies at any moment loses nobody and writes to nobody twice.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A service that dies` {
  @Test func `twenty times under load leaves everybody in one state and nobody twice`() async throws {
    let world = try await World(people: 4000)
    let campaign = try await world.launch(pace: 200)
    var chance = SystemRandomNumberGenerator()
    var process = try ServiceProcess.start(world)
    try await world.listen(process.port)
    // What each kill may leave in doubt: one gate slice (asked about 150 ms ahead, every 50 ms), and what was in flight or
    // answered and not recorded yet (20 ms).
    let slice = 200 * (150 + 50) / 1000
    let inFlight = 20
    var kills = 0
    var doubted = 0
    while kills < 20 {
      let before = try await world.summary("accepted")
      try await world.until("it sends again after kill \(kills)") {
        let sent = try await world.summary("accepted")
        let state = try await world.campaignState(campaign)
        return sent > before || state.rawValue >= CampaignState.settling.rawValue
      }
      // The new owner has swept: what it found gated and without a fact is this kill's.
      let all = try await doubts(campaign, world)
      #expect(all - doubted <= slice + inFlight, "kill \(kills) left \(all - doubted) in doubt")
      doubted = all
      try await world.desk.sleep(for: .milliseconds(Int.random(in: 50...700, using: &chance)))
      process.killNow()
      kills += 1
      process = try ServiceProcess.start(world, port: process.port)
    }
    try await world.until("sent", within: .seconds(120)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    _ = try await world.launch(pace: 100, name: "later, so that receipts flow")
    try await world.until("settled", within: .seconds(120)) {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    #expect(process.stop(), "SIGTERM ends it in good order")
    let states = try await world.states(campaign)
    #expect(states.values.reduce(0, +) == 4000, "\(states)")
    let arrivals = try await world.journal().filter { $0.isAccepted && $0.callback.contains(":\(campaign):") }
    #expect(Set(arrivals.map(\.to)).count == arrivals.count, "nobody twice")
    #expect(states[.unresolved] ?? 0 == 4000 - arrivals.count, "unresolved is who never arrived: \(states)")
    #expect(try await doubts(campaign, world) - doubted <= slice + inFlight, "the last kill")
    #expect(states[.unresolved] ?? 0 <= doubted + slice + inFlight, "\(states)")
    let (report, ledger) = try await world.sums(campaign)
    #expect(report == ledger)
    try await world.end()
  }

  /// Messages whose answer was lost, settled since or not.
  private func doubts(_ campaign: Campaign.ID, _ world: World) async throws -> Int {
    Int(
      try await world.pool.run(
        "select count(*) from fact where campaign_id = $1 and outcome in (1, 2)", .int8(campaign.rawValue))[0].int64(0))
  }

  @Test func `and is frozen for three leases sends nothing that the next owner sends too`() async throws {
    let world = try await World(people: 1500)
    let campaign = try await world.launch(pace: 200)
    let first = try ServiceProcess.start(world)
    try await world.listen(first.port)
    try await world.until("it sends") { try await world.summary("accepted") > 100 }
    let second = try ServiceProcess.start(world)
    try await world.desk.sleep(for: .seconds(1))
    first.signal(19)
    try await world.listen(second.port)
    let before = try await world.summary("accepted")
    try await world.until("the second takes over") { try await world.summary("accepted") > before + 20 }
    try await world.desk.sleep(for: .seconds(3))
    first.signal(18)
    try await world.until("sent", within: .seconds(90)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    try await world.until("settled", within: .seconds(90)) {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    let states = try await world.states(campaign)
    let arrivals = try await world.journal().filter(\.isAccepted)
    #expect(Set(arrivals.map(\.to)).count == arrivals.count, "nobody twice")
    #expect(states.values.reduce(0, +) == 1500)
    #expect(states[.unresolved] ?? 0 == 1500 - arrivals.count)
    first.killNow()
    second.killNow()
    try await world.end()
  }

  @Test func `of its database goes on when that is back, and the sums still close`() async throws {
    let world = try await World(people: 1500, ownCluster: true)
    try await world.startNode()
    let campaign = try await world.launch(pace: 200)
    try await world.until("it sends") { try await world.summary("accepted") > 200 }
    // Away for two seconds: nothing leaves without the gate, whose answers live for 250 ms.
    let down = try world.cutDatabase()
    try await world.desk.sleep(for: .seconds(2))
    let up = try world.startDatabase()
    try await world.until("sent", within: .seconds(90)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    try await world.until("settled", within: .seconds(90)) {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    let states = try await world.states(campaign)
    let arrivals = try await world.journal().filter(\.isAccepted)
    #expect(Set(arrivals.map(\.to)).count == arrivals.count, "nobody twice")
    #expect(states.values.reduce(0, +) == 1500)
    #expect(states[.unresolved] ?? 0 == 1500 - arrivals.count)
    let paused = (down.nanoseconds + 400_000_000)..<up.nanoseconds
    #expect(arrivals.count { paused.contains($0.at) } == 0, "sent without a gate")
    #expect(arrivals.contains { $0.at < down.nanoseconds } && arrivals.contains { $0.at > up.nanoseconds })
    let (report, ledger) = try await world.sums(campaign)
    #expect(report == ledger && ledger > .zero)
    try await world.end()
  }
}
