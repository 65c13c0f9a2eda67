import CloudAPI
import Domain
import JSON
import Postgres
import Reactor
import Store

/// How fast messages are sent and recorded when nothing paces them but the machine, against a bare HTTP client.
enum SendThroughput {
  /// Of one number: above what any machine reaches, so that the law is not what is measured. Several keep Meta's highest
  /// rate. The campaign has no pace of its own.
  private static func perSecond(_ stage: Stage) -> Int { stage.numbers.count == 1 ? 100_000 : 1000 }

  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.recipients)
    try await stage.setRate(perSecond(stage))
    var (floors, rates, service, database, sandbox): ([Double], [Double], [Double], [Double], [Double]) = ([], [], [], [], [])
    var (memory, lengths): ([Double], [Double]) = ([], [])
    var wal: [String: [Double]] = [:]
    var bodies: [[UInt8]] = []
    for round in 1...options.rounds {
      let subject = try await send(stage)
      if bodies.isEmpty { bodies = try await rendered(subject.campaign, stage) }
      let floor = try await floor(bodies, stage, options.inFlight)
      Bench.say("  round \(round): \(Int(subject.rate))/s, floor \(Int(floor))/s")
      floors.append(floor)
      rates.append(subject.rate)
      let count = Double(options.recipients)
      service.append(subject.service / count)
      database.append(subject.database / count)
      sandbox.append(subject.sandbox / count)
      memory.append(subject.memory)
      lengths.append(subject.claim)
      for (table, bytes) in subject.wal { wal[table, default: []].append(bytes / count) }
    }
    let name = stage.numbers.count == 1 ? "send_throughput" : "send_throughput.\(stage.numbers.count)_numbers"
    Line(name: name, value: rates.median, unit: "messages/s", floor: floors.median).print()
    let parts = [("service", service), ("postgresql", database), ("sandbox", sandbox)]
    for (name, values) in parts {
      Line(name: "send_throughput.cpu.\(name)", value: values.median, unit: "us/message").print()
    }
    Line(name: "send_throughput.cpu.total", value: parts.reduce(0) { $0 + $1.1.median }, unit: "us/message").print()
    for (table, values) in wal.sorted(by: { $0.value.median > $1.value.median }) where values.median >= 0.5 {
      Line(name: "send_throughput.wal.\(table)", value: values.median, unit: "bytes/message").print()
    }
    let claimed = ["lane_log", "fact"].reduce(0) { $0 + (wal[$1]?.median ?? 0) }
    Line(name: "send_throughput.wal.claim_and_fact", value: claimed, unit: "bytes/message").print()
    Line(name: "send_throughput.claim_length", value: lengths.median, unit: "messages").print()
    Line(name: "send_throughput.memory", value: memory.median, unit: "MB").print()
    await stage.end()
  }

  struct Subject {
    let campaign: Campaign.ID
    var rate = 0.0
    /// Microseconds of CPU.
    var service = 0.0
    var database = 0.0
    var sandbox = 0.0
    var memory = 0.0
    var claim = 0.0
    var wal: [(table: String, bytes: Double)] = []
  }

  private static func send(_ stage: Stage) async throws -> Subject {
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: perSecond(stage), webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let campaign = try await stage.launch(perSecond: nil, held: true)
    try await stage.until("expansion", within: .seconds(60)) { try await stage.state(campaign) == .sending }
    _ = try await stage.pool.run("checkpoint")
    // Lanes are taken and found idle before the clock starts.
    try await stage.reactor.sleep(for: .seconds(1))
    var result = Subject(campaign: campaign)
    let before = (service.cpu, try stage.databaseCPU(), sandbox.cpu)
    let from = try await WALShare.position(stage)
    try await stage.release(campaign)
    try await stage.until("everything sent", within: .seconds(300)) { try await stage.state(campaign) != .sending }
    try await stage.receiptsSettled(sandboxPort)
    (result.service, result.database) = (service.cpu - before.0, try stage.databaseCPU() - before.1)
    result.sandbox = sandbox.cpu - before.2
    let to = try await WALShare.position(stage)
    let facts = try await stage.pool.run(
      """
      select count(*), extract(epoch from max(at) - min(at))::numeric::text, count(*) filter (where outcome = 5)
      from fact where campaign_id = $1
      """, .int8(campaign.rawValue))[0]
    guard facts.int64(0) == facts.int64(2) else {
      throw BenchError("\(facts.int64(0) - facts.int64(2)) of \(facts.int64(0)) messages were not accepted")
    }
    result.rate = Double(facts.int64(0)) / (Double(facts.text(1)) ?? .infinity)
    result.claim = try await stage.pool.run(
      "select coalesce(avg(hi - lo + 1), 0)::float8::text from lane_log where campaign_id = $1 and kind = 1",
      .int8(campaign.rawValue))[0].text(0).asNumber
    result.memory = service.peakMemory
    service.stop()
    sandbox.stop()
    result.wal = try await WALShare.bytes(from: from, to: to, stage)
    return result
  }

  private static func floor(_ bodies: [[UInt8]], _ stage: Stage, _ inFlight: Int) async throws -> Double {
    let sink = try NullSink()
    let port = try Files.freePort()
    let sandbox = try await stage.startSandbox(
      port: port, throughput: 100_000, webhook: "http://127.0.0.1:\(sink.port)/")
    let rate = try await BareClient.rate(bodies, sandbox: port, inFlight: inFlight)
    sandbox.stop()
    await sink.stop()
    return rate
  }

  /// The very bodies that the service sent.
  private static func rendered(_ campaign: Campaign.ID, _ stage: Stage) async throws -> [[UInt8]] {
    let definition = try TemplateDefinition(
      name: "ramadan_offer", language: "ar", parameterFormat: "POSITIONAL",
      components: try JSONValue(parsing: Array(Stage.components.utf8)))
    let message = try TemplateMessage(definition, TemplateFill(body: [.person(0), .person(1)], stopButton: 0))
    let rows = try await stage.pool.run(
      "select seq, phone, vars from recipient where campaign_id = $1 order by seq", .int8(campaign.rawValue))
    return rows.map { row in
      message.render(
        to: PhoneNumber(digits: row.int64(1))!, values: row.texts(2),
        key: MessageKey(campaign: campaign, seq: Int64(row.int32(0)), attempt: 1), installation: stage.installation.name)
    }
  }
}

extension String {
  var asNumber: Double { Double(self) ?? 0 }
}
