import Domain
import Postgres
import Reactor
import Store
import Testing

/// Promise 1 at the wire: an answer that is lost is neither a second message nor a lost person.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `An answer that is lost` {
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
    if expectUnresolved { try await resend(campaign, states[.unresolved] ?? 0, world) }
    try await world.end()
  }

  /// An operator has whoever stayed unresolved written to again, save one whose receipt comes late after all; then everybody
  /// was written to once.
  private func resend(_ campaign: Campaign.ID, _ unresolved: Int, _ world: World) async throws {
    // Nobody claims while the late receipt is put in its place.
    try await world.stopNodes()
    let business = world.installation.business
    let answer = try await Resending.unresolved(campaign, of: business, by: "test", reason: "no receipt", on: world.pool)
    #expect(answer == .resent(unresolved))
    let again = try await Resending.unresolved(campaign, of: business, by: "test", reason: "again", on: world.pool)
    #expect(again == .resent(0), "they are in line already")
    let late = try await world.pool.run(
      """
      insert into standing (campaign_id, seq, attempt, standing, sent_at)
      select campaign_id, min(seq), 1, 10, now() from due where campaign_id = $1 group by 1 returning seq
      """, .int8(campaign.rawValue))[0].int32(0)
    try await world.startNode()
    try await world.until("sent again") {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let second = try await world.pool.run(
      "select seq from fact where campaign_id = $1 and attempt = 2", .int8(campaign.rawValue)
    ).map { $0.int32(0) }
    #expect(second.count == unresolved - 1 && !second.contains(late), "the receipt that came late wins")
    let arrivals = try await world.journal().filter { $0.isAccepted && $0.callback.contains(":\(campaign):") }
    #expect(arrivals.count == 399 && Set(arrivals.map(\.to)).count == 399, "everybody else was written to once")
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
