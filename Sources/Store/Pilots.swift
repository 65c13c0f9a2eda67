import Domain
import JSON
import Postgres

/// Campaigns that try a sample first: their steps, what came of each, and what opens the next.
public enum Pilots {
  /// A step whose outcome is to be looked at now.
  public struct Due: Sendable {
    public let campaign: Campaign.ID
    public let business: Business.ID
    public let guarding: CampaignSpec.Guarding
    public let pilot: CampaignSpec.Guarding.Pilot
    public let step: Int
    /// Of all steps opened so far: their positions are 1 to `people`.
    public let people: Int
    /// It failed, and somebody let the campaign go on nevertheless.
    public let overruled: (by: String, reason: String)?
  }

  public struct Progress: Sendable {
    /// Handed over, skipped, or put off for a day or more.
    public let done: Int
    /// Taken by Meta and held, without any receipt so far.
    public let held: Int
    /// When the last of them was handed over.
    public let lastAt: Instant?
  }

  /// The first step, with the freeze.
  static func first(_ campaign: Campaign.ID, people: Int) -> Statement {
    Statement(
      "insert into pilot_step (campaign_id, step, people) values ($1, 1, $2)",
      [.int8(campaign.rawValue), .int4(Int32(people))])
  }

  /// For SQL: the step of run `r` has been opened. Nothing is ever claimed from another.
  static let isOpen = """
    (r.wave = 0 or exists (select from pilot_step p where p.campaign_id = r.campaign_id and p.step = r.wave))
    """

  /// Sending campaigns whose last opened step is to be judged and has one after it. A step that failed waits for somebody
  /// to end its pause.
  public static func due(on pool: Pool) async throws -> [Due] {
    let rows = try await pool.run(
      """
      select c.campaign_id, c.business_id, c.frozen->'spec'->'guard', s.step, s.people, e.actor, e.reason
      from campaign c
      cross join lateral (select * from pilot_step s where s.campaign_id = c.campaign_id order by step desc limit 1) s
      left join pause p on p.scope = 7 and p.scope_id = c.campaign_id and p.rule = 'pilot'
        and (p.evidence->>'step')::int = s.step
      left join pause_end e on e.pause_id = p.pause_id
      where c.state = 5 and (s.looks_at is null or s.looks_at <= now()) and (p.pause_id is null or e.pause_id is not null)
        and exists (select from run r where r.campaign_id = c.campaign_id and r.wave > s.step)
        and not exists (select from run r where r.campaign_id = c.campaign_id and r.wave <= s.step
          and coalesce((select t.number_id from run_take t where t.campaign_id = r.campaign_id and t.run_no = r.run_no
            order by t.take desc limit 1), 0) = 0)
      """)
    return try rows.map { row in
      let guarding =
        try row.optionalJsonb(2).map { try CampaignSpec.Guarding(json: try JSONValue(parsing: $0), at: "guard") } ?? .init()
      return Due(
        campaign: Campaign.ID(row.int64(0)), business: Business.ID(row.int64(1)), guarding: guarding, pilot: guarding.pilotInUse,
        step: Int(row.int16(3)), people: Int(row.int32(4)), overruled: row.optionalText(5).map { ($0, row.text(6)) })
    }
  }

  /// Reads every position of the opened steps: not to be asked too often of a large pilot.
  public static func progress(of due: Due, on pool: Pool) async throws(DatabaseError) -> Progress {
    let row = try await pool.run(
      """
      select count(*) filter (where (f.outcome is not null and d.reason is null) or k.seq is not null or d.reason in (5, 7)),
        count(*) filter (where f.outcome = 4 and not exists (select from standing s
          where s.campaign_id = $1 and s.seq = r.seq and s.attempt = f.attempt)), max(f.at)
      from recipient r
      left join lateral (select outcome, attempt, at from fact f where f.campaign_id = $1 and f.seq = r.seq
        order by f.attempt desc limit 1) f on true
      left join lateral (select seq from skip k where k.campaign_id = $1 and k.seq = r.seq) k on true
      left join lateral (select reason from due d where d.campaign_id = $1 and d.seq = r.seq) d on true
      where r.campaign_id = $1 and r.seq <= $2
      """, .int8(due.campaign.rawValue), .int4(Int32(due.people)))[0]
    return Progress(done: Int(row.int64(0)), held: Int(row.int64(1)), lastAt: row.optionalInstant(2))
  }

