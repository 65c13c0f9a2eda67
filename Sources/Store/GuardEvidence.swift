import Domain
import JSON
import Postgres

/// What the guard judges a sending campaign by.
public enum GuardEvidence {
  public struct Campaign: Sendable {
    public let campaign: Domain.Campaign.ID
    public let business: Business.ID
    public let guarding: CampaignSpec.Guarding
    public let accepted: Int
    public let delivered: Int
    public let read: Int
    public let optedOut: Int
    /// Held by Meta for the template's quality when they were taken.
    public let held: Int
    /// Failures by Meta's code, from receipts and from refused requests together.
    public let failures: [Int32: Int]
    /// Rows the sums were made of: many are worth folding.
    public let rows: Int
    /// Rules that stopped it before, whether a person has let it go on since or not.
    public let rules: Set<String>
    /// Rules that halved its pace before.
    public let slowed: Set<String>
  }

  /// Campaigns that are sending, with their sums.
  public static func campaigns(on pool: Pool) async throws -> [Campaign] {
    let rows = try await pool.run(
      """
      select c.campaign_id, c.business_id, c.spec -> 'guard',
        coalesce(sum(t.count) filter (where t.kind = 1), 0)::int8, coalesce(sum(t.count) filter (where t.kind = 2), 0)::int8,
        coalesce(sum(t.count) filter (where t.kind = 5), 0)::int8, coalesce(sum(t.count) filter (where t.kind = 6), 0)::int8,
        count(t.campaign_id),
        array(select distinct p.rule from pause p where p.scope = 7 and p.scope_id = c.campaign_id and p.cause = 'guard'),
        array(select e.evidence->>'rule' from campaign_event e where e.campaign_id = c.campaign_id and e.event = 'slowed'),
        coalesce(sum(t.count) filter (where t.kind = 9), 0)::int8
      from campaign c left join outcome_tally t using (campaign_id)
      where c.state = 5 and c.kind = 1
      group by c.campaign_id order by c.campaign_id
      """)
    let failed = try await pool.run(
      """
      select t.campaign_id, t.code, sum(t.count)::int8 from campaign c join outcome_tally t using (campaign_id)
      where c.state = 5 and c.kind = 1 and t.kind in (3, 4) group by 1, 2
      """)
    var failures: [Domain.Campaign.ID: [Int32: Int]] = [:]
    for row in failed { failures[Domain.Campaign.ID(row.int64(0)), default: [:]][row.int32(1)] = Int(row.int64(2)) }
    return try rows.map { row in
      let id = Domain.Campaign.ID(row.int64(0))
      let spec = row.optionalJsonb(2)
      return Campaign(
        campaign: id, business: Business.ID(row.int64(1)),
        guarding: try spec.map { try CampaignSpec.Guarding(json: try JSONValue(parsing: $0), at: "guard") } ?? .init(),
        accepted: Int(row.int64(6)), delivered: Int(row.int64(3)), read: Int(row.int64(4)), optedOut: Int(row.int64(5)),
        held: Int(row.int64(10)), failures: failures[id] ?? [:],
        rows: Int(row.int64(7)), rules: Set(row.texts(8)),
        slowed: Set(row.texts(9)))
    }
  }

  /// A campaign's sums, and how many read it.
  public static func outcomes(of campaign: Domain.Campaign.ID, on pool: Pool) async throws(DatabaseError)
    -> (sums: Sums, read: Int)
  {
    var (sums, read) = (Sums(), 0)
    for row in try await pool.run(
      "select kind, code, sum(count)::int8 from outcome_tally where campaign_id = $1 group by 1, 2",
      .int8(campaign.rawValue))
    {
      let count = Int(row.int64(2))
      switch Tallies.Kind(rawValue: row.int16(0)) {
      case .accepted: sums.accepted += count
      case .delivered: sums.delivered += count
      case .read: read += count
      case .optedOut: sums.optedOut += count
      case .failed, .refused: sums.failures[row.int32(1), default: 0] += count
      case .replied, .clicked, .held, nil: break
      }
    }
    return (sums, read)
  }

  public struct Sums: Sendable {
    public var accepted = 0
    public var delivered = 0
    public var optedOut = 0
    /// By Meta's code, from receipts and from refused requests together.
    public var failures: [Int32: Int] = [:]
    public init() {}
  }

  /// How many of the campaign's first 2,000 people read it, of those reached an hour ago or longer; and of all whom other
  /// campaigns of its numbers reached in the last 90 days, yesterday's and today's left out.
  public static func reads(of campaign: Domain.Campaign.ID, on pool: Pool) async throws(DatabaseError)
    -> (delivered: Int, read: Int, usualDelivered: Int, usualRead: Int)
  {
    let row = try await pool.run(
      """
      select s.delivered, s.read, u.delivered, u.read from (
        select count(*) filter (where standing >= 30) as delivered, count(*) filter (where standing >= 40) as read
        from standing where campaign_id = $1 and seq <= 2000
          and least(delivered_at, read_at) < now() - interval '1 hour'
      ) s, (
        select coalesce(sum(t.count) filter (where t.kind = 1), 0)::int8 as delivered,
          coalesce(sum(t.count) filter (where t.kind = 2), 0)::int8 as read
        from campaign c join campaign o on o.business_id = c.business_id and o.numbers && c.numbers and o.kind = 1
          and o.campaign_id <> c.campaign_id and o.launched_at between now() - interval '90 days' and now() - interval '2 days'
        join outcome_tally t on t.campaign_id = o.campaign_id
        where c.campaign_id = $1
      ) u
      """, .int8(campaign.rawValue))[0]
    return (Int(row.int64(0)), Int(row.int64(1)), Int(row.int64(2)), Int(row.int64(3)))
  }

