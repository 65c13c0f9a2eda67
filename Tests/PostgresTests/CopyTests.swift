import Domain
import Postgres
import Reactor
import Testing

@Suite struct `A copy` {
  func table() async throws -> Connection {
    let c = try await connection()
    try await c.script("create table t(id int8 primary key, note text)")
    return c
  }

  @Test func `stores rows from chunks that end anywhere`() async throws {
    let c = try await table()
    let text = (0..<50_000).map { "\($0)\tnote \($0)\n" }.joined()
    var rest = Array(text.utf8)[...]
    let stored = try await c.copyIn("copy t from stdin") {
      defer { rest = rest.dropFirst(10_007) }
      return rest.isEmpty ? nil : Array(rest.prefix(10_007))
    }
    #expect(stored == 50_000)
    #expect(try await c.run("select count(*) from t where note = 'note ' || id")[0].int64(0) == 50_000)
    var out = 0
    var chunks = 0
    let read = try await c.copyOut("copy (select * from t order by id) to stdout") { chunk in
      #expect(chunk.last == UInt8(ascii: "\n"))
      out += chunk.count
      chunks += 1
    }
    #expect(read == 50_000 && out == text.utf8.count && chunks < 500)
    await c.close()
  }

  @Test func `stores nothing when its sender throws`() async throws {
    let c = try await table()
    var sent = 0
    await #expect(throws: Refusal()) {
      try await c.copyIn("copy t from stdin") {
        sent += 1
        if sent == 3 { throw Refusal() }
        return Array("\(sent)\tx\n".utf8)
      }
    }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
  }

  @Test func `stores nothing when its data is wrong, and says why without quoting it`() async throws {
    let c = try await table()
    do {
      var chunks = [Array("1\ta\n".utf8), Array("20100x\tb\n".utf8)][...]
      _ = try await c.copyIn("copy t from stdin") { chunks.popFirst() }
      Issue.record("text was stored as a number")
    } catch let error as DatabaseError {
      #expect(error == .rejected(.invalidTextRepresentation, detail: "") || !"\(error)".contains("20100"))
      #expect(!"\(error)".contains("20100"))
    }
    await #expect(throws: DatabaseError.rejected(.undefinedTable, detail: "relation \"nowhere\" does not exist")) {
      try await c.copyIn("copy nowhere from stdin") { nil }
    }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
  }

  @Test func `stores nothing when its task is cancelled while it sends`() async throws {
    let c = try await table()
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      var sent = 0
      return try await c.copyIn("copy t from stdin") {
        sent += 1
        if sent == 100 { entered.finish() }
        return Array("\(sent)\tx\n".utf8)
      }
    }
    for await _ in inside {}
    task.cancel()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
  }

  @Test func `out stops when its receiver throws`() async throws {
    let c = try await table()
    await #expect(throws: Refusal()) {
      try await c.copyOut("copy (select * from generate_series(1, 10000000)) to stdout") { _ in throw Refusal() }
    }
    #expect(try await c.run("select 1::int8")[0].int64(0) == 1)
    await c.close()
  }

  @Test func `out stops when its task is cancelled`() async throws {
    let c = try await table()
    let (inside, entered) = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      try await c.copyOut("copy (select i, pg_sleep(0.001) from generate_series(1, 1000000) i) to stdout") { _ in
        entered.finish()
      }
    }
    for await _ in inside {}
    task.cancel()
    await #expect(throws: DatabaseError.cancelled) { try await task.value }
    #expect(try await c.run("select 1::int8")[0].int64(0) == 1)
    await c.close()
  }

  @Test func `out holds the server back while its receiver is slow`() async throws {
    let c = try await connection()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let received = Lock(0)
    let task = Task {
      try await c.copyOut("copy (select repeat('x', 999) from generate_series(1, 100000)) to stdout") { chunk in
        if received.with({ n in
          n += chunk.count
          return n == chunk.count
        }) {
          for await _ in gate {}
        }
      }
    }
    let watcher = Connection(c.settings, on: sharedReactor)
    try await eventually("the server waits for its client") {
      try await watcher.run(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'ClientWrite'")[0]
        .int64(0) == 1
    }
    open.finish()
    #expect(try await task.value == 100_000)
    #expect(received.with { $0 } == 100_000_000)
    await c.close()
    await watcher.close()
  }
}
