import Domain
import Postgres
import Reactor
import Simulation
import Testing

let sharedReactor: Reactor = {
  let reactor = Reactor(name: "postgres-tests")
  reactor.start()
  return reactor
}()

/// A session on a new, empty database.
func connection(_ adjust: (inout ConnectionSettings) -> Void = { _ in }) async throws -> Connection {
  var settings = ConnectionSettings(url: try await TestDatabase.shared.fresh())
  adjust(&settings)
  return Connection(settings, on: sharedReactor)
}

/// Looks again every few milliseconds until it is so; fails after a minute.
func eventually(
  _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ isSo: () async throws -> Bool
) async throws {
  let limit = BootInstant.now + .seconds(60)
  while try await !isSo() {
    try #require(BootInstant.now < limit, what, sourceLocation: sourceLocation)
    try await sharedReactor.sleep(for: .milliseconds(5))
  }
}

/// Whether some other session of this database runs such a statement.
func isRunning(_ pattern: String, seenBy c: Connection) async throws -> Bool {
  try await c.run(
    """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state = 'active' and query like $1
    """, .text(pattern))[0].int64(0) > 0
}

@Suite struct `A connection` {
  @Test func `runs a statement and reads its row`() async throws {
    let c = try await connection()
    let rows = try await c.run("select $1 + 1, $2 || 'x', null::int8", .int8(41), .text("ab"))
    #expect(rows.count == 1)
    #expect(rows[0].int64(0) == 42)
    #expect(rows[0].text(1) == "abx")
    #expect(rows[0].optionalInt64(2) == nil)
    await c.close()
  }

