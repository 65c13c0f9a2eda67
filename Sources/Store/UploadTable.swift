import Domain
import Postgres

/// An import's rows: `upload`, its rejected rows, and a temporary stage from which people are taken over at once.
///
/// The stage belongs to one session and is filled by short statements, each its own transaction: an upload that takes an
/// hour must not hold back vacuum for an hour.
public struct UploadTable: Sendable {
  public let connection: Connection
  public let upload: Upload.ID
  let business: Business.ID
  let audience: Audience.ID

  /// Columns of the stage, in COPY's order.
  public static let stageColumns = "line, phone, person_key, country, suspect, attributes, opt_in_source, consent_at"
  public static let rejectColumns = "line, reason, remedy, raw"

  private static let lockClass = 7223
  private static let applyLockClass = 7222

  /// Opens an upload on a session of its own. Nil when the business has no such audience.
  public static func begin(
    _ connection: Connection, business: Business.ID, audience: Audience.ID, by actor: String
  ) async throws(DatabaseError) -> UploadTable? {
    let rows = try await connection.run(
      """
      insert into upload (business_id, audience_id, state, by)
      select business_id, audience_id, 'running', $3 from audience where business_id = $1 and audience_id = $2
      returning upload_id
      """, .int8(business.rawValue), .int8(audience.rawValue), .text(actor))
    guard let row = rows.first else { return nil }
    let table = UploadTable(connection: connection, upload: Upload.ID(row.int64(0)), business: business, audience: audience)
    // Held by the session: an upload that is running and whose lock is free has died with its process.
    _ = try await connection.run("select pg_advisory_lock(\(lockClass), ($1 % 2147483647)::int)", .int8(table.upload.rawValue))
    try await table.dropStage()
    _ = try await connection.batch([
      Statement(
        """
        create temporary table import_stage (
          line bigint not null, phone bigint not null, person_key uuid not null, country text not null,
          suspect boolean not null, attributes jsonb not null, opt_in_source text, consent_at timestamptz)
        """),
      Statement(
        """
        create temporary table import_reject (
          line bigint not null, reason text not null, remedy text not null, raw text not null)
        """),
    ])
    return table
  }

  /// `file`: the whole of a binary COPY.
  public func stage(_ file: [UInt8]) async throws {
    try await copy("copy import_stage (\(UploadTable.stageColumns)) from stdin (format binary)", file)
  }

  public func stageRejects(_ file: [UInt8]) async throws {
    try await copy("copy import_reject (\(UploadTable.rejectColumns)) from stdin (format binary)", file)
  }

  private func copy(_ sql: String, _ file: [UInt8]) async throws {
    var rest: [UInt8]? = file
    _ = try await connection.copyIn(sql) { rest.take() }
  }

  /// What taking the people over did. `merged`: rows beyond the first with the same phone.
  public struct Applied: Sendable {
    public let created: Int
    public let updated: Int
    public let unchanged: Int
    public let merged: Int
    public let added: Int
  }

  /// Takes the staged people over, in one transaction that also closes the upload with the report made of what it did.
  /// Attributes are merged, never lost; consent is set where there was none or the row says it is newer.
  public func commit(sha256: [UInt8], at now: Instant, _ report: (Applied) -> [UInt8]) async throws -> Applied {
    _ = try await connection.run("analyze import_stage")
    return try await connection.transaction { transaction in
      _ = try await transaction.batch([
        Statement("set local work_mem = '128MB'"),
        // Imports of one business take turns here, so that two of them never wait for each other's rows.
        Statement(
          "select pg_advisory_xact_lock(\(UploadTable.applyLockClass), ($1 % 2147483647)::int)", [.int8(business.rawValue)]),
      ])
      let merged = try await mergeRepeated(transaction)
      let steps = try await transaction.batch([
        Statement(UploadSQL.count), Statement(UploadSQL.update, [.int8(business.rawValue), .timestamptz(now), .int8(upload.rawValue)]),
        Statement(UploadSQL.addKnown, [.int8(business.rawValue), .int8(audience.rawValue)]),
        Statement(
          UploadSQL.create,
          [.int8(business.rawValue), .timestamptz(now), .int8(upload.rawValue), .int8(audience.rawValue)]),
        Statement(UploadSQL.keepRejects, [.int8(upload.rawValue)]),
      ])
      let total = Int(steps[0][0].int64(0))
      let (created, added) = (Int(steps[3][0].int64(0)), Int(steps[3][0].int64(1)))
      let applied = Applied(
        created: created, updated: steps[1].affected, unchanged: total - created - steps[1].affected, merged: merged,
        added: steps[2].affected + added)
      _ = try await transaction.run(
        "update upload set state = 'committed', report = $2, sha256 = $3, ended_at = now() where upload_id = $1",
        .int8(upload.rawValue), .jsonb(report(applied)), .bytea(sha256))
      return applied
    }
  }

