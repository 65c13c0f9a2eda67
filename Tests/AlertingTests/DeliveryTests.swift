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

@Suite(.serialized) struct `A delivery` {
  @Test func `reaches the well at once whoever else hangs, fails, redirects or lies inside, and those when they are well`()
    async throws
  {
    let outside = try await Outside()
    let well = try Stranger(.answer(200))
    let elsewhere = try Stranger(.answer(200))
    let hanging = try Stranger(.hang)
    let broken = try Stranger(.answer(500))
    let redirecting = try Stranger(.answer(302, [("Location", elsewhere.url)]))
    let inside = try Stranger(.answer(200))
    let told = try await outside.endpoint(well.url)
    let others = [
      try await outside.endpoint(hanging.url).id, try await outside.endpoint(broken.url).id,
      try await outside.endpoint(redirecting.url).id,
      // A name, as it would stand in somebody's zone; it leads inside.
      try await outside.endpoint("http://[::1]:\(inside.port)/").id,
    ]
    try await outside.withCourier {
      for index in 0..<8 { try await outside.stopEverything("\(index)") }
      try await outside.until("the well one is told while another hangs") { well.received.count == 8 }
      let body = well.received[0]
      #expect(!body.id.isEmpty && Set(well.received.map(\.id)).count == 8)
      let signed = Array("\(body.id).\(body.headers["webhook-timestamp"] ?? "").".utf8) + body.body
      let key = try #require(Crypto.bytes(base64: told.secret.dropFirst(6)))
      #expect(body.headers["webhook-signature"] == "v1," + Crypto.base64(macByHand(key, signed)))
      #expect(try JSONValue(parsing: body.body)["type"]?.stringValue == "sending.paused")

      let reasons = ["timeout", "status", "redirected", "address_not_allowed"]
      try await outside.until("each is on the list, with its reason") {
        for (id, reason) in zip(others, reasons) {
          let failed = try await Deliveries.failed(id, before: nil, limit: 20, on: outside.pool)
          // An address that answers "refused" at once shows its reason before one that hangs does.
          guard failed.contains(where: { $0.reason == reason }) else { return false }
        }
        return true
      }
      #expect(elsewhere.received.isEmpty, "a redirect is not followed")
      #expect(hanging.received.count <= 8 * 12)
      for stranger in [hanging, broken, redirecting] { stranger.become(.answer(204)) }
      for id in others.dropLast() { _ = try await Deliveries.replay(id, alerts: nil, on: outside.pool) }
      try await outside.until("what they had not taken comes when they are well") {
        try await outside.pool.run(
          "select count(*) from delivery where state <> 2 and endpoint_id <> $1", .int8(others[3].rawValue))[0].int64(0) == 0
      }
    }
    let ids = Set(well.received.map(\.id))
    for stranger in [hanging, broken, redirecting] { #expect(Set(stranger.received.map(\.id)) == ids, "the same ids, none lost") }
    #expect(inside.received.isEmpty)
    #expect(outside.log.with { $0 }.allSatisfy { !$0.contains("hidden") && !$0.contains("whsec") && !$0.contains("127.0.0.1") })
    for stranger in [well, elsewhere, hanging, broken, redirecting, inside] { await stranger.close() }
    await outside.close()
  }

  @Test func `that nobody takes is given up with its reason, stays on the list, and is replayed`() async throws {
    let outside = try await Outside()
    let stranger = try Stranger(.answer(503))
    let endpoint = try await outside.endpoint(stranger.url).id
    var settings = outside.settings
    settings.retry.attempts = 3
    (settings.retry.first, settings.retry.longest) = (1_000_000, 10_000_000)
    try await outside.withCourier(settings) {
      try await outside.stopEverything()
      try await outside.until("given up") {
        try await Deliveries.failed(endpoint, before: nil, limit: 5, on: outside.pool).first?.isGivenUp == true
      }
      let failed = try await Deliveries.failed(endpoint, before: nil, limit: 5, on: outside.pool)
      #expect(failed.count == 1 && failed[0].attempts == 3 && failed[0].status == 503 && failed[0].reason == "status")
      #expect(stranger.received.count == 3 && Set(stranger.received.map(\.id)).count == 1)
      stranger.become(.answer(410))
      #expect(try await Deliveries.replay(endpoint, alerts: [failed[0].alert], on: outside.pool) == 1)
      try await outside.until("410 is no reason to try again") {
        try await Deliveries.failed(endpoint, before: nil, limit: 5, on: outside.pool).first?.reason == "gone"
      }
      stranger.become(.answer(200))
      #expect(try await Deliveries.replay(endpoint, alerts: nil, on: outside.pool) == 1)
      try await outside.until("delivered") {
        try await Deliveries.failed(endpoint, before: nil, limit: 5, on: outside.pool).isEmpty
      }
    }
    await stranger.close()
    await outside.close()
  }

  @Test func `is signed by the old secret too while that is valid`() async throws {
    let outside = try await Outside()
    let stranger = try Stranger(.answer(200))
    let endpoint = try await outside.endpoint(stranger.url)
    let next = EndpointSecrets.make()
    func rotate(until: Instant) async throws {
      let sealed = EndpointSecrets(sealKey: Outside.sealKey).sealed(next)
      #expect(
        try await Endpoints.rotate(
          endpoint.id, to: sealed, oldUntil: until, of: outside.business, by: "test", on: outside.pool))
    }
    try await rotate(until: .now + .seconds(3600))
    try await outside.withCourier {
      try await outside.stopEverything("while both hold")
      try await outside.until("told") { stranger.received.count == 1 }
      _ = try await outside.pool.run("update endpoint set before_until = now() - interval '1 second'")
      try await outside.stopEverything("when one holds")
      try await outside.until("told") { stranger.received.count == 2 }
    }
    let signatures = stranger.received.map { $0.headers["webhook-signature"]?.split(separator: " ").map(String.init) ?? [] }
    func signature(_ got: Stranger.Got, _ secret: String) throws -> String {
      let key = try #require(Crypto.bytes(base64: secret.dropFirst(6)))
      return "v1,"
        + Crypto.base64(macByHand(key, Array("\(got.id).\(got.headers["webhook-timestamp"] ?? "").".utf8) + got.body))
    }
    let (first, second) = (stranger.received[0], stranger.received[1])
    #expect(signatures[0] == [try signature(first, next), try signature(first, endpoint.secret)])
    #expect(signatures[1] == [try signature(second, next)])
    await stranger.close()
    await outside.close()
  }
}
