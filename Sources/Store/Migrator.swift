import Crypto
import Domain
import Migrations
import Money
import Postgres

/// Why a database and this binary don't fit each other. Nothing was changed.
public enum MigrationError: Error, Equatable {
  /// A file that was applied here reads differently in this binary.
  case changed(String)
  /// The database has a migration that this binary does not know: a newer version made it.
  case newer(String)
  /// These are not applied yet.
  case behind([String])

  public var problem: Problem {
    switch self {
    case .changed(let name):
      Problem(
        409, "migration_changed", "The database was made by another text of a migration.",
        detail: "The migration \(name) was applied with another text.",
        remedy: "Use the version of qafila that made this database, or a new database.")
    case .newer(let name):
      Problem(
        409, "database_newer", "The database is newer than this qafila.",
        detail: "The database has the migration \(name), which this version does not know.",
        remedy: "Use the newer version of qafila.")
    case .behind(let names):
      Problem(
        503, "database_behind", "The database lacks migrations.",
        detail: "Not applied yet: \(names.joined(separator: ", ")).",
        remedy: "Run: qafila migrate")
    }
  }
}

/// Brings a database to this binary's schema.
public enum Migrator {
  private static let lock: Int64 = 7219

  /// Applies what is missing, in order, each with its record in one transaction, while an advisory lock keeps other
  /// migrators out; then makes the partitions of this month and the next and loads the shipped rates that are missing.
  /// Answers the names of the migrations it applied.
  ///
  /// Throws `MigrationError` before anything is changed, `DatabaseError` otherwise.
  public static func migrate(_ connection: Connection) async throws -> [String] {
    _ = try await connection.run("select pg_advisory_lock($1)", .int8(lock))
    do {
      let applied = try await migrateLocked(connection)
      _ = try await connection.run("select pg_advisory_unlock($1)", .int8(lock))
      return applied
    } catch {
      // The lock goes with the session: a statement here could fail as well and hide the reason.
      await connection.close()
      throw error
    }
  }

  /// Throws `MigrationError` unless the database is exactly at this binary's schema.
  public static func check(_ pool: Pool) async throws {
    let known = try await pool.run("select to_regclass('schema_migration') is not null")[0].bool(0)
    let rows = known ? try await pool.run("select name, sha256 from schema_migration order by name") : nil
    let missing = try compare(rows.map { $0.map { ($0.text(0), $0.bytes(1)) } } ?? [])
    if !missing.isEmpty { throw MigrationError.behind(missing.map(\.name)) }
  }

  /// Makes the partitions that the next days and the next month need. Cheap when they are there.
  public static func ensurePartitions(_ pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(partitions)
  }

  private static let partitions = """
    select ensure_month(m), ensure_month(m + 1), ensure_days((now() at time zone 'UTC')::date)
    from (select extract(year from now() at time zone 'UTC')::int * 12
      + extract(month from now() at time zone 'UTC')::int - 1) x (m)
    """

  private static func migrateLocked(_ connection: Connection) async throws -> [String] {
    _ = try await connection.run(
      """
      create table if not exists schema_migration (
        name text primary key, sha256 bytea not null, applied_at timestamptz not null default now())
      """)
    let rows = try await connection.run("select name, sha256 from schema_migration order by name")
    let missing = try compare(rows.map { ($0.text(0), $0.bytes(1)) })
    for migration in missing {
      // One script is one transaction. The name comes from our own file names, the digest is hexadecimal.
      try await connection.script(
        """
        begin;
        \(String(decoding: migration.sql, as: UTF8.self))
        insert into schema_migration (name, sha256)
        values ('\(migration.name)', '\\x\(Crypto.hex(Crypto.sha256(migration.sql)))');
        commit;
        """)
    }
    _ = try await connection.run(partitions)
    try await RateCards.loadSeeds(connection)
    return missing.map(\.name)
  }

  private static func compare(_ applied: [(name: String, digest: [UInt8])]) throws(MigrationError) -> [Migrations
    .Migration]
  {
    for (name, digest) in applied {
      guard let migration = Migrations.all.first(where: { $0.name == name }) else { throw .newer(name) }
      guard Crypto.sha256(migration.sql) == digest else { throw .changed(name) }
    }
    return Migrations.all.filter { migration in !applied.contains { $0.name == migration.name } }
  }
}
