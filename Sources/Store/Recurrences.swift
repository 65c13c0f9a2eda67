import Domain
import JSON
import Postgres
import Schedule

/// Launches campaigns that repeat, once for each planned time. Any number of schedulers may do it: the row of a campaign
/// is locked while one of them does, the key of an occurrence refuses a second, and everything is one commit, so that a
/// scheduler that dies leaves nothing half done and its lock goes with its session.
public enum Recurrences {
  public struct Launched: Sendable {
    public let parent: Campaign.ID
    /// Nil: the time was passed over, because a later one had come as well.
    public let child: Campaign.ID?
    public let planned: Instant
  }

  /// Makes the campaign of the occurrence that has been due longest; nil when none is. A pause over the repeating campaign
  /// holds its launches; one that was missed is late by its planned time, and `if_late` decides.
  public static func launchNext(on pool: Pool) async throws -> Launched? {
    try await pool.transaction { tx in
      let due = try await tx.run(
        """
        select r.campaign_id, r.next_at, c.start_at, c.end_at, c.spec, a.zone, now()
        from recurrence r join campaign c using (campaign_id) join account a using (account_id)
        where r.next_at <= now() and c.state = 3
          and not exists (select from open_pause p where p.scope = 7 and p.scope_id = r.campaign_id)
        order by r.next_at limit 1 for update of r skip locked
        """)
      guard let row = due.first else { return nil }
      let parent = Campaign.ID(row.int64(0))
      let (planned, now) = (row.instant(1), row.instant(6))
      let start = row.optionalInstant(2) ?? planned
      let following = try next(
        after: planned, start: start, end: row.optionalInstant(3), spec: row.jsonb(4), accountZone: row.text(5))
      let isMissed = following.map { $0 <= now } ?? false
      let child = isMissed ? nil : try await makeChild(of: parent, planned: planned, tx)
      _ = try await tx.run(
        "insert into occurrence (campaign_id, planned_at, child_id) values ($1, $2, $3)", .int8(parent.rawValue),
        .timestamptz(planned), child.map { .int8($0.rawValue) } ?? .null)
      _ = try await tx.run(
        "insert into campaign_event (campaign_id, event, actor, evidence) values ($1, $2, 'qafila', $3)",
        .int8(parent.rawValue), .text(isMissed ? "occurrence_missed" : "occurrence_launched"),
        .jsonb(
          JSONValue.object([
            "planned_at": .string(planned.rfc3339()), "campaign": child.map { .string($0.description) } ?? .null,
          ]).rendered()))
      if let following {
        _ = try await tx.run(
          "update recurrence set next_at = $2 where campaign_id = $1", .int8(parent.rawValue), .timestamptz(following))
      } else {
        _ = try await tx.run("delete from recurrence where campaign_id = $1", .int8(parent.rawValue))
        _ = try await tx.run(
          "update campaign set state = 9, ended_at = now() where campaign_id = $1 and state = 3", .int8(parent.rawValue))
      }
      return Launched(parent: parent, child: child, planned: planned)
    }
  }

  /// The first launch of a request that repeats; nil when its rule has none before its end.
  public static func first(_ spec: CampaignSpec, start: Instant, accountZone: String) throws -> Instant? {
    try next(
      after: start - .nanoseconds(1), start: start, end: spec.schedule.end, spec: spec.json.rendered(),
      accountZone: accountZone)
  }

  private static func next(
    after instant: Instant, start: Instant, end: Instant?, spec: [UInt8], accountZone: String
  ) throws -> Instant? {
    guard let repeats = try CampaignSpec(json: try JSONValue(parsing: spec)).schedule.repeats else { return nil }
    let zone = try Zone(named: repeats.zone ?? accountZone)
    guard let next = try Recurrence(repeats.rule).next(after: instant, start: start, in: zone) else { return nil }
    return end.map { next < $0 } ?? true ? next : nil
  }

  /// A campaign of its own, as launched by whoever launched the one that repeats, with the same text and request; its
  /// people are frozen now.
  private static func makeChild(of parent: Campaign.ID, planned: Instant, _ tx: Transaction) async throws -> Campaign.ID {
    let rows = try await tx.run(
      """
      with c as (
        insert into campaign (campaign_id, business_id, kind, parent_id, name, state, spec, frozen, account_id,
          template_id, category, numbers, start_at, end_at, created_by, launched_by, launched_at)
        select next_campaign_id(), business_id, 1, campaign_id, name || ' ' || $3, 3,
          jsonb_set(spec #- '{schedule,repeat}', '{schedule,start_at}', to_jsonb($4::text)),
          jsonb_set(frozen #- '{spec,schedule,repeat}', '{spec,schedule,start_at}', to_jsonb($4::text)), account_id,
          template_id, category, numbers, $2, end_at, created_by, launched_by, least($2, now())
        from campaign where campaign_id = $1
        returning campaign_id, start_at, launched_by
      ), j as (
        insert into job (kind, key, due_at)
        select kind, campaign_id::text, case kind when 'prepare' then now() else start_at end
        from c, unnest(array['prepare', 'start']) with ordinality k (kind, n) order by n
      ), e as (
        insert into campaign_event (campaign_id, event, actor, evidence)
        select campaign_id, 'launched', launched_by, jsonb_build_object('repeats', $1::text) from c
      )
      select campaign_id from c
      """, .int8(parent.rawValue), .timestamptz(planned), .text(String(planned.rfc3339().prefix(10))),
      .text(planned.rfc3339()))
    return Campaign.ID(rows[0].int64(0))
  }
}
