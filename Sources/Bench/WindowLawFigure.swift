import Domain
import Reactor

/// A number of 80 a second for half a minute: the fullest sliding second at the Sandbox, and how much of what the law
/// allows was used. The Sandbox itself allows more, so that an excess would show.
enum WindowLawFigure {
  private static let perSecond = 80
  private static let seconds = 30

  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(perSecond * seconds)
    try await stage.setRate(perSecond)
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 1000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(perSecond: perSecond, held: false)
    try await stage.until("everything sent", within: .seconds(120)) {
      let state = try await stage.state(campaign)
      return state == .settling || state == .completed
    }
    let times = try await stage.arrivals(sandboxPort)
    service.stop()
    sandbox.stop()
    guard times.count == perSecond * seconds else {
      throw BenchError("\(times.count) messages arrived of \(perSecond * seconds)")
    }
    try Pace(times, perSecond: perSecond).print("window_law", perSecond: perSecond)
    await stage.end()
  }
}
