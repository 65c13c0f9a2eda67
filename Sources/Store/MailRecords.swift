import Domain
import Postgres

/// Which alerts people have been written to about, and which days had their digest.
public enum MailRecords {
  /// Told by mail: what somebody may have to act on.
  public static let kinds: [AlertKind] = [
    .campaignPaused, .campaignSlowed, .campaignFailed, .sendingPaused, .sendingResumed, .numberQualityChanged,
    .numberTierChanged, .templateQualityChanged, .budgetThreshold, .reconciliationDiffers,
  ]

  public struct Due: Sendable {
    public let alerts: [(id: Alert.ID, event: String, at: Instant, data: [UInt8])]
    public let failures: Int
  }

  /// Takes what is to be told now, for `lease`: at most `limit` alerts of the last day; nil when there is nothing, or another
  /// node is at it.
  public static func take(limit: Int, lease: Duration, on pool: Pool) async throws -> Due? {
    try await pool.transaction { tx in
      let rows = try await tx.run(
        """
        update mail_place set due_at = now() + make_interval(secs => $1) where due_at <= now() and exists (
          select from alert where alert_id > upto) returning upto, failures
        """, .numeric(Amount(billionths: Int128(lease.nanoseconds))))
      guard let row = rows.first else { return nil }
      let alerts = try await tx.run(
        """
        select alert_id, event, at, data from alert
        where alert_id > $1 and event = any($2) and made_at > now() - interval '1 day' order by alert_id limit $3
        """, .int8(row.int64(0)), .texts(kinds.map(\.rawValue)), .int4(Int32(limit)))
      guard !alerts.isEmpty else {
        _ = try await tx.run("update mail_place set upto = (select max(alert_id) from alert), due_at = now()")
        return nil
      }
      return Due(
        alerts: alerts.map { (Alert.ID($0.int64(0)), $0.text(1), $0.instant(2), $0.jsonb(3)) }, failures: Int(row.int32(1)))
    }
  }

  /// They are told, up to `upto`; nil: not yet. Nothing is told again for `rest`.
  public static func told(upTo alert: Alert.ID?, rest: Duration, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      update mail_place set upto = greatest(upto, coalesce($1, 0)), due_at = now() + make_interval(secs => $2),
        failures = case when $1 is null then failures + 1 else 0 end
      """, alert.map { .int8($0.rawValue) } ?? .null, .numeric(Amount(billionths: Int128(rest.nanoseconds))))
  }

  /// Whether this node is to send the digest of the day: nobody has, and nobody took it within `lease`.
  public static func takeDigest(_ day: CivilDate, lease: Duration, on pool: Pool) async throws(DatabaseError) -> Bool {
    try await pool.run(
      """
      insert into digest as d (day) values ($1) on conflict (day) do update set claimed_at = now()
        where d.sent_at is null and d.claimed_at < now() - make_interval(secs => $2)
      returning day
      """, .date(day), .numeric(Amount(billionths: Int128(lease.nanoseconds)))
    ).count == 1
  }

  public static func sentDigest(_ day: CivilDate, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("update digest set sent_at = now() where day = $1", .date(day))
  }
}
