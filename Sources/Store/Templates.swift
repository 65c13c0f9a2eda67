import Domain
import JSON
import Postgres

/// The templates of accounts, as the last synchronisation saw them.
public enum Templates {
  public struct Seen: Sendable {
    public let metaID: String
    public let name: String
    public let language: String
    public let status: String
    public let category: Category
    public let quality: String
    public let parameterFormat: String
    /// Meta's `components`, as JSON.
    public let components: [UInt8]
    /// How long Meta tries to deliver, where the template says so itself.
    public let ttlSeconds: Int?

    public init(
      metaID: String, name: String, language: String, status: String, category: Category, quality: String,
      parameterFormat: String, components: [UInt8], ttlSeconds: Int? = nil
    ) {
      self.ttlSeconds = ttlSeconds
      (self.metaID, self.name, self.language, self.status) = (metaID, name, language, status)
      (self.category, self.quality, self.parameterFormat) = (category, quality, parameterFormat)
      self.components = components
    }
  }

  public struct Entry: Sendable {
    public let id: Template.ID
    public let account: Account.ID
    public let wabaID: String
    public let seen: Seen
    public let version: Int
    public let syncedAt: Instant
  }

  public struct SyncResult: Sendable, Equatable {
    public var seen: Int
    public var added: Int
    public var changed: Int
    public var gone: Int

    public init(seen: Int, added: Int, changed: Int, gone: Int) {
      (self.seen, self.added, self.changed, self.gone) = (seen, added, changed, gone)
    }
  }

  /// Takes over what Meta shows for an account now. The version grows when a text changes; what Meta no longer shows is
  /// kept as `DELETED`, because campaigns refer to it.
  ///
  /// `actor` nil: nobody asked, so nothing stands in the audit.
  public static func sync(
    _ templates: [Seen], account: Account.ID, business: Business.ID, by actor: String?, on pool: Pool
  )
    async throws(DatabaseError) -> SyncResult
  {
    var statements = [
      following(templates, account: account),
      Statement(
        """
        with given as (
          select * from unnest(
            $3::text[], $4::text[], $5::text[], $6::text[], $7::int2[], $8::text[], $9::text[], $10::jsonb[],
            $11::int4[]) x (meta_id, name, language, status, category, quality, parameter_format, components, ttl)
        ), before as (
          select t.name, t.language, t.components, t.parameter_format from template t where t.account_id = $2
        ), put as (
          insert into template as t (business_id, account_id, meta_id, name, language, status, category, quality,
            parameter_format, components, ttl_seconds, synced_at)
          select $1, $2, meta_id, name, language, status, category, quality, parameter_format, components, nullif(ttl, 0), now()
          from given
          on conflict (account_id, name, language) do update set meta_id = excluded.meta_id, status = excluded.status,
            category = excluded.category, quality = excluded.quality, synced_at = excluded.synced_at,
            version = t.version + (t.components is distinct from excluded.components
              or t.parameter_format is distinct from excluded.parameter_format)::int,
            components = excluded.components, parameter_format = excluded.parameter_format,
            ttl_seconds = excluded.ttl_seconds
        ), gone as (
          update template t set status = 'DELETED', synced_at = now()
          where t.account_id = $2 and t.status <> 'DELETED'
            and not exists (select from given g where g.name = t.name and g.language = t.language)
          returning 1
        )
        select count(*), count(*) filter (where b.name is null),
          count(*) filter (where b.components <> g.components or b.parameter_format <> g.parameter_format),
          (select count(*) from gone)
        from given g left join before b on b.name = g.name and b.language = g.language
        """,
        [
          .int8(business.rawValue), .int8(account.rawValue), .texts(templates.map(\.metaID)),
          .texts(templates.map(\.name)),
          .texts(templates.map(\.language)), .texts(templates.map(\.status)),
          .int2s(templates.map(\.category.rawValue)),
          .texts(templates.map(\.quality)), .texts(templates.map(\.parameterFormat)),
          .jsonbs(templates.map(\.components)), .int4s(templates.map { Int32(clamping: $0.ttlSeconds ?? 0) }),
        ]),
    ]
    if let actor {
      statements.append(
        Audit.entry(business: business, actor: actor, action: "templates_synced", subject: account.description))
    }
    let rows = try await pool.batch(statements)
    let row = rows[1][0]
    return SyncResult(
      seen: Int(row.int64(0)), added: Int(row.int64(1)), changed: Int(row.int64(2)), gone: Int(row.int64(3)))
  }

