import Domain
import JSON
import Postgres
import Store
import Testing

@Suite(.serialized) struct `A budget over HTTP` {
  @Test func `is set for a number each month, in the currency it is billed in, by finance`() async throws {
    let service = try await TestService()
    _ = try await service.stage()
    let own: JSONValue = ["number": "shop", "amount": "700.00", "currency": "USD", "reason": "November"]
    #expect(try await service.call("POST", "/v1/budgets", own, as: .marketer).status == 403)
    let set = try await service.call("POST", "/v1/budgets", own, as: .finance)
    #expect(set.status == 200 && set.json["left"]?.stringValue == "700.00", "\(set.text)")
    #expect(set.json["id"]?.stringValue == "106540352242922" && set.json["month"]?.stringValue?.count == 7)
    let listed = try await service.call("GET", "/v1/budgets", as: .finance)
    #expect(listed.json["items"]?.arrayValue?.count == 1, "\(listed.text)")
    let refused: [(JSONValue, String, String)] = [
      (["number": "shop", "amount": "1", "currency": "EUR"], "currency", "budget_currency"),
      (["number": "shop", "messages": 5], "messages", "budget_kind"),
      (["amount": "1", "currency": "USD"], "number", "budget_scope"),
      (["number": "shop", "portfolio": "x", "messages": 5], "portfolio", "budget_scope"),
      (["number": "shop", "amount": "1.5e3", "currency": "USD"], "amount", "field_invalid"),
    ]
    for (body, field, code) in refused {
      let answer = try await service.call("POST", "/v1/budgets", body)
      #expect(answer.status == 422 && answer.field == field && answer.code == code, "\(answer.text)")
    }
    await service.close()
  }

  @Test func `says whom it covers, holds a campaign to it, and is raised while it runs`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 10)
    let request = TestService.campaign(audience, ["budget"], ["messages": 4])
    let draft = try await service.call("POST", "/v1/campaigns", request)
    let forecast = draft.json["forecast"]
    #expect(forecast?["budget"]?["covers"]?.int64Value == 4, "\(draft.text)")
    #expect(forecast?["budget"]?["exhausted_at"]?.stringValue == forecast?["finishes_at"]?.stringValue)
    #expect(forecast?["limits"]?.arrayValue?.last?["limit"]?.stringValue == "budget")
    #expect(forecast?["warnings"]?.arrayValue?.contains { $0["code"]?.stringValue == "budget_too_small" } == true)
    let id = try #require(draft.json["id"]?.stringValue)
    _ = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true])
    try await service.freezePeople(of: id)
    let path = "/v1/campaigns/\(id)"
    let shown = try await service.call("GET", path)
    #expect(shown.json["budget"]?["left"]?.int64Value == 4, "\(shown.text)")
    _ = try await service.pool.run("update campaign set state = 5 where campaign_id = $1", .int8(Int64(id)!))
    let evidence: JSONValue = ["scope": "campaign", "id": .string(id)]
    #expect(try await Budgets.pause(Campaign.ID(Int64(id)!), .budgetExhausted, evidence, on: service.pool))
    let paused = try await service.call("GET", path, headers: [("Accept-Language", "ar")])
    #expect(paused.json["state"]?.stringValue == "paused")
    #expect(paused.json["state_reason"]?["text"]?.stringValue?.contains("نفاد الميزانية") == true, "\(paused.text)")
    #expect(try await service.call("POST", path + "/budget", ["amount": "5", "currency": "USD"]).code == "budget_kind")
    let raised = try await service.call("POST", path + "/budget", ["messages": 9, "reason": "five more"])
    #expect(raised.status == 200 && raised.json["budget"]?["left"]?.int64Value == 9, "\(raised.text)")
    #expect(raised.json["state"]?.stringValue == "sending")
    await service.close()
  }
}
