import Domain
import Postgres

/// Remembers the answers of writes for 7 days, by the caller's own key.
public enum Idempotency {
  public enum Claim: Sendable, Equatable {
    /// Nobody had the key: the caller does the work, then `keep`s its answer or `forget`s the key.
    case first
    case answered(digest: [UInt8], status: Int, answer: [UInt8])
    /// The first request still runs.
    case running
    /// The first request never told its end: the process died. What it did must be looked at.
    case lost
  }

  /// Claims the key for a request with this digest. Two at once: one is `first`.
  public static func claim(_ key: String, digest: [UInt8], business: Business.ID, on pool: Pool)
    async throws(DatabaseError)
    -> Claim
  {
    let inserted = try await pool.run(
      """
      insert into idempotency as i (business_id, key, request) values ($1, $2, $3)
      on conflict (business_id, key) do update set request = excluded.request, status = null, answer = null, at = now()
        where i.at < now() - interval '7 days'
      returning 1
      """, .int8(business.rawValue), .text(key), .bytea(digest))
    if !inserted.isEmpty { return .first }
    let rows = try await pool.run(
      """
      select request, status, answer, at < now() - interval '15 minutes' from idempotency
      where business_id = $1 and key = $2
      """,
      .int8(business.rawValue), .text(key))
    // Forgotten between the two statements: as if it still ran, so that the caller asks again.
    guard let row = rows.first else { return .running }
    guard let status = row.optionalInt32(1) else { return row.bool(3) ? .lost : .running }
    return .answered(digest: row.bytes(0), status: Int(status), answer: row.bytes(2))
  }

  /// Stores the answer. `digest` is the request's, for uploads known only now.
  public static func keep(
    _ key: String, digest: [UInt8], status: Int, answer: [UInt8], business: Business.ID, on pool: Pool
  ) async throws(DatabaseError) {
    _ = try await pool.run(
      "update idempotency set request = $3, status = $4, answer = $5 where business_id = $1 and key = $2",
      .int8(business.rawValue), .text(key), .bytea(digest), .int4(Int32(status)), .bytea(answer))
  }

  /// Frees the key of a request that changed nothing, so that it may be tried again.
  public static func forget(_ key: String, business: Business.ID, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      "delete from idempotency where business_id = $1 and key = $2", .int8(business.rawValue), .text(key))
  }

  /// Removes what is older than 7 days.
  public static func purge(_ pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("delete from idempotency where at < now() - interval '7 days'")
  }
}
