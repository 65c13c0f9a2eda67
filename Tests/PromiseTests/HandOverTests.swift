import Domain
import Postgres
import Reactor
import Store
import Testing

/// A restart that was planned costs no message: nothing of what was claimed is left in doubt.
@Suite(.serialized) struct `A node that leaves in good order` {
  @Test func `hands its lane on at once, with nobody in doubt, nobody lost and nobody twice`() async throws {
    let world = try await World(people: 1500)
    let campaign = try await world.launch(pace: 400)
    let first = try await world.startNode()
    try await world.until("it sends") { try await world.summary("accepted") > 200 }
    try await world.startNode()
    first.sending.cancel()
    try await first.sending.value
    try await world.until("all are sent") {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let arrivals = try await world.journal()
    #expect(arrivals.count == 1500 && Set(arrivals.map(\.to)).count == 1500)
    #expect(try await world.pool.run("select count(*) from fact where outcome <> 5")[0].int64(0) == 0, "nobody in doubt")
    // By its silence the next owner would know after 2 s, and wait another 1.6 s.
    let times = arrivals.map(\.at).sorted()
    let gap = zip(times.dropFirst(), times).map { $0 - $1 }.max() ?? 0
    #expect(gap < 2_000_000_000, "\(gap / 1_000_000) ms")
    try await world.end()
  }
}
