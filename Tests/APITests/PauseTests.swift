import Domain
import JSON
import Postgres
import Store
import Testing

@Suite struct `A pause over whatever` {
  /// Refusals of Meta's stop tokens, accounts, portfolios and templates; none of them has a route of its own.
  @Test func `has a way out, by an operator with a reason`() async throws {
    let service = try await TestService()
    _ = try await service.call("POST", "/v1/numbers", TestService.registration)
    let business = try await service.pool.run("select business_id from business")[0].int64(0)
    for scope in PauseScope.allCases where scope != .business && scope != .campaign {
      _ = try await service.pool.run(
        "select guard_pause($1, $2, 1, 'meta_190', 'refused', '{}')", .int8(business), .int2(scope.rawValue))
    }
    let open = try await service.call("GET", "/v1/pauses").json["items"]?.arrayValue ?? []
    #expect(open.count == 5)
    for pause in open {
      let path = "/v1/pauses/\(pause["id"]?.stringValue ?? "")/resume"
      #expect(try await service.call("POST", path, ["reason": "mine"], as: .marketer).status == 403)
      #expect(try await service.call("POST", path, as: .operate).code == "field_missing")
      let ended = try await service.call("POST", path, ["reason": "a new token"], as: .operate)
      #expect(ended.status == 200 && ended.json["ended"]?["reason"]?.stringValue == "a new token", "\(ended.text)")
      #expect(try await service.call("POST", path, ["reason": "again"], as: .operate).code == "not_paused")
    }
    #expect(try await service.call("GET", "/v1/pauses").json["items"]?.arrayValue?.isEmpty == true)
    #expect(try await service.call("POST", "/v1/pauses/999/resume", ["reason": "x"], as: .operate).status == 404)
    let audited = try await service.pool.run("select count(*) from audit where action = 'pause_ended'")
    #expect(audited[0].int64(0) == 5)
    await service.close()
  }

  @Test func `that is a cancellation stays`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    #expect(try await service.call("POST", "/v1/campaigns/\(id)/cancel", as: .operate).status == 200)
    let pause = try await service.call("GET", "/v1/pauses").json["items"]?.arrayValue?.first
    let path = "/v1/pauses/\(pause?["id"]?.stringValue ?? "")/resume"
    #expect(try await service.call("POST", path, ["reason": "please"], as: .operate).code == "cancelled")
    await service.close()
  }
}

@Suite struct `A replay of the guard over HTTP` {
  @Test func `needs a past, and names what it can't judge`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    let path = "/v1/campaigns/\(id)/guard/replay"
    #expect(try await service.call("POST", path, as: .operate).code == "nothing_sent")
    let refused = try await service.call("POST", path, ["max_opt_out": 3], as: .operate)
    #expect(refused.status == 422 && refused.json["field"]?.stringValue == "max_opt_out", "\(refused.text)")
    _ = try await service.pool.run(
      """
      insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome)
      select $1, 1, now(), i, 0, 1, 5 from generate_series(1, 40) i
      """, .int8(Int64(id) ?? 0))
    let answer = try await service.call("POST", path, ["max_opt_out": .number("0.01")], as: .operate)
    #expect(answer.status == 200 && answer.json["rules"]?["max_opt_out"]?.doubleValue == 0.01, "\(answer.text)")
    #expect(answer.json["text"]?.stringValue?.contains("nothing would have stopped it") == true)
    await service.close()
  }
}