  /// Stores nothing but the rejected rows and the report.
  public func refuse(report: [UInt8]) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement(UploadSQL.keepRejects, [.int8(upload.rawValue)]),
      UploadTable.refusal(upload, report: report),
    ])
  }

  /// For an upload whose session may be gone.
  public static func refusal(_ upload: Upload.ID, report: [UInt8]) -> Statement {
    Statement(
      "update upload set state = 'refused', report = $2, ended_at = now() where upload_id = $1 and state = 'running'",
      [.int8(upload.rawValue), .jsonb(report)])
  }

  /// Gives the session back as it was.
  public func end() async throws(DatabaseError) {
    try await dropStage()
    _ = try await connection.run(
      "select pg_advisory_unlock(\(UploadTable.lockClass), ($1 % 2147483647)::int)", .int8(upload.rawValue))
  }

  private func dropStage() async throws(DatabaseError) {
    _ = try await connection.run("drop table if exists pg_temp.import_stage, pg_temp.import_reject")
  }

  /// Makes one row of those with the same phone; how many went.
  private func mergeRepeated(_ transaction: Transaction) async throws(DatabaseError) -> Int {
    let repeated = try await transaction.run(UploadSQL.findRepeated)
    guard repeated.affected > 0 else { return 0 }
    let steps = try await transaction.batch([
      Statement("create aggregate pg_temp.merge_attributes (jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}')"),
      Statement(UploadSQL.merge),
      Statement("delete from import_stage s using import_repeated r where s.phone = r.phone"),
      Statement("insert into import_stage (\(UploadTable.stageColumns)) select \(UploadTable.stageColumns) from import_merged"),
      Statement("drop table import_repeated, import_merged"),
      Statement("drop aggregate pg_temp.merge_attributes (jsonb)"),
    ])
    return steps[2].affected - steps[3].affected
  }

  /// Closes uploads that died with their process; nothing of theirs was stored. How many there were.
  public static func closeAbandoned(_ pool: Pool) async throws(DatabaseError) -> Int {
    try await pool.run(
      """
      update upload set state = 'refused', ended_at = now(),
        report = '{"state": "refused", "stopped": {"code": "interrupted", "title": "The import was interrupted."}}'
      where state = 'running' and pg_try_advisory_xact_lock(\(lockClass), (upload_id % 2147483647)::int)
      """
    ).affected
  }
}

/// Set-based: each statement passes over the stage once, in the order of the key it writes.
private enum UploadSQL {
  static let count = "select count(*) from import_stage"

  static let findRepeated = """
    create temporary table import_repeated on commit drop as
      select phone from import_stage group by phone having count(*) > 1
    """

  /// Later rows win; consent of the row that says the latest time.
  static let merge = """
    create temporary table import_merged on commit drop as
      select min(line) as line, phone, min(person_key::text)::uuid as person_key, min(country) as country,
        bool_and(suspect) as suspect, pg_temp.merge_attributes(attributes order by line) as attributes,
        (array_agg(opt_in_source order by consent_at desc nulls last, line desc)
          filter (where opt_in_source is not null))[1] as opt_in_source,
        max(consent_at) as consent_at
      from import_stage join import_repeated using (phone)
      group by phone
    """

  /// Flat texts: the stored attributes contain the row's exactly when merging would change nothing.
  private static let newerConsent = """
    s.opt_in_source is not null and (c.opt_in_at is null or s.consent_at > c.opt_in_at)
    """

  static let update = """
    update contact c set
      attributes = c.attributes || s.attributes,
      suspect = c.suspect and s.suspect,
      country = case when c.country = '' then s.country else c.country end,
      opt_in_at = case when \(newerConsent) then coalesce(s.consent_at, $2) else c.opt_in_at end,
      opt_in_source = case when \(newerConsent) then s.opt_in_source else c.opt_in_source end,
      opt_in_upload = case when \(newerConsent) then $3 else c.opt_in_upload end,
      updated_at = now()
    from import_stage s
    where c.business_id = $1 and c.phone = s.phone
      and (not c.attributes @> s.attributes or (c.suspect and not s.suspect) or (c.country = '' and s.country <> '')
        or (\(newerConsent)))
    """

  static let addKnown = """
    insert into audience_member (audience_id, contact_id)
    select $2, c.contact_id from import_stage s join contact c on c.business_id = $1 and c.phone = s.phone
    order by c.contact_id
    on conflict do nothing
    """

  /// Those who are new, and new in the audience. Somebody else may store the same person meanwhile, hence the conflict.
  static let create = """
    with made as (
      insert into contact as c (business_id, phone, person_key, country, suspect, attributes, opt_in_at, opt_in_source,
        opt_in_upload)
      select $1, phone, person_key, country, suspect, attributes,
        case when opt_in_source is not null then coalesce(consent_at, $2) end, opt_in_source,
        case when opt_in_source is not null then $3 end
      from import_stage s
      where not exists (select from contact c where c.business_id = $1 and c.phone = s.phone)
      order by phone
      on conflict (business_id, phone) do update set
        attributes = c.attributes || excluded.attributes, updated_at = now(),
        opt_in_at = coalesce(c.opt_in_at, excluded.opt_in_at),
        opt_in_source = case when c.opt_in_at is null then excluded.opt_in_source else c.opt_in_source end,
        opt_in_upload = case when c.opt_in_at is null then excluded.opt_in_upload else c.opt_in_upload end
      returning contact_id
    ), member as (
      insert into audience_member (audience_id, contact_id) select $4, contact_id from made on conflict do nothing returning 1
    )
    select (select count(*) from made), (select count(*) from member)
    """

  static let keepRejects = """
    insert into upload_reject (upload_id, line, reason, remedy, raw)
    select $1, line, reason, remedy, raw from import_reject order by line
    on conflict do nothing
    """
}
