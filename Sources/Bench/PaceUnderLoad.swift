import Domain
import JSON
import Postgres
import Reactor
import Store

/// A campaign of 80 a second while a million rows are imported and a million people are frozen for another campaign:
/// the fullest sliding second and the slots used, both from the first byte of the load to its end.
enum PaceUnderLoad {
  private static let perSecond = 80

  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.contacts, optOuts: 10)
    // Enough for two minutes; whoever is left is cancelled.
    let walkers = try await stage.addAudience("walkers", of: perSecond * 120)
    let target = try await stage.addAudience("imported", of: 0)
    try await stage.setRate(perSecond)
    let path = stage.directory + "/load.csv"
    try ImportTime.write(path, rows: options.contacts, from: 40_000_000)
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 1000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let key = try await stage.apiKey()
    let campaign = try await stage.launch(perSecond: perSecond, held: false, audience: walkers)
    try await stage.until("the first seconds' messages", within: .seconds(60)) {
      try await stage.json("http://127.0.0.1:\(sandboxPort)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0
        >= Int64(perSecond * 3)
    }
    let from = BootInstant.now.nanoseconds
    async let imported = ImportTime.load(
      path, port: port, key: key, stage, audience: Int(target.rawValue), emptied: false)
    async let frozen = ExpansionTime.freeze(stage)
    let (answer, expansion) = (try await imported, try await frozen)
    let to = BootInstant.now.nanoseconds
    guard answer.created == options.contacts else { throw BenchError("\(answer.created) people were stored") }
    guard try await stage.state(campaign) == .sending else { throw BenchError("the campaign ended before its load") }
    let times = try await stage.arrivals(sandboxPort).filter { $0 >= from && $0 <= to }
    for running in [campaign, expansion.0] {
      _ = try await Campaigns.cancel(
        running, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
    }
    service.stop()
    sandbox.stop()
    try Pace(times, perSecond: perSecond).print("pace_under_load", perSecond: perSecond)
    Line(name: "pace_under_load.import", value: answer.seconds, unit: "s").print()
    Line(name: "pace_under_load.expansion", value: expansion.1, unit: "s").print()
    await stage.end()
  }
}
