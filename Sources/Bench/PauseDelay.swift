import CloudAPI
import Domain
import Glibc
import JSON
import Postgres
import Reactor
import Store

/// From what asks for a pause to the last message at the Sandbox: a webhook from the moment it is posted, the API from the
/// moment of the request, the command line from the start of its process, the number's colour from the moment it falls at
/// Meta. With one node and with three, where whoever hears of it is not who sends.
enum PauseDelay {
  /// Beyond it the gate has broken its promise; a fall of the colour is found by the next look first.
  private static let aim = 300.0
  private static let look = 30_000.0

  private enum Asker: String, CaseIterable {
    case template, account, api, cli, red
  }

  static func run(_ options: Bench.Options) async throws {
    for nodes in [1, 3] {
      for perSecond in [80, 1000] {
        let stage = try await Stage(options)
        do {
          try await measure(stage, nodes: nodes, perSecond: perSecond, rounds: options.rounds)
        } catch {
          await stage.end()
          throw error
        }
        await stage.end()
      }
    }
  }

  private struct Running {
    let stage: Stage
    let perSecond: Int
    let campaign: Campaign.ID
    let sandbox: UInt16
    /// Hears webhooks and answers the API: not the owner of the lane, where there are several.
    let door: String
    let key: String
  }

  private static func measure(_ stage: Stage, nodes: Int, perSecond: Int, rounds: Int) async throws {
    // Each round sends for a second or two, and a colour may take a look's whole period to be found.
    try await stage.addPeople(perSecond * (rounds * 10 + 60))
    // The guard reads the number's rate from Meta: ours stands beside it.
    _ = try await stage.pool.run(
      "update number set per_second = 2000, per_second_own = $1, reserve_percent = 0", .int4(Int32(perSecond)))
    let ports = try (0..<nodes).map { _ in try Files.freePort() }
    let sandboxPort = try Files.freePort()
    let door = "http://127.0.0.1:\(ports[nodes - 1])"
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 2000, webhook: "http://127.0.0.1:\(ports[0])/webhooks/whatsapp")
    let owner = try await stage.startService(port: ports[0], sandbox: sandboxPort)
    let running = Running(
      stage: stage, perSecond: perSecond, campaign: try await stage.launch(perSecond: perSecond, held: false),
      sandbox: sandboxPort, door: door, key: try await stage.apiKey())
    try await flowing(running)
    var others: [Program] = []
    for port in ports.dropFirst() { others.append(try await stage.startService(port: port, sandbox: sandboxPort)) }
    for asker in Asker.allCases {
      var delays: [Double] = []
      var found: [Double] = []
      // A colour waits for the next look, which takes half a minute: once.
      for round in 1...(asker == .red ? 1 : rounds) {
        try await flowing(running)
        // Somewhere between two questions to the gate.
        try await stage.reactor.sleep(for: .milliseconds(37 * round % 50))
        // The worst case: a look has just passed.
        if asker == .red { try await lookedAt(running) }
        let asked = try await ask(asker, running)
        if asker == .red {
          try await stage.until("the fall is found", within: .seconds(60), every: .milliseconds(20)) {
            try await pausedAt(running) != nil
          }
        }
        try await stage.reactor.sleep(for: .seconds(1))
        guard let last = try await lastArrival(running), let paused = try await pausedAt(running) else {
          throw BenchError("\(asker.rawValue): nothing was paused")
        }
        delays.append(Double(last - asked) / 1e6)
        found.append(Double(last - paused) / 1e6)
        try await goOn(running)
      }
      let name = "pause_delay.\(asker.rawValue).\(perSecond).\(nodes)"
      Line(name: name, value: delays.max() ?? 0, unit: "ms", floor: asker == .red ? look + aim : aim).print()
      if asker == .red {
        Line(name: name + ".found", value: found.max() ?? 0, unit: "ms", floor: aim).print()
      }
    }
    _ = try await Campaigns.cancel(
      running.campaign, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
    for program in [owner] + others + [sandbox] { program.stop() }
  }

