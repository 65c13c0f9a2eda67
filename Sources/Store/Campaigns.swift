import Domain
import JSON
import Postgres

/// The life of campaigns as the record has it: draft, launch, cancel; read and listed.
public enum Campaigns {
  /// A request whose template, numbers and audience were found.
  public struct Draft: Sendable {
    public var spec: CampaignSpec
    public var account: Account.ID
    public var template: Template.ID
    public var category: Category
    public var numbers: [Number.ID]

    public init(
      spec: CampaignSpec, account: Account.ID, template: Template.ID, category: Category, numbers: [Number.ID]
    ) {
      (self.spec, self.account, self.template) = (spec, account, template)
      (self.category, self.numbers) = (category, numbers)
    }
  }

  public struct Entry: Sendable {
    public let id: Campaign.ID
    public let kind: CampaignKind
    public let parent: Campaign.ID?
    public let name: String
    /// The stored life; pauses and windows are not in it.
    public let state: CampaignState
    /// The request with every default, as JSON.
    public let spec: [UInt8]
    public let account: Account.ID
    public let portfolio: Portfolio.ID
    public let template: Template.ID
    public let category: Category
    public let numbers: [Number.ID]
    public let tokens: [Token.ID]
    public let currency: String
    public let zone: String
    public let startAt: Instant?
    public let endAt: Instant?
    public let recipients: Int64?
    public let excluded: Int64?
    /// Why it could not start, as JSON.
    public let failure: [UInt8]?
    public let createdBy: String
    public let createdAt: Instant
    public let launchedBy: String?
    public let launchedAt: Instant?
    public let preparedAt: Instant?
    public let sentAt: Instant?
    public let endedAt: Instant?
    /// When its first message may leave; nil unless it waits for that.
    public let dueAt: Instant?
  }

  /// Stores a draft and answers its id, from this month's block.
  public static func insert(_ draft: Draft, business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError)
    -> Campaign.ID
  {
    var startAt: Instant?
    if case .at(let instant)? = draft.spec.schedule.start { startAt = instant }
    let rows = try await pool.run(
      """
      with c as (
        insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers,
          start_at, end_at, created_by)
        values (next_campaign_id(), $1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10) returning campaign_id
      ), e as (
        insert into campaign_event (campaign_id, event, actor) select campaign_id, 'created', $10 from c
      )
      select campaign_id from c
      """, .int8(business.rawValue), .text(draft.spec.name), .jsonb(draft.spec.json.rendered()),
      .int8(draft.account.rawValue), .int8(draft.template.rawValue), .int2(draft.category.rawValue),
      .int8s(draft.numbers.map(\.rawValue)), startAt.map { .timestamptz($0) } ?? .null,
      draft.spec.schedule.end.map { .timestamptz($0) } ?? .null, .text(actor))
    return Campaign.ID(rows[0].int64(0))
  }

