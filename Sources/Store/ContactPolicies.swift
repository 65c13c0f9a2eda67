import Domain
import JSON
import Postgres

/// A business's own limits, as versions: nothing that held once is overwritten.
public enum ContactPolicies {
  public struct Entry: Sendable {
    /// Complete: what the business never said is the standard's.
    public let limits: ContactLimits
    /// 0: nothing was said yet.
    public let version: Int32
    public let by: String?
    public let at: Instant?
  }

  public static func read(of business: Business.ID, on pool: Pool) async throws -> Entry {
    let rows = try await pool.run(
      "select version, policy, by, at from contact_policy where business_id = $1 order by version desc limit 1",
      .int8(business.rawValue))
    guard let row = rows.first else { return Entry(limits: .standard, version: 0, by: nil, at: nil) }
    let said = try ContactLimits(json: JSONValue(parsing: row.jsonb(1)))
    return Entry(
      limits: said.filled(from: .standard), version: row.int32(0), by: row.text(2), at: row.instant(3))
  }

  /// Appends a version. False when somebody else was first: nothing was written.
  public static func append(
    _ limits: ContactLimits, after version: Int32, of business: Business.ID, by actor: String, on pool: Pool
  ) async throws(DatabaseError) -> Bool {
    try await pool.run(
      """
      with p as (
        insert into contact_policy (business_id, version, policy, by) values ($1, $2, $3, $4)
        on conflict do nothing returning version
      ), a as (
        insert into audit (business_id, actor, action, subject, detail)
        select $1, $4, 'policy_changed', version::text, $3 from p
      )
      select version from p
      """, .int8(business.rawValue), .int4(version + 1), .jsonb(JSONValue.object(limits.json).rendered()), .text(actor)
    ).first != nil
  }
}
