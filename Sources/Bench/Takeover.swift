import Domain
import Glibc
import JSON
import Postgres
import Reactor
import Store

/// From `kill -9` of a lane's owner to the next owner's first send, and what stayed unknown.
enum Takeover {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(20_000)
    let perSecond = 80
    try await stage.setRate(perSecond)
    var (gaps, doubts): ([Double], [Double]) = ([], [])
    for _ in 1...options.rounds {
      let (gap, unknown) = try await takeover(stage, perSecond)
      gaps.append(gap)
      doubts.append(unknown)
    }
    Line(name: "takeover", value: gaps.max() ?? 0, unit: "s", floor: 5).print()
    // At most one gate slice (150 ms ahead, and the 50 ms between gates) and what was in flight.
    Line(name: "takeover.unknown", value: doubts.max() ?? 0, unit: "messages", floor: Double(perSecond) * 0.2 + 4).print()
    await stage.end()
  }

  private static func takeover(_ stage: Stage, _ perSecond: Int) async throws -> (seconds: Double, unknown: Double) {
    let (port, other, sandboxPort) = (try Files.freePort(), try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 4000, webhook: "http://127.0.0.1:\(other)/webhooks/whatsapp")
    let owner = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(perSecond: perSecond, held: false)
    try await stage.until("the first messages", within: .seconds(60)) {
      try await stage.arrivals(sandboxPort).count > perSecond
    }
    let next = try await stage.startService(port: other, sandbox: sandboxPort)
    try await stage.reactor.sleep(for: .seconds(2))
    kill(owner.pid, SIGKILL)
    let killed = BootInstant.now.nanoseconds
    // What was on its way arrives within milliseconds; a quarantine lasts longer.
    let residue = killed + 500_000_000
    try await stage.until("the next owner's first send", within: .seconds(30)) {
      try await stage.arrivals(sandboxPort).contains { $0 > residue }
    }
    guard let first = try await stage.arrivals(sandboxPort).first(where: { $0 > residue }) else {
      throw BenchError("nothing arrived")
    }
    let unknown = try await stage.pool.run(
      "select count(*) from fact where campaign_id = $1 and outcome in (1, 2)", .int8(campaign.rawValue))[0].int64(0)
    _ = try await Campaigns.cancel(campaign, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
    owner.stop()
    next.stop()
    sandbox.stop()
    return (Double(first - killed) / 1e9, Double(unknown))
  }
}
