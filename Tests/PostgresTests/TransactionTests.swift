import Domain
import Postgres
import Reactor
import Testing

struct Refusal: Error, Equatable {}

@Suite struct `A transaction` {
  func table() async throws -> Connection {
    let c = try await connection()
    try await c.script("create table t(id int8 primary key)")
    return c
  }

  func ids(_ c: Connection) async throws -> [Int64] {
    try await c.run("select id from t order by id").map { $0.int64(0) }
  }

  @Test func `keeps all of its statements`() async throws {
    let c = try await table()
    let seen = try await c.transaction { t in
      _ = try await t.run("insert into t values (1)")
      _ = try await t.batch([Statement("insert into t values (2)"), Statement("insert into t values (3)")])
      return try await t.run("select count(*) from t")[0].int64(0)
    }
    #expect(seen == 3)
    #expect(try await ids(c) == [1, 2, 3])
    await c.close()
  }

  @Test func `keeps nothing when its body throws`() async throws {
    let c = try await table()
    await #expect(throws: Refusal()) {
      try await c.transaction { t in
        _ = try await t.run("insert into t values (1)")
        throw Refusal()
      }
    }
    #expect(try await ids(c) == [])
    await c.close()
  }

  @Test func `keeps nothing when a statement failed, even if the body looks away`() async throws {
    let c = try await table()
    await #expect(
      throws: DatabaseError.rejected(.inFailedTransaction, detail: "a statement of the transaction had failed")
    ) {
      try await c.transaction { t in
        _ = try await t.run("insert into t values (1)")
        await #expect(throws: DatabaseError.self) { try await t.run("select wrong") }
      }
    }
    #expect(try await ids(c) == [])
    await c.close()
  }

  @Test func `keeps others waiting until its end`() async throws {
    let c = try await table()
    let order = Lock([String]())
    try await withThrowingTaskGroup(of: Void.self) { group in
      let (inside, entered) = AsyncStream.makeStream(of: Void.self)
      group.addTask {
        try await c.transaction { t in
          _ = try await t.run("insert into t values (1)")
          entered.finish()
          _ = try await t.run("select pg_sleep(0.05)")
          order.with { $0.append("transaction") }
        }
      }
      for await _ in inside {}
      group.addTask {
        let count = try await c.run("select count(*) from t")[0].int64(0)
        #expect(count >= 1)
        order.with { $0.append("statement") }
      }
      group.addTask {
        try await c.transaction { t in _ = try await t.run("insert into t values (2)") }
      }
      try await group.waitForAll()
    }
    #expect(order.with { $0 } == ["transaction", "statement"])
    #expect(try await ids(c) == [1, 2])
    await c.close()
  }

  @Test func `is rolled back when its task is cancelled, and the connection goes on`() async throws {
    let c = try await table()
    let watcher = Connection(c.settings, on: sharedReactor)
    let task = Task {
      try await c.transaction { t in
        _ = try await t.run("insert into t values (1)")
        _ = try await t.run("select pg_sleep(60)")
      }
    }
    try await eventually("the sleep runs") { try await isRunning("%pg_sleep%", seenBy: watcher) }
    task.cancel()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    #expect(try await ids(c) == [])
    await c.close()
    await watcher.close()
  }

  @Test func `is not committed when its task was cancelled in the body`() async throws {
    let c = try await table()
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await c.transaction { t in
        _ = try await t.run("insert into t values (1)")
        entered.finish()
        // Ends when the task is cancelled, without throwing.
        for await _ in gate {}
      }
    }
    for await _ in inside {}
    task.cancel()
    open.finish()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    #expect(try await ids(c) == [])
    await c.close()
  }

  @Test func `reports a constraint that only its end checks`() async throws {
    let c = try await connection()
    try await c.script("create table t(id int8 constraint once unique deferrable initially deferred)")
    await #expect(throws: DatabaseError.rejected(.uniqueViolation, detail: "constraint once, table t")) {
      try await c.transaction { t in
        for _ in 0..<2 { _ = try await t.run("insert into t values (1)") }
      }
    }
    #expect(try await ids(c) == [])
    await c.close()
  }

  @Test func `sees what its isolation lets it see`() async throws {
    let c = try await table()
    let other = Connection(c.settings, on: sharedReactor)
    try await c.transaction(.repeatableRead) { t in
      #expect(try await t.run("select count(*) from t")[0].int64(0) == 0)
      _ = try await other.run("insert into t values (1)")
      #expect(try await t.run("select count(*) from t")[0].int64(0) == 0)
    }
    await #expect(throws: DatabaseError.self) {
      try await c.transaction(.repeatableReadOnly) { t in _ = try await t.run("insert into t values (2)") }
    }
    #expect(try await ids(c) == [1])
    await c.close()
    await other.close()
  }

  @Test func `copies and runs scripts inside itself`() async throws {
    let c = try await table()
    await #expect(throws: Refusal()) {
      try await c.transaction { t in
        try await t.script("insert into t values (10); insert into t values (11)")
        var chunks = [Array("1\n2".utf8), Array("\n3\n".utf8)][...]
        #expect(try await t.copyIn("copy t from stdin") { chunks.popFirst() } == 3)
        #expect(try await t.run("select count(*) from t")[0].int64(0) == 5)
        var out: [UInt8] = []
        #expect(try await t.copyOut("copy (select id from t order by id) to stdout") { out += $0 } == 5)
        #expect(String(decoding: out, as: UTF8.self) == "1\n2\n3\n10\n11\n")
        throw Refusal()
      }
    }
    #expect(try await ids(c) == [])
    await c.close()
  }
}
