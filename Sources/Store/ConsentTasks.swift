import Domain
import JSON
import Postgres

/// What a person must look at: somebody wants their data gone, or said stop and nobody knows who they are.
public enum ConsentTasks {
  public enum Kind: String, Sendable { case erasure, stopUnmatched = "stop_unmatched" }

  public struct New: Sendable {
    public let kind: Kind
    public let person: PersonKey
    public let evidence: JSONValue

    public init(_ kind: Kind, person: PersonKey, evidence: JSONValue) {
      (self.kind, self.person, self.evidence) = (kind, person, evidence)
    }
  }

  public struct Entry: Sendable {
    public let id: Int64
    public let kind: String
    public let person: PersonKey
    public let evidence: [UInt8]
    public let at: Instant
  }

  /// For the caller's batch. A task that is open already is not opened again. A stop of nobody we know that answers some
  /// message brings a job that looks for it.
  public static func opening(_ tasks: [New], business: Business.ID) -> Statement {
    Statement(
      """
      with opened as (
        insert into consent_task (business_id, kind, person_key, evidence)
        select $1, k, p, e from unnest($2::text[], $3::uuid[], $4::jsonb[]) x (k, p, e) on conflict do nothing
        returning task_id, kind, evidence
      )
      insert into job (kind, key) select 'match_stop', task_id::text from opened
      where kind = 'stop_unmatched' and evidence ? 'context'
      """,
      [
        .int8(business.rawValue), .texts(tasks.map(\.kind.rawValue)), .uuids(tasks.map(\.person)),
        .jsonbs(tasks.map { $0.evidence.rendered() }),
      ])
  }

  /// Those still open, the oldest first.
  public static func open(of business: Business.ID, after: Int64?, limit: Int, on pool: Pool)
    async throws(DatabaseError) -> [Entry]
  {
    try await pool.run(
      """
      select task_id, kind, person_key, evidence, at from consent_task
      where business_id = $1 and done_at is null and task_id > $2 order by task_id limit $3
      """, .int8(business.rawValue), .int8(after ?? 0), .int8(Int64(limit))
    ).map {
      Entry(id: $0.int64(0), kind: $0.text(1), person: $0.personKey(2), evidence: $0.jsonb(3), at: $0.instant(4))
    }
  }

  /// False when there is no such open task.
  public static func finish(_ id: Int64, of business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError) -> Bool
  {
    try await pool.run(
      """
      update consent_task set done_at = now(), done_by = $3 where task_id = $1 and business_id = $2 and done_at is null
      """, .int8(id), .int8(business.rawValue), .text(actor)
    ).affected == 1
  }
}
