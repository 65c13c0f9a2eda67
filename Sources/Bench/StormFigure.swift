import Crypto
import Domain
import Glibc
import HTTPClient
import Postgres
import Reactor
import Simulation
import Store

/// Promise 5 at its full size: receipts shuffled, 30 % doubled, 1 % forged, 1 % of strangers, the service killed five times
/// while they come. The states of all messages and the ledger must be those of the same receipts told once and in order;
/// else it is no figure but an error. About three receipts for each of `--contacts` messages, at most a million in all.
enum StormFigure {
  private static let secret = "sandbox-app-secret"
  private static let kills = 5
  private static let posters = 48
  /// Receipts of one post, at most.
  private static let most = 50
  /// A day of the account's zone, whose midnight the receipts lie around.
  private static let midnight: Int64 = 1_786_482_000

  static func run(_ options: Bench.Options) async throws {
    let messages = min(options.contacts, 333_000)
    let truth = try await told(messages, options, storm: false)
    let storm = try await told(messages, options, storm: true)
    guard storm.derived == truth.derived else {
      throw BenchError("after the storm: \(storm.derived); told once and in order: \(truth.derived)")
    }
    for (reason, count) in storm.strangers where storm.strays[reason] ?? 0 < count {
      throw BenchError("\(count) receipts of strangers (\(reason)), \(storm.strays[reason] ?? 0) kept")
    }
    Line(name: "receipt_storm.receipts", value: Double(storm.receipts), unit: "receipts").print()
    Line(name: "receipt_storm", value: storm.rate, unit: "receipts/s", floor: truth.rate).print()
    Line(name: "receipt_storm.refused", value: Double(storm.refused), unit: "forged posts refused").print()
    Line(name: "receipt_storm.again", value: Double(storm.again), unit: "posts sent again").print()
  }

  private struct Told {
    var receipts = 0
    /// By the reason under which they must be kept: as many of them, or as many people.
    var strangers: [String: Int] = [:]
    var refused = 0
    var again = 0
    var strays: [String: Int] = [:]
    /// To the last of them folded.
    var rate = 0.0
    var derived = ""
  }

  private static func told(_ messages: Int, _ options: Bench.Options, storm isStorm: Bool) async throws -> Told {
    let stage = try await Stage(options)
    try await stage.addPeople(messages)
    let (port, sandbox) = (try Files.freePort(), try Files.freePort())
    let service = Lock(try await stage.startService(port: port, sandbox: sandbox))
    let (campaign, _) = try await ExpansionTime.freeze(stage)
    let storm = ReceiptStorm(
      campaign: campaign, installation: stage.installation.name, phoneNumberID: Stage.phoneNumberID, messages: messages,
      seed: 11, midnight: midnight)
    let events = isStorm ? storm.events : storm.truth
    var told = Told()
    told.receipts = events.count
    told.strangers = [
      "foreign_key": events.count { $0.kind == .foreign }, "no_key": events.count { $0.kind == .keyless },
      // Several of one message that come together are kept once.
      "unknown_recipient": Set(events.filter { $0.kind == .unknown }.map(\.seq)).count,
    ]
    Bench.say("  \(events.count) receipts, \(isStorm ? "a storm" : "once and in order")")
    let posts = storm.posts(events, most: most)
    let started = BootInstant.now
    let (next, counts) = (Lock(0), Lock((refused: 0, again: 0)))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<posters {
        group.addTask { try await post(posts, storm, to: port, stage, next, counts) }
      }
      if isStorm {
        for number in 1...kills {
          try await stage.until("progress before kill \(number)", within: .seconds(600), every: .milliseconds(5)) {
            next.with { $0 } >= posts.count * number / (kills + 1)
          }
          service.with { program in
            kill(program.pid, SIGKILL)
            program.stop()
          }
          let again = try await stage.startService(port: port, sandbox: sandbox)
          service.with { $0 = again }
        }
      }
      try await group.waitForAll()
    }
    try await stage.until("all folded", within: .seconds(600)) { try await isFolded(stage) }
    told.rate = Double(events.count) / (Double((BootInstant.now - started).nanoseconds) / 1e9)
    (told.refused, told.again) = counts.with { $0 }
    guard told.refused == posts.count(where: { $0[0].kind == .forged }) else {
      throw BenchError("\(told.refused) forged posts were refused")
    }
    told.derived = try await derived(stage)
    for row in try await stage.pool.run("select reason, count(*) from stray_receipt group by 1") {
      told.strays[row.text(0)] = Int(row.int64(1))
    }
    service.with { $0.stop() }
    await stage.end()
    return told
  }

  /// As Meta does: each post until it is taken, or never will be.
  private static func post(
    _ posts: [[ReceiptStorm.Event]], _ storm: ReceiptStorm, to port: UInt16, _ stage: Stage, _ next: Lock<Int>,
    _ counts: Lock<(refused: Int, again: Int)>
  ) async throws {
    let key = MACKey(Array(secret.utf8))
    while true {
      let mine = next.with { next in
        next += 1
        return next - 1
      }
      guard mine < posts.count else { return }
      let isForged = posts[mine][0].kind == .forged
      let body = storm.body(posts[mine])
      let request = HTTPRequest(
        "POST", "http://127.0.0.1:\(port)/webhooks/whatsapp",
        headers: [
          ("Content-Type", "application/json"),
          ("X-Hub-Signature-256", "sha256=" + Crypto.hex(key.hmacSHA256(isForged ? body + [0x20] : body))),
        ], body: body)
      try await stage.until("post \(mine) is answered", within: .seconds(120), every: .milliseconds(20)) {
        if case .success(let answer) = await stage.client.send(request) {
          if isForged, answer.status == 401 {
            counts.with { $0.refused += 1 }
            return true
          }
          if !isForged, answer.status == 200 { return true }
        }
        counts.with { $0.again += 1 }
        return false
      }
    }
  }

  private static func isFolded(_ stage: Stage) async throws -> Bool {
    try await stage.pool.run(
      """
      select not exists (
        select from (select stream, max(k) k from receipt_batch group by stream) b
        where b.k > coalesce((select max(upto) from fold_log f where f.stream = b.stream), 0))
      """)[0].bool(0)
  }

  /// Everything that follows from receipts, as two digests and the ledger's sum.
  private static func derived(_ stage: Stage) async throws -> String {
    try await stage.pool.run(
      """
      select
        (select count(*) || ' ' || md5(string_agg(concat_ws(' ', seq, attempt, standing, sent_at, delivered_at, read_at,
          failed_at, code, category, pricing_type, market, charge, rate_id, charge_day), ',' order by seq, attempt))
          from standing)
        || ' ' || (select md5(string_agg(line, ',' order by line)) from (
          select concat_ws(' ', number_id, day, market, category, pricing_type, charge, rate_id, currency, sum(count),
            sum(amount)) as line
          from posting group by number_id, day, market, category, pricing_type, charge, rate_id, currency
          having sum(count) <> 0 or sum(amount) <> 0) l)
        || ' ' || (select sum(amount) from posting)
      """)[0].text(0)
  }
}
