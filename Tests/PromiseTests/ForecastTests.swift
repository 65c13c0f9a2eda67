import API
import CloudAPI
import Crypto
import Domain
import HTTPClient
import HTTPServer
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Issue 4, show 6: a forecast against the same campaign, really run.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A forecast` {
  @Test func `says when the campaign will end, within 3 percent, and what was delivered costs to the last digit`() async throws {
    let world = try await World(people: 1500, perSecond: 80)
    try await world.startNode()
    let forecast = try await Self.forecast(World.request(pace: 60), in: world)
    let campaign = try await world.launch(pace: 60)
    try await world.until("sent", within: .seconds(120)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let times = try await world.journal().filter(\.isAccepted).map(\.at)
    #expect(times.count == 1500 && forecast["recipients"]?.int64Value == 1500)
    let seconds = Double(times[times.count - 1] - times[0]) / 1e9
    let first = try #require(forecast["starts_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    let last = try #require(forecast["finishes_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    let promised = Double((last - first).nanoseconds) / 1e9
    #expect(abs(seconds - promised) <= 0.03 * promised, "promised \(promised) s, took \(seconds) s")
    try await world.until("receipts are folded") {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.unknown] ?? 0) == 0
    }
    let charged = try await world.pool.run(
      "select market, count(*)::int8 from standing s where campaign_id = $1 and charge = 1 group by 1",
      .int8(campaign.rawValue))
    let rates = forecast["cost"]?["rates"]?.arrayValue ?? []
    #expect(charged.count == 1 && rates.count == 1)
    let rate = try #require(rates[0]["rate"]?.stringValue.flatMap { Amount($0) })
    let (report, ledger) = try await world.sums(campaign)
    #expect(rate * Int(charged[0].int64(1)) == ledger && report == ledger && ledger > .zero)
    let high = try #require(forecast["cost"]?["high"]?.stringValue.flatMap { Amount($0) })
    #expect(ledger <= high)
    try await world.end()
  }

  /// What `POST /v1/campaigns?dry_run=true` answers in this world.
  private static func forecast(_ request: String, in world: World) async throws -> JSONValue {
    let keys = Keys(sealKey: World.seal)
    let key = try await keys.create(
      name: "forecast", role: .marketer, business: world.installation.business, by: "test", on: world.pool)
    let api = API(
      APIServices(
        pool: world.pool, keys: keys, tokens: Tokens(sealKey: World.seal), installation: world.installation,
        graph: GraphClient(world.client, url: "http://127.0.0.1:\(world.sandboxPort)", version: "v26.0"),
        importContacts: { _ in throw CancellationError() }, reportMessages: { _ in { _ in } }, reportCosts: { _ in [] }))
    let server = HTTPServer(HTTPServerSettings(), on: world.desk, handler: api.handle)
    let port = try server.start()
    let answer = try await world.client.send(
      HTTPRequest(
        "POST", "http://127.0.0.1:\(port)/v1/campaigns?dry_run=true",
        headers: [("Authorization", "Bearer " + key.key), ("Content-Type", "application/json")], body: Array(request.utf8))
    ).get()
    await server.shutdown(grace: .seconds(1))
    let json = try JSONValue(parsing: answer.body)
    try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
    return try #require(json["forecast"])
  }
}
