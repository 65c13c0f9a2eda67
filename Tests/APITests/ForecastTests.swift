import API
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `A draft's forecast` {
  private func forecast(_ service: TestService, _ request: JSONValue, language: String = "en") async throws -> JSONValue {
    let answer = try await service.call(
      "POST", "/v1/campaigns?dry_run=true", request, as: .marketer, headers: [("Accept-Language", language)])
    return try #require(answer.json["forecast"], "\(answer.text)")
  }

  private func codes(_ forecast: JSONValue) -> [String] {
    forecast["warnings"]?.arrayValue?.compactMap { $0["code"]?.stringValue } ?? []
  }

  @Test func `says start, finish, the hours' curve and what decides the speed`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 61)
    let json = try await forecast(
      service, TestService.campaign(audience, ["pace"], ["per_minute": 60, "jitter": "none"]))
    let start = try #require(json["starts_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    let finish = try #require(json["finishes_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    #expect(json["sending_seconds"]?.int64Value == 60 && finish - start == .seconds(60), "\(json)")
    #expect(start > .now + .seconds(50) && start < .now + .seconds(70), "the launch's own wait is counted")
    #expect(json["curve"]?.arrayValue?.reduce(0) { $0 + ($1["messages"]?.int64Value ?? 0) } == 61)
    #expect(json["limits"]?.arrayValue?.first?["limit"]?.stringValue == "pace")
    #expect(json["cost"]?["rates"]?.arrayValue?.first?["people"]?.int64Value == 61)
    #expect(json["expired"]?.int64Value == 0)
    await service.close()
  }

  @Test func `says how long Meta tries, and warns where another choice would keep the night quiet`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 3)
    let hours = TestService.campaign(
      audience, ["schedule"], ["start_at": "now", "window": ["start": "09:00", "end": "21:00"]])
    let offer = try await forecast(service, hours)
    #expect(offer["time_to_live"]?["seconds"]?.int64Value == 30 * 86_400 && offer["time_to_live"]?["set_by"]?.stringValue == "category")
    #expect(offer["time_to_live"]?["may_arrive_in_closed_hours"]?.boolValue == true)
    #expect(!codes(offer).contains("may_arrive_late"), "nobody can choose for marketing")
    service.graph.templates.with { templates in
      guard case .object(var object) = templates[0] else { return }
      (object["category"], object["message_send_ttl_seconds"]) = ("UTILITY", 43_200)
      templates[0] = .object(object)
    }
    _ = try await service.call("POST", "/v1/templates/sync", as: .marketer)
    let listed = try await service.call("GET", "/v1/templates?name=offer").json["items"]?.arrayValue?.first
    #expect(listed?["time_to_live"]?["seconds"]?.int64Value == 43_200 && listed?["time_to_live"]?["set_by"]?.stringValue == "template")
    #expect(codes(try await forecast(service, hours)).contains("may_arrive_late"))
    #expect(!codes(try await forecast(service, TestService.campaign(audience))).contains("may_arrive_late"), "at any hour")
    await service.close()
  }

  @Test func `waits for the hours, and says who would not be reached before the end`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 200)
    // One window from nine to ten in Cairo, one message a minute: sixty a day.
    let schedule: JSONValue = [
      "start_at": "2027-04-05T00:00:00Z", "end_at": "2027-04-07T12:00:00Z",
      "window": ["start": "09:00", "end": "10:00"],
    ]
    var request = TestService.campaign(audience, ["schedule"], schedule)
    if case .object(var object) = request {
      object["pace"] = ["per_minute": 1, "jitter": "none"]
      request = .object(object)
    }
    let json = try await forecast(service, request)
    #expect(json["starts_at"]?.stringValue == "2027-04-05T07:00:00Z", "\(json)")
    #expect(json["expired"]?.int64Value == 20 && codes(json).contains("does_not_finish"), "\(json)")
    #expect(
      json["curve"]?.arrayValue?.map { "\($0["hour"]?.stringValue ?? "") \($0["messages"]?.int64Value ?? 0)" } == [
        "2027-04-05T07:00:00Z 60", "2027-04-06T07:00:00Z 60", "2027-04-07T07:00:00Z 60",
      ])
    #expect(
      json["limits"]?.arrayValue?.prefix(3).compactMap { $0["limit"]?.stringValue } == ["quiet_hours", "pace", "quiet_hours"])
    let arabic = try await forecast(service, request, language: "ar")
    #expect(
      arabic["warnings"]?.arrayValue?.contains { $0["text"]?.stringValue == "لن يصل الدور إلى 20 شخصًا قبل نهاية الحملة." } == true)
    await service.close()
  }

  @Test func `warns of a template not approved, a tier too small, a shut window and a missing card`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 300)
    let calm = try await forecast(service, TestService.campaign(audience))
    #expect(!codes(calm).contains("template_not_approved") && !codes(calm).contains("over_tier"))
    _ = try await service.pool.run("update template set status = 'PENDING'")
    _ = try await service.pool.run("update number set tier = 'TIER_250'")
    _ = try await service.pool.run("update account set currency = 'SAR'")
    _ = try await service.send(
      "POST", "/v1/calendars/shut", bytes: Array("date,country,from,to,kind\nmon,*,,,x\ntue,*,,,x\nwed,*,,,x\nthu,*,,,x\nfri,*,,,x\nsat,*,,,x\nsun,*,,,x\n".utf8))
    let json = try await forecast(
      service, TestService.campaign(audience, ["schedule"], ["start_at": "now", "window": ["start": "09:00", "end": "21:00"]]))
    let codes = codes(json)
    for code in ["template_not_approved", "over_tier", "window_too_short", "rate_card_missing", "unpriced"] {
      #expect(codes.contains(code), "\(code) in \(codes)")
    }
    #expect(json["cost"]?["card"]?.stringValue == "card_missing" && json["cost"]?["unpriced_people"]?.int64Value == 300)
    #expect(try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).code == "template_not_approved")
    await service.close()
  }
}
