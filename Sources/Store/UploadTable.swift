import Domain
import Postgres

/// An import's rows: `upload`, its rejected rows, and a temporary stage from which people are taken over at once.
///
/// The stage belongs to one session and is filled by short statements, each its own transaction: an upload that takes
/// an hour must not hold back vacuum for an hour.
public struct UploadTable: Sendable {
  public let connection: Connection
  public let upload: Upload.ID
  let business: Business.ID
  /// Nil: a file of opt-outs.
  let audience: Audience.ID?

  /// Columns of the stage, in COPY's order.
  public static let stageColumns =
    "line, phone, person_key, country, suspect, attributes, opt_in_source, consent_at, user_id"
  static let userColumns = "line, user_id, person_key, country, attributes, opt_in_source, consent_at"
  public static let rejectColumns = "line, reason, remedy, raw"

  private static let lockClass = 7223
  private static let applyLockClass = 7222

  /// Opens an upload on a session of its own. Nil when the business has no such audience.
  public static func begin(
    _ connection: Connection, business: Business.ID, audience: Audience.ID?, by actor: String
  ) async throws(DatabaseError) -> UploadTable? {
    let rows = try await connection.run(
      """
      insert into upload (business_id, audience_id, state, by)
      select b.business_id, a.audience_id, 'running', $3 from business b
      left join audience a on a.business_id = b.business_id and a.audience_id = $2
      where b.business_id = $1 and (a.audience_id is null) = ($2 is null)
      returning upload_id
      """, .int8(business.rawValue), audience.map { .int8($0.rawValue) } ?? .null, .text(actor))
    guard let row = rows.first else { return nil }
    let table = UploadTable(
      connection: connection, upload: Upload.ID(row.int64(0)), business: business, audience: audience)
    // Held by the session: an upload that is running and whose lock is free has died with its process.
    _ = try await connection.run(
      "select pg_advisory_lock(\(lockClass), ($1 % 2147483647)::int)", .int8(table.upload.rawValue))
    try await table.dropStage()
    _ = try await connection.batch([
      Statement(
        """
        create temporary table import_stage (
          line bigint not null, phone bigint not null, person_key uuid not null, country text not null,
          suspect boolean not null, attributes jsonb not null, opt_in_source text, consent_at timestamptz,
          user_id text)
        """),
      Statement(
        """
        create temporary table import_user (
          line bigint not null, user_id text not null, person_key uuid not null, country text not null,
          attributes jsonb not null, opt_in_source text, consent_at timestamptz)
        """),
      Statement(
        """
        create temporary table import_reject (
          line bigint not null, reason text not null, remedy text not null, raw text not null)
        """),
      Statement(
        """
        create temporary table import_known (
          phone bigint not null, contact_id bigint not null, differs boolean not null)
        """),
    ])
    return table
  }

  /// `file`: the whole of a binary COPY.
  public func stage(_ file: [UInt8]) async throws {
    try await copy("copy import_stage (\(UploadTable.stageColumns)) from stdin (format binary)", file)
  }

  /// People known by a user id alone.
  public func stageUsers(_ file: [UInt8]) async throws {
    try await copy("copy import_user (\(UploadTable.userColumns)) from stdin (format binary)", file)
  }

  public func stageRejects(_ file: [UInt8]) async throws {
    try await copy("copy import_reject (\(UploadTable.rejectColumns)) from stdin (format binary)", file)
  }

  private func copy(_ sql: String, _ file: [UInt8]) async throws {
    var rest: [UInt8]? = file
    _ = try await connection.copyIn(sql) { rest.take() }
  }

  /// What taking the people over did. `merged`: rows beyond the first with the same phone.
  public struct Applied: Sendable {
    public fileprivate(set) var created: Int
    public fileprivate(set) var updated: Int
    public fileprivate(set) var unchanged: Int
    public fileprivate(set) var merged: Int
    public fileprivate(set) var added: Int
  }

  /// What the stage has beside people with nothing but a phone: each costs a statement, so none runs for nothing.
  public struct Holds: Sendable {
    /// People known by a user id alone.
    public var users = false
    /// User ids beside phones.
    public var userIDs = false
    public var consents = false
    public init() {}
  }

