import Domain
import JSON
import Postgres

/// Addresses that people registered to be told at.
public enum Endpoints {
  /// Of one business: each has connections of its own, so that their number is what bounds them.
  public static let most = 20

  public struct Entry: Sendable {
    public let id: Endpoint.ID
    public let business: Business.ID
    public let url: String
    public let events: [String]?
    public let forward: EndpointSpec.Forward?
    public let sealed: [UInt8]
    /// Signs too, while it is valid.
    public let sealedBefore: [UInt8]?
    public let beforeUntil: Instant?
    public let by: String
    public let createdAt: Instant
    /// Not delivered yet: those still tried, and those given up. Of a forward the first is the one that all others wait for.
    public let waiting: Int64
    public let undelivered: Int64
  }

  /// Nil: there are as many as there may be.
  public static func add(
    _ spec: EndpointSpec, sealed: [UInt8], of business: Business.ID, by actor: String, on pool: Pool
  ) async throws -> Endpoint.ID? {
    try await pool.transaction { tx in
      // Two at once must not both be the last.
      _ = try await tx.run("select from business where business_id = $1 for update", .int8(business.rawValue))
      let rows = try await tx.run(
        """
        insert into endpoint (business_id, url, events, forwards, sealed, by) select $1, $2, $3::text[], $4::text, $5, $6
        where (select count(*) from endpoint where business_id = $1 and removed_at is null) < $7 returning endpoint_id
        """, .int8(business.rawValue), .text(spec.url), spec.events.map { .texts($0.map(\.rawValue)) } ?? .null,
        spec.forward.map { .text($0.rawValue) } ?? .null, .bytea(sealed), .text(actor), .int8(Int64(most)))
      guard let row = rows.first else { return nil }
      let id = Endpoint.ID(row.int64(0))
      _ = try await tx.batch([
        Audit.entry(
          business: business, actor: actor, action: "endpoint_added", subject: id.description,
          detail: ["host": .string(EndpointSpec.host(of: spec.url))])
      ])
      return id
    }
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(select + " and e.business_id = $1 order by e.endpoint_id", .int8(business.rawValue)).map(entry)
  }

  public static func read(_ id: Endpoint.ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(
      select + " and e.endpoint_id = $1 and e.business_id = $2", .int8(id.rawValue), .int8(business.rawValue)
    ).first.map(entry)
  }

  /// What whoever calls an endpoint needs to know of it.
  public struct Target: Sendable {
    public let id: Endpoint.ID
    public let business: Business.ID
    public let url: String
    public let forward: EndpointSpec.Forward?
    public let sealed: [UInt8]
    /// Signs too; nil when its time is over.
    public let sealedBefore: [UInt8]?
    /// Something is due now.
    public let isDue: Bool
  }

  /// Every endpoint that is told or passed something, of all businesses.
  public static func targets(on pool: Pool) async throws(DatabaseError) -> [Target] {
    try await pool.run(
      """
      select e.endpoint_id, e.business_id, e.url, e.forwards, e.sealed,
        case when e.before_until > now() then e.sealed_before end, exists (
          select from delivery d where d.endpoint_id = e.endpoint_id and d.state = 1 and d.due_at <= now())
      from endpoint e where e.removed_at is null order by e.endpoint_id
      """
    ).map {
      Target(
        id: Endpoint.ID($0.int64(0)), business: Business.ID($0.int64(1)), url: $0.text(2),
        forward: $0.optionalText(3).flatMap(EndpointSpec.Forward.init(rawValue:)), sealed: $0.bytes(4),
        sealedBefore: $0.optionalBytes(5), isDue: $0.bool(6))
    }
  }

  /// It is told nothing more; what waited for it is dropped. False when there is none.
  public static func remove(_ id: Endpoint.ID, of business: Business.ID, by actor: String, on pool: Pool) async throws
    -> Bool
  {
    try await pool.transaction { tx in
      let gone = try await tx.run(
        "update endpoint set removed_at = now() where endpoint_id = $1 and business_id = $2 and removed_at is null",
        .int8(id.rawValue), .int8(business.rawValue))
      guard gone.affected == 1 else { return false }
      _ = try await tx.batch([
        Statement("delete from delivery where endpoint_id = $1 and state <> 2", [.int8(id.rawValue)]),
        Statement("delete from forward_failed where endpoint_id = $1", [.int8(id.rawValue)]),
        Statement("delete from forward_place where endpoint_id = $1", [.int8(id.rawValue)]),
        Statement("delete from forward where endpoint_id = $1", [.int8(id.rawValue)]),
        Audit.entry(business: business, actor: actor, action: "endpoint_removed", subject: id.description),
      ])
      return true
    }
  }

  /// A new secret; the one before signs too until `until`. False when there is no such endpoint.
  public static func rotate(
    _ id: Endpoint.ID, to sealed: [UInt8], oldUntil until: Instant, of business: Business.ID, by actor: String,
    on pool: Pool
  ) async throws -> Bool {
    try await pool.transaction { tx in
      let changed = try await tx.run(
        """
        update endpoint set sealed_before = sealed, before_until = $4, sealed = $3
        where endpoint_id = $1 and business_id = $2 and removed_at is null
        """, .int8(id.rawValue), .int8(business.rawValue), .bytea(sealed), .timestamptz(until))
      guard changed.affected == 1 else { return false }
      _ = try await tx.batch([
        Audit.entry(business: business, actor: actor, action: "endpoint_secret_changed", subject: id.description)
      ])
      return true
    }
  }

  private static let select = """
    select e.endpoint_id, e.business_id, e.url, e.events, e.forwards, e.sealed, e.sealed_before, e.before_until, e.by,
      e.created_at, (select count(*) from delivery d where d.endpoint_id = e.endpoint_id and d.state = 1)
        + (select count(*) from forward f where f.endpoint_id = e.endpoint_id and f.failures > 0),
      (select count(*) from delivery d where d.endpoint_id = e.endpoint_id and d.state = 3 and d.attempts > 0)
        + (select count(*) from forward_failed f where f.endpoint_id = e.endpoint_id)
    from endpoint e where e.removed_at is null
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: Endpoint.ID(row.int64(0)), business: Business.ID(row.int64(1)), url: row.text(2),
      events: row.isNull(3) ? nil : row.texts(3), forward: row.optionalText(4).flatMap(EndpointSpec.Forward.init(rawValue:)),
      sealed: row.bytes(5), sealedBefore: row.optionalBytes(6), beforeUntil: row.optionalInstant(7), by: row.text(8),
      createdAt: row.instant(9), waiting: row.int64(10), undelivered: row.int64(11))
  }
}
