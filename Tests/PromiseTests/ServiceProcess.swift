import CLinux
import Domain
import Glibc
import Reactor
import Simulation
import Testing

/// The built binary, run as its users run it, so that it can be killed, frozen and started again.
final class ServiceProcess: Sendable {
  let pid: pid_t
  let port: UInt16
  private let isRunning = Lock(true)

  private init(pid: pid_t, port: UInt16) { (self.pid, self.port) = (pid, port) }
  // A test that failed on its way leaves nothing running.
  deinit { killNow() }

  /// Starts `qafila serve` beside this test bundle, with all roles.
  /// `port`: the one a dead process had, where webhooks still go.
  /// `database`: another way to the same database.
  static func start(
    _ world: World, port known: UInt16? = nil, unknownAfter: Int = 4, database: String? = nil
  ) throws -> ServiceProcess {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    let binary = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/qafila"
    let port = known ?? FreePorts.take()
    let settings = [
      "QAFILA_DATABASE_URL=\(database ?? world.url)", "QAFILA_LISTEN=127.0.0.1:\(port)",
      "QAFILA_GRAPH_URL=http://127.0.0.1:\(world.sandboxPort)", "QAFILA_APP_SECRET=\(World.secret)",
      "QAFILA_VERIFY_TOKEN=sandbox-verify-token", "QAFILA_SEAL_KEY=\(World.sealSecret)", "QAFILA_UNKNOWN_AFTER=\(unknownAfter)",
      "QAFILA_ENDPOINT_NETWORKS=127.0.0.1",
      "LD_LIBRARY_PATH=\(getenv("LD_LIBRARY_PATH").map { String(cString: $0) } ?? "")",
    ]
    let log = open("/dev/null", O_WRONLY)
    defer { close(log) }
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup(binary), strdup("serve"), nil]
    let environment: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
    defer { for text in arguments + environment { free(text) } }
    let pid = clinux_spawn(binary, arguments, environment, nil, log, -1, -1, 0)
    try #require(pid > 0, "\(binary) does not start: \(-pid)")
    return ServiceProcess(pid: pid, port: port)
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Kills it without a word and waits for its end.
  func killNow() { _ = end(SIGKILL) }

  /// Ends it in good order; true when it left with 0.
  func stop() -> Bool { end(SIGTERM) == 0 }

  /// The status it left with; nil when it had ended before.
  private func end(_ signal: Int32) -> Int32? {
    let wasRunning = isRunning.with { isRunning in
      defer { isRunning = false }
      return isRunning
    }
    guard wasRunning else { return nil }
    kill(pid, signal)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return status
  }
}
