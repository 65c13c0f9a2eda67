import Domain
import Postgres

/// How far Meta's webhooks are passed on to each endpoint that is a forward. Its place moves only over what was taken, so that
/// a death repeats what was not recorded and loses nothing.
public enum Forwards {
  /// What an endpoint is passed next, out of one batch.
  public struct Next: Sendable {
    public let stream: Int64
    public let k: Int64
    public let day: CivilDate
    public let receivedAt: Instant
    /// Those of the batch before it are passed.
    public let first: Int
    public let bodies: [[UInt8]]
  }

  public struct Holding: Sendable {
    /// Of the body that is next, and how the last one went.
    public let failures: Int
    public let status: Int?
    public let reason: String?
    /// Not before.
    public let wait: Duration
  }

  /// Takes or keeps the endpoint for this node; nil while another node has it.
  public static func hold(_ endpoint: Endpoint.ID, node: Int64, lease: Duration, on pool: Pool) async throws(DatabaseError)
    -> Holding?
  {
    let state = "failures, greatest(extract(epoch from due_at - now()), 0)::numeric, status, reason"
    let key: [Value] = [
      .int8(endpoint.rawValue), .int8(node), .numeric(Amount(billionths: Int128(lease.nanoseconds))),
    ]
    // An endpoint with nothing to pass is looked at twice a second: most looks write nothing.
    let held = try await pool.run(
      Statement(
        """
        select \(state) from forward
        where endpoint_id = $1 and node = $2 and lease_until > now() + make_interval(secs => $3 / 2)
        """, key))
    if let row = held.first { return holding(row) }
    return try await pool.run(
      Statement(
        """
        insert into forward as f (endpoint_id, node, lease_until, day)
        select endpoint_id, $2, now() + make_interval(secs => $3), (created_at at time zone 'UTC')::date - 1
        from endpoint where endpoint_id = $1 and removed_at is null
        on conflict (endpoint_id) do update set node = $2, lease_until = excluded.lease_until
          where f.node = $2 or f.lease_until < now()
        returning \(state)
        """, key)
    ).first.map(holding)
  }

  private static func holding(_ row: Row) -> Holding {
    Holding(
      failures: Int(row.int32(0)), status: row.optionalInt16(2).map { Int($0) }, reason: row.optionalText(3),
      wait: .nanoseconds(Int64(row.amount(1).billionths)))
  }

  /// The next batch that the endpoint has not got whole, the oldest of all streams; nil when it has everything.
  public static func next(_ endpoint: Endpoint.ID, on pool: Pool) async throws(DatabaseError) -> Next? {
    try await pool.run(
      """
      select s.stream, b.k, b.day, b.received_at, case when b.k = p.k then p.n else 0 end, b.bodies
      from forward f join endpoint e using (endpoint_id)
      cross join receipt_stream s
      left join forward_place p on p.endpoint_id = f.endpoint_id and p.stream = s.stream
      cross join lateral (
        select k, day, received_at, bodies from receipt_batch r
        where r.stream = s.stream and r.day >= f.day and r.received_at >= e.created_at
          and (r.k > coalesce(p.k, 0) or (r.k = p.k and r.count > p.n))
        order by r.k limit 1
      ) b
      where f.endpoint_id = $1 order by b.received_at, s.stream limit 1
      """, .int8(endpoint.rawValue)
    ).first.map {
      Next(
        stream: $0.int64(0), k: $0.int64(1), day: $0.date(2), receivedAt: $0.instant(3), first: Int($0.int32(4)),
        bodies: ReceiptLog.unpacked($0.bytes(5)))
    }
  }