  /// Another half second's messages have arrived.
  private static func flowing(_ running: Running) async throws {
    let before = try await arrived(running)
    try await running.stage.until("messages flow", within: .seconds(60), every: .milliseconds(20)) {
      try await arrived(running) >= before + running.perSecond / 2
    }
  }

  private static func arrived(_ running: Running) async throws -> Int {
    let summary = try await running.stage.json("http://127.0.0.1:\(running.sandbox)/sandbox/journal/summary")
    return Int(summary["arrived"]?.int64Value ?? 0)
  }

  private static func lastArrival(_ running: Running) async throws -> Int64? {
    try await running.stage.arrivals(running.sandbox, after: max(0, try await arrived(running) - 50)).last
  }

  /// When the newest pause that stands was committed, by the boot clock.
  private static func pausedAt(_ running: Running) async throws -> Int64? {
    let rows = try await running.stage.pool.run("select max(at) from open_pause")
    let offset = BootInstant.now.nanoseconds - Instant.now.nanoseconds
    return rows[0].optionalInstant(0).map { $0.nanoseconds + offset }
  }

  private static func lookedAt(_ running: Running) async throws {
    let before = try await running.stage.pool.run("select observed_at from number")[0].optionalInstant(0)
    _ = try await running.stage.pool.run("update number set watch_due = now()")
    try await running.stage.until("a look", within: .seconds(30), every: .milliseconds(5)) {
      try await running.stage.pool.run("select observed_at from number")[0].optionalInstant(0) != before
    }
  }

  /// Asks for the pause; the moment in which it began to.
  private static func ask(_ asker: Asker, _ running: Running) async throws -> Int64 {
    let (stage, bearer) = (running.stage, [("Authorization", "Bearer " + running.key), ("Content-Type", "application/json")])
    let began = BootInstant.now.nanoseconds
    switch asker {
    case .template:
      try await notify(
        running, "message_template_status_update",
        [
          "event": "PAUSED", "message_template_id": 1, "message_template_name": "ramadan_offer",
          "message_template_language": "ar", "reason": "NONE", "other_info": ["title": "FIRST_PAUSE"],
        ])
    case .account:
      try await notify(
        running, "account_update",
        [
          "event": "ACCOUNT_RESTRICTION",
          "restriction_info": [["restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"]],
        ])
    case .api:
      try await stage.post(
        "\(running.door)/v1/campaigns/\(running.campaign)/pause", Array("{}".utf8), bearer, expecting: 200)
    case .cli:
      let program = try await Program.start(
        try Stage.qafila(), ["campaigns", "pause", "\(running.campaign)", "--json"],
        environment: ["PATH=/usr/bin:/bin", "QAFILA_URL=\(running.door)", "QAFILA_API_KEY=\(running.key)"],
        log: stage.directory + "/cli.log")
      guard try await program.ended(on: stage.reactor) else {
        throw BenchError("qafila campaigns pause: \(Files.text(stage.directory + "/cli.log"))")
      }
    case .red:
      try await stage.post(
        "http://127.0.0.1:\(running.sandbox)/sandbox/numbers/\(Stage.phoneNumberID)", Array(#"{"quality": "RED"}"#.utf8),
        [("Content-Type", "application/json")], expecting: 200)
    }
    return began
  }

  private static let signature = WebhookSignature(appSecrets: ["sandbox-app-secret"])

  private static func notify(_ running: Running, _ field: String, _ value: JSONValue) async throws {
    let body: JSONValue = [
      "object": "whatsapp_business_account",
      "entry": [
        [
          "id": "102290129340398", "time": .number(String(Instant.now.seconds)),
          "changes": [["field": .string(field), "value": value]],
        ]
      ],
    ]
    let bytes = body.rendered()
    try await running.stage.post(
      running.door + "/webhooks/whatsapp", bytes, [("X-Hub-Signature-256", signature.sign(bytes) ?? "")], expecting: 200)
  }

  /// Ends what was opened, as an operator would.
  private static func goOn(_ running: Running) async throws {
    _ = try await running.stage.pool.run(
      "insert into pause_end (pause_id, reason, actor) select pause_id, 'bench', 'bench' from open_pause")
  }
}
