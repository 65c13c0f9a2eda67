import Domain
import JSON
import Reactor
import Store

/// The service's peak memory while it freezes and sends, at two sizes that must not matter, and once more at the larger
/// with the Graph API behind TLS. At a million people the sending is stopped after 100,000 messages: by then all of its
/// queues are as full as they get.
enum SenderMemory {
  static func run(_ options: Bench.Options) async throws {
    let small = try await peak(10_000, options)
    Line(name: "sender_memory.10000", value: small, unit: "MB").print()
    let large = try await peak(options.contacts, options)
    Line(name: "sender_memory.\(options.contacts)", value: large, unit: "MB", floor: small).print()
    let sealed = try await peak(options.contacts, options, overTLS: true)
    Line(name: "sender_memory.\(options.contacts).tls", value: sealed, unit: "MB", floor: small).print()
  }

  private static func peak(_ people: Int, _ options: Bench.Options, overTLS: Bool = false) async throws -> Double {
    let stage = try await Stage(options, overTLS: overTLS)
    try await stage.addPeople(people)
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
      let url = "\(stage.scheme)://127.0.0.1:\(sandboxPort)/sandbox/journal/summary"
      return try await stage.json(url)["arrived"]?.int64Value ?? 0 >= 100_000
    }
    let peak = service.peakMemory
    service.stop()
    sandbox.stop()
    await stage.end()
    return peak
  }
}
