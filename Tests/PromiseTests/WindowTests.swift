import Domain
import Postgres
import Reactor
import Store
import Testing

/// Promise 3: never faster than allowed, and not much slower.
@Suite(.serialized) struct `The window law` {
  @Test func `holds at the receiver`() async throws {
    // The Sandbox allows more than the number: what arrives is measured, not refused.
    let world = try await World(people: 500, perSecond: 1000)
    _ = try await world.pool.run("update number set per_second = 80")
    try await world.startNode()
    let campaign = try await world.launch(pace: 80)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let times = try await world.journal().filter(\.isAccepted).map(\.at)
    #expect(times.count == 500)
    // A machine busy with other tests may delay an arrival by more than the 100 ms that the interval allows for; the
    // exact law is shown by `LaneQueue` in virtual time and by the benchmark.
    for window in [1.0, 2.0, 4.0] {
      var highest = 0
      var first = 0
      for last in times.indices {
        while Double(times[last] - times[first]) >= window * 1e9 { first += 1 }
        highest = max(highest, last - first + 1)
      }
      #expect(Double(highest) <= 80 * window + 16, "the fullest \(window) s held \(highest)")
    }
    try await world.end()
  }
}