  /// Takes the staged people over, in one transaction that also closes the upload with the report made of what it did.
  /// Attributes are merged, never lost; consent is set where there was none or the row says it is newer, and stands in
  /// the ledger from then on.
  public func commit(
    _ holds: Holds, sha256: [UInt8], at now: Instant, _ report: (Applied) -> [UInt8]
  ) async throws -> Applied {
    _ = try await connection.run("analyze import_stage (phone)")
    do {
      return try await commit(holds, sha256, now, create: UploadSQL.create, report)
    } catch DatabaseError.rejected(.uniqueViolation, _) {
      // Somebody stored one of these people in the meantime. It happens rarely, and looking out for it costs each row
      // half of its price again, so that only the second try does.
      return try await commit(holds, sha256, now, create: UploadSQL.createOrMerge, report)
    }
  }

  private func commit(
    _ holds: Holds, _ sha256: [UInt8], _ now: Instant, create: String, _ report: (Applied) -> [UInt8]
  ) async throws -> Applied {
    guard let audience else { preconditionFailure("contacts are taken into an audience") }
    if holds.userIDs { try await learnNames() }
    return try await connection.transaction { transaction in
      let steps = try await transaction.batch([
        Statement("set local work_mem = '128MB'"), Statement("set local jit = off"),
        // Imports of one business take turns here, so that two of them never wait for each other's rows.
        Statement(
          "select pg_advisory_xact_lock(\(UploadTable.applyLockClass), ($1 % 2147483647)::int)",
          [.int8(business.rawValue)]),
        Statement("select count(*), count(distinct phone) from import_stage"),
      ])
      let (staged, people) = (Int(steps[3][0].int64(0)), Int(steps[3][0].int64(1)))
      if people < staged || holds.users { _ = try await transaction.run(Statement(UploadSQL.makeMerging)) }
      if people < staged { try await mergeRepeated(transaction) }
      if holds.userIDs {
        for sql in UploadSQL.absorb { _ = try await transaction.run(sql, .int8(business.rawValue)) }
      }
      let found = try await transaction.batch([
        Statement(UploadSQL.findKnown, [.int8(business.rawValue)]),
        Statement("select count(*), count(*) filter (where differs) from import_known"),
        Statement(UploadSQL.addKnown, [.int8(audience.rawValue)]),
        Statement(UploadSQL.keepRejects, [.int8(upload.rawValue)]),
      ])
      let (known, differing) = (Int(found[1][0].int64(0)), Int(found[1][0].int64(1)))
      if differing > 0 { _ = try await transaction.run(UploadSQL.update, .timestamptz(now), .int8(upload.rawValue)) }
      var added = found[2].affected
      if known < people {
        let made = try await transaction.run(
          create, .int8(business.rawValue), .timestamptz(now), .int8(upload.rawValue), .int8(audience.rawValue))
        added += Int(made[0].int64(0))
      }
      if holds.userIDs { _ = try await transaction.run(UploadSQL.attachUserIDs, .int8(business.rawValue)) }
      var applied = Applied(
        created: people - known, updated: differing, unchanged: known - differing, merged: staged - people, added: added
      )
      if holds.users { try await takeUsers(transaction, audience, now, &applied) }
      if people < staged || holds.users { _ = try await transaction.run(Statement(UploadSQL.dropMerging)) }
      if holds.consents {
        for sql in [UploadSQL.recordConsents, UploadSQL.recordUserConsents] {
          _ = try await transaction.run(sql, .int8(business.rawValue), .int8(upload.rawValue))
        }
      }
      _ = try await transaction.run(
        "update upload set state = 'committed', report = $2, sha256 = $3, ended_at = now() where upload_id = $1",
        .int8(upload.rawValue), .jsonb(report(applied)), .bytea(sha256))
      return applied
    }
  }

  /// Whoever is known by an id alone and stands in the file with a phone is one person from here on, so that what they
  /// said under the id holds for the phone. In commits of their own: their locks keep out who records a stop.
  private func learnNames() async throws(DatabaseError) {
    _ = try await connection.run(Statement("drop table if exists pg_temp.import_alone"))
    _ = try await connection.run(UploadSQL.findAlone, .int8(business.rawValue))
    let pairs = try await connection.run("select alias, person_key from import_alone order by 1")
    try await Aliases.learn(
      pairs.map { Aliases.Pair($0.personKey(0), of: $0.personKey(1)) }, business: business, on: connection)
  }

