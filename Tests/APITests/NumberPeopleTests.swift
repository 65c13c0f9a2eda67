import API
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// The limits of people as operators and marketers see them.
@Suite struct `A number's limits of people` {
  @Test func `are shown with their use, hold a campaign with a time, and stand in the forecast`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 3)
    let calm = try await service.call("GET", "/v1/numbers/shop").json
    #expect(calm["people_24h"]?["usable"]?.int64Value == 98_000 && calm["people_24h"]?["left"]?.int64Value == 98_000)
    #expect(calm["warm_up"]?.isNull == true)

    // Meta lets the portfolio write to 250, of whom 245 are used; the oldest bucket ends in an hour.
    _ = try await service.pool.run("update number set tier = '250'")
    _ = try await service.pool.run(
      """
      insert into people_used (scope, scope_id, until, people)
      select 2, portfolio_id, t, p from portfolio, (values (now() + interval '1 hour', 5), (now() + interval '2 hours', 240)) x (t, p)
      """)
    let full = try await service.call("GET", "/v1/numbers/shop").json
    #expect(full["people_24h"]?["used"]?.int64Value == 245 && full["people_24h"]?["left"]?.int64Value == 0)
    #expect(full["state_reason"]?["code"]?.stringValue == "people_limit")
    let until = try #require(full["people_24h"]?["free_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    #expect((3590...3601).contains((until - .now).nanoseconds / 1_000_000_000))

    let forecast = try await service.call("POST", "/v1/campaigns?dry_run=true", TestService.campaign(audience)).json["forecast"]
    let first = try #require(forecast?["starts_at"]?.stringValue.flatMap { Instant(rfc3339: $0) })
    #expect(first >= until - .seconds(1) && first < until + .seconds(60))
    #expect(forecast?["limits"]?.arrayValue?.first?["limit"]?.stringValue == "tier")
    let warning = forecast?["warnings"]?.arrayValue?.first { $0["code"]?.stringValue == "over_tier" }
    #expect(warning?["text"]?.stringValue?.contains("245 of them are used") == true)

    let id = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    _ = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["reason": "x"])
    try await service.freezePeople(of: id)
    _ = try await service.pool.run("update campaign set state = 5 where campaign_id = $1", .int8(Int64(id)!))
    let waiting = try await service.call("GET", "/v1/campaigns/\(id)").json
    #expect(waiting["state"]?.stringValue == "waiting")
    let reason = try #require(waiting["state_reason"])
    #expect(reason["code"]?.stringValue == "people_limit" && reason["evidence"]?["people_24h"]?["used"]?.int64Value == 245)
    #expect(reason["until"]?.stringValue == full["people_24h"]?["free_at"]?.stringValue)
    #expect(reason["text"]?.stringValue?.hasSuffix("(Meta's limit of people in 24 hours).") == true)
    let arabic = try await service.call("GET", "/v1/campaigns/\(id)", headers: [("Accept-Language", "ar")]).json
    #expect(arabic["state_reason"]?["text"]?.stringValue?.hasSuffix("بسبب حد ميتا لعدد الأشخاص خلال 24 ساعة.") == true)
    // A raised limit holds at once.
    _ = try await service.pool.run("update number set tier = '2000'")
    #expect(try await service.call("GET", "/v1/campaigns/\(id)").json["state"]?.stringValue == "sending")
    await service.close()
  }

  @Test func `begin small while it warms up, by operators, and end at once`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 120)
    let path = "/v1/numbers/shop/warm-up"
    let ramp: JSONValue = ["start": 50, "growth": .number("1.5"), "until": 10000]
    #expect(try await service.call("POST", path, ramp, as: .marketer).status == 403)
    for (body, field): (JSONValue, String) in [
      (["growth": 2, "until": 100], "start"), (["start": 50, "growth": 1, "until": 100], "growth"),
      (["start": 50, "growth": 2, "until": 10], "until"), (["start": 50, "growth": 2], "until"),
      (["start": 50, "grows": 2, "until": 100], "grows"),
    ] {
      let refused = try await service.call("POST", path, body, as: .operate)
      #expect(refused.status == 422 && refused.field == field, "\(refused.text)")
    }
    let set = try await service.call("POST", path, ramp, as: .operate).json
    #expect(set["state"]?.stringValue == "warming_up" && set["warm_up"]?["people_today"]?.int64Value == 50)
    #expect(set["state_reason"]?["text"]?.stringValue == "New number: 50 people a day, rising.")
    #expect(set["warm_up"]?["growth"]?.doubleValue == 1.5)
    // 50 today, 70 of the 75 of tomorrow; shortly before midnight the first day is tomorrow.
    let forecast = try await service.call("POST", "/v1/campaigns?dry_run=true", TestService.campaign(audience)).json["forecast"]
    let curve = try #require(forecast?["curve"]?.arrayValue).map { $0["messages"]?.int64Value }
    #expect(curve == [50, 70] || curve == [75, 45], "\(curve)")
    #expect(forecast?["warnings"]?.arrayValue?.contains { $0["code"]?.stringValue == "warming_up" } == true)

    _ = try await service.pool.run(
      "update people_used set people = 50 where scope = 5 and until = $1",
      .timestamptz(try #require(set["warm_up"]?["today_until"]?.stringValue.flatMap { Instant(rfc3339: $0) })))
    let full = try await service.call("GET", "/v1/numbers/shop").json
    #expect(full["state_reason"]?["code"]?.stringValue == "warm_up")
    #expect(full["state_reason"]?["until"]?.stringValue == set["warm_up"]?["today_until"]?.stringValue)
    let off = try await service.call("POST", path, ["off": true], as: .operate).json
    #expect(off["state"]?.stringValue == "ready" && off["warm_up"]?.isNull == true)
    await service.close()
  }
}
