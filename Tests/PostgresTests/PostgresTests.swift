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
    let sums = try await withThrowingTaskGroup(of: Bool.self) { group in
      for index in 0..<10_000 {
        group.addTask { try await c.run("select $1", .int8(Int64(index)))[0].int64(0) == Int64(index) }
      }
      return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(sums == 10_000)
    await c.close()
  }
}
