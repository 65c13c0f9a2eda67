import Alerting
import Domain
import HTTPClient
import HTTPServer
import JSON
import Postgres
import Reactor
import Simulation
import Store
import Testing

/// Telling strangers disturbs nobody, and a death between the post and its record repeats an id instead of losing an alert.
@Suite(.serialized) struct `Telling the outside` {
  @Test func `leaves a campaign its pace while receivers hang, fail and vanish`() async throws {
    let world = try await World(people: 600)
    try await world.startNode()
    let post = Reactor(name: "post")
    post.start()
    let pool = Pool(ConnectionSettings(url: world.url), size: 2, on: post)
    let strangers = Reactor(name: "strangers")
    strangers.start()
    let hung = Lock(0)
    let server = HTTPServer(HTTPServerSettings(), on: strangers) { request in
      if request.path == "/500" { return .text(500, "no") }
      hung.with { $0 += 1 }
      do { try await strangers.sleep(for: .seconds(60)) } catch { return .abort }
      return .abort
    }
    let port = try server.start()
    let secrets = Tokens(sealKey: World.seal).endpoints
    for path in ["/hang", "/500", ":1/nobody"] {
      let url = path.hasPrefix(":") ? "http://127.0.0.1\(path)" : "http://127.0.0.1:\(port)\(path)"
      let spec = try EndpointSpec(json: ["url": .string(url), "events": .array(AlertKind.allCases.map { .string($0.rawValue) })])
      _ = try await Endpoints.add(
        spec, sealed: secrets.sealed(EndpointSecrets.make()), of: world.installation.business, by: "test", on: pool)
    }
    var settings = Courier.Settings()
    settings.targets = TargetRule(allowed: [try #require(Network("127.0.0.1"))])
    let courier = Courier(
      settings: settings, installation: world.installation, secrets: secrets, pool: pool, on: post, log: { _, _ in })
    let running = Task { try await courier.run() }

    // Plenty to tell, before and while it sends.
    let events = """
      insert into audit (business_id, actor, action, subject)
      select $1, 'qafila', 'budget_threshold', 'number 1' from generate_series(1, 100)
      """
    _ = try await world.pool.run(events, .int8(world.installation.business.rawValue))
    try await world.until("receivers hang") { hung.with { $0 } >= 4 }
    let campaign = try await world.launch(pace: 200)
    _ = try await world.pool.run(events, .int8(world.installation.business.rawValue))
    try await world.until("sent", within: .seconds(30)) {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let arrivals = try await world.offers().map(\.at)
    #expect(arrivals.count == 600)
    let seconds = Double(arrivals.max()! - arrivals.min()!) / 1e9
    // 3 s at its pace; a sender that waited for a hanging receiver would wait 15.
    #expect(seconds < 9, "took \(seconds) s")
    #expect(hung.with { $0 } <= 8, "a receiver that hangs has its own bound")
    let delivered = try await world.pool.run("select count(*), count(*) filter (where state = 1) from delivery")[0]
    #expect(delivered.int64(0) >= 600 && delivered.int64(0) == delivered.int64(1), "nothing is lost: all of it waits")
    running.cancel()
    try await running.value
    await server.shutdown(grace: .milliseconds(50))
    await pool.close()
    try await world.end()
  }

  @Test func `says the same again under the same id when the process dies before its record`() async throws {
    let world = try await World(people: 1)
    let process = Lock(ServiceProcess?.none)
    let ids = Lock([String]())
    let strangers = Reactor(name: "strangers")
    strangers.start()
    let server = HTTPServer(HTTPServerSettings(), on: strangers) { request in
      let isFirst = ids.with { ids in
        ids.append(request.header("webhook-id") ?? "")
        return ids.count == 1
      }
      // It has been told; that it has, nobody can record any more.
      if isFirst { process.with { $0 }?.killNow() }
      return .text(200, "ok")
    }
    let port = try server.start()
    let spec = try EndpointSpec(json: ["url": .string("http://127.0.0.1:\(port)/")])
    _ = try await Endpoints.add(
      spec, sealed: Tokens(sealKey: World.seal).endpoints.sealed(EndpointSecrets.make()), of: world.installation.business,
      by: "test", on: world.pool)
    process.with { $0 = nil }
    let first = try ServiceProcess.start(world)
    process.with { $0 = first }
    _ = try await Pauses.stopAll(reason: "test", actor: "test", on: world.pool)
    try await world.until("told once, and dead") { ids.with { $0.count } == 1 }
    #expect(try await world.pool.run("select state from delivery")[0].int16(0) == 1, "it is not on the record")
    let second = try ServiceProcess.start(world)
    // Its lease of 60 s is over.
    _ = try await world.pool.run("update delivery set due_at = now()")
    try await world.until("told again, and on the record") {
      try await world.pool.run("select state from delivery")[0].int16(0) == 2
    }
    let told = ids.with { $0 }
    #expect(told.count == 2 && told[0] == told[1] && told[0].hasPrefix("evt_"), "\(told)")
    #expect(second.stop())
    await server.shutdown(grace: .milliseconds(50))
    try await world.end()
  }
}
