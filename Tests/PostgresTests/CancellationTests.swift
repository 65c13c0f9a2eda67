import Domain
import Glibc
import Postgres
import Reactor
import Testing

@Suite struct `A cancelled task` {
  @Test func `ends its statement and leaves those in flight behind it alone`() async throws {
    let c = try await connection()
    let watcher = Connection(c.settings, on: sharedReactor)
    let sleeper = Task { try await c.run("select pg_sleep(60)") }
    try await eventually("it sleeps") { try await isRunning("%pg_sleep%", seenBy: watcher) }
    let others = (0..<100).map { index in Task { try await c.run("select $1", .int8(Int64(index)))[0].int64(0) } }
    // In flight behind the sleeper before it is cancelled.
    try await sharedReactor.sleep(for: .milliseconds(20))
    sleeper.cancel()
    await #expect(throws: DatabaseError.cancelled) { try await sleeper.value }
    for (index, other) in others.enumerated() { #expect(try await other.value == Int64(index)) }
    await c.close()
    await watcher.close()
  }

  @Test func `that had not begun runs nothing`() async throws {
    let c = try await connection()
    try await c.script("create table t(id int8)")
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      for await _ in gate {}
      return try await c.run("insert into t values (1)")
    }
    task.cancel()
    open.finish()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
  }

  @Test func `stops waiting for a session, a turn or a transaction`() async throws {
    let nowhere = connection("postgresql:///x?host=/tmp/nowhere", timeout: .seconds(60))
    let waiting = [
      Task { _ = try await nowhere.run("select 1") }, Task { try await nowhere.transaction { _ in } },
      Task { try await nowhere.script("select 1") }, Task { _ = try await nowhere.copyIn("copy t from stdin") { nil } },
    ]
    try await sharedReactor.sleep(for: .milliseconds(10))
    for task in waiting { task.cancel() }
    for task in waiting { await #expect(throws: DatabaseError.cancelled) { try await task.value } }
    await nowhere.close()
  }

  @Test func `ends a script on the server`() async throws {
    let c = try await connection()
    let watcher = Connection(c.settings, on: sharedReactor)
    let task = Task { try await c.script("create table t(id int8); select pg_sleep(60)") }
    try await eventually("it sleeps") { try await isRunning("%pg_sleep%", seenBy: watcher) }
    task.cancel()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    await #expect(throws: DatabaseError.self) { try await c.run("select * from t") }
    await c.close()
    await watcher.close()
  }

  @Test func `costs the link when the server does not react`() async throws {
    let c = try await connection()
    let watcher = Connection(c.settings, on: sharedReactor)
    let pid = try await c.run("select pg_backend_pid()")[0].int32(0)
    let task = Task { try await c.run("select pg_sleep(60)") }
    try await eventually("it sleeps") { try await isRunning("%pg_sleep%", seenBy: watcher) }
    kill(pid, SIGSTOP)
    task.cancel()
    await #expect(throws: DatabaseError.interrupted) { try await task.value }
    #expect(try await c.run("select 1::int8")[0].int64(0) == 1)
    kill(pid, SIGCONT)
    await c.close()
    await watcher.close()
  }

  @Test(arguments: 1...3) func `among many never harms another`(seed: UInt64) async throws {
    let c = try await connection()
    try await c.script("create table t(id int8 primary key)")
    var random = Generator(state: seed)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<400 {
        let (kind, delay) = (Int.random(in: 0..<6, using: &random), Int.random(in: 0..<30, using: &random))
        group.addTask {
          try await sharedReactor.sleep(for: .milliseconds(delay))
          let id = Int64(index)
          switch kind {
          case 0:
            let victim = Task { try await c.run("insert into t select $1 from pg_sleep(1)", .int8(id)) }
            try await sharedReactor.sleep(for: .milliseconds(delay % 7))
            victim.cancel()
            await #expect(throws: DatabaseError.cancelled, "seed \(seed)") { try await victim.value }
          case 1:
            let victim = Task {
              try await c.transaction { t in
                _ = try await t.run("insert into t values ($1)", .int8(id))
                _ = try await t.run("select pg_sleep(1)")
              }
            }
            try await sharedReactor.sleep(for: .milliseconds(delay % 7))
            victim.cancel()
            await #expect(throws: DatabaseError.cancelled, "seed \(seed)") { try await victim.value }
          case 2:
            try await c.transaction { t in
              _ = try await t.run("insert into t values ($1)", .int8(id))
              let seen = try await t.run("select count(*) from t where id = $1", .int8(id))[0].int64(0)
              #expect(seen == 1, "seed \(seed)")
            }
          case 3:
            var rows = [Array("\(id)\n".utf8)][...]
            let stored = try await c.copyIn("copy t from stdin") { rows.popFirst() }
            #expect(stored == 1, "seed \(seed)")
          default:
            let stored = try await c.run("insert into t values ($1) returning id", .int8(id))[0].int64(0)
            #expect(stored == id, "seed \(seed)")
          }
        }
      }
      try await group.waitForAll()
    }
    random = Generator(state: seed)
    var expected: [Int64] = []
    for index in 0..<400 {
      let kind = Int.random(in: 0..<6, using: &random)
      _ = Int.random(in: 0..<30, using: &random)
      if kind > 1 { expected.append(Int64(index)) }
    }
    #expect(try await c.run("select id from t order by id").map { $0.int64(0) } == expected, "seed \(seed)")
    await c.close()
  }
}

/// SplitMix64: the same numbers for the same seed.
struct Generator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
