import API
import Domain
import JSON
import Postgres
import Testing

@Suite struct `Loading rates` {
  private let card = "Market,Currency,Marketing,Utility\nEgypt,SAR,0.25,0.02\nSaudi Arabia,SAR,0.21,0.04\n"

  private func post(_ service: TestService, _ query: String, _ text: String, as role: Role = .finance) async throws
    -> TestService.Answer
  {
    try await service.send(
      "POST", "/v1/rates?\(query)", bytes: Array(text.utf8), as: role, headers: [("Content-Type", "text/csv")])
  }

  @Test func `is all or nothing, and says the line and the reason`() async throws {
    let service = try await TestService()
    let before = try await service.pool.run("select count(*) from rate")[0].int64(0)
    let refused = try await post(service, "effective_from=2026-10-01", card + "Atlantis,SAR,-1,0.04\n")
    #expect(refused.status == 422 && refused.code == "rates_refused" && refused.field == "line 4")
    #expect(refused.json["detail"]?.stringValue?.contains("line 4: the market \"Atlantis\" is not known") == true)
    let trial = try await post(service, "effective_from=2026-10-01&dry_run=true", card)
    #expect(trial.status == 200 && trial.json["loaded"]?.boolValue == false)
    #expect(try await service.pool.run("select count(*) from rate")[0].int64(0) == before)
    #expect(try await post(service, "effective_from=2026-10-01", card, as: .marketer).status == 403)
    let loaded = try await post(service, "effective_from=2026-10-01&source=Meta", card)
    #expect(loaded.status == 201 && loaded.json["cards"]?.arrayValue?.first?["outcome"] == "added")
    #expect(loaded.json["cards"]?.arrayValue?.first?["complete"] == false)
    let overlap = try await post(service, "effective_from=2026-10-01", card.replacing("0.25", with: "0.26"))
    #expect(overlap.status == 409 && overlap.code == "rates_overlap")
    #expect(try await service.pool.run("select count(*) from rate")[0].int64(0) == before + 4)
    await service.close()
  }

  @Test func `shows the cards, and which currency in use has none`() async throws {
    let service = try await TestService()
    _ = try await service.stage()
    let check = try await service.call("GET", "/v1/rates/check", as: .finance).json["items"]?.arrayValue ?? []
    #expect(check.count == 1 && check[0]["currency"] == "USD" && check[0]["card_from"] == "2026-10-01")
    let cards = try await service.call("GET", "/v1/rates/cards?currency=usd", as: .marketer).json["items"]?.arrayValue
    #expect(cards?.count == 4 && cards?.first?["loaded_by"] == "shipped")
    let prices = try await service.call("GET", "/v1/rates?currency=USD&market=egypt&on=2026-10-05").json["items"]
    #expect(prices?.arrayValue?.contains { $0["category"] == "marketing" && $0["amount"] == "0.0644" } == true)
    await service.close()
  }
}
