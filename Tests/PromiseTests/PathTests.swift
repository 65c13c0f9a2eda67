import Domain
import Postgres
import Reactor
import Store
import Testing

@Suite(.serialized, .timeLimit(.minutes(4))) struct `The path of a campaign` {
  @Test func `ends with everybody in one state, each written to once, and sums that agree`() async throws {
    let world = try await World(people: 500)
    try await world.startNode()
    let campaign = try await world.launch(pace: 500)
    try await world.until("the campaign is sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    try await world.until("receipts are folded") {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    let states = try await world.states(campaign)
    #expect(states.values.reduce(0, +) == 500)
    let arrivals = try await world.journal().filter(\.isAccepted)
    #expect(Set(arrivals.map(\.to)).count == arrivals.count)
    #expect(arrivals.count == 500 - (states[.failed] ?? 0) || arrivals.count == 500)
    let (report, ledger) = try await world.sums(campaign)
    #expect(report == ledger)
    #expect(ledger > .zero)
    try await world.end()
  }
}