  /// What a webhook would have told, had it come: of templates that were sendable and are not any more, or are again, and
  /// of a category that became dearer. Runs before the new state is taken over; what has not changed says nothing, so that
  /// a person's resume holds.
  private static func following(_ templates: [Seen], account: Account.ID) -> Statement {
    Statement(
      """
      with turned as (
        select t.template_id, t.status as was, coalesce(g.status, 'DELETED') as status, t.category as cost, g.category,
          jsonb_build_object('status', coalesce(g.status, 'DELETED'), 'category', g.category, 'source', 'sync') as seen
        from template t left join unnest($2::text[], $3::text[], $4::text[], $5::int2[]) g (name, language, status, category)
          on g.name = t.name and g.language = t.language
        where t.account_id = $1
      ), observed as (
        insert into template_observation (template_id, source, observation)
        select template_id, 'sync', seen from turned where was <> status or cost <> category on conflict do nothing
      )
      select case when was = 'APPROVED' and status <> 'APPROVED' then template_stopped(template_id, $6, seen) end,
        case when was <> 'APPROVED' and status = 'APPROVED' then template_approved(template_id) end,
        case when cost <> category then template_dearer(template_id, category, $7, seen) end
      from turned
      """,
      [
        .int8(account.rawValue), .texts(templates.map(\.name)), .texts(templates.map(\.language)),
        .texts(templates.map(\.status)), .int2s(templates.map(\.category.rawValue)),
        .text(GuardRule.templatePaused.sentence), .text(GuardRule.templateCategory.sentence),
      ])
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(select + " where t.business_id = $1 order by t.name, t.language", .int8(business.rawValue)).map(
      entry)
  }

  /// All languages of one name in one account.
  public static func named(_ name: String, account: Account.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(
      select + " where t.account_id = $1 and t.name = $2 order by t.language", .int8(account.rawValue), .text(name)
    ).map(entry)
  }

  public static func read(_ id: Template.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(select + " where t.template_id = $1", .int8(id.rawValue)).first.map(entry)
  }

  private static let select = """
    select t.template_id, t.account_id, a.waba_id, t.meta_id, t.name, t.language, t.status, t.category, t.quality,
      t.parameter_format, t.components, t.version, t.synced_at, t.ttl_seconds
    from template t join account a using (account_id)
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: Template.ID(row.int64(0)), account: Account.ID(row.int64(1)), wabaID: row.text(2),
      seen: Seen(
        metaID: row.text(3), name: row.text(4), language: row.text(5), status: row.text(6),
        category: Category(rawValue: row.int16(7)) ?? .marketing, quality: row.text(8), parameterFormat: row.text(9),
        components: row.jsonb(10), ttlSeconds: row.optionalInt32(13).map { Int($0) }),
      version: Int(row.int32(11)), syncedAt: row.instant(12))
  }

  /// For SQL: a campaign (no test) with this template has written to somebody.
  static func wasSent(_ template: String, besides campaign: String) -> String {
    """
    exists (select from campaign o where o.template_id = \(template) and o.campaign_id <> \(campaign) and o.kind = 1
      and o.launched_at is not null and exists (select from fact f where f.campaign_id = o.campaign_id))
    """
  }

  public static func wasSent(_ id: Template.ID, on pool: Pool) async throws(DatabaseError) -> Bool {
    try await pool.run("select \(wasSent("$1", besides: "0"))", .int8(id.rawValue))[0].bool(0)
  }
}