  /// Everything is passed: days that are over are not looked at again.
  public static func rest(_ endpoint: Endpoint.ID, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      update forward set day = (now() at time zone 'UTC')::date - 1
      where endpoint_id = $1 and day < (now() at time zone 'UTC')::date - 1
      """, .int8(endpoint.rawValue))
  }

  /// The first `n` bodies of the batch are passed, or given up (`failed`). False when another node holds the endpoint: it
  /// will pass them again.
  public static func pass(
    _ endpoint: Endpoint.ID, _ next: Next, upTo n: Int, failed: (attempts: Int, status: Int?, reason: String)? = nil,
    node: Int64, on pool: Pool
  ) async throws -> Bool {
    try await pool.transaction { tx in
      let mine = try await tx.run(
        """
        update forward set failures = 0, due_at = now(), status = null, reason = null, failing_at = null
        where endpoint_id = $1 and node = $2
        """, .int8(endpoint.rawValue), .int8(node))
      guard mine.affected == 1 else { return false }
      let key: [Value] = [.int8(endpoint.rawValue), .int8(next.stream), .int8(next.k), .int4(Int32(n))]
      _ = try await tx.run(
        Statement(
          """
          insert into forward_place (endpoint_id, stream, k, n) values ($1, $2, $3, $4)
          on conflict (endpoint_id, stream) do update set k = excluded.k, n = excluded.n
          """, key))
      if let failed {
        _ = try await tx.run(
          Statement(
            """
            insert into forward_failed (endpoint_id, stream, k, n, day, received_at, attempts, status, reason)
            values ($1, $2, $3, $4 - 1, $5, $6, $7, $8, $9) on conflict do nothing
            """,
            key + [
              .date(next.day), .timestamptz(next.receivedAt), .int4(Int32(failed.attempts)),
              failed.status.map { .int2(Int16(clamping: $0)) } ?? .null, .text(failed.reason),
            ]))
      }
      return true
    }
  }

  /// The body that is next was not taken, for the `failures`th time.
  public static func wait(
    _ endpoint: Endpoint.ID, for wait: Duration, failures: Int, receivedAt: Instant, status: Int?, reason: String,
    node: Int64, on pool: Pool
  ) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      update forward set failures = $7, due_at = now() + make_interval(secs => $3), failing_at = $4,
        status = $5, reason = $6
      where endpoint_id = $1 and node = $2
      """, .int8(endpoint.rawValue), .int8(node), .numeric(Amount(billionths: Int128(wait.nanoseconds))),
      .timestamptz(receivedAt), status.map { .int2(Int16(clamping: $0)) } ?? .null, .text(reason),
      .int4(Int32(clamping: failures)))
  }

  /// Whose accounts these are: every one of the business.
  public static func accounts(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Set<String> {
    Set(try await pool.run("select waba_id from account where business_id = $1", .int8(business.rawValue)).map { $0.text(0) })
  }

  // MARK: What was refused

  public struct Failed: Sendable {
    public let stream: Int64
    public let k: Int64
    public let n: Int
    public let day: CivilDate
    public let receivedAt: Instant
    public let attempts: Int
    public let status: Int?
    public let reason: String
    /// Nil: it is given up.
    public let nextAt: Instant?
    public var id: String { "\(stream)-\(k)-\(n)" }
  }

  /// What the endpoint has not taken: the body that everything waits for, then those given up, the newest first.
  public static func failed(_ endpoint: Endpoint.ID, limit: Int, on pool: Pool) async throws(DatabaseError) -> [Failed] {
    try await pool.run(
      """
      select * from (
        select 0::int8, 0::int8, 0, day, failing_at as at, failures, status, reason, due_at from forward
        where endpoint_id = $1 and failures > 0
        union all
        select stream, k, n, day, received_at, attempts, status, reason, null from forward_failed where endpoint_id = $1
      ) x order by due_at nulls last, at desc limit $2
      """, .int8(endpoint.rawValue), .int4(Int32(limit))
    ).map(failed)
  }

  /// Those that somebody wants tried again, the oldest first.
  public static func replaying(_ endpoint: Endpoint.ID, limit: Int, on pool: Pool) async throws(DatabaseError) -> [Failed] {
    try await pool.run(
      """
      select stream, k, n, day, received_at, attempts, status, reason, null::timestamptz from forward_failed
      where endpoint_id = $1 and replay order by received_at, stream, k, n limit $2
      """, .int8(endpoint.rawValue), .int4(Int32(limit))
    ).map(failed)
  }

  /// The body itself; nil when its day is not kept any more.
  public static func body(_ failed: Failed, on pool: Pool) async throws(DatabaseError) -> [UInt8]? {
    let rows = try await pool.run(
      "select bodies from receipt_batch where stream = $1 and k = $2 and day = $3", .int8(failed.stream), .int8(failed.k),
      .date(failed.day))
    guard let bodies = rows.first.map({ ReceiptLog.unpacked($0.bytes(0)) }), failed.n < bodies.count else { return nil }
    return bodies[failed.n]
  }

  /// It was taken after all (`reason` nil), or not.
  public static func replayed(
    _ endpoint: Endpoint.ID, _ failed: Failed, status: Int?, reason: String?, on pool: Pool
  ) async throws(DatabaseError) {
    let key: [Value] = [.int8(endpoint.rawValue), .int8(failed.stream), .int8(failed.k), .int4(Int32(failed.n))]
    guard let reason else {
      _ = try await pool.run(
        Statement("delete from forward_failed where endpoint_id = $1 and stream = $2 and k = $3 and n = $4", key))
      return
    }
    _ = try await pool.run(
      Statement(
        """
        update forward_failed set replay = false, attempts = attempts + 1, status = $5, reason = $6
        where endpoint_id = $1 and stream = $2 and k = $3 and n = $4
        """, key + [status.map { .int2(Int16(clamping: $0)) } ?? .null, .text(reason)]))
  }

  /// Tries again what was given up, and what everything waits for at once. Answers how many.
  public static func replay(_ endpoint: Endpoint.ID, on pool: Pool) async throws(DatabaseError) -> Int {
    let done = try await pool.batch([
      Statement("update forward_failed set replay = true where endpoint_id = $1", [.int8(endpoint.rawValue)]),
      Statement("update forward set due_at = now() where endpoint_id = $1 and failures > 0", [.int8(endpoint.rawValue)]),
    ])
    return done.map(\.affected).reduce(0, +)
  }

  private static func failed(_ row: Row) -> Failed {
    Failed(
      stream: row.int64(0), k: row.int64(1), n: Int(row.int32(2)), day: row.date(3), receivedAt: row.instant(4),
      attempts: Int(row.int32(5)), status: row.optionalInt16(6).map { Int($0) }, reason: row.optionalText(7) ?? "",
      nextAt: row.optionalInstant(8))
  }
}
