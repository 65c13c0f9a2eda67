import Crypto
import Domain
import HTTPClient
import Intake
import Postgres
import Reactor
import Simulation
import Store
import Testing

/// Promise 5: whatever way receipts come in, what they say is told once, and charged once.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A storm of receipts` {
  static let messages = 1500
  /// In the account's zone, Cairo's summer: what is delivered before it and read after it is charged on the day before.
  static let midnight = Instant(rfc3339: "2026-08-12T00:00:00+03:00")!.seconds

  private static func storm(_ world: World, _ campaign: Campaign.ID) -> ReceiptStorm {
    ReceiptStorm(
      campaign: campaign, installation: world.installation.name, phoneNumberID: "106540352242922", messages: messages,
      seed: 11, midnight: midnight)
  }

  /// Frozen, and not sent: its receipts come before any fact.
  private static func frozen(_ world: World) async throws -> Campaign.ID {
    try await world.launch(pace: 10, startAt: .now + .seconds(86_400))
  }

  private static let key = MACKey(Array(World.secret.utf8))
  private static func signature(_ body: [UInt8]) -> String { "sha256=" + Crypto.hex(key.hmacSHA256(body)) }

  /// Everything that is derived from receipts, as text: each message's state, and the ledger by what it is posted
  /// under.
  private static func derived(_ world: World) async throws -> (standings: [String], ledger: [String]) {
    let standings = try await world.pool.run(
      """
      select concat_ws(' ', seq, attempt, standing, sent_at, delivered_at, read_at, failed_at, code, category,
        pricing_type, market, charge, rate_id, charge_day) from standing order by seq, attempt
      """)
    let ledger = try await world.pool.run(
      """
      select concat_ws(' ', number_id, day, market, category, pricing_type, charge, rate_id, currency, sum(count),
        sum(amount)) as line
      from posting group by number_id, day, market, category, pricing_type, charge, rate_id, currency
      having sum(count) <> 0 or sum(amount) <> 0 order by 1
      """)
    return (standings.map { $0.text(0) }, ledger.map { $0.text(0) })
  }

  private static func isFolded(_ world: World) async throws -> Bool {
    try await world.pool.run(
      """
      select not exists (
        select from (select stream, max(k) k from receipt_batch group by stream) b
        where b.k > coalesce((select max(upto) from fold_log f where f.stream = b.stream), 0))
      """)[0].bool(0)
  }

  /// The truth, in order, once, without a network.
  private static func clean() async throws -> (standings: [String], ledger: [String]) {
    let world = try await World(people: messages)
    let node = try await world.startNode()
    let campaign = try await frozen(world)
    try await world.until("frozen") {
      try await world.pool.run("select count(*) from recipient")[0].int64(0) == Int64(messages)
    }
    let storm = storm(world, campaign)
    for post in storm.posts(storm.truth, most: 50) {
      let body = storm.body(post)
      #expect(await node.intake.receive(body, signature: signature(body)) == 200)
    }
    try await world.until("folded") { try await isFolded(world) }
    let derived = try await derived(world)
    try await world.end()
    return derived
  }

  @Test func `shuffled, doubled, forged, of strangers, over five kills, ends as the truth, and so does its replay`()
    async throws
  {
    let truth = try await Self.clean()
    #expect(truth.standings.count == Self.messages && truth.ledger.count > 1)

    let world = try await World(people: Self.messages)
    let campaign = try await Self.frozen(world)
    let service = Lock(try ServiceProcess.start(world))
    let port = service.with { $0.port }
    try await world.until("frozen") {
      try await world.pool.run("select count(*) from recipient")[0].int64(0) == Int64(Self.messages)
    }
    let storm = Self.storm(world, campaign)
    let posts = storm.posts(storm.events, most: 12)
    let (next, forged) = (Lock(0), Lock(0))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          while true {
            let mine = next.with { next in
              next += 1
              return next - 1
            }
            guard mine < posts.count else { return }
            let isForged = posts[mine][0].kind == .forged
            let body = storm.body(posts[mine])
            let signature = isForged ? Self.signature(body + [0x20]) : Self.signature(body)
            let request = HTTPRequest(
              "POST", "http://127.0.0.1:\(port)/webhooks/whatsapp",
              headers: [("Content-Type", "application/json"), ("X-Hub-Signature-256", signature)], body: body)
            // As Meta does: until it is taken, or never will be.
            try await world.until("post \(mine) is answered") {
              guard case .success(let answer) = await world.client.send(request) else { return false }
              if isForged, answer.status == 401 { forged.with { $0 += 1 } }
              return answer.status == (isForged ? 401 : 200)
            }
          }
        }
      }
      for kill in 1...5 {
        try await world.until("progress before kill \(kill)") { next.with { $0 } >= posts.count * kill / 6 }
        service.with { $0.killNow() }
        let again = try ServiceProcess.start(world, port: port)
        service.with { $0 = again }
      }
      try await group.waitForAll()
    }
    #expect(forged.with { $0 } == posts.count { $0[0].kind == .forged } && forged.with { $0 } > 10)
    try await world.until("folded") { try await Self.isFolded(world) }
    service.with { $0.killNow() }

    var found = try await Self.derived(world)
    #expect(found.standings == truth.standings)
    #expect(found.ledger == truth.ledger)
    let strays = try await world.pool.run("select distinct reason from stray_receipt order by 1")
    #expect(strays.map { $0.text(0) } == ["foreign_key", "no_key", "unknown_recipient"])

    // Folded again it changes nothing; folded again from nothing it is the same.
    let folder = Folder(
      installation: world.installation, database: ConnectionSettings(url: world.url), on: world.desk, log: { _, _ in })
    let from = Instant.now + .seconds(-3600)
    let same = try await folder.replay(from: from, to: .now)
    #expect(same.receipts > storm.events.count / 2 && same.corrected == 0 && same.postings == 0)
    _ = try await world.pool.run("truncate standing, posting")
    let again = try await folder.replay(from: from, to: .now)
    #expect(again.corrected >= Self.messages && again.receipts == same.receipts)
    found = try await Self.derived(world)
    #expect(found.standings == truth.standings)
    #expect(found.ledger == truth.ledger)
    #expect(try await folder.replay(from: .now, to: .now + .seconds(60)).batches == 0)
    await folder.close()
    try await world.end()
  }
}
