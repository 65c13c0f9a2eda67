import Domain
import Postgres

/// The steps of a campaign's life that follow from its messages: all handed over, all settled, what was doubted too long.
public enum Tending {
  public struct Live: Sendable {
    public let campaign: Campaign.ID
    public let state: CampaignState
    public let endAt: Instant?
    public let endedAt: Instant?
  }

  /// Campaigns that are sending or settling, and those cancelled with people still unaccounted for.
  public static func live(on pool: Pool) async throws -> [Live] {
    let rows = try await pool.run(
      Statement(
        """
        select campaign_id, state, end_at, ended_at from campaign
        where state in (5, 8) or (state = 10 and prepared_at is not null and sent_at is null) order by campaign_id
        """))
    return rows.map {
      Live(
        campaign: Campaign.ID($0.int64(0)), state: CampaignState(rawValue: $0.int16(1))!, endAt: $0.optionalInstant(2),
        endedAt: $0.optionalInstant(3))
    }
  }

  /// Everybody is handed over or skipped: from sending to settling. The cheap looks come first; the count runs only when
  /// they find nothing left.
  public static func endSending(_ campaign: Campaign.ID, on pool: Pool) async throws -> Bool {
    let cheap = try await pool.run(
      Statement(
        """
        select exists (select from due where campaign_id = $1)
          -- Standing campaigns go on until their month is over.
          or exists (select from campaign where campaign_id = $1 and kind in (3, 4) and to_char(created_at at time zone 'UTC',
            'YYYYMM') >= to_char(now() at time zone 'UTC', 'YYYYMM'))
          or exists (select from run r where r.campaign_id = $1
            and coalesce((select number_id from run_take t where t.campaign_id = $1 and t.run_no = r.run_no
              order by take desc limit 1), 0) = 0)
        """, [.int8(campaign.rawValue)]))
    if cheap[0].bool(0) { return false }
    let done = try await linear(
      Statement(
        """
        update campaign c set state = 8, sent_at = now() where campaign_id = $1 and state = 5
          and not exists (
          select from recipient r where r.campaign_id = $1
            and not exists (select from fact f where f.campaign_id = $1 and f.seq = r.seq)
            and not exists (select from skip s where s.campaign_id = $1 and s.seq = r.seq)
        ) and not exists (select from due where campaign_id = $1)
          -- A later attempt that is claimed stands in no table but the log; the fact it will replace says nothing of it.
          and not exists (
            select from unnest(c.numbers) n (id)
            cross join lateral (select done_k from lane_log where number_id = n.id order by k desc limit 1) head
            cross join lateral (
              select l.seqs, l.attempts from lane_log l
              where l.number_id = n.id and l.k > head.done_k and l.kind = 2 and l.campaign_id = $1
            ) l
            cross join lateral unnest(l.seqs, l.attempts) u (seq, attempt)
            where u.attempt > 1
              and not exists (select from fact f where f.campaign_id = $1 and f.seq = u.seq and f.attempt >= u.attempt)
              and not exists (select from skip s where s.campaign_id = $1 and s.seq = u.seq)
          )
        """, [.int8(campaign.rawValue)]), on: pool)
    return done.affected == 1
  }

  /// Gives everybody who will not be written to any more their reason. What a lane hands over in the same moment still
  /// gets its fact, and the fact holds.
  public static func skipRest(_ campaign: Campaign.ID, reason: SkipReason, on pool: Pool) async throws -> Int {
    try await pool.transaction { tx in
      _ = try await tx.run("delete from due where campaign_id = $1", .int8(campaign.rawValue))
      _ = try await tx.batch(settings)
      let skipped = try await tx.run(
        """
        insert into skip (campaign_id, seq, reason)
        select $1, r.seq, $2 from recipient r where r.campaign_id = $1
          and not exists (select from fact f where f.campaign_id = $1 and f.seq = r.seq)
          and not exists (select from skip s where s.campaign_id = $1 and s.seq = r.seq)
        order by r.seq on conflict do nothing
        """, .int8(campaign.rawValue), .int2(reason.rawValue))
      _ = try await tx.run(
        """
        update campaign set sent_at = coalesce(sent_at, now()), state = case when state = 5 then 8 else state end
        where campaign_id = $1
        """, .int8(campaign.rawValue))
      return skipped.affected
    }
  }

  /// From settling to completed when every message has a final state, or after `patience` without one.
  public static func complete(_ campaign: Campaign.ID, patience: Duration, on pool: Pool) async throws -> Bool {
    let done = try await linear(
      Statement(
        """
        update campaign set state = 9, ended_at = now() where campaign_id = $1 and state = 8 and (
          sent_at < now() - make_interval(secs => $2)
          or not exists (select from message where campaign_id = $1 and person_state in (2, 3, 5, 7, 8, 9))
        )
        """, [.int8(campaign.rawValue), .numeric(Amount(billionths: Int128(patience.nanoseconds)))]), on: pool)
    return done.affected == 1
  }

  /// Ends doubt: unknown for `patience`, no receipt, and receipts of the same number came well after it. A receipt that
  /// comes later still wins. Answers how many.
  public static func resolve(_ campaign: Campaign.ID, patience: Duration, on pool: Pool) async throws -> Int {
    try await pool.run(
      Statement(
        """
        update fact f set outcome = 2 where f.campaign_id = $1 and f.outcome = 1
          and f.at < now() - make_interval(secs => $2)
          and not exists (select from standing s where s.campaign_id = $1 and s.seq = f.seq and s.attempt = f.attempt)
          and exists (select from receipt_flow w where w.number_id = f.number_id
            and w.received_at > f.at + make_interval(secs => least($2 / 2, 300)))
        """, [.int8(campaign.rawValue), .numeric(Amount(billionths: Int128(patience.nanoseconds)))])
    ).affected
  }

  /// A month's statistics know nothing of a campaign younger than they are: the planner expects one row, and a loop over
  /// two lists of 100,000 does not end.
  private static let settings = CampaignCounts.joining

  private static func linear(_ statement: Statement, on pool: Pool) async throws -> Rows {
    try await pool.transaction { tx in
      let rows = try await tx.batch(settings + [statement])
      return rows[settings.count]
    }
  }

  /// Fresh statistics after a freeze: the planner must not judge a month's partition by what it was before.
  public static func analyze(_ campaign: Campaign.ID, on pool: Pool) async throws {
    let month = campaign.rawValue >> 32
    let suffix = String(month / 12 * 100 + month % 12 + 1)
    for table in ["recipient", "exclusion"] {
      _ = try await pool.run(Statement("analyze \(table)_\(suffix)"))
    }
  }
}
