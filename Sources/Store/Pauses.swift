import Domain
import JSON
import Postgres

/// Pauses are open causes over a scope. Sending is allowed while none is open over any scope of a message; each is
/// ended by a row of its own, so that who stopped what, and why, stays on the record.
public enum Pauses {
  public enum Cause: String, Sendable {
    case marketer, `operator`, guarding = "guard", pilot, error, stopAll = "stop_all", cancelled, budget
  }

  public struct Entry: Sendable {
    public let id: Pause.ID
    public let scope: PauseScope
    public let scopeID: Int64
    public let cause: String
    public let rule: String
    public let reason: String
    public let evidence: [UInt8]
    public let actor: String
    public let at: Instant
    public let ended: (reason: String, actor: String, at: Instant)?
  }

  /// A row for the caller's batch. The same cause by the same actor is not opened twice over one scope.
  public static func opening(
    _ scope: PauseScope, _ id: Int64, business: Business.ID, cause: Cause, reason: String, actor: String
  ) -> Statement {
    Statement(
      """
      insert into pause (business_id, scope, scope_id, cause, reason, actor) select $1, $2, $3, $4, $5, $6
      where not exists (
        select from open_pause where scope = $2 and scope_id = $3 and cause = $4 and actor = $6)
      returning pause_id
      """,
      [.int8(business.rawValue), .int2(scope.rawValue), .int8(id), .text(cause.rawValue), .text(reason), .text(actor)])
  }

  /// Ends the given pauses, in the caller's batch; ending one twice changes nothing.
  public static func ending(_ ids: [Pause.ID], reason: String, actor: String) -> Statement {
    Statement(
      """
      insert into pause_end (pause_id, reason, actor) select p, $2, $3 from unnest($1::int8[]) p on conflict do nothing
      returning pause_id
      """, [.int8s(ids.map(\.rawValue)), .text(reason), .text(actor)])
  }

  /// The open pauses over exactly this scope, the oldest first.
  public static func open(_ scope: PauseScope, _ id: Int64, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(
      select + " where p.scope = $1 and p.scope_id = $2 and e.pause_id is null order by p.pause_id",
      .int2(scope.rawValue),
      .int8(id)
    ).map(entry)
  }

  /// One pause of the business, open or ended.
  public static func read(_ id: Pause.ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(
      select + " where p.business_id = $1 and p.pause_id = $2", .int8(business.rawValue), .int8(id.rawValue)
    ).first.map(entry)
  }

  /// Every open pause of the business; few at any time.
  public static func open(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(
      select + " where p.business_id = $1 and e.pause_id is null order by p.pause_id", .int8(business.rawValue)
    ).map(entry)
  }

  /// All pauses over this scope, the newest first.
  public static func history(_ scope: PauseScope, _ id: Int64, limit: Int, on pool: Pool) async throws(DatabaseError)
    -> [Entry]
  {
    try await pool.run(
      select + " where p.scope = $1 and p.scope_id = $2 order by p.pause_id desc limit $3", .int2(scope.rawValue),
      .int8(id),
      .int8(Int64(limit))
    ).map(entry)
  }

  /// Stops everything of every business, without the API: one commit.
  public static func stopAll(reason: String, actor: String, on pool: Pool) async throws(DatabaseError) -> Int {
    let rows = try await pool.run(
      """
      with p as (
        insert into pause (business_id, scope, scope_id, cause, reason, actor)
        select business_id, 1, business_id, 'stop_all', $1, $2 from business b
        where not exists (
          select from open_pause o where o.scope = 1 and o.scope_id = b.business_id and o.cause = 'stop_all')
        returning business_id
      ), a as (
        insert into audit (business_id, actor, action, detail)
        select business_id, $2, 'stop_all', jsonb_build_object('reason', $1::text) from p
      )
      select count(*) from business
      """, .text(reason), .text(actor))
    return Int(rows[0].int64(0))
  }

  private static let select = """
    select p.pause_id, p.scope, p.scope_id, p.cause, p.rule, p.reason, p.evidence, p.actor, p.at, e.reason,
      e.actor, e.at
    from pause p left join pause_end e using (pause_id)
    """

  private static func entry(_ row: Row) -> Entry {
    var ended: (reason: String, actor: String, at: Instant)?
    if let reason = row.optionalText(9) { ended = (reason, row.text(10), row.instant(11)) }
    return Entry(
      id: Pause.ID(row.int64(0)), scope: PauseScope(rawValue: row.int16(1)) ?? .business, scopeID: row.int64(2),
      cause: row.text(3), rule: row.text(4), reason: row.text(5), evidence: row.jsonb(6), actor: row.text(7),
      at: row.instant(8), ended: ended)
  }
}
