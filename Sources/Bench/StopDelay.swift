import Domain
import JSON
import Reactor
import Store

/// From the commit of a pause to the last message at the Sandbox; below zero is before the commit was answered.
enum StopDelay {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(20_000)
    for perSecond in [80, 1000] {
      try await stage.setRate(perSecond)
      var delays: [Double] = []
      for _ in 1...options.rounds { delays.append(try await delay(stage, perSecond)) }
      Line(name: "stop_delay.\(perSecond)", value: delays.max() ?? 0, unit: "ms").print()
    }
    await stage.end()
  }

  private static func delay(_ stage: Stage, _ perSecond: Int) async throws -> Double {
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 2000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(perSecond: perSecond, held: false)
    try await stage.until("the first second's messages", within: .seconds(60)) {
      try await stage.json("http://127.0.0.1:\(sandboxPort)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0
        >= Int64(perSecond)
    }
    try await stage.hold(campaign)
    let paused = BootInstant.now.nanoseconds
    try await stage.reactor.sleep(for: .seconds(2))
    guard let last = try await stage.arrivals(sandboxPort).max() else { throw BenchError("nothing arrived") }
    _ = try await Campaigns.cancel(campaign, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
    service.stop()
    sandbox.stop()
    return Double(last - paused) / 1e6
  }
}
