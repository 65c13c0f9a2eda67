import Domain
import Governor
import JSON
import Postgres
import Reactor
import Testing

@testable import Store

/// What the guard's first step makes of a pace.
@Suite struct `A campaign that is slowed` {
  @Test func `goes on at half of what it needed, where it was spread over a time`() async throws {
    let store = try await TestStore()
    let campaign = try await store.sending(people: 10)
    let until = Instant.now + .seconds(86_400)
    try await CampaignPace.change(
      campaign, to: CampaignSpec.Pace(json: ["spread_until": .string(until.rfc3339()), "jitter": "human"], at: "pace"),
      of: store.business, by: "test", reason: "", on: store.pool)
    func slow(_ rule: GuardRule) async throws -> Bool {
      try await GuardEvidence.slow(
        campaign, business: store.business, rule: rule, evidence: ["rule": .string(rule.rawValue)], on: store.pool)
    }
    #expect(try await !slow(.optOutRate), "nothing was planned yet")
    let planned = SpreadPace(limit: 601, seconds: 3600)
    try await CampaignPace.divide(campaign, spread: planned, on: store.pool)
    #expect(try await slow(.optOutRate))
    let pace = try #require(try await CampaignPace.current(campaign, on: store.pool))
    #expect(pace.limit == 300 && pace.unit.seconds == 3600 && pace.spreadUntil == nil && pace.jitter == .human)
    // The scheduler's plan of before changes nothing any more.
    try await CampaignPace.divide(campaign, spread: planned, on: store.pool)
    #expect(try await CampaignPace.divided(campaign, on: store.pool)?.limit == 300)
    #expect(try await !slow(.optOutRate), "once for each rule")
    #expect(try await slow(.undeliverableRate))
    #expect(try await CampaignPace.current(campaign, on: store.pool)?.limit == 150)
    await store.close()
  }
}
