import Domain
import JSON
import Postgres

/// Segments under a name of their own.
public enum SavedSegments {
  public struct Entry: Sendable {
    public let id: Int64
    public let name: String
    /// `where`, as it was written.
    public let filter: [UInt8]
    public let by: String
    public let at: Instant
  }

  /// Stores a new one; nil when there is one of that name.
  public static func create(
    _ name: String, _ segment: Segment, of business: Business.ID, by actor: String, on pool: Pool
  )
    async throws(DatabaseError) -> Entry?
  {
    try await pool.run(
      """
      with s as (
        insert into segment (business_id, name, filter, by) values ($1, $2, $3, $4) on conflict do nothing returning *
      ), a as (
        insert into audit (business_id, actor, action, subject) select $1, $4, 'segment_created', $2 from s
      )
      select \(columns) from s
      """, .int8(business.rawValue), .text(name), .jsonb(segment.json.rendered()), .text(actor)
    ).first.map(entry)
  }

  /// Replaces what stands under an id; drafts keep what they copied. Nil when there is none.
  public static func replace(_ id: Int64, _ segment: Segment, of business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError) -> Entry?
  {
    try await pool.run(
      """
      with s as (
        update segment set filter = $3, by = $4, at = now() where business_id = $1 and segment_id = $2 returning *
      ), a as (
        insert into audit (business_id, actor, action, subject) select $1, $4, 'segment_changed', name from s
      )
      select \(columns) from s
      """, .int8(business.rawValue), .int8(id), .jsonb(segment.json.rendered()), .text(actor)
    ).first.map(entry)
  }

  /// False when there is none.
  public static func remove(_ id: Int64, of business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError) -> Bool
  {
    try await pool.run(
      """
      with s as (
        delete from segment where business_id = $1 and segment_id = $2 returning name
      ), a as (
        insert into audit (business_id, actor, action, subject) select $1, $3, 'segment_removed', name from s
      )
      select name from s
      """, .int8(business.rawValue), .int8(id), .text(actor)
    ).first != nil
  }

  public static func named(_ name: String, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> Entry?
  {
    try await pool.run(
      "select \(columns) from segment where business_id = $1 and name = $2", .int8(business.rawValue), .text(name)
    ).first.map(entry)
  }

  public static func read(_ id: Int64, of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(
      "select \(columns) from segment where business_id = $1 and segment_id = $2", .int8(business.rawValue), .int8(id)
    ).first.map(entry)
  }

  /// By name, those after `name`.
  public static func list(of business: Business.ID, after name: String?, limit: Int, on pool: Pool)
    async throws(DatabaseError) -> [Entry]
  {
    try await pool.run(
      "select \(columns) from segment where business_id = $1 and name > $2 order by name limit $3",
      .int8(business.rawValue), .text(name ?? ""), .int8(Int64(limit))
    ).map(entry)
  }

  private static let columns = "segment_id, name, filter, by, at"

  private static func entry(_ row: Row) -> Entry {
    Entry(id: row.int64(0), name: row.text(1), filter: row.jsonb(2), by: row.text(3), at: row.instant(4))
  }
}
