import Domain
import JSON
import Postgres

/// Another attempt for people whose message ended unresolved. Nothing resends them by itself: whether Meta took the first
/// message was never learned, so somebody who knows the campaign decides that a second copy is the smaller harm.
public enum Resending {
  public enum Answer: Equatable, Sendable {
    case resent(Int)
    /// The campaign never sent, was cancelled, or its end has passed.
    case notOpen
  }

  /// Puts each of them back in line with the next attempt, which passes the gate as every message does. Who got a receipt
  /// since is left out, here and again at the claim. The campaign's row is locked first, so that it can't end meanwhile.
  public static func unresolved(
    _ campaign: Campaign.ID, of business: Business.ID, by actor: String, reason: String, on pool: Pool
  ) async throws -> Answer {
    try await pool.transaction { tx in
      let open = try await tx.run(
        """
        select from campaign where campaign_id = $1 and business_id = $2 and kind = 1 and state in (5, 8, 9)
          and (end_at is null or end_at > now()) for update
        """, .int8(campaign.rawValue), .int8(business.rawValue))
      guard open.count == 1 else { return .notOpen }
      let count = try await tx.run(
        """
        insert into due (campaign_id, seq, attempt, due_at, reason, times)
        select f.campaign_id, f.seq, f.attempt + 1, now(), 1, 0 from fact f
        where f.campaign_id = $1 and f.outcome = 2
          and not exists (select from fact n where n.campaign_id = $1 and n.seq = f.seq and n.attempt > f.attempt)
          and not exists (select from standing s where s.campaign_id = $1 and s.seq = f.seq and s.standing <> 20)
          -- Erased since: nothing of the message is left.
          and not exists (select from skip k where k.campaign_id = $1 and k.seq = f.seq and k.reason = 5)
        order by f.seq on conflict do nothing
        """, .int8(campaign.rawValue)
      ).affected
      guard count > 0 else { return .resent(0) }
      _ = try await tx.batch([
        Statement(
          "update campaign set state = 5, sent_at = null, ended_at = null where campaign_id = $1", [.int8(campaign.rawValue)]),
        NumberWatch.judgeColours(of: campaign),
        Campaigns.event(
          campaign, "resent", actor: actor, reason: reason, evidence: ["people": .number(String(count))]),
        Audit.entry(business: business, actor: actor, action: "campaign_resent", subject: campaign.description),
      ])
      return .resent(count)
    }
  }
}