  /// The step is sent; its outcome is judged at `until`.
  public static func wait(_ due: Due, sentAt: Instant, until: Instant, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      "update pilot_step set sent_at = $3, looks_at = $4 where campaign_id = $1 and step = $2",
      .int8(due.campaign.rawValue), .int2(Int16(due.step)), .timestamptz(sentAt), .timestamptz(until))
  }

  /// Opens the next step on these figures; false when another node was first.
  public static func openNext(
    after due: Due, evidence: JSONValue, by actor: String, reason: String, on pool: Pool
  ) async throws(DatabaseError) -> Bool {
    let steps = CampaignSpec.Guarding.steps(of: due.pilot.size)
    let end = due.step < steps.count ? Int64(steps[due.step]) : .max
    return try await pool.run(
      """
      with s as (
        insert into pilot_step (campaign_id, step, people, opened_by, evidence)
        select campaign_id, $2, least($3, recipients), $4, $5 from campaign where campaign_id = $1
        on conflict do nothing returning step
      )
      insert into campaign_event (campaign_id, event, actor, reason, evidence)
      select $1, 'pilot_step', $4, $6, $5::jsonb || jsonb_build_object('opened', step) from s
      """, .int8(due.campaign.rawValue), .int2(Int16(due.step + 1)), .int8(end), .text(actor),
      .jsonb(evidence.rendered()), .text(reason)
    ).affected == 1
  }

  /// Stops the campaign on these figures, once for each step; false when it was before.
  public static func fail(_ due: Due, evidence: JSONValue, on pool: Pool) async throws -> Bool {
    try await pool.transaction { tx in
      // Two nodes that judge at the same time: the second finds the first one's pause.
      _ = try await tx.run(
        "select from pilot_step where campaign_id = $1 and step = $2 for update", .int8(due.campaign.rawValue),
        .int2(Int16(due.step)))
      return try await tx.run(
        """
        with p as (
          insert into pause (business_id, scope, scope_id, cause, rule, reason, evidence, actor)
          select $1, 7, $2, 'pilot', 'pilot', $4, $5, 'qafila' where not exists (
            select from pause where scope = 7 and scope_id = $2 and rule = 'pilot' and (evidence->>'step')::int = $3)
          returning 1
        )
        insert into campaign_event (campaign_id, event, actor, reason, evidence) select $2, 'paused', 'qafila', $4, $5 from p
        """, .int8(due.business.rawValue), .int8(due.campaign.rawValue), .int4(Int32(due.step)),
        .text(GuardRule.pilot.sentence), .jsonb(evidence.rendered())
      ).affected == 1
    }
  }

  // MARK: As users see it

  public struct Step: Sendable {
    public let step: Int
    public let people: Int
    public let openedAt: Instant
    public let openedBy: String
    public let evidence: [UInt8]
    public let sentAt: Instant?
    public let looksAt: Instant?
  }

  public struct Standing: Sendable {
    /// Those opened so far, the first one first.
    public let steps: [Step]
    /// Of all its steps.
    public let count: Int

    /// When it goes on by itself: everybody of the last step was written to, and others wait.
    public var waitsUntil: Instant? {
      guard let last = steps.last, last.step < count, last.sentAt != nil else { return nil }
      return last.looksAt
    }
  }

  public static func standings(of ids: [Campaign.ID], on pool: Pool) async throws(DatabaseError) -> [Campaign.ID: Standing] {
    guard !ids.isEmpty else { return [:] }
    let rows = try await pool.run(
      """
      select s.campaign_id, s.step, s.people, s.opened_at, s.opened_by, s.evidence, s.sent_at, s.looks_at,
        (select max(wave) from run r where r.campaign_id = s.campaign_id)
      from pilot_step s where s.campaign_id = any($1) order by s.campaign_id, s.step
      """, .int8s(ids.map(\.rawValue)))
    var steps: [Campaign.ID: (steps: [Step], count: Int)] = [:]
    for row in rows {
      let step = Step(
        step: Int(row.int16(1)), people: Int(row.int32(2)), openedAt: row.instant(3), openedBy: row.text(4),
        evidence: row.jsonb(5), sentAt: row.optionalInstant(6), looksAt: row.optionalInstant(7))
      steps[Campaign.ID(row.int64(0)), default: ([], Int(row.int16(8)))].steps.append(step)
    }
    return steps.mapValues { Standing(steps: $0.steps, count: $0.count) }
  }
}
