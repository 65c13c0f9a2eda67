import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@testable import Alerting

@Suite(.serialized) struct `An alert` {
  @Test func `is signed as Standard Webhooks says`() throws {
    // The vector of the scheme's own libraries, and the key as they read it.
    let key = try #require(SignedAlert.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    let vector = Array(#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#.utf8)
    #expect(Crypto.base64(macByHand(key, vector)) == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    let alert = try SignedAlert(
      Alert.ID(7), event: "campaign.paused", at: Instant(rfc3339: "2027-02-09T18:30:00Z")!, data: Array(#"{"id":"12"}"#.utf8),
      installation: "q")
    let headers = alert.headers(
      secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", EndpointSecrets.make()], at: Instant(seconds: 1_614_265_330))
    #expect(alert.id == "evt_q_7" && headers.contains { $0 == ("webhook-timestamp", "1614265330") })
    let signatures = try #require(headers.first { $0.0 == "webhook-signature" }).1.split(separator: " ")
    #expect(signatures.count == 2 && signatures[0] == "v1,kKWvkRbdfmlvg1QTlTDiiLkL0rTDVc7b9Yg+IyjKKdQ=", "\(signatures)")
  }

  @Test func `is made once of each event, by several nodes, also when the event commits late`() async throws {
    let outside = try await Outside()
    let stranger = try await outside.endpoint("https://example.com/hook", ["events": ["sending.paused", "contact.opted_out"]])
    try await outside.stopEverything("one")
    // Written before the others and committed after they are told.
    let late = Connection(ConnectionSettings(url: outside.url), on: Outside.reactor)
    _ = try await late.run("begin")
    _ = try await late.run(
      "insert into pause (business_id, scope, scope_id, cause, actor) values ($1, 5, 99, 'guard', 'qafila')",
      .int8(outside.business.rawValue))
    try await outside.stopEverything("two")
    let word = Consents.Word(
      person: outside.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_567)!), scope: .marketing, event: .stop,
      source: .button, evidence: [:], at: .now)
    _ = try await outside.pool.batch([Consents.recording([word], business: outside.business)])
    let made = try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try await AlertSources.derive(on: outside.pool) } }
      return try await group.reduce(0, +)
    }
    #expect(made == 3)
    _ = try await late.run("commit")
    #expect(try await AlertSources.derive(on: outside.pool) == 1)
    #expect(try await AlertSources.derive(on: outside.pool) == 0)
    let rows = try await outside.pool.run(
      "select event, data from alert join delivery using (alert_id) where endpoint_id = $1 order by alert_id",
      .int8(stranger.id.rawValue))
    #expect(rows.map { $0.text(0) } == ["sending.paused", "sending.paused", "contact.opted_out", "sending.paused"])
    #expect(rows.allSatisfy { !String(decoding: $0.jsonb(1), as: UTF8.self).contains("201001234567") }, "no phone")
    await late.close()
    await outside.close()
  }

  @Test func `tells of campaigns, numbers, templates and budgets in both languages`() async throws {
    let outside = try await Outside()
    let pool = outside.pool
    let business = Value.int8(outside.business.rawValue)
    _ = try await pool.run("insert into portfolio (business_id, meta_id) values ($1, 'p')", business)
    _ = try await pool.run("insert into token (business_id, sealed, digest) values ($1, '', '')", business)
    _ = try await pool.run(
      "insert into account (business_id, portfolio_id, waba_id, currency, zone) values ($1, 1, 'w', 'USD', 'Africa/Cairo')",
      business)
    _ = try await pool.run(
      """
      insert into number (business_id, account_id, token_id, phone_number_id, phone, label)
      values ($1, 1, 1, '106540352242922', 201001234567, 'shop')
      """, business)
    _ = try await pool.run(
      """
      insert into template (business_id, account_id, meta_id, name, language, status, category, components, synced_at)
      values ($1, 1, 't', 'offer', 'ar', 'APPROVED', 1, '[]', now())
      """, business)
    let campaign = """
      insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers, created_by,
        sent_at, ended_at) values ($2, $1, 'رمضان 1', 9, '{}', 1, 1, 1, '{1}', 'test', now(), now())
      """
    _ = try await pool.run(campaign, business, .int8(5))
    for event in ["slowed", "cancelled", "failed", "created"] {
      _ = try await pool.run(
        "insert into campaign_event (campaign_id, event, actor, reason) values (5, $1, 'key:mona', 'because')", .text(event))
    }
    _ = try await pool.run("select guard_pause($1, 7::int2, 5, 'quality_yellow', 'degraded', '{}')", business)
    _ = try await pool.run("insert into pause_end (pause_id, reason, actor) select pause_id, 'seen', 'cli' from pause")
    for (quality, tier) in [("green", "TIER_1K"), ("green", "TIER_1K"), ("yellow", "TIER_10K")] {
      _ = try await pool.run(
        """
        insert into number_observation (number_id, source, observation)
        values (1, 'poll', jsonb_build_object('quality', $1::text, 'tier', $2::text))
        """, .text(quality), .text(tier))
    }
    _ = try await pool.run(
      "insert into template_observation (template_id, source, observation) values (1, 'webhook', '{\"quality\": \"RED\"}')")
    _ = try await pool.run(
      """
      insert into audit (business_id, actor, action, subject, detail) values ($1, 'qafila', 'budget_threshold', 'number 1',
        '{"percent": 80, "reserved": 8, "limit": 10, "currency": "USD"}'), ($1, 'qafila', 'reconciliation_differs', 'w',
        '{"from": "2026-10-01", "to": "2026-10-31", "parts": []}')
      """, business)
    _ = try await AlertSources.derive(on: pool)
    let alerts = try await Deliveries.alerts(of: outside.business, before: nil, event: nil, limit: 100, on: pool)
    #expect(
      Set(alerts.map(\.event))
        == Set(AlertKind.allCases.map(\.rawValue)).subtracting(["sending.paused", "sending.resumed", "contact.opted_out"]))
    #expect(alerts.count == 12, "one each: \(alerts.map(\.event))")
    for alert in alerts {
      let data = try JSONValue(parsing: alert.data)
      let (english, arabic) = (
        AlertWords(.english).sentence(alert.event, data), AlertWords(.arabic).sentence(alert.event, data)
      )
      #expect(english != arabic && english.count > 20 && arabic.unicodeScalars.contains { (0x600...0x6FF).contains($0.value) })
      #expect(!english.contains("  ") && !english.contains(" ."), "\(english)")
      if alert.event == "number.quality_changed" { #expect(english.hasSuffix("was high and is medium."), "\(english)") }
      if alert.event == "campaign.paused" { #expect(english.contains("by the guard: degraded"), "\(english)") }
    }
    await outside.close()
  }
}
