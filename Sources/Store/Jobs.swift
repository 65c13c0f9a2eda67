import Domain
import Postgres

/// Control work: expand, sync, roll up, purge. One row per job, taken with SKIP LOCKED under a lease; a failed attempt
/// waits longer each time.
public enum Jobs {
  public struct Held: Sendable {
    public let id: Job.ID
    public let kind: String
    public let key: String
    public let payload: [UInt8]
    /// From 1.
    public let attempt: Int
  }

  /// Adds a job unless one of that kind and key is open; then that one is moved to the earlier time.
  public static func enqueue(_ kind: String, key: String, payload: [UInt8] = Array("{}".utf8), due: Instant) -> Statement {
    Statement(
      """
      insert into job as j (kind, key, payload, due_at) values ($1, $2, $3, $4)
      on conflict (kind, key) where ended_at is null do update set due_at = least(j.due_at, excluded.due_at)
      """, [.text(kind), .text(key), .jsonb(payload), .timestamptz(due)])
  }

  /// Takes the job that has been due longest, for `lease`; nil when none is.
  public static func take(node: Int64, lease: Duration, on pool: Pool) async throws -> Held? {
    let rows = try await pool.run(
      Statement(
        """
        update job set lease_until = now() + make_interval(secs => $2), node = $1, attempts = attempts + 1
        where job_id = (
          select job_id from job where ended_at is null and due_at <= now() and (lease_until is null or lease_until < now())
          order by due_at, job_id limit 1 for update skip locked
        ) returning job_id, kind, key, payload, attempts
        """, [.int8(node), .numeric(Amount(billionths: Int128(lease.nanoseconds)))]))
    return rows.first.map {
      Held(id: Job.ID($0.int64(0)), kind: $0.text(1), key: $0.text(2), payload: $0.jsonb(3), attempt: Int($0.int32(4)))
    }
  }

  public static func end(_ job: Held, on pool: Pool) async throws {
    _ = try await pool.run(
      Statement("update job set ended_at = now(), lease_until = null where job_id = $1", [.int8(job.id.rawValue)]))
  }

  /// Lets it wait for something else, without counting as a failure.
  public static func wait(_ job: Held, for rest: Duration, on pool: Pool) async throws {
    _ = try await pool.run(
      Statement(
        """
        update job set lease_until = null, attempts = 0, due_at = now() + make_interval(secs => $2) where job_id = $1
        """, [.int8(job.id.rawValue), .numeric(Amount(billionths: Int128(rest.nanoseconds)))]))
  }

  /// Lets it wait: 2 s, 4 s, 8 s, … at most 10 minutes.
  public static func postpone(_ job: Held, error: String, on pool: Pool) async throws {
    let wait = min(600, 1 << min(job.attempt, 10))
    _ = try await pool.run(
      Statement(
        """
        update job set lease_until = null, due_at = now() + make_interval(secs => $2), last_error = $3 where job_id = $1
        """,
        [
          .int8(job.id.rawValue), .numeric(Amount(billionths: Int128(wait) * 1_000_000_000)),
          .text(String(error.prefix(500))),
        ]))
  }
}
