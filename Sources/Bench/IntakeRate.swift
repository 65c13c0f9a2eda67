import CloudAPI
import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Simulation
import Store

/// How many receipts are stored before their 200: signed posts of one status each, and Meta's batches of a hundred, over
/// 64 kept-alive connections. Floors: the same server that answers 200 and stores nothing, and the bare insert of the
/// same batches. Then the promised rate for as long as `--seconds` says: the answers' 99th percentile, and how far the
/// folding fell behind; while the single ones come, a campaign of 80 a second is sent.
enum IntakeRate {
  private static let secret = "sandbox-app-secret"
  private static let campaignPace = 80

  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.contacts)
    let walkers = try await stage.addAudience("walkers", of: campaignPace * (options.seconds + 60))
    try await stage.setRate(campaignPace)
    let (port, sandboxPort) = (try Files.freePort(), try Files.freePort())
    let sandbox = try await stage.startSandbox(port: sandboxPort, throughput: 1000, webhook: nil)
    let service = try await stage.startService(port: port, sandbox: sandboxPort)
    let (campaign, _) = try await ExpansionTime.freeze(stage)
    let storm = ReceiptStorm(
      campaign: campaign, installation: stage.installation.name, phoneNumberID: Stage.phoneNumberID,
      messages: options.contacts, seed: 7, midnight: Instant.now.seconds / 86_400 * 86_400)
    let subject = Subject(stage: stage, port: port, sandbox: sandboxPort, truth: storm.truth, storm: storm)
    try await subject.measure("single", batch: 1, promised: 12_000, seconds: options.seconds, walkers: walkers)
    try await subject.measure("batched", batch: 100, promised: 60_000, seconds: options.seconds, walkers: nil)
    Line(name: "intake.memory", value: service.peakMemory, unit: "MB").print()
    service.stop()
    sandbox.stop()
    await stage.end()
  }

  private final class Subject: Sendable {
    let stage: Stage
    let port: UInt16
    let sandbox: UInt16
    let truth: [ReceiptStorm.Event]
    let storm: ReceiptStorm
    private let used = Lock(0)

    init(stage: Stage, port: UInt16, sandbox: UInt16, truth: [ReceiptStorm.Event], storm: ReceiptStorm) {
      (self.stage, self.port, self.sandbox, self.truth, self.storm) = (stage, port, sandbox, truth, storm)
    }

    /// Bodies of `batch` events each, going on where the phase before ended; after the last event the first again.
    private func bodies(_ batch: Int) -> @Sendable (Int) -> [UInt8] {
      let start = used.with { $0 }
      return { [truth, storm] number in
        let from = start + number * batch
        return storm.body((from..<from + batch).lazy.map { truth[$0 % truth.count] })
      }
    }

    func measure(_ name: String, batch: Int, promised: Int, seconds: Int, walkers: Audience.ID?) async throws {
      let name = "intake." + name
      let sink = try NullSink()
      let floor = try await WebhookLoad.run(port: sink.port, secret: secret, seconds: 5, body: bodies(batch))
      await sink.stop()
      let before = try await stored()
      let most = try await WebhookLoad.run(port: port, secret: secret, seconds: 10, body: bodies(batch))
      used.with { $0 += most.posts * batch }
      guard try await stored().posts - before.posts == most.stored else {
        throw BenchError("what was answered 200 is not what is stored")
      }
      let rate = Double(most.stored * batch) / most.seconds
      Bench.say("  \(name): \(Int(rate))/s at most, \(most.refused) refused")
      Line(
        name: name, value: rate, unit: "statuses/s", floor: Double(floor.stored * batch) / floor.seconds
      ).print()
      Line(name: name + ".insert_floor", value: rate, unit: "statuses/s", floor: try await insert(batch)).print()
      let size = try await stored()
      Line(
        name: name + ".stored_bytes", value: Double(size.bytes - before.bytes) / Double(most.stored * batch),
        unit: "bytes/receipt"
      ).print()
      try await stage.until("all folded", within: .seconds(300), every: .milliseconds(100)) { try await lag() == 0 }

      var pace: Campaign.ID?
      if let walkers {
        pace = try await stage.launch(perSecond: campaignPace, held: false, audience: walkers)
        try await stage.until("the first second's messages", within: .seconds(60)) {
          try await stage.json("http://127.0.0.1:\(sandbox)/sandbox/journal/summary")["arrived"]?.int64Value ?? 0
            >= Int64(campaignPace)
        }
      }
      let from = BootInstant.now.nanoseconds
      let isOver = Lock(false)
      async let lags = lags(until: isOver)
      let kept = try await WebhookLoad.run(
        port: port, secret: secret, seconds: Double(seconds), perSecond: Double(promised) / Double(batch),
        body: bodies(batch))
      isOver.with { $0 = true }
      used.with { $0 += kept.posts * batch }
      let to = BootInstant.now.nanoseconds
      let behind = try await lags
      Line(
        name: name + ".sustained", value: Double(kept.stored * batch) / kept.seconds, unit: "statuses/s",
        floor: Double(promised)
      ).print()
      Line(name: name + ".p99", value: kept.quantile(0.99), unit: "ms", floor: 50).print()
      Line(name: name + ".p50", value: kept.quantile(0.5), unit: "ms").print()
      Line(name: name + ".fold_behind", value: behind, unit: "s", floor: 5).print()
      if let pace {
        let times = try await stage.arrivals(sandbox).filter { $0 >= from && $0 <= to }
        try Pace(times, perSecond: campaignPace).print(name + ".campaign", perSecond: campaignPace)
        _ = try await Campaigns.cancel(
          pace, of: stage.installation.business, by: "bench", reason: "bench", on: stage.pool)
      }
      try await stage.until("all folded", within: .seconds(600), every: .milliseconds(200)) { try await lag() == 0 }
    }

    /// Posts, and bytes of their blobs as the server keeps them.
    private func stored() async throws -> (posts: Int, bytes: Int) {
      let row = try await stage.pool.run(
        "select coalesce(sum(count), 0)::int8, coalesce(sum(pg_column_size(bodies)), 0)::int8 from receipt_batch")[0]
      return (Int(row.int64(0)), Int(row.int64(1)))
    }

    /// Seconds since the oldest batch came that is not folded; 0 when all are.
    private func lag() async throws -> Double {
      let row = try await stage.pool.run(
        """
        select coalesce(extract(epoch from max(clock_timestamp() - b.received_at)), 0)::float8::text
        from receipt_stream s
        cross join lateral (select coalesce(max(upto), 0) upto from fold_log f where f.stream = s.stream) f
        cross join lateral (
          select received_at from receipt_batch b where b.stream = s.stream and b.k > f.upto order by b.k limit 1
        ) b
        """)[0]
      return row.text(0).asNumber
    }

    private func lags(until isOver: Lock<Bool>) async throws -> Double {
      var most = 0.0
      while !isOver.with({ $0 }) {
        most = max(most, try await lag())
        try await stage.reactor.sleep(for: .milliseconds(250))
      }
      return most
    }

    /// Statuses a second of the bare insert: the same blobs, 500 bodies to a row, one commit each.
    private func insert(_ batch: Int) async throws -> Double {
      _ = try await stage.pool.run("create table bench_blob (k bigint primary key, bodies bytea compression lz4)")
      let make = bodies(batch)
      let perRow = max(1, 500 / batch)
      let blobs = (0..<20).map { row in (0..<perRow).flatMap { make(row * perRow + $0) } }
      let rows = 200
      let started = BootInstant.now
      for k in 0..<rows {
        _ = try await stage.pool.run(
          "insert into bench_blob values ($1, $2)", .int8(Int64(k)), .bytea(blobs[k % blobs.count]))
      }
      let took = Double((BootInstant.now - started).nanoseconds) / 1e9
      _ = try await stage.pool.run("drop table bench_blob")
      return Double(rows * perRow * batch) / took
    }
  }
}
