import Glibc
import Postgres
import Reactor

/// One private PostgreSQL per test process and an empty database per test.
///
/// It is fast and forgets on a power cut (`fsync` off); tests of durability start a `PrivateCluster` of their own. Its
/// directory under /tmp goes when the process ends; what a killed process leaves, the next one sweeps.
public actor TestDatabase {
  public static let shared = TestDatabase()

  private static let prefix = "qafila-test-"

  // Starting a cluster blocks, so it has a thread to block.
  private nonisolated let reactor = Reactor(name: "test-database")
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private var running: PrivateCluster?
  private var made = 0
  private var templates: [String: String] = [:]

  private init() { reactor.start() }

  /// The URL of a new, empty database.
  public func fresh() throws -> String { try cluster().createDatabase(nextName()) }

  /// The URL of a new copy of the database that `make` filled once under this name: schema and seeds at the price of a
  /// copy, about 30 ms. `make` must have closed its connections when it returns.
  public func fresh(like name: String, made make: @Sendable (String) async throws -> Void) async throws -> String {
    while makers.contains(name) {
      await withCheckedContinuation { waiter in
        if makers.contains(name) { waiting.append(waiter) } else { waiter.resume() }
      }
    }
    if templates[name] == nil {
      makers.insert(name)
      defer {
        makers.remove(name)
        let resumed = waiting
        waiting = []
        for waiter in resumed { waiter.resume() }
      }
      let template = nextName()
      try await make(try cluster().createDatabase(template))
      templates[name] = template
    }
    guard let template = templates[name] else { preconditionFailure("the template \(name) was not made") }
    return try cluster().createDatabase(nextName(), copying: template)
  }

  private var makers: Set<String> = []
  private var waiting: [CheckedContinuation<Void, Never>] = []

  private func nextName() -> String {
    made += 1
    return "t\(made)"
  }

  private func cluster() throws -> PrivateCluster {
    if let running { return running }
    TestDatabase.sweep()
    let directory = "/tmp/\(TestDatabase.prefix)\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let cluster = try PrivateCluster.start(
      directory: directory,
      settings: [
        "fsync": "off", "full_page_writes": "off", "synchronous_commit": "on", "shared_buffers": "128MB",
        "max_connections": "300",
        "autovacuum_naptime": "60s",
      ])
    running = cluster
    atExit.with { $0 = cluster }
    // Without this the server still stops with the process, but its directory would stay until the next run.
    atexit {
      atExit.with { $0.take() }?.destroy()
      // Of processes that this one has started and that crashed, as exit tests do.
      TestDatabase.sweep()
    }
    return cluster
  }

  private static func sweep() {
    guard let stream = opendir("/tmp") else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(prefix),
        let pid = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) })
      else { continue }
      if kill(pid, 0) != 0 { PrivateCluster.remove(directory: "/tmp/" + name) }
    }
  }
}

private let atExit = Lock(PrivateCluster?.none)
