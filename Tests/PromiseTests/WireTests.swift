import Domain
import Postgres
import Reactor
import Store
import Testing

/// Promise 1 at the wire: an answer that is lost is neither a second message nor a lost person.
@Suite(.serialized) struct `An answer that is lost` {
  /// Runs a campaign while the Sandbox misbehaves; afterwards everybody is in one state, nobody was written to twice, and
  /// `unresolved` is exactly who the Sandbox never accepted.
  ///
  /// `lost`: what the Sandbox counts of answers that did not come as they should; each is a message in doubt, and only
  /// such.
  private func run(_ faults: String, lost: String, expectUnresolved: Bool) async throws {
    let world = try await World(people: 400)
    try await world.sandboxPost("faults", faults)
    try await world.startNode()
    let campaign = try await world.launch(pace: 200)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    try await world.sandboxPost("faults", #"{"close_before": 0, "close_after": 0}"#)
    let doubted = try await world.pool.run(
      "select count(*) from fact where campaign_id = $1 and outcome in (1, 2)", .int8(campaign.rawValue))[0].int64(0)
    let unanswered = try await world.summary(lost)
    #expect(unanswered > 0 && Int(doubted) == unanswered, "\(doubted) in doubt, \(unanswered) without an answer")
    // Receipts of a later campaign prove that receipts flow.
    let later = try await world.launch(pace: 20, name: "later")
    try await world.until("settled") {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    _ = later
    let states = try await world.states(campaign)
    let arrivals = try await world.journal()
    let mine = arrivals.filter { $0.isAccepted && $0.callback.contains(":\(campaign):") }
    #expect(states.values.reduce(0, +) == 400)
    #expect(Set(mine.map(\.to)).count == mine.count, "nobody twice")
    #expect(states[.unresolved] ?? 0 == 400 - mine.count, "unresolved is who was never taken")
    #expect((states[.unresolved] ?? 0 > 0) == expectUnresolved)
    try await world.end()
  }

  @Test func `after acceptance is settled by the receipt`() async throws {
    try await run(#"{"close_after": 0.1}"#, lost: "answers_lost", expectUnresolved: false)
  }

  /// No connection lives for a second request here.
  @Test func `after acceptance of the first request of every connection is settled by the receipt`() async throws {
    try await run(#"{"close_after": 1}"#, lost: "answers_lost", expectUnresolved: false)
  }

  @Test func `on a later request of a kept-alive connection leaves one copy`() async throws {
    try await run(#"{"close_after_on_later_request": 0.1}"#, lost: "answers_lost", expectUnresolved: false)
  }

  @Test func `behind an error 131000 is not sent again`() async throws {
    try await run(#"{"error_131000_after_acceptance": 0.1}"#, lost: "answers_lost", expectUnresolved: false)
  }

  @Test func `before acceptance ends as unresolved, counted apart`() async throws {
    try await run(#"{"close_before": 0.1}"#, lost: "closed_before", expectUnresolved: true)
  }
}
