import Crypto
import Domain
import Postgres

/// Who is calling, as far as a key says it.
public struct Caller: Sendable, Equatable {
  public let business: Business.ID
  public let key: APIKey.ID
  public let name: String
  public let role: Role

  public init(business: Business.ID, key: APIKey.ID, name: String, role: Role) {
    (self.business, self.key, self.name, self.role) = (business, key, name, role)
  }

  /// How the record names the caller.
  public var actor: String { "key:\(name)" }
}

/// API keys. A key is shown once; the database has its MAC under a key derived from the seal key, so that a stolen
/// backup opens nothing.
public struct Keys: Sendable {
  private let mac: MACKey

  public init(sealKey: SealKey) { mac = MACKey(sealKey.derived(for: "api_key.digest")) }

  public struct Entry: Sendable {
    public let id: APIKey.ID
    public let name: String
    public let role: Role
    public let createdAt: Instant
    public let revokedAt: Instant?
  }

  private func digest(_ key: String) -> [UInt8] { mac.hmacSHA256(Array(key.utf8)) }

  /// Creates a key and answers it: the only time it is ever seen.
  public func create(name: String, role: Role, business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError)
    -> (id: APIKey.ID, key: String)
  {
    let key = "qk_" + Crypto.base32(Crypto.randomBytes(25))
    let rows = try await pool.run(
      """
      with k as (
        insert into api_key (business_id, name, role, digest) values ($1, $2, $3, $4) returning api_key_id
      ), a as (
        insert into audit (business_id, actor, action, subject) select $1, $5, 'key_created', api_key_id::text from k
      )
      select api_key_id from k
      """, .int8(business.rawValue), .text(name), .int2(role.rawValue), .bytea(digest(key)), .text(actor))
    return (APIKey.ID(rows[0].int64(0)), key)
  }

  /// The caller of a key that is not revoked; nil for any other text. One look-up by a unique index.
  public func caller(_ key: String, on pool: Pool) async throws(DatabaseError) -> Caller? {
    let rows = try await pool.run(
      "select business_id, api_key_id, name, role from api_key where digest = $1 and revoked_at is null",
      .bytea(digest(key)))
    guard let row = rows.first, let role = Role(rawValue: row.int16(3)) else { return nil }
    return Caller(business: Business.ID(row.int64(0)), key: APIKey.ID(row.int64(1)), name: row.text(2), role: role)
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    let rows = try await pool.run(
      "select api_key_id, name, role, created_at, revoked_at from api_key where business_id = $1 order by api_key_id",
      .int8(business.rawValue))
    return rows.map { row in
      Entry(
        id: APIKey.ID(row.int64(0)), name: row.text(1), role: Role(rawValue: row.int16(2)) ?? .marketer,
        createdAt: row.instant(3), revokedAt: row.optionalInstant(4))
    }
  }

  /// Whether there was such a key that was not revoked yet. It holds from the next request on.
  public static func revoke(_ id: APIKey.ID, of business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError)
    -> Bool
  {
    try await pool.run(
      """
      with k as (
        update api_key set revoked_at = now() where api_key_id = $1 and business_id = $2 and revoked_at is null
        returning api_key_id
      ), a as (
        insert into audit (business_id, actor, action, subject) select $2, $3, 'key_revoked', api_key_id::text from k
      )
      select 1 from k
      """, .int8(id.rawValue), .int8(business.rawValue), .text(actor)
    ).count > 0
  }
}