  /// Puts a campaign's deltas together.
  public static func fold(_ campaign: Domain.Campaign.ID, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("select tally_fold($1)", .int8(campaign.rawValue))
  }

  /// Stops a campaign by a rule; false when that rule stands open already.
  public static func pause(
    _ campaign: Domain.Campaign.ID, business: Business.ID, rule: GuardRule, evidence: JSONValue, on pool: Pool
  ) async throws(DatabaseError) -> Bool {
    try await pool.run(
      "select guard_pause($1, 7::int2, $2, $3, $4, $5)", .int8(business.rawValue), .int8(campaign.rawValue),
      .text(rule.rawValue), .text(rule.sentence), .jsonb(evidence.rendered()))[0].bool(0)
  }

  /// Halves a campaign's pace because outcomes near a rule's limit, and tells so; once for each rule, whatever the pace
  /// becomes later. One that is spread over a time is planned no more: it goes on at half of what it needed. False when it
  /// did before, or there is nothing to halve.
  public static func slow(
    _ campaign: Domain.Campaign.ID, business: Business.ID, rule: GuardRule, evidence: JSONValue, on pool: Pool
  ) async throws -> Bool {
    guard var pace = try await CampaignPace.current(campaign, on: pool) else { return false }
    if pace.spreadUntil != nil, let needed = try await CampaignPace.divided(campaign, on: pool) {
      (pace.limit, pace.unit, pace.spreadUntil) = (needed.limit, needed.unit, nil)
    }
    guard let limit = pace.limit, limit > 1 else { return false }
    pace.limit = limit / 2
    let slower = pace
    let isFirst = try await pool.transaction { tx in
      // Two nodes that judge at the same time: the second finds the first one's event.
      _ = try await tx.run("select from campaign where campaign_id = $1 for update", .int8(campaign.rawValue))
      let told = try await tx.run(
        """
        insert into campaign_event (campaign_id, event, actor, reason, evidence)
        select $1, 'slowed', 'qafila', $2, $3 where not exists (
          select from campaign_event where campaign_id = $1 and event = 'slowed' and evidence->>'rule' = $4)
        """, .int8(campaign.rawValue), .text(rule.warning), .jsonb(evidence.rendered()), .text(rule.rawValue)
      ).affected == 1
      if told {
        _ = try await tx.batch(
          CampaignPace.changing(campaign, to: slower, of: business, by: "qafila", reason: rule.warning))
      }
      return told
    }
    if isFirst { try await CampaignPace.divide(campaign, on: pool) }
    return isFirst
  }

  /// Numbers that have sent for `patience` and longer without any receipt since: at least `messages` handed out, the
  /// last of them within the same time; and no receipt waits to be folded for half of it, so that a folder which lags
  /// is no alarm. Our webhook is broken, or Meta's is: sending on would be flying blind.
  public static func silentNumbers(messages: Int, patience: Duration, on pool: Pool) async throws(DatabaseError)
    -> [(campaign: Domain.Campaign.ID, business: Business.ID, since: Instant)]
  {
    let rows = try await pool.run(
      """
      select c.campaign_id, c.business_id, s.since from campaign c
      join number n on n.number_id = any(c.numbers)
      cross join lateral (
        select min(l.at) as since, sum(coalesce(l.hi - l.lo + 1, cardinality(l.seqs))) as handed, max(l.at) as last
        from (
          select * from lane_log where number_id = n.number_id and kind in (1, 2) order by k desc limit 2000
        ) l
        where l.at > greatest(
          coalesce((select received_at from receipt_flow w where w.number_id = n.number_id), '-infinity'),
          coalesce((select max(e.at) from pause p join pause_end e using (pause_id)
            where p.scope = 7 and p.scope_id = c.campaign_id and p.rule = 'receipts_missing'), '-infinity'))
      ) s
      where not exists (
          select from receipt_stream r cross join lateral (
            select received_at from receipt_batch b where b.stream = r.stream
              and b.k > coalesce((select max(upto) from fold_log f where f.stream = r.stream), 0) order by b.k limit 1
          ) b where b.received_at < now() - make_interval(secs => $2 / 2)
        )
        and c.state = 5 and c.kind = 1 and s.handed >= $1 and s.since < now() - make_interval(secs => $2)
        and s.last > now() - make_interval(secs => $2)
      """, .int4(Int32(clamping: messages)), .numeric(Amount(billionths: Int128(patience.nanoseconds))))
    return rows.map { (Domain.Campaign.ID($0.int64(0)), Business.ID($0.int64(1)), $0.instant(2)) }
  }
}
