import CloudAPI
import Crypto
import Domain
import HTTPClient
import JSON
import Reactor
import Store

/// How long a forecast over a million people takes, asked for over HTTP, beside the counting query alone. What is left of
/// it, the run in virtual time with prices and warnings, is `forecast.virtual`.
enum ForecastTime {
  private static let request = """
    {"name": "offer", "from": "\(Stage.phoneNumberID)", "template": {"name": "ramadan_offer", "language": "ar",
     "parameters": {"body": [{"attr": "first_name", "fallback": "عميلنا العزيز"}, "20%"]}}, "audience": {"id": "1"},
     "schedule": {"start_at": "now", "window": {"start": "09:00", "end": "21:00", "days": "workdays"}, "per_day": 50000},
     "pace": {"per_second": 20}}
    """

  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.contacts, optOuts: 10)
    guard let seal = SealKey(secret: Stage.secret) else { throw BenchError("the seal key is refused") }
    let key = try await Keys(sealKey: seal).create(
      name: "bench", role: .marketer, business: stage.installation.business, by: "bench", on: stage.pool
    ).key
    let (port, sandbox) = (try Files.freePort(), try Files.freePort())
    let service = try await stage.startService(port: port, sandbox: sandbox, roles: ["api"])
    let spec = try CampaignSpec(json: JSONValue(parsing: Array(request.utf8)))
    let plan = FreezePlan(
      spec, category: .marketing, business: stage.installation.business, accountZone: "Africa/Cairo",
      senderPhones: [], bodyRoom: 900, now: .now)
    var (floors, times): ([Double], [Double]) = ([], [])
    for round in 1...options.rounds {
      let counting = BootInstant.now
      _ = try await Freeze.counts(plan, on: stage.pool)
      floors.append(seconds(since: counting))
      let asked = BootInstant.now
      try await ask(port: port, key: key, people: options.contacts, stage)
      times.append(seconds(since: asked))
      Bench.say("  round \(round): \(Line.text(times[round - 1])) s, counting \(Line.text(floors[round - 1])) s")
    }
    Line(name: "forecast", value: times.median, unit: "s", floor: floors.median).print()
    Line(name: "forecast.virtual", value: max(0, times.median - floors.median), unit: "s").print()
    service.stop()
    await stage.end()
  }

  /// One dry run over `people`, of whom some opted out.
  static func ask(port: UInt16, key: String, people: Int, _ stage: Stage) async throws {
    let answer = try await stage.client.send(
      HTTPRequest(
        "POST", "http://127.0.0.1:\(port)/v1/campaigns?dry_run=true",
        headers: [("Authorization", "Bearer " + key), ("Content-Type", "application/json")], body: Array(request.utf8),
        timeout: .seconds(120))
    ).get()
    let forecast = try JSONValue(parsing: answer.body, sizeLimit: 16 << 20)["forecast"]
    guard answer.status == 200, let written = forecast?["recipients"]?.int64Value,
      let excluded = forecast?["excluded"]?.int64Value, excluded > 0, written + excluded == Int64(people)
    else { throw BenchError("the forecast is no answer: \(answer.status)") }
  }

  private static func seconds(since start: BootInstant) -> Double {
    Double((BootInstant.now - start).nanoseconds) / 1e9
  }
}
