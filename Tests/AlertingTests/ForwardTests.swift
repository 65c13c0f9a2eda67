import CloudAPI
import Crypto
import Domain
import Governor
import HTTPClient
import JSON
import Postgres
import Reactor
import Store
import Testing

@testable import Alerting

@Suite(.serialized) struct `A forward` {
  static func body(_ account: String, messages: Int = 0, statuses: Int = 0, mark: Int) -> [UInt8] {
    let messages = (0..<messages).map { #"{"id": "m\#(mark)-\#($0)", "text": {"body": "أهلا  \#(mark)"}}"# }
    let statuses = (0..<statuses).map { #"{"id": "s\#(mark)-\#($0)", "status": "sent"}"# }
    // Blanks as nobody would write them: what is passed on is not written anew.
    return Array(
      """
      {"object":  "whatsapp_business_account", "entry": [ {"id": "\(account)", "changes": [{"field": "messages", "value": {
        "messages": [\(messages.joined(separator: ","))], "statuses": [\(statuses.joined(separator: ", "))]}}]}] }
      """.utf8)
  }

  /// Accounts of two businesses, and a stream of raw receipts.
  private func stage(_ outside: Outside) async throws -> Connection {
    _ = try await outside.pool.run("insert into business (name) values ('other')")
    for (business, waba) in [(outside.business.rawValue, "mine"), (outside.business.rawValue + 1, "theirs")] {
      _ = try await outside.pool.run(
        """
        with p as (insert into portfolio (business_id, meta_id) values ($1, $2) returning portfolio_id)
        insert into account (business_id, portfolio_id, waba_id, currency, zone)
        select $1, portfolio_id, $2, 'USD', 'Africa/Cairo' from p
        """, .int8(business), .text(waba))
    }
    let connection = Connection(ConnectionSettings(url: outside.url), on: Outside.reactor)
    for stream: Int64 in [1, 2] { try await ReceiptLog.open(stream: stream, today: today, on: connection) }
    return connection
  }

  private var today: CivilDate { CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400)) }

  private func store(_ bodies: [[UInt8]], stream: Int64 = 1, k: Int64, _ connection: Connection) async throws {
    try await ReceiptLog.append(bodies, with: [], stream: stream, k: k, day: today, at: .now, on: connection)
  }

