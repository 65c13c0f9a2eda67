import Domain
import JSON
import Postgres
import Testing

@Suite struct `The policy of whom to leave alone` {
  @Test func `holds for the next draft, and a campaign may say otherwise`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 9)
    let standard = try await service.call("GET", "/v1/policy", as: .marketer)
    #expect(standard.json["frequency_cap"]?.stringValue == "none" && standard.json["version"]?.int64Value == 0)
    #expect(try await service.call("POST", "/v1/policy", ["holdout": ["percent": 5]], as: .marketer).status == 403)
    #expect(try await service.call("POST", "/v1/policy", [:]).code == "field_missing")
    #expect(try await service.call("POST", "/v1/policy", ["blocked_countries": "US"]).field == "blocked_countries")
    let policy: JSONValue = ["frequency_cap": ["messages": 2, "days": 7], "blocked_countries": ["us", "IL"]]
    let changed = try await service.call("POST", "/v1/policy", policy, as: .operate)
    #expect(changed.json["version"]?.int64Value == 1 && changed.json["undeliverable_days"]?.int64Value == 30)

    _ = try await service.pool.run("update contact set country = 'IL' where phone = 201001000001")
    _ = try await service.pool.run(
      "insert into undeliverable select contact_id, now() from contact where phone = 201001000002")
    let draft = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience), as: .marketer)
    let spec = draft.json["spec"]
    #expect(
      spec?["frequency_cap"]?["messages"]?.int64Value == 2 && spec?["blocked_countries"]?.arrayValue == ["US", "IL"])
    let reasons = draft.json["forecast"]?["excluded_by_reason"]
    #expect(reasons?["blocked_country"]?.int64Value == 1 && reasons?["undeliverable"]?.int64Value == 1, "\(draft.text)")

    // A later policy changes no draft; what the campaign says holds for it.
    _ = try await service.call("POST", "/v1/policy", ["frequency_cap": "none"])
    let id = draft.json["id"]?.stringValue ?? ""
    let shown = try await service.call("GET", "/v1/campaigns/\(id)")
    #expect(shown.json["spec"]?["frequency_cap"]?["days"]?.int64Value == 7)
    let own = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["blocked_countries"], []), as: .marketer)
    #expect(own.json["spec"]?["frequency_cap"]?.stringValue == "none")
    #expect(own.json["forecast"]?["excluded_by_reason"]?["blocked_country"] == nil)
    let history = try await service.pool.run("select version from contact_policy order by version")
    #expect(history.map { $0.int32(0) } == [1, 2])
    await service.close()
  }
}
