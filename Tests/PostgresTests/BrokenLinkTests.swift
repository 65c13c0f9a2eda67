import Domain
import Glibc
import Postgres
import Reactor
import Testing

private let clusterWork: Reactor = {
  let reactor = Reactor(name: "cluster-tests")
  reactor.start()
  return reactor
}()

/// Runs what blocks on a thread of its own, not on the pool's few that all tests share.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
  try await withCheckedThrowingContinuation { waiter in
    clusterWork.submit { waiter.resume(with: Result(catching: body)) }
  }
}

/// A cluster of the test's own, to be broken; its directory is gone afterwards.
func withCluster(_ settings: [String: String] = [:], _ body: (PrivateCluster) async throws -> Void) async throws {
  let directory = "/tmp/qafila-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  let all = ["fsync": "off", "max_connections": "30"].merging(settings) { $1 }
  let cluster = try await blocking { try PrivateCluster.start(directory: directory, settings: all) }
  do {
    try await body(cluster)
  } catch {
    try await blocking { cluster.destroy() }
    throw error
  }
  try await blocking { cluster.destroy() }
}

func connection(_ url: String, timeout: Duration = .seconds(10)) -> Connection {
  var settings = ConnectionSettings(url: url)
  settings.connectTimeout = timeout
  return Connection(settings, on: sharedReactor)
}

@Suite struct `A broken link` {
  @Test func `fails what is in flight as interrupted, and the next call makes a new one`() async throws {
    try await withCluster { cluster in
      let c = connection(cluster.url)
      let watcher = connection(cluster.url)
      try await c.script("create table t(id int8)")
      let sleepers = (0..<20).map { index in
        Task { try await c.run("insert into t select $1 from pg_sleep(60)", .int8(Int64(index))) }
      }
      try await eventually("the first sleeps") { try await isRunning("%pg_sleep(60)%", seenBy: watcher) }
      try await blocking { try cluster.restart(immediate: true) }
      for sleeper in sleepers { await #expect(throws: DatabaseError.interrupted) { try await sleeper.value } }
      #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
      await c.close()
      await watcher.close()
    }
  }

  @Test func `that was idle is replaced without anybody noticing`() async throws {
    try await withCluster { cluster in
      let pool = Pool(ConnectionSettings(url: cluster.url), size: 2, on: sharedReactor)
      for _ in 0..<3 {
        #expect(try await pool.run("select 1::int8")[0].int64(0) == 1)
        try await blocking { try cluster.restart(immediate: false) }
        // The end of the old session lies in the socket; give the loop a turn to find it.
        try await sharedReactor.sleep(for: .milliseconds(20))
      }
      #expect(try await pool.run("select 1::int8")[0].int64(0) == 1)
      await pool.close()
    }
  }

  @Test func `ends its transaction, which never goes on over the next link`() async throws {
    let c = try await connection()
    let killer = Connection(c.settings, on: sharedReactor)
    try await c.script("create table t(id int8)")
    let failures = Lock(0)
    await #expect(throws: DatabaseError.interrupted) {
      try await c.transaction { t in
        _ = try await t.run("insert into t values (1)")
        let pid = try await t.run("select pg_backend_pid()")[0].int32(0)
        _ = try await killer.run("select pg_terminate_backend($1)", .int4(pid))
        for attempt in 0..<1000 {
          do {
            switch attempt % 3 {
            case 0: _ = try await t.run("select 1")
            case 1: _ = try await t.copyIn("copy t from stdin") { nil }
            default: try await t.script("insert into t values (2)")
            }
          } catch DatabaseError.interrupted {
            failures.with { $0 += 1 }
          }
        }
      }
    }
    #expect(failures.with { $0 } > 900)
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
    await killer.close()
  }

  @Test func `ends a copy, which stores nothing`() async throws {
    let c = try await connection()
    let killer = Connection(c.settings, on: sharedReactor)
    try await c.script("create table t(id int8)")
    let pid = try await c.run("select pg_backend_pid()")[0].int32(0)
    var sent = 0
    await #expect(throws: DatabaseError.interrupted) {
      try await c.copyIn("copy t from stdin") {
        sent += 1
        if sent == 10 { _ = try await killer.run("select pg_terminate_backend($1)", .int4(pid)) }
        return sent == 100_000 ? nil : Array("\(sent)\n".utf8)
      }
    }
    #expect(try await c.run("select count(*) from t")[0].int64(0) == 0)
    await c.close()
    await killer.close()
  }

  @Test func `ends a script`() async throws {
    let c = try await connection()
    await #expect(throws: DatabaseError.interrupted) {
      try await c.script("create table t(id int8); select pg_terminate_backend(pg_backend_pid()); select 1")
    }
    await #expect(throws: DatabaseError.self) { try await c.run("select * from t") }
    await c.close()
  }

  @Test func `does not disturb others who share the reactor when a connection is dropped without a word`() async throws
  {
    let url = try await connection().settings.url
    for _ in 0..<20 {
      let c = connection(url)
      #expect(try await c.run("select 1::int8")[0].int64(0) == 1)
    }
    let last = connection(url)
    try await eventually("the dropped sessions end") {
      try await last.run("select count(*) from pg_stat_activity where datname = current_database()")[0].int64(0) == 1
    }
    await last.close()
  }
}

