import Domain
import JSON
import Reactor
import Store

/// How a pace that was asked for is kept, by each jitter: what arrived, the fullest sliding second, how far from the slots.
///
/// Without jitter the number is used to its limit; `human` gets the 0.8 of it that it needs. Slots are known from outside
/// only without jitter: a grid, laid as early as the arrivals allow. With `--beside` the same while the service imports,
/// forecasts and reports without a rest.
enum PaceError {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    var beside: Beside?
    if options.beside {
      beside = try await Beside(stage, people: options.contacts, walkers: 1000 * (options.seconds + 20))
    } else {
      try await stage.addPeople(1000 * (options.seconds + 10))
    }
    var round = 0
    for limit in [80, 1000] {
      try await stage.setRate(limit)
      for jitter in ["none", "human"] {
        let asked = jitter == "human" ? limit * 4 / 5 : limit
        round += 1
        let times = try await arrivals(stage, asked, jitter, options.seconds, beside, round)
        guard let first = times.first, let last = times.last, times.count > asked else {
          throw BenchError("only \(times.count) messages arrived")
        }
        let name = "pace_error.\(beside == nil ? "" : "beside.")\(limit).\(jitter)"
        let seconds = Double(last - first) / 1e9
        // The interval pays for a path that varies by 100 ms where the number's own limit is asked for.
        let step = max(1.1e9 / Double(limit), 1e9 / Double(asked))
        Line(name: name + ".rate", value: Double(times.count - 1) / seconds, unit: "messages/s", floor: 1e9 / step).print()
        Line(name: name + ".highest_second", value: Double(fullest(times)), unit: "messages", floor: Double(asked)).print()
        if jitter == "none" {
          Line(name: name + ".deviation_p99", value: deviation(times, step) / 1e6, unit: "ms", floor: 5).print()
        }
      }
    }
    await stage.end()
  }

  private static func arrivals(
    _ stage: Stage, _ perSecond: Int, _ jitter: String, _ seconds: Int, _ beside: Beside?, _ round: Int
  ) async throws -> [Int64] {
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 4000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(
      perSecond: perSecond, held: false, jitter: jitter, audience: beside?.walkers ?? Audience.ID(1))
    try await stage.until("the first second's messages", within: .seconds(60)) {
      try await stage.json("http://127.0.0.1:\(sandboxPort)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0
        >= Int64(perSecond)
    }
    // Its first second is a start, not a pace.
    let (from, to) = (BootInstant.now.nanoseconds, BootInstant.now + .seconds(seconds))
    if let beside {
      let done = try await beside.load(stage, port: port, round: round, until: to)
      Bench.say("  beside: \(done.imports) imports, \(done.forecasts) forecasts, \(done.reports) reports")
    } else {
      try await stage.reactor.sleep(until: to)
    }
    let times = try await stage.arrivals(sandboxPort).filter { $0 >= from && $0 <= to.nanoseconds }
    _ = try await Campaigns.cancel(campaign, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
    service.stop()
    sandbox.stop()
    return times
  }

  private static func fullest(_ times: [Int64]) -> Int {
    var (highest, first) = (0, 0)
    for last in times.indices {
      while times[last] - times[first] >= 1_000_000_000 { first += 1 }
      highest = max(highest, last - first + 1)
    }
    return highest
  }

  /// The 99th percentile of what arrivals lag behind their slots, in nanoseconds.
  private static func deviation(_ times: [Int64], _ step: Double) -> Double {
    var slot = Double(times[0])
    var late: [Double] = []
    for time in times {
      // A message never leaves before its slot: an earlier arrival moves the grid.
      slot = min(slot, Double(time))
      late.append(Double(time) - slot)
      slot += step
    }
    late.sort()
    return late[late.count * 99 / 100]
  }
}
