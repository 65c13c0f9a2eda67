import Domain
import JSON
import Postgres

/// Named sets of contacts, and the reports of what was loaded into them.
public enum Audiences {
  public struct Entry: Sendable {
    public let id: Audience.ID
    public let name: String
    public let createdAt: Instant
    /// People stored. Counting a million costs about a tenth of a second.
    public let people: Int
    /// Of these, with a recorded marketing consent.
    public let marketable: Int?
  }

  /// Nil when there is one of that name.
  public static func create(_ name: String, business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError)
    -> Audience.ID?
  {
    let rows = try await pool.run(
      """
      with a as (
        insert into audience (business_id, name) values ($1, $2) on conflict do nothing returning audience_id
      ), n as (
        insert into audit (business_id, actor, action, subject)
        select $1, $3, 'audience_created', audience_id::text from a
      )
      select audience_id from a
      """, .int8(business.rawValue), .text(name), .text(actor))
    return rows.first.map { Audience.ID($0.int64(0)) }
  }

  /// The newest first, those below `before`.
  public static func list(of business: Business.ID, before: Int64?, limit: Int, on pool: Pool)
    async throws(DatabaseError)
    -> [Entry]
  {
    let rows = try await pool.run(
      """
      select audience_id, name, created_at,
        (select count(*) from audience_member m where m.audience_id = a.audience_id), null::int8
      from audience a where business_id = $1 and audience_id < $2 order by audience_id desc limit $3
      """, .int8(business.rawValue), .int8(before ?? .max), .int8(Int64(limit)))
    return rows.map(entry)
  }

  public static func read(_ id: Audience.ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> Entry?
  {
    let rows = try await pool.run(
      """
      select audience_id, name, created_at, people, marketable from audience a cross join lateral (
        select count(*) people, count(*) filter (where c.opt_in_at is not null) marketable
        from audience_member m join contact c using (contact_id) where m.audience_id = a.audience_id
      ) x where audience_id = $2 and business_id = $1
      """, .int8(business.rawValue), .int8(id.rawValue))
    return rows.first.map(entry)
  }

  /// Which of these exist, and whether each holds anybody.
  public static func known(_ ids: [Audience.ID], of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> [(id: Audience.ID, isEmpty: Bool)]
  {
    let rows = try await pool.run(
      """
      select audience_id, not exists (select from audience_member m where m.audience_id = a.audience_id)
      from audience a where business_id = $1 and audience_id = any($2)
      """, .int8(business.rawValue), .int8s(ids.map(\.rawValue)))
    return rows.map { (Audience.ID($0.int64(0)), $0.bool(1)) }
  }

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: Audience.ID(row.int64(0)), name: row.text(1), createdAt: row.instant(2), people: Int(row.int64(3)),
      marketable: row.optionalInt64(4).map { Int($0) })
  }

  public struct UploadEntry: Sendable {
    public let id: Upload.ID
    /// Nil: a file of opt-outs.
    public let audience: Audience.ID?
    /// `running`, `committed` or `refused`.
    public let state: String
    /// The import's report, as JSON.
    public let report: [UInt8]
    public let by: String
    public let startedAt: Instant
    public let endedAt: Instant?
  }

  public static func upload(_ id: Upload.ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> UploadEntry?
  {
    let rows = try await pool.run(
      """
      select upload_id, audience_id, state, report, by, started_at, ended_at from upload
      where upload_id = $2 and business_id = $1
      """, .int8(business.rawValue), .int8(id.rawValue))
    return rows.first.map(uploadEntry)
  }

  /// The newest first, those below `before`; into one audience, or all.
  public static func uploads(
    of business: Business.ID, audience: Audience.ID?, before: Int64?, limit: Int, on pool: Pool
  ) async throws(DatabaseError) -> [UploadEntry] {
    let rows = try await pool.run(
      """
      select upload_id, audience_id, state, report, by, started_at, ended_at from upload
      where business_id = $1 and ($2 = 0 or audience_id = $2) and upload_id < $3 order by upload_id desc limit $4
      """, .int8(business.rawValue), .int8(audience?.rawValue ?? 0), .int8(before ?? .max), .int8(Int64(limit)))
    return rows.map(uploadEntry)
  }

  private static func uploadEntry(_ row: Row) -> UploadEntry {
    UploadEntry(
      id: Upload.ID(row.int64(0)), audience: row.optionalInt64(1).map { Audience.ID($0) }, state: row.text(2), report: row.jsonb(3),
      by: row.text(4), startedAt: row.instant(5), endedAt: row.optionalInstant(6))
  }

  public struct Reject: Sendable {
    public let line: Int64
    public let reason: String
    public let remedy: String
    public let raw: String
  }

  /// What an import did not take, by line; those after `after`.
  public static func rejects(of upload: Upload.ID, after line: Int64, limit: Int, on pool: Pool)
    async throws(DatabaseError)
    -> [Reject]
  {
    let rows = try await pool.run(
      "select line, reason, remedy, raw from upload_reject where upload_id = $1 and line > $2 order by line limit $3",
      .int8(upload.rawValue), .int8(line), .int8(Int64(limit)))
    return rows.map { Reject(line: $0.int64(0), reason: $0.text(1), remedy: $0.text(2), raw: $0.text(3)) }
  }
}
