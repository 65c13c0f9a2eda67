import Domain
import JSON
import Postgres

/// How far each endpoint has been told of each alert. At least once: whoever takes a delivery and dies leaves it to the next
/// one when its lease is over, under the same id.
public enum Deliveries {
  public struct Taken: Sendable {
    public let endpoint: Endpoint.ID
    public let alert: Alert.ID
    public let event: String
    public let at: Instant
    public let data: [UInt8]
    /// From 1, this one counted.
    public let attempt: Int
  }

  public enum Outcome: Sendable {
    case delivered(status: Int)
    case waits(Duration, status: Int?, reason: String)
    case givenUp(status: Int?, reason: String)
  }

  /// Takes up to `limit` that are due, the longest due first, for `lease`.
  public static func take(_ endpoint: Endpoint.ID, limit: Int, lease: Duration, on pool: Pool) async throws(DatabaseError)
    -> [Taken]
  {
    try await pool.run(
      """
      update delivery d set attempts = least(d.attempts + 1, 32767), due_at = now() + make_interval(secs => $3)
      from alert a
      where a.alert_id = d.alert_id and d.endpoint_id = $1 and d.alert_id in (
        select alert_id from delivery where endpoint_id = $1 and state = 1 and due_at <= now()
        order by due_at, alert_id limit $2 for update skip locked)
      returning d.alert_id, a.event, a.at, a.data, d.attempts
      """, .int8(endpoint.rawValue), .int4(Int32(limit)), .numeric(Amount(billionths: Int128(lease.nanoseconds)))
    ).map {
      Taken(
        endpoint: endpoint, alert: Alert.ID($0.int64(0)), event: $0.text(1), at: $0.instant(2), data: $0.jsonb(3),
        attempt: Int($0.int16(4)))
    }
  }

  public static func record(_ taken: Taken, _ outcome: Outcome, on pool: Pool) async throws(DatabaseError) {
    let key: [Value] = [.int8(taken.endpoint.rawValue), .int8(taken.alert.rawValue)]
    switch outcome {
    case .delivered(let status):
      _ = try await pool.run(
        Statement(
          """
          update delivery set state = 2, status = $3, reason = null, ended_at = now() where endpoint_id = $1 and alert_id = $2
          """, key + [.int2(Int16(clamping: status))]))
    case .waits(let wait, let status, let reason):
      _ = try await pool.run(
        Statement(
          """
          update delivery set due_at = now() + make_interval(secs => $3), status = $4, reason = $5
          where endpoint_id = $1 and alert_id = $2 and state = 1
          """,
          key + [
            .numeric(Amount(billionths: Int128(wait.nanoseconds))), status.map { .int2(Int16(clamping: $0)) } ?? .null,
            .text(reason),
          ]))
    case .givenUp(let status, let reason):
      _ = try await pool.run(
        Statement(
          """
          update delivery set state = 3, status = $3, reason = $4, ended_at = now()
          where endpoint_id = $1 and alert_id = $2 and state = 1
          """, key + [status.map { .int2(Int16(clamping: $0)) } ?? .null, .text(reason)]))
    }
  }

  /// Alerts of a business, the newest first, with how far their endpoints have been told.
  public static func alerts(
    of business: Business.ID, before: Int64?, event: String?, limit: Int, on pool: Pool
  ) async throws(DatabaseError) -> [(id: Alert.ID, event: String, at: Instant, data: [UInt8], told: [UInt8])] {
    try await pool.run(
      """
      select a.alert_id, a.event, a.at, a.data, coalesce((
        select jsonb_agg(jsonb_build_object('endpoint', d.endpoint_id::text,
          'state', (array['waiting', 'delivered', 'undelivered'])[d.state], 'attempts', d.attempts, 'reason', d.reason)
          order by d.endpoint_id)
        from delivery d where d.alert_id = a.alert_id), '[]')
      from alert a where a.business_id = $1 and a.alert_id < $2 and ($3::text is null or a.event = $3)
      order by a.alert_id desc limit $4
      """, .int8(business.rawValue), .int8(before ?? .max), event.map { .text($0) } ?? .null, .int4(Int32(limit))
    ).map { (Alert.ID($0.int64(0)), $0.text(1), $0.instant(2), $0.jsonb(3), $0.jsonb(4)) }
  }

  public struct Failed: Sendable {
    public let alert: Alert.ID
    public let event: String
    public let at: Instant
    /// Given up; else tried again at `dueAt`.
    public let isGivenUp: Bool
    public let attempts: Int
    public let status: Int?
    public let reason: String
    public let dueAt: Instant
  }

  /// What an endpoint has not taken although it was tried, the newest first.
  public static func failed(_ endpoint: Endpoint.ID, before: Int64?, limit: Int, on pool: Pool) async throws(DatabaseError)
    -> [Failed]
  {
    try await pool.run(
      """
      select d.alert_id, a.event, a.at, d.state = 3, d.attempts, d.status, coalesce(d.reason, 'under_way'), d.due_at
      from delivery d join alert a using (alert_id)
      where d.endpoint_id = $1 and d.state <> 2 and d.attempts > 0 and d.alert_id < $2
      order by d.alert_id desc limit $3
      """, .int8(endpoint.rawValue), .int8(before ?? .max), .int4(Int32(limit))
    ).map {
      Failed(
        alert: Alert.ID($0.int64(0)), event: $0.text(1), at: $0.instant(2), isGivenUp: $0.bool(3),
        attempts: Int($0.int16(4)), status: $0.optionalInt16(5).map { Int($0) }, reason: $0.text(6), dueAt: $0.instant(7))
    }
  }

  /// Tries again at once, from the first attempt: what was given up and what waits; only `alerts` when some are named. What
  /// is under way is left alone. Answers how many.
  public static func replay(_ endpoint: Endpoint.ID, alerts: [Alert.ID]?, on pool: Pool) async throws(DatabaseError) -> Int {
    try await pool.run(
      """
      update delivery set state = 1, attempts = 0, due_at = now(), ended_at = null
      where endpoint_id = $1 and state <> 2 and attempts > 0 and reason is not null
        and ($2::int8[] is null or alert_id = any($2))
      """, .int8(endpoint.rawValue), alerts.map { .int8s($0.map(\.rawValue)) } ?? .null
    ).affected
  }

  /// Drops what is older than `days`, told or not.
  public static func purge(olderThan days: Int, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      delete from alert where alert_id < coalesce(
        (select min(alert_id) from alert where made_at >= now() - make_interval(days => $1)), 9223372036854775807)
      """, .int4(Int32(days)))
  }
}