  @Test func `runs a batch as one transaction`() async throws {
    let c = try await connection()
    try await c.script("create table t(id int8 primary key, note text); insert into t values (1, 'one')")
    let answers = try await c.batch([
      Statement("insert into t values ($1, $2)", [.int8(2), .text("two")]),
      Statement("insert into t values ($1, $2)", [.int8(3), .null]),
      Statement("select count(*) from t"),
    ])
    #expect(answers.map(\.affected) == [1, 1, 1])
    #expect(answers[2][0].int64(0) == 3)
    await #expect(throws: DatabaseError.rejected(.uniqueViolation, detail: "constraint t_pkey, table t")) {
      try await c.batch([
        Statement("insert into t values ($1, $2)", [.int8(4), .text("four")]),
        Statement("insert into t values ($1, $2)", [.int8(1), .text("again")]),
      ])
    }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 3)
    await c.close()
  }

  @Test func `answers ten thousand pipelined statements, each with its own`() async throws {
    let c = try await connection()
    let right = try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<10_000 {
        group.addTask { try await c.run("select $1", .int8(Int64(index)))[0].int64(0) == Int64(index) }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(right == 10_000)
    await c.close()
  }

  @Test func `keeps the order of statements given one after another`() async throws {
    let c = try await connection()
    try await c.script("create table t(place int8 generated always as identity, n int8)")
    try await Task(executorPreference: sharedReactor.tasks) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<1000 {
          group.addTask { _ = try await c.run("insert into t(n) values ($1)", .int8(Int64(index))) }
        }
        try await group.waitForAll()
      }
    }.value
    #expect(try await c.run("select count(*) from t where place = n + 1")[0].int64(0) == 1000)
    await c.close()
  }

  @Test func `goes on after a mistake, and so do those in flight behind it`() async throws {
    let c = try await connection()
    let wrong = Task { try await c.run("select nothing from nowhere where phone = $1", .text("+201001234567")) }
    async let right = c.run("select 1::int8")
    await #expect(
      throws: DatabaseError.rejected(.undefinedTable, detail: "relation \"nowhere\" does not exist, at character 21")
    ) {
      _ = try await wrong.value
    }
    #expect(try await right[0].int64(0) == 1)
    await c.close()
  }

  @Test func `tells a wrong statement's own error to each of many who sent it at once`() async throws {
    let c = try await connection()
    let states = try await withThrowingTaskGroup(of: SQLState?.self) { group in
      for _ in 0..<500 {
        group.addTask {
          do throws(DatabaseError) {
            _ = try await c.run("select missing from pg_class")
            return nil
          } catch {
            if case .rejected(let state, _) = error { return state }
            return nil
          }
        }
      }
      return try await group.reduce(into: Set<SQLState?>()) { $0.insert($1) }
    }
    #expect(states == [.undefinedColumn])
    await c.close()
  }

  @Test func `never quotes a value in an error`() async throws {
    let c = try await connection()
    try await c.script(
      """
      create type mood as enum ('good');
      create table t(phone text primary key check (phone <> '+15550002'), day date not null, n numeric(4, 2));
      insert into t values ('+15550001', '2026-01-01', 1);
      create function complain() returns trigger language plpgsql as $$
        begin raise exception 'cannot keep %', new.phone; end $$;
      create table u(phone text);
      create trigger complain before insert on u for each row execute function complain();
      """)
    let secret = "5550001"
    let attempts: [(Statement, String)] = [
      (Statement("insert into t values ($1, '2026-01-01', 1)", [.text("+15550001")]), "23505"),
      (Statement("insert into t values ($1, '2026-01-01', 1)", [.text("+15550002")]), "23514"),
      (Statement("insert into t values ($1, null, 1)", [.text("+15550001x")]), "23502"),
      (Statement("select $1::int8", [.text("+15550001x")]), "22P02"),
      (Statement("select $1::date", [.text("15550001")]), "22008"),
      (Statement("select $1::mood", [.text("+15550001")]), "22P02"),
      (Statement("insert into t values ('a', '2026-01-01', $1)", [.int8(15_550_001)]), "22003"),
      (Statement("insert into u values ($1)", [.text("+15550001")]), "P0001"),
      (Statement("select $1::jsonb", [.text("{\"+15550001\"}")]), "22P02"),
      (Statement("select 1 / ($1 - $1)", [.int8(15_550_001)]), "22012"),
    ]
    for (statement, code) in attempts {
      do {
        _ = try await c.run(statement)
        Issue.record("\(statement.sql) was accepted")
      } catch {
        guard case .rejected(let state, _) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(state.code == code)
        #expect(!"\(error)".contains(secret) && !"\(error)".contains("5550002"), "\(statement.sql): \(error)")
      }
    }
    await c.close()
  }

  @Test func `reports what a deferred constraint finds at the end`() async throws {
    let c = try await connection()
    try await c.script(
      "create table t(id int8 constraint once unique deferrable initially deferred); insert into t values (1)")
    await #expect(throws: DatabaseError.rejected(.uniqueViolation, detail: "constraint once, table t")) {
      try await c.run("insert into t values ($1)", .int8(1))
    }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 1)
    await c.close()
  }

  @Test func `prepares again what the server has forgotten or whose table has changed`() async throws {
    let c = try await connection()
    try await c.script("create table t(id int8); insert into t values (1)")
    #expect(try await c.run("select * from t")[0].int64(0) == 1)
    try await c.script("deallocate all")
    #expect(try await c.run("select * from t")[0].int64(0) == 1)
    try await c.script("alter table t add note text default 'x'")
    #expect(try await c.run("select * from t")[0].text(1) == "x")
    #expect(
      try await c.run("select count(*) from pg_prepared_statements where statement = 'select * from t'")[0].int64(0) < 2
    )
    await c.close()
  }

  @Test func `keeps a bounded number of prepared statements`() async throws {
    let c = try await connection()
    for round in 0..<2 {
      for index in 0..<300 {
        #expect(try await c.run("select \(index)::int8")[0].int64(0) == Int64(index), "round \(round)")
      }
    }
    #expect(try await c.run("select count(*) from pg_prepared_statements")[0].int64(0) <= 256)
    await c.close()
  }

  @Test func `prepares one statement for a null and a value`() async throws {
    let c = try await connection()
    for value in [Value.int8(1), .null, .int8(2)] { _ = try await c.run("select $1::int8", value) }
    let count = try await c.run("select count(*) from pg_prepared_statements where statement = 'select $1::int8'")[0]
      .int64(0)
    #expect(count == 1)
    await c.close()
  }

  @Test func `runs a script of many statements, all or nothing`() async throws {
    let c = try await connection()
    try await c.script("create table t(id int8); create function f() returns text language sql as $$ select 'a;b' $$;")
    await #expect(throws: DatabaseError.self) { try await c.script("insert into t values (1); select wrong") }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await #expect(throws: DatabaseError.self) { try await c.script("begin; insert into t values (1)") }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await #expect(throws: DatabaseError.self) { try await c.script("copy t from stdin") }
    await #expect(throws: DatabaseError.self) { try await c.script("copy t to stdout") }
    #expect(try await c.run("select f()")[0].text(0) == "a;b")
    await c.close()
  }

  @Test func `hands its settings to the session`() async throws {
    let c = try await connection {
      $0.applicationName = "a name"
      $0.statementTimeout = .milliseconds(50)
      $0.options = [("synchronous_commit", "off"), ("search_path", "public, pg_temp")]
    }
    let row = try await c.run(
      """
      select current_setting('application_name'), current_setting('synchronous_commit'), current_setting('search_path'),
        current_setting('TimeZone')
      """)[0]
    #expect((0..<4).map { row.text($0) } == ["a name", "off", "public, pg_temp", "UTC"])
    await #expect(throws: DatabaseError.self) { try await c.run("select pg_sleep(10)") }
    await c.close()
  }

  @Test func `refuses calls after its end, and lets what is in flight finish`() async throws {
    let c = try await connection()
    _ = try await c.run("select 1")
    async let slow = c.run("select pg_sleep(0.05), 7::int8")
    let watcher = try await connection()
    _ = watcher
    try await sharedReactor.sleep(for: .milliseconds(10))
    await c.close()
    #expect(try await slow[0].int64(1) == 7)
    await #expect(throws: DatabaseError.unreachable(detail: "the connection was closed")) {
      try await c.run("select 1")
    }
  }
}
