import Domain
import Postgres
import Reactor
import Simulation
import Testing

@Suite struct `A pool` {
  func pool(_ size: Int) async throws -> Pool {
    Pool(ConnectionSettings(url: try await TestDatabase.shared.fresh()), size: size, on: sharedReactor)
  }

  @Test func `lends no more sessions than it has`() async throws {
    let pool = try await pool(3)
    let state = Lock((now: 0, most: 0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          try await pool.withConnection { c in
            state.with { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            _ = try await c.run("select pg_sleep(0.002)")
            state.with { $0.now -= 1 }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(state.with { $0.most } == 3)
    #expect(
      try await pool.run("select count(*) from pg_stat_activity where datname = current_database()")[0].int64(0) == 3)
    await pool.close()
  }

  @Test func `serves those who wait in their order, and passes over the cancelled`() async throws {
    let pool = try await pool(1)
    let order = Lock([Int]())
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let first = Task {
      try await pool.withConnection { _ in
        entered.finish()
        for await _ in gate {}
      }
    }
    for await _ in inside {}
    var others: [Task<Void, any Error>] = []
    for index in 0..<5 {
      // On the reactor, one after another, so that they stand in line in this order.
      others.append(
        Task(executorPreference: sharedReactor.tasks) {
          try await pool.withConnection { _ in order.with { $0.append(index) } }
        })
      try await sharedReactor.sleep(for: .milliseconds(2))
    }
    others[2].cancel()
    await #expect(throws: DatabaseError.cancelled) { try await others[2].value }
    open.finish()
    try await first.value
    for index in [0, 1, 3, 4] { try await others[index].value }
    #expect(order.with { $0 } == [0, 1, 3, 4])
    await pool.close()
  }

  @Test func `does not pass on a transaction somebody left open`() async throws {
    let pool = try await pool(1)
    try await pool.withConnection { c in
      try await c.script("create table t(id int8)")
      _ = try await c.run("begin")
      _ = try await c.run("insert into t values (1)")
    }
    #expect(try await pool.run("select count(*) from t")[0].int64(0) == 0)
    await pool.close()
  }

  @Test func `waits for what it has lent before it ends`() async throws {
    let pool = try await pool(2)
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await pool.transaction { t in
        entered.finish()
        return try await t.run("select pg_sleep(0.05), 5::int8")[0].int64(1)
      }
    }
    for await _ in inside {}
    await pool.close()
    #expect(try await task.value == 5)
    await #expect(throws: DatabaseError.unreachable(detail: "the pool was closed")) { try await pool.run("select 1") }
  }
}
