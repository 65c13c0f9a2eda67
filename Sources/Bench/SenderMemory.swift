import Domain
import JSON
import Reactor
import Store

/// The service's peak memory while it freezes and sends, at two sizes that must not matter. At a million people the sending
/// is stopped after 100,000 messages: by then all of its queues are as full as they get.
///
/// Over TLS it is not measured: the Sandbox speaks plain HTTP only.
enum SenderMemory {
  static func run(_ options: Bench.Options) async throws {
    var small = 0.0
    for people in [10_000, options.contacts] {
      let peak = try await peak(people, options)
      Line(name: "sender_memory.\(people)", value: peak, unit: "MB", floor: small == 0 ? nil : small).print()
      small = peak
    }
  }

  private static func peak(_ people: Int, _ options: Bench.Options) async throws -> Double {
    let stage = try await Stage(options)
    try await stage.addPeople(people, optOuts: false)
    try await stage.setRate(20_000)
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 20_000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(perSecond: 10_000, held: false)
    try await stage.until("sending", within: .seconds(400), every: .milliseconds(500)) {
      let state = try await stage.state(campaign)
      if state == .settling || state == .completed { return true }
      guard people > 100_000, state == .sending else { return false }
      return try await stage.json("http://127.0.0.1:\(sandboxPort)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0
        >= 100_000
    }
    let peak = service.peakMemory
    service.stop()
    sandbox.stop()
    await stage.end()
    return peak
  }
}
