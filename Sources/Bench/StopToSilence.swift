import CloudAPI
import Domain
import JSON
import Postgres
import Reactor
import Store

/// 1,000 opt-outs, each placed x ms before that person's slot, x uniform from 0 to 1,000: half by Meta's webhook, half by
/// the API. Prints the largest time from the answer to a message that still arrived; at 80 a second, at 1,000, and at
/// 1,000 while a million rows are imported.
enum StopToSilence {
  private static let optOuts = 1000

  static func run(_ options: Bench.Options) async throws {
    for (perSecond, imports) in [(80, false), (1000, false), (1000, true)] {
      let stage = try await Stage(options)
      let worst = try await worst(stage, perSecond, imports: imports)
      Line(name: "stop_to_silence.\(perSecond)\(imports ? ".import" : "")", value: worst.late, unit: "ms", floor: 300).print()
      Bench.say("  \(worst.placed) opt-outs, \(worst.still) messages left after one")
      await stage.end()
    }
  }

  private struct Target {
    let seq: Int
    let phone: Int64
    let ahead: Double
  }

  private static func worst(_ stage: Stage, _ perSecond: Int, imports: Bool) async throws -> (
    late: Double, placed: Int, still: Int
  ) {
    // Every fifth person stops, so that the pace goes on around them.
    try await stage.addPeople(optOuts * 5 + perSecond * 4)
    try await stage.setPersonKeys()
    try await stage.setRate(perSecond)
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(
      port: sandboxPort, throughput: 2000, webhook: "http://127.0.0.1:\(port)/webhooks/whatsapp")
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let key = try await stage.apiKey()
    let api = "http://127.0.0.1:\(port)"
    let importing = imports ? Task { try await stage.importMillion(to: api, key: key) } : nil
    let campaign = try await stage.launch(perSecond: perSecond, held: false)
    try await stage.until("the first seconds' messages", within: .seconds(60)) {
      try await arrived(stage, sandboxPort) >= perSecond
    }
    let rows = try await stage.pool.run(
      "select seq, phone from recipient where campaign_id = $1 and seq > $2 and seq % 5 = 0 order by seq limit $3",
      .int8(campaign.rawValue), .int4(Int32(perSecond * 3)), .int4(Int32(optOuts)))
    var waiting = rows.map {
      Target(seq: Int($0.int32(0)), phone: $0.int64(1), ahead: Double.random(in: 0...1000))
    }[...]
    let answers = Lock([(phone: Int64, at: Int64)]())
    var position = (seq: 0, at: Int64(0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      while !waiting.isEmpty {
        if BootInstant.now.nanoseconds - position.at > 200_000_000 {
          position = (try await arrived(stage, sandboxPort), BootInstant.now.nanoseconds)
        }
        let reached = Double(position.seq) + Double(BootInstant.now.nanoseconds - position.at) * Double(perSecond) / 1e9
        let near = waiting.prefix { (Double($0.seq) - reached) * 1000 / Double(perSecond) <= 1000 }
        let due = near.filter { (Double($0.seq) - reached) * 1000 / Double(perSecond) <= $0.ahead }
        for target in due {
          group.addTask {
            try await optOut(stage, target, api: api, key: key)
            answers.with { $0.append((target.phone, BootInstant.now.nanoseconds)) }
          }
        }
        let gone = Set(due.map(\.seq))
        waiting = waiting.filter { !gone.contains($0.seq) }[...]
        try await stage.reactor.sleep(for: .milliseconds(2))
      }
      try await group.waitForAll()
    }
    try await stage.until("everything sent", within: .seconds(300)) {
      let state = try await stage.state(campaign)
      return state == .settling || state == .completed
    }
    let rowsImported = try await importing?.value
    if let rowsImported { Bench.say("  \(rowsImported) rows imported meanwhile") }
    let arrivals = try await stage.offers(sandboxPort, of: campaign)
    let answered = answers.with { $0 }
    var (late, still) = (0.0, 0)
    for answer in answered {
      guard let at = arrivals[answer.phone], at > answer.at else { continue }
      still += 1
      late = max(late, Double(at - answer.at) / 1e6)
    }
    service.stop()
    sandbox.stop()
    return (late, answered.count, still)
  }

  private static func arrived(_ stage: Stage, _ port: UInt16) async throws -> Int {
    Int(try await stage.json("http://127.0.0.1:\(port)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0)
  }

  private static let signature = WebhookSignature(appSecrets: ["sandbox-app-secret"])

  private static func optOut(_ stage: Stage, _ target: Target, api: String, key: String) async throws {
    if target.seq % 10 == 0 {
      let body: JSONValue = ["phone": .string("+\(target.phone)")]
      try await stage.post(
        api + "/v1/opt-outs", body.rendered(), [("Authorization", "Bearer " + key), ("Content-Type", "application/json")],
        expecting: 201)
    } else {
      let body: JSONValue = [
        "object": "whatsapp_business_account",
        "entry": [
          [
            "id": "102290129340398",
            "changes": [
              [
                "field": "messages",
                "value": [
                  "messaging_product": "whatsapp", "metadata": ["phone_number_id": .string(Stage.phoneNumberID)],
                  "messages": [
                    [
                      "from": .string(String(target.phone)), "id": .string("wamid.\(target.seq)"),
                      "timestamp": .string(String(Instant.now.seconds)), "type": "text",
                      "text": ["body": "لو سمحتوا وقفوا الرسايل دي"],
                    ]
                  ],
                ],
              ]
            ],
          ]
        ],
      ]
      let bytes = body.rendered()
      try await stage.post(
        api + "/webhooks/whatsapp", bytes, [("X-Hub-Signature-256", signature.sign(bytes) ?? "")], expecting: 200)
    }
  }
}