@Suite struct `A connection to be made` {
  @Test func `fails as unreachable when its time is up`() async throws {
    let c = connection("postgresql:///x?host=/tmp/nowhere", timeout: .milliseconds(300))
    let started = BootInstant.now
    do {
      _ = try await c.run("select 1")
      Issue.record("nobody answered")
    } catch {
      guard case .unreachable(let detail) = error else { throw error }
      #expect(detail.contains("/tmp/nowhere"))
    }
    #expect(BootInstant.now - started >= .milliseconds(290))
    await #expect(throws: DatabaseError.self) { try await c.transaction { _ in } }
    await c.close()
  }

  @Test func `waits for a server that comes back in time`() async throws {
    try await withCluster { cluster in
      try await blocking { cluster.stop() }
      let c = connection(cluster.url)
      async let answer = c.run("select 1::int8")
      async let copied = c.copyIn("copy pg_temp.none from stdin") { nil }
      try await sharedReactor.sleep(for: .milliseconds(150))
      try await blocking { try cluster.restart(immediate: false) }
      #expect(try await answer[0].int64(0) == 1)
      do { _ = try await copied } catch DatabaseError.rejected(let state, _) {
        #expect(state.code.hasPrefix("42") || state.code == "3F000")
      }
      await c.close()
    }
  }

  @Test func `does not wait when waiting cannot help`() async throws {
    let url = try await connection().settings.url
    for wrong in [
      url.replacing("postgresql:///", with: "postgresql:///no-such-"),
      url.replacing("user=qafila", with: "user=nobody-known"),
      "postgresql://[broken", "nonsense", "host=/tmp passwrd=secret",
    ] {
      // Longer than anybody would look at a test.
      let c = connection(wrong, timeout: .seconds(3600))
      do {
        _ = try await c.run("select 1")
        Issue.record("\(wrong) was reached")
      } catch {
        guard case .unreachable(let detail) = error else { throw error }
        #expect(!detail.contains("secret"))
      }
      await c.close()
    }
  }

  @Test func `tries several hosts in turn, by name, address and path`() async throws {
    let port = String(Int.random(in: 20_000...30_000))
    try await withCluster(["listen_addresses": "localhost", "port": port]) { cluster in
      for url in [
        "postgresql://qafila@localhost:\(port)/qafila",
        "postgresql://qafila@127.0.0.1:1,localhost:\(port)/qafila?target_session_attrs=read-write",
        "host=/tmp/nowhere,127.0.0.1 port=5432,\(port) dbname=qafila user=qafila",
        "hostaddr=127.0.0.1 port=\(port) dbname=qafila user=qafila options='-c work_mem=5MB'",
        cluster.url.replacing("host=", with: "host=/tmp/nowhere,"),
      ] {
        let c = connection(url)
        let one = try await c.run("select 1::int8")[0].int64(0)
        #expect(one == 1, "\(url)")
        await c.close()
      }
    }
  }

  @Test func `does not stop on a host that takes the call and says nothing`() async throws {
    try await withCluster { cluster in
      let mute = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(mute) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = bind(mute, $0, size)
          _ = getsockname(mute, $0, &size)
        }
      }
      listen(mute, 5)
      let port = UInt16(bigEndian: address.sin_port)
      let c = connection("host=127.0.0.1,\(cluster.directory) port=\(port),5432 dbname=qafila user=qafila")
      let one = try await c.run("select 1::int8")[0].int64(0)
      #expect(one == 1)
      await c.close()
      // Alone, it is given up.
      let alone = connection("host=127.0.0.1 port=\(port) dbname=qafila user=qafila", timeout: .milliseconds(200))
      await #expect(throws: DatabaseError.unreachable(detail: "no answer in time")) { try await alone.run("select 1") }
      await alone.close()
    }
  }

  @Test func `shows its address without the password`() {
    let settings = ConnectionSettings(url: "postgresql://ann:s3cret@db1:5433,db2:5434/qafila?sslmode=require")
    #expect(settings.redacted == "postgresql://ann@db1,db2:5433,5434/qafila")
    #expect(ConnectionSettings(url: "postgresql://ann:s3cret@[").redacted == "a malformed connection string")
  }
}
