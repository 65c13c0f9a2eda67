import Domain
import Governor
import Postgres
import Reactor
import Store
import Testing

/// Promise 3 on the receiver's own journal, while nodes that share one number die, freeze and lose their database.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A number that several nodes share` {
  enum Blow: CaseIterable { case killed, frozen, cutOff }

  @Test(arguments: [1, 3, 5])
  func `keeps its window while nodes are killed, frozen and cut off, and loses nobody`(count: Int) async throws {
    // The Sandbox allows more than the number: what arrives is measured, not refused.
    let world = try await World(people: 800)
    _ = try await world.pool.run("update number set per_second_own = 80")
    let campaign = try await world.launch(pace: 80)
    var chance = SplitMix64(seed: UInt64(count))
    // Each node has a login of its own, so that one can lose its database and the others keep theirs.
    var nodes: [ServiceProcess] = []
    for index in 0..<count {
      _ = try await world.pool.run("drop role if exists node_\(count)_\(index)")
      _ = try await world.pool.run("create role node_\(count)_\(index) superuser login")
      nodes.append(try ServiceProcess.start(world, database: login(world, count, index)))
    }
    try await world.listen(nodes[0].port)
    var blows: [Blow: Int] = [:]
    var struck = 0
    while try await world.campaignState(campaign).rawValue < CampaignState.settling.rawValue, struck < 40 {
      let before = try await world.summary("accepted")
      try await world.until("somebody sends after blow \(struck)", within: .seconds(30)) {
        let sent = try await world.summary("accepted")
        let state = try await world.campaignState(campaign)
        return sent > before + 60 || state.rawValue >= CampaignState.settling.rawValue
      }
      // The owner, as a rule: a blow at a bystander shows little.
      let index = Int(chance.below(Int64(count)))
      let blow = Blow.allCases[struck % 3]
      blows[blow, default: 0] += 1
      struck += 1
      switch blow {
      case .killed:
        nodes[index].killNow()
        nodes[index] = try ServiceProcess.start(world, port: nodes[index].port, database: login(world, count, index))
      case .frozen:
        nodes[index].signal(19)
        try await world.desk.sleep(for: .seconds(6))
        nodes[index].signal(18)
      case .cutOff:
        _ = try await world.pool.run("alter role node_\(count)_\(index) nologin")
        _ = try await world.pool.run(
          "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", .text("node_\(count)_\(index)"))
        try await world.desk.sleep(for: .seconds(4))
        _ = try await world.pool.run("alter role node_\(count)_\(index) login")
      }
    }
    #expect(Blow.allCases.allSatisfy { blows[$0] ?? 0 > 0 }, "\(blows)")
    _ = try await world.launch(pace: 40, name: "later, so that receipts flow")
    try await world.until("settled", within: .seconds(120)) {
      let states = try await world.states(campaign)
      return [RecipientState.accepted, .unknown, .queued, .held].allSatisfy { (states[$0] ?? 0) == 0 }
    }
    for node in nodes { node.killNow() }
    let all = try await world.journal().filter(\.isAccepted)
    // T = (W + 100 ms) / R pays for a path that varies by 100 ms; a frozen process may wake up with eight under way.
    #expect(LaneQueueFigures.fullestSecond(all.map(\.at)) <= 80 + 8, "\(count) nodes, \(blows)")
    let arrivals = all.filter { $0.callback.contains(":\(campaign):") }
    #expect(Set(arrivals.map(\.to)).count == arrivals.count, "nobody twice")
    let states = try await world.states(campaign)
    #expect(states.values.reduce(0, +) == 800)
    #expect(states[.unresolved] ?? 0 == 800 - arrivals.count, "unresolved is who never arrived: \(states)")
    try await world.end()
  }

  private func login(_ world: World, _ count: Int, _ index: Int) -> String {
    world.url.replacing("user=qafila", with: "user=node_\(count)_\(index)")
  }
}
