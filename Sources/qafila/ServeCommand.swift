import CLinux
import Glibc
import Reactor

enum ServeCommand {
  static let command = Command(
    words: ["serve"], summary: "run the service",
    details: [
      """
      All roles unless --role names some; several machines may share one PostgreSQL. SIGTERM or SIGINT ends \
      it in good order (requests under way are answered, what was handed over is recorded); a second one \
      ends it at once.
      """,
      """
      Roles: api (HTTP), intake (Meta's webhooks, folding), scheduler (jobs, the life of campaigns), sender (the lanes).
      """,
    ],
    options: [Option("role", "ROLE", "run only this role", isRepeatable: true)],
    settings: [
      .endpointNetworks, .smtpURL, .smtpUser, .smtpPassword, .mailFrom, .mailTo, .mailLanguage, .mailZone, .digestAt,
      .databaseURL, .listen, .graphURL, .graphVersion, .appSecret, .verifyToken, .sealKey, .unknownAfter,
      .marketingRetries, .tierHeadroom, .reconcileMessages, .reconcileShare, .erasureRecord, .caFile,
    ]
  ) { invocation in
    // Tokens live in this process's memory: they must not reach a core dump.
    clinux_forbid_core_dumps()
    let stop = StopSignal()
    let service = try await Service.start(try ServeSettings(invocation))
    Log.write(
      "serving",
      [
        ("roles", service.settings.roles.map(\.rawValue).sorted().joined(separator: ",")),
        ("listen", service.port == 0 ? "" : "\(service.settings.address):\(service.port)"),
      ])
    await stop.wait()
    Log.write("stopping", [])
    await service.stop()
    Log.write("stopped", [])
  }
}

/// The first SIGINT or SIGTERM lets `wait` return; the second ends the process.
final class StopSignal: Sendable {
  private struct State {
    var isStopping = false
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state = Lock(State())

  init() {
    Signals.watch(on: Qafila.reactor) { [self] in
      let (isSecond, waiter) = state.with { state in
        defer { (state.isStopping, state.waiter) = (true, nil) }
        return (state.isStopping, state.waiter)
      }
      if isSecond { exit(ExitCode.interrupted.rawValue) }
      waiter?.resume()
    }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isStopping = state.with { state in
        if !state.isStopping { state.waiter = continuation }
        return state.isStopping
      }
      if isStopping { continuation.resume() }
    }
  }
}