  /// Records that everybody in the stage said stop: by the row's own time, else at `at`. A thousand at a time, each in a
  /// commit of its own, so that no stop elsewhere waits for a long file. Answers how many.
  public func commitStops(_ scope: ConsentScope, at: Instant) async throws(DatabaseError) -> Int {
    var count = 0
    for stage in ["import_stage", "import_user"] {
      _ = try await connection.run(Statement("create index on \(stage) (line)"))
      var line: Int64 = -1
      while true {
        let rows = try await connection.run(
          UploadSQL.recordStops(stage), .int8(business.rawValue), .int8(line), .int2(scope.rawValue), .timestamptz(at),
          .text(upload.description))
        guard let last = rows[0].optionalInt64(1) else { break }
        count += Int(rows[0].int32(0))
        line = last
      }
    }
    return count
  }

  /// Ends an upload whose rows are taken over already.
  public func close(report: [UInt8], sha256: [UInt8]) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement(UploadSQL.keepRejects, [.int8(upload.rawValue)]),
      Statement(
        "update upload set state = 'committed', report = $2, sha256 = $3, ended_at = now() where upload_id = $1",
        [.int8(upload.rawValue), .jsonb(report), .bytea(sha256)]),
    ])
  }

  /// Stores nothing but the rejected rows and the report.
  public func refuse(report: [UInt8]) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement(UploadSQL.keepRejects, [.int8(upload.rawValue)]),
      UploadTable.refusal(upload, report: report),
    ])
  }

  /// For an upload whose session may be gone.
  public static func refusal(_ upload: Upload.ID, report: [UInt8]) -> Statement {
    Statement(
      "update upload set state = 'refused', report = $2, ended_at = now() where upload_id = $1 and state = 'running'",
      [.int8(upload.rawValue), .jsonb(report)])
  }

  /// Gives the session back as it was.
  public func end() async throws(DatabaseError) {
    try await dropStage()
    _ = try await connection.run(
      "select pg_advisory_unlock(\(UploadTable.lockClass), ($1 % 2147483647)::int)", .int8(upload.rawValue))
  }

  private func dropStage() async throws(DatabaseError) {
    _ = try await connection.run(
      "drop table if exists pg_temp.import_stage, pg_temp.import_user, pg_temp.import_reject, pg_temp.import_known,"
        + " pg_temp.import_alone")
  }

  /// Makes one row of those with the same phone.
  private func mergeRepeated(_ transaction: Transaction) async throws(DatabaseError) {
    _ = try await transaction.batch([
      Statement(UploadSQL.findRepeated),
      Statement(UploadSQL.merge),
      Statement("delete from import_stage s using import_repeated r where s.phone = r.phone"),
      Statement(
        "insert into import_stage (\(UploadTable.stageColumns)) select \(UploadTable.stageColumns) from import_merged"),
      Statement("drop table import_repeated, import_merged"),
    ])
  }

  /// People known by a user id alone.
  private func takeUsers(
    _ transaction: Transaction, _ audience: Audience.ID, _ now: Instant, _ applied: inout Applied
  ) async throws(DatabaseError) {
    _ = try await transaction.run(Statement(UploadSQL.mergeUsers))
    let counts = try await transaction.run(
      UploadSQL.takeUsers, .int8(business.rawValue), .timestamptz(now), .int8(upload.rawValue),
      .int8(audience.rawValue))[0]
    let (staged, people) = (Int(counts.int64(0)), Int(counts.int64(1)))
    let (known, differing) = (Int(counts.int64(2)), Int(counts.int64(3)))
    applied.created += people - known
    applied.updated += differing
    applied.unchanged += known - differing
    applied.merged += staged - people
    applied.added += Int(counts.int64(4))
  }

  /// Closes uploads that died with their process; nothing of theirs was stored. How many there were.
  public static func closeAbandoned(_ pool: Pool) async throws(DatabaseError) -> Int {
    try await pool.run(
      """
      update upload set state = 'refused', ended_at = now(),
        report = '{"state": "refused", "stopped": {"code": "interrupted", "title": "The import was interrupted."}}'
      where state = 'running' and pg_try_advisory_xact_lock(\(lockClass), (upload_id % 2147483647)::int)
      """
    ).affected
  }
}
