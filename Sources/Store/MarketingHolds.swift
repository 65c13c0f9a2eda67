import Domain
import Postgres

/// People whom Meta holds for a day because they got enough offers from everybody (131049): the attempt ends refused, and
/// a next one waits in the due table. Its gate looks at consent again; one that could leave only after the campaign's end
/// is not made.
public enum MarketingHolds {
  public struct Hold: Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    /// The attempt that Meta refused.
    public let attempt: Int16
    public let dueAt: Instant

    public init(campaign: Campaign.ID, seq: Int32, attempt: Int16, dueAt: Instant) {
      (self.campaign, self.seq, self.attempt, self.dueAt) = (campaign, seq, attempt, dueAt)
    }
  }

  /// For the caller's batch, which also records the refusal: at most `retries` further attempts each.
  ///
  /// Meta says it in the answer, by a receipt, or both. An answer's refusal is a fact with the outcome "rejected", and the
  /// lane that heard it has put the person back already: a receipt adds a hold only where the fact says otherwise
  /// (`byReceipt`), so nobody is tried twice for one refusal. The campaign's row is locked first: it can't end meanwhile.
  static func statements(_ holds: [Hold], retries: Int, byReceipt: Bool) -> [Statement] {
    let wanted = holds.filter { $0.attempt <= retries }.sorted { ($0.campaign, $0.seq) < ($1.campaign, $1.seq) }
    guard !wanted.isEmpty else { return [] }
    let campaigns = Set(wanted.map(\.campaign.rawValue)).sorted()
    return [
      Statement(
        "update campaign set state = 5, sent_at = null where campaign_id = any($1) and state = 8 and kind = 1",
        [.int8s(campaigns)]),
      Statement(
        """
        insert into due (campaign_id, seq, attempt, due_at, reason, times)
        select x.c, x.s, x.t + 1, x.at, 5, 0 from unnest($1::int8[], $2::int4[], $3::int2[], $4::timestamptz[]) x (c, s, t, at)
        join campaign g on g.campaign_id = x.c and g.state = 5 and g.kind = 1 and (g.end_at is null or x.at < g.end_at)
        where not exists (select from fact f where f.campaign_id = x.c and f.seq = x.s
          and (f.attempt > x.t or (f.attempt = x.t and f.outcome = 3 and $5)))
          -- Skipped meanwhile, or erased: nothing of the message is left to try again.
          and not exists (select from skip k where k.campaign_id = x.c and k.seq = x.s)
        on conflict do nothing
        """,
        [
          .int8s(wanted.map(\.campaign.rawValue)), .int4s(wanted.map(\.seq)), .int2s(wanted.map(\.attempt)),
          .timestamps(wanted.map(\.dueAt)), .bool(byReceipt),
        ]),
    ]
  }
}
