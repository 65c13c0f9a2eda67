import API
import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Reports
import Store
import Testing

@Suite struct `A report over HTTP` {
  @Test func `streams from another loop than the server's`() async throws {
    let desk = Reactor(name: "reports")
    desk.start()
    let service = try await TestService { database in
      let report = MessageReport(database: database, on: desk)
      return { request, writer in
        try await report.stream(
          MessageReport.Request(
            business: request.business, campaign: request.campaign, from: nil, to: nil,
            showsPhones: request.showsPhones,
            format: .csv)
        ) { try await writer.write($0) }
      }
    }
    let audience = try await service.stage()
    let draft = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience))
    let id = draft.json["id"]?.stringValue ?? ""
    let answer = try await service.call("GET", "/v1/reports/messages?campaign=\(id)", as: .finance)
    #expect(answer.text.hasPrefix("campaign_id,") && answer.header("content-type") == "text/csv; charset=utf-8")
    #expect(try await service.call("GET", "/v1/reports/messages?campaign=12").status == 404)
    #expect(
      try await service.call("GET", "/v1/reports/messages?champaign=12").json["remedy"]?.stringValue
        == "Did you mean \"campaign\"?")
    await service.close()
  }
}