  private func withForwarder(_ outside: Outside, attempts: Int = 8, _ body: () async throws -> Void) async throws {
    var settings = Forwarder.Settings()
    (settings.lookEvery, settings.timeout, settings.lease) = (.milliseconds(30), .seconds(2), .seconds(10))
    (settings.retry.first, settings.retry.longest, settings.retry.attempts) = (2_000_000, 50_000_000, attempts)
    settings.targets = TargetRule(allowed: [try #require(Network("127.0.0.1"))])
    let forwarder = Forwarder(
      settings: settings, secrets: EndpointSecrets(sealKey: Outside.sealKey), pool: outside.pool, on: Outside.reactor
    ) { _, _ in }
    let running = Task { try await forwarder.run() }
    defer { running.cancel() }
    try await body()
    running.cancel()
    try await running.value
    // Another one may follow at once.
    _ = try await outside.pool.run("update forward set lease_until = now()")
  }

  @Test func `passes Meta's bodies byte for byte, in order, signed, to whom they are for, through a restart`() async throws {
    let outside = try await Outside()
    let receipts = try await stage(outside)
    let strangers = try (0..<3).map { _ in try Stranger(.answer(200)) }
    let desk = try await outside.endpoint(strangers[0].url, ["forward": "all", "secret": "the-desk-s-app-secret"])
    let endpoints = [
      desk.id, try await outside.endpoint(strangers[1].url, ["forward": "messages"]).id,
      try await outside.endpoint(strangers[2].url, ["forward": "statuses"]).id,
    ]
    /// What is sent and not on the record would come again.
    func isAllPassed() async throws -> Bool {
      for endpoint in endpoints where try await Forwards.next(endpoint, on: outside.pool) != nil { return false }
      return true
    }
    var all: [[UInt8]] = []
    var k: Int64 = 0
    func put(_ bodies: [[UInt8]], stream: Int64 = 1) async throws {
      k += 1
      try await store(bodies + [Self.body("theirs", messages: 1, mark: 9)], stream: stream, k: k, receipts)
      all += bodies
    }
    try await put((0..<4).map { Self.body("mine", messages: $0 % 2, statuses: 1 - $0 % 2, mark: $0) })
    try await withForwarder(outside) {
      try await outside.until("all of the first") { strangers[0].received.count == 4 }
      try await put([Self.body("mine", messages: 1, mark: 10)], stream: 2)
      try await put([Self.body("mine", messages: 1, mark: 11), Self.body("mine", messages: 2, mark: 12)])
      try await outside.until("and of the next") { try await isAllPassed() }
      #expect(strangers[0].received.count == 7)
    }
    try await put([Self.body("mine", messages: 1, statuses: 1, mark: 13)], stream: 2)
    try await put([Array(#"{"entry": [{"id": "mine", "changes": [{"field": "account_update", "value": {}}]}]}"#.utf8)])
    try await withForwarder(outside) {
      try await outside.until("what came meanwhile, and nothing again") { try await isAllPassed() }
    }
    #expect(strangers[0].received.map(\.body) == all)
    func texts(_ bodies: [[UInt8]]) -> [String] { bodies.map { String(decoding: $0, as: UTF8.self) } }
    #expect(texts(strangers[1].received.map(\.body)) == texts(all).filter { $0.contains(#""id": "m"#) && $0.contains("أهلا") })
    #expect(texts(strangers[2].received.map(\.body)) == texts(all).filter { $0.contains(#""status": "sent""#) })
    for got in strangers[0].received {
      let mac = macByHand(Array(desk.secret.utf8), got.body)
      #expect(got.headers["x-hub-signature-256"] == "sha256=" + Crypto.hex(mac))
    }
    await receipts.close()
    for stranger in strangers { await stranger.close() }
    await outside.close()
  }

  @Test func `waits for a receiver that is down, and puts aside the one body that it refuses`() async throws {
    let outside = try await Outside()
    let receipts = try await stage(outside)
    let stranger = try Stranger(.answer(429))
    let endpoint = try await outside.endpoint(stranger.url, ["forward": "all"])
    let bodies = (0..<30).map { Self.body("mine", statuses: 1, mark: $0) }
    try await store(bodies, k: 1, receipts)
    try await withForwarder(outside, attempts: 3) {
      try await outside.until("it waits, far beyond its attempts, and says why") {
        let failed = try await Forwards.failed(endpoint.id, limit: 5, on: outside.pool)
        return failed.first.map { $0.attempts > 5 && $0.status == 429 && $0.nextAt != nil } ?? false
      }
      #expect(Set(stranger.received.map(\.body)).isSubset(of: Set(bodies.prefix(8))), "the others wait")
      stranger.become(.answer(500))
      try await outside.until("an answer about a body counts against it") {
        try await Forwards.failed(endpoint.id, limit: 50, on: outside.pool).contains { $0.nextAt == nil }
      }
      stranger.become(.answer(200))
      try await outside.until("the others come") {
        Set(stranger.received.suffix(200).map(\.body)).isSuperset(of: Set(bodies.suffix(10)))
      }
      try await outside.until("nothing waits") {
        try await Forwards.failed(endpoint.id, limit: 50, on: outside.pool).allSatisfy { $0.nextAt == nil }
      }
      let aside = try await Forwards.failed(endpoint.id, limit: 50, on: outside.pool)
      #expect(!aside.isEmpty && aside.allSatisfy { $0.status == 500 && $0.reason == "status" })
      let before = stranger.received.count
      #expect(try await Forwards.replay(endpoint.id, on: outside.pool) == aside.count)
      try await outside.until("replayed") { try await Forwards.failed(endpoint.id, limit: 5, on: outside.pool).isEmpty }
      #expect(Set(stranger.received.dropFirst(before).map(\.body)) == Set(aside.map { bodies[$0.n] }))
    }
    await receipts.close()
    await stranger.close()
    await outside.close()
  }
}
