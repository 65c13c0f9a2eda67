import Domain
import JSON
import Store

/// Campaigns that go on by their own rule.
extension Guard {
  func judgeReturns() async throws {
    for stopped in try await Returns.stopped(on: pool) {
      let rule = ReturnRule(stopped.rule)
      guard rule.mayResume(stopped.colours) else { continue }
      let pace = try await CampaignPace.current(stopped.campaign, on: pool)
      // A pace that is planned anew all the time has no part to begin with.
      let limit = pace?.limit.map { rule.pace(of: $0, after: .zero) }
      let evidence: JSONValue = [
        "rule": "green_for", "green_for_seconds": .number(String(stopped.rule.greenFor.nanoseconds / 1_000_000_000)),
        "green_since": stopped.colours.greenSince.map { .string($0.rfc3339()) } ?? .null,
        "looked_at": stopped.colours.lookedAt.map { .string($0.rfc3339()) } ?? .null,
        "causes": .number(String(stopped.pauses.count)), "pace": pace?.json ?? .null,
        "begins_at": limit.map { .number(String($0)) } ?? .null,
      ]
      let resumed = try await Returns.resume(
        stopped, from: pace, at: limit, evidence: evidence,
        reason: "The number's quality at Meta has stayed high for the time that the campaign asks for.", on: pool)
      if resumed { log("guard_resumed", [("campaign", stopped.campaign.description)]) }
    }
    for climbing in try await Returns.climbing(on: pool) {
      guard let current = climbing.current, let rule = climbing.rule, let full = climbing.full.limit,
        let limit = current.limit, limit < full
      else {
        try await Returns.climb(climbing, to: nil, on: pool)
        continue
      }
      guard !climbing.isPaused, climbing.colours.areGreen else { continue }
      let next = ReturnRule(rule).pace(of: full, after: climbing.elapsed)
      if next > limit { try await Returns.climb(climbing, to: next, on: pool) }
    }
  }
}