  public static func read(_ id: Campaign.ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> Entry?
  {
    try await pool.run(
      select + " where c.business_id = $1 and c.campaign_id = $2", .int8(business.rawValue), .int8(id.rawValue)
    ).first.map(entry)
  }

  /// Whose campaign it is; nil when there is none.
  public static func business(of id: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> Business.ID? {
    try await pool.run("select business_id from campaign where campaign_id = $1", .int8(id.rawValue)).first
      .map { Business.ID($0.int64(0)) }
  }

  /// The newest first, those below `before`; tests are left out unless asked for by their parent.
  public static func list(
    of business: Business.ID, testsOf parent: Campaign.ID? = nil, before: Int64?, limit: Int, on pool: Pool
  ) async throws(DatabaseError) -> [Entry] {
    try await pool.run(
      select + """
         where c.business_id = $1 and c.campaign_id < $2
          and (case when $3::int8 is null then c.kind = 1 else c.parent_id = $3 and c.kind = 2 end)
        order by c.campaign_id desc limit $4
        """, .int8(business.rawValue), .int8(before ?? .max), parent.map { .int8($0.rawValue) } ?? .null,
      .int8(Int64(limit))
    ).map(entry)
  }

  /// Turns a draft into a scheduled campaign, in one commit: `launched`, its request and the template's text as they
  /// were checked, is what is sent, previewed and shown from now on. Its people are frozen at once by a job; another
  /// starts it at `startAt` (nil: at once), but not before 60 s from now unless `skipsWait`. One that repeats has neither:
  /// it waits for its first occurrence, `repeatsFrom`.
  ///
  /// False when it is no longer a draft.
  public static func launch(
    _ id: Campaign.ID, _ launched: FrozenCampaign, startAt: Instant?, skipsWait: Bool, repeatsFrom: Instant? = nil,
    of business: Business.ID, by actor: String, reason: String, on pool: Pool
  ) async throws(DatabaseError) -> Bool {
    try await pool.run(
      """
      with c as (
        update campaign set state = 3, launched_by = $3, launched_at = now(), start_at = coalesce($4, now()),
          frozen = $7, template_id = $8, category = $9
        where campaign_id = $2 and business_id = $1 and state = 1
        returning campaign_id, start_at
      ), j as (
        insert into job (kind, key, due_at)
        select kind, campaign_id::text, case kind when 'prepare' then now()
          else greatest(start_at, now() + case when $5 then interval '0' else interval '60 seconds' end) end
        from c, unnest(array['prepare', 'start']) with ordinality k (kind, n) where $10::timestamptz is null order by n
      ), r as (
        insert into recurrence (campaign_id, next_at) select campaign_id, $10 from c where $10::timestamptz is not null
      ), e as (
        insert into campaign_event (campaign_id, event, actor, reason, evidence)
        select campaign_id, 'launched', $3, $6, jsonb_build_object('now', $5::bool) from c
      ), a as (
        insert into audit (business_id, actor, action, subject)
        select $1, $3, 'campaign_launched', campaign_id::text from c
      )
      select 1 from c
      """, .int8(business.rawValue), .int8(id.rawValue), .text(actor), startAt.map { .timestamptz($0) } ?? .null,
      .bool(skipsWait), .text(reason), .jsonb(launched.json), .int8(launched.template.rawValue),
      .int2(launched.category.rawValue), repeatsFrom.map { .timestamptz($0) } ?? .null
    ).count == 1
  }

  /// What the launch froze, as JSON; nil for a draft.
  public static func frozen(_ id: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> [UInt8]? {
    try await pool.run("select frozen from campaign where campaign_id = $1", .int8(id.rawValue)).first?.optionalJsonb(0)
  }

  /// Ends a campaign for good, in one commit: the state, and a pause that the next gate sees. Those who will not be
  /// written to get their rows afterwards. What was handed over still gets its result and its charge.
  ///
  /// False when it had ended already, or everything was handed over.
  public static func cancel(
    _ id: Campaign.ID, of business: Business.ID, by actor: String, reason: String, on pool: Pool
  ) async throws(DatabaseError) -> Bool {
    try await pool.run(
      """
      with c as (
        update campaign set state = 10, ended_at = now()
        where campaign_id = $2 and business_id = $1 and state in (1, 2, 3, 4, 5) returning campaign_id
      ), p as (
        insert into pause (business_id, scope, scope_id, cause, reason, actor)
        select $1, 7, campaign_id, 'cancelled', $4, $3 from c
      ), j as (
        update job set ended_at = now() from c
        where job.kind in ('prepare', 'start') and job.key = c.campaign_id::text and job.ended_at is null
      ), r as (
        delete from recurrence using c where recurrence.campaign_id = c.campaign_id
      ), e as (
        insert into campaign_event (campaign_id, event, actor, reason) select campaign_id, 'cancelled', $3, $4 from c
      ), a as (
        insert into audit (business_id, actor, action, subject)
        select $1, $3, 'campaign_cancelled', campaign_id::text from c
      )
      select 1 from c
      """, .int8(business.rawValue), .int8(id.rawValue), .text(actor), .text(reason)
    ).count == 1
  }

  /// Opens a pause over a campaign, or ends some, with their event, in one commit.
  public static func pause(
    _ id: Campaign.ID, of business: Business.ID, cause: Pauses.Cause, by actor: String, reason: String, on pool: Pool
  ) async throws(DatabaseError) {
    _ = try await pool.batch([
      Pauses.opening(.campaign, id.rawValue, business: business, cause: cause, reason: reason, actor: actor),
      event(id, "paused", actor: actor, reason: reason, evidence: ["cause": .string(cause.rawValue)]),
      Audit.entry(business: business, actor: actor, action: "campaign_paused", subject: id.description),
    ])
  }

  public static func resume(
    _ id: Campaign.ID, ending pauses: [Pause.ID], of business: Business.ID, by actor: String, reason: String,
    on pool: Pool
  ) async throws(DatabaseError) {
    _ = try await pool.batch([
      Pauses.ending(pauses, reason: reason, actor: actor),
      event(id, "resumed", actor: actor, reason: reason, evidence: ["causes": .number(String(pauses.count))]),
      Audit.entry(business: business, actor: actor, action: "campaign_resumed", subject: id.description),
    ])
  }

  // MARK: Events

  public struct Event: Sendable {
    public let id: Int64
    public let at: Instant
    public let event: String
    public let actor: String
    public let reason: String
    public let evidence: [UInt8]
  }

  /// A row for the caller's batch.
  public static func event(
    _ id: Campaign.ID, _ event: String, actor: String, reason: String = "", evidence: JSONValue = .object(JSONObject())
  ) -> Statement {
    Statement(
      "insert into campaign_event (campaign_id, event, actor, reason, evidence) values ($1, $2, $3, $4, $5)",
      [.int8(id.rawValue), .text(event), .text(actor), .text(reason), .jsonb(evidence.rendered())])
  }

  public static func events(of id: Campaign.ID, after: Int64, limit: Int, on pool: Pool) async throws(DatabaseError)
    -> [Event]
  {
    let rows = try await pool.run(
      """
      select event_id, at, event, actor, reason, evidence from campaign_event
      where campaign_id = $1 and event_id > $2 order by event_id limit $3
      """, .int8(id.rawValue), .int8(after), .int8(Int64(limit)))
    return rows.map {
      Event(
        id: $0.int64(0), at: $0.instant(1), event: $0.text(2), actor: $0.text(3), reason: $0.text(4),
        evidence: $0.jsonb(5))
    }
  }

  /// The people of days to come, and when the next of them become due; nil when all are due.
  public static func drip(of id: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> (opensAt: Instant, people: Int)? {
    let row = try await pool.run(
      "select min(opens_at), sum(hi - lo + 1)::int8 from run where campaign_id = $1 and opens_at > now()",
      .int8(id.rawValue))[0]
    return row.optionalInstant(0).map { ($0, Int(row.int64(1))) }
  }

  /// The priorities together of the campaigns that send from each of these numbers now; those that are paused leave their
  /// part to others.
  public static func sending(from numbers: [Number.ID], on pool: Pool) async throws(DatabaseError) -> [Number.ID: Int] {
    let rows = try await pool.run(
      """
      select n, sum(coalesce((c.frozen->'spec'->>'priority')::int8, 1))::int8 from campaign c, unnest(c.numbers) n
      where c.state = 5 and n = any($1) and c.kind in (1, 2)
        and not exists (select from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id)
      group by n
      """, .int8s(numbers.map(\.rawValue)))
    return rows.reduce(into: [:]) { $0[Number.ID($1.int64(0))] = Int($1.int64(1)) }
  }

  /// The zones of the runs of each campaign, as lists with commas.
  public static func zones(of ids: [Campaign.ID], on pool: Pool) async throws(DatabaseError) -> [Campaign.ID: [String]]
  {
    guard !ids.isEmpty else { return [:] }
    let rows = try await pool.run(
      "select distinct campaign_id, zone from run where campaign_id = any($1)", .int8s(ids.map(\.rawValue)))
    return rows.reduce(into: [:]) { $0[Campaign.ID($1.int64(0)), default: []].append($1.text(1)) }
  }

  // MARK: Rows

  private static let select = """
    select c.campaign_id, c.kind, c.parent_id, c.name, c.state, c.spec, c.account_id, a.portfolio_id, coalesce(c.template_id, 0),
      c.category, c.numbers, array(select distinct n.token_id from number n where n.number_id = any(c.numbers)),
      a.currency,
      a.zone, c.start_at, c.end_at, c.recipients, c.excluded, c.failure, c.created_by, c.created_at, c.launched_by,
      c.launched_at, c.prepared_at, c.sent_at, c.ended_at,
      coalesce(
        (select due_at from job j where j.kind = 'start' and j.key = c.campaign_id::text and j.ended_at is null),
        (select next_at from recurrence r where r.campaign_id = c.campaign_id))
    from campaign c join account a using (account_id)
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: Campaign.ID(row.int64(0)), kind: CampaignKind(rawValue: row.int16(1)) ?? .campaign,
      parent: row.optionalInt64(2).map { Campaign.ID($0) }, name: row.text(3),
      state: CampaignState(rawValue: row.int16(4)) ?? .draft, spec: row.jsonb(5), account: Account.ID(row.int64(6)),
      portfolio: Portfolio.ID(row.int64(7)), template: Template.ID(row.int64(8)),
      category: Category(rawValue: row.int16(9)) ?? .marketing, numbers: row.int64s(10).map { Number.ID($0) },
      tokens: row.int64s(11).map { Token.ID($0) }, currency: row.text(12), zone: row.text(13),
      startAt: row.optionalInstant(14), endAt: row.optionalInstant(15), recipients: row.optionalInt64(16),
      excluded: row.optionalInt64(17), failure: row.optionalJsonb(18), createdBy: row.text(19),
      createdAt: row.instant(20),
      launchedBy: row.optionalText(21), launchedAt: row.optionalInstant(22), preparedAt: row.optionalInstant(23),
      sentAt: row.optionalInstant(24), endedAt: row.optionalInstant(25), dueAt: row.optionalInstant(26))
  }
}
