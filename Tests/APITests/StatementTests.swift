import API
import Domain
import JSON
import Postgres
import Store
import Testing

@Suite struct `Statements over HTTP` {
  /// Three messages to Egypt in October 2026, and one without a price.
  private func stage() async throws -> TestService {
    let service = try await TestService()
    _ = try await service.stage()
    _ = try await service.pool.run(
      """
      insert into posting (fold_k, business_id, campaign_id, number_id, rate_id, count, amount, day, currency, market,
        category, pricing_type, charge, account_id, booked_on, month)
      select 1, $1, 0, 0, r.rate_id, 3, 3 * r.amount, date '2026-10-05', 'USD', 25, 1, 1, 1, a.account_id, date '2026-10-05',
        date '2026-10-01'
      from account a, rate r join rate_card k using (rate_card_id)
      where k.currency = 'USD' and k.effective_from = '2026-10-01' and r.market = 25 and r.category = 1
      union all
      select 1, $1, 0, 0, null, 1, 0, date '2026-10-06', 'USD', 1, null, 1, 3, account_id, date '2026-10-06',
        date '2026-10-01' from account
      """, .int8(service.installation.business.rawValue))
    return service
  }

  @Test func `show a month as JSON, CSV and a page, to finance alone`() async throws {
    let service = try await stage()
    #expect(try await service.call("GET", "/v1/statements", as: .marketer).status == 403)
    let months = try await service.call("GET", "/v1/statements", as: .finance).json["items"]?.arrayValue
    #expect(months?.count == 1 && months?[0]["month"] == "2026-10" && months?[0]["net"] == "0.1932")
    let json = try await service.call("GET", "/v1/statements/2026-10", as: .finance).json
    #expect(json["totals"]?["net"] == "0.19" && json["totals"]?["unpriced"] == .number("1") && json["statement"] == .null)
    let csv = try await service.call("GET", "/v1/statements/2026-10?format=csv", as: .finance)
    #expect(csv.header("content-type") == "text/csv; charset=utf-8" && csv.text.contains(",charge,charge,2026-10-05,"))
    #expect(csv.text.contains("unpriced") && csv.text.contains("total_net,"))
    let page = try await service.call(
      "GET", "/v1/statements/2026-10?format=html", as: .finance, headers: [("Accept-Language", "ar")])
    #expect(page.header("content-type") == "text/html; charset=utf-8" && page.text.contains("dir=\"rtl\""))
    #expect(try await service.call("GET", "/v1/statements/2026-09", as: .finance).code == "statement_empty")
    #expect(try await service.call("GET", "/v1/statements/2026-13", as: .finance).field == "month")
    #expect(try await service.call("GET", "/v1/statements/2026-10?format=pdf", as: .finance).field == "format")
    await service.close()
  }

  @Test func `name their parties, and refuse what is no percentage`() async throws {
    let service = try await stage()
    let parties: JSONValue = ["buyer": ["name": "شركة القافلة", "tax_number": "100-200-300"], "vat_percent": "15"]
    #expect(try await service.call("POST", "/v1/statements/parties", parties, as: .finance).status == 200)
    let json = try await service.call("GET", "/v1/statements/2026-10", as: .finance).json
    #expect(json["parties"]?["buyer"]?["tax_number"] == "100-200-300" && json["totals"]?["gross"] == "0.22")
    let refused = try await service.call("POST", "/v1/statements/parties", ["vat_percent": "1e1"], as: .finance)
    #expect(refused.status == 422 && refused.field == "vat_percent")
    #expect(try await service.call("POST", "/v1/statements/parties", ["seler": ["name": "x"]], as: .finance).status == 422)
    #expect(try await service.call("GET", "/v1/reconciliations", as: .finance).json["items"]?.arrayValue?.isEmpty == true)
    #expect(try await service.call("POST", "/v1/reconciliations", as: .finance).status == 202)
    await service.close()
  }
}
