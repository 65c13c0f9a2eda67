import Domain
import JSON
import Postgres
import Reactor
import Testing

/// A campaign that is spread until a time: forecast, checked, and divided when it runs.
@Suite struct `A campaign spread over a time` {
  private static func time(_ seconds: Int64) -> JSONValue {
    .string(Instant(seconds: Instant.now.seconds + seconds).rfc3339())
  }

  private static func request(_ audience: String, _ pace: JSONValue, _ schedule: JSONValue? = nil) -> JSONValue {
    guard case .object(var object) = TestService.campaign(audience, ["pace"], pace) else { return .null }
    if let schedule { object["schedule"] = schedule }
    return .object(object)
  }

  @Test func `is forecast to end about then, and gets its pace from the people left`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 61)
    let asked = Self.request(audience, ["spread_until": Self.time(3660), "jitter": "none"])
    let forecast = try await service.call("POST", "/v1/campaigns?dry_run=true", asked).json["forecast"]
    let seconds = try #require(forecast?["sending_seconds"]?.int64Value, "\(forecast ?? .null)")
    #expect((3400...3660).contains(seconds), "\(seconds)")
    #expect(forecast?["limits"]?.arrayValue?.first?["limit"]?.stringValue == "pace")

    let draft = try await service.call("POST", "/v1/campaigns", asked)
    let id = try #require(draft.json["id"]?.stringValue, "\(draft.text)")
    #expect(draft.json["pace"]?["spread_until"] != nil || draft.json["spec"]?["pace"]?["spread_until"] != nil, "\(draft.text)")
    #expect(try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true]).status == 200)
    try await service.runJobs("a pace") {
      try await service.pool.run("select count(*) from pace_share")[0].int64(0) > 0
    }
    let share = try await service.pool.run("select pace, seconds, shares from pace_share")[0]
    #expect(share.int32(1) == 3600 && (60...62).contains(share.int32(0)) && share.int32s(2) == [share.int32(0)])

    // Twice the time left: half the pace.
    let slower = try await service.call("POST", "/v1/campaigns/\(id)/pace", ["spread_until": Self.time(7200)])
    #expect(slower.status == 200 && slower.json["pace"]?["spread_until"] != nil, "\(slower.text)")
    try await service.runJobs("half of it") {
      try await service.pool.run("select pace from pace_share order by version desc limit 1")[0].int32(0) <= 32
    }
    let past = try await service.call("POST", "/v1/campaigns/\(id)/pace", ["spread_until": Self.time(-60)])
    #expect(past.status == 422 && past.field == "spread_until", "\(past.text)")
    await service.close()
  }

  @Test func `is refused where it means nothing`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let later = Self.time(7200)
    let cases: [(JSONValue, JSONValue?, String)] = [
      (["spread_until": Self.time(-60)], nil, "pace.spread_until"),
      (["spread_until": "tomorrow"], nil, "pace.spread_until"),
      (["spread_until": later, "per_second": 5], nil, "pace.spread_until"),
      (["spread_until": later], ["start_at": "now", "end_at": Self.time(3600)], "pace.spread_until"),
      (["spread_until": later], ["start_at": Self.time(9000)], "pace.spread_until"),
      (["spread_until": later], ["start_at": "now", "per_day": 100], "pace.spread_until"),
    ]
    for (pace, schedule, field) in cases {
      let answer = try await service.call("POST", "/v1/campaigns", Self.request(audience, pace, schedule))
      #expect(answer.status == 422 && answer.field == field, "\(pace) \(answer.text)")
    }
    await service.close()
  }
}
