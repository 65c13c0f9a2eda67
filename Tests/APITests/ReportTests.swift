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
      return { request in
        let produce = try report.open(
          MessageReport.Request(
            business: request.business, campaign: request.campaign, from: nil, to: nil,
            showsPhones: request.showsPhones, format: .csv))
        return { writer in _ = try await produce { try await writer.write($0) } }
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

  @Test func `is refused while too many run, before anything of it is sent`() async throws {
    let desk = Reactor(name: "reports")
    desk.start()
    let made = Lock<MessageReport?>(nil)
    let service = try await TestService { database in
      let report = MessageReport(database: database, on: desk)
      made.with { $0 = report }
      return { request in
        let produce = try report.open(TestService.everything(request.business))
        return { writer in _ = try await produce { try await writer.write($0) } }
      }
    }
    let report = try #require(made.with { $0 })
    var running = try (0..<MessageReport.bound).map { _ in try report.open(TestService.everything(Business.ID(1))) }
    let refused = try await service.call("GET", "/v1/reports/messages", as: .finance)
    #expect(refused.status == 503 && refused.code == "too_many_reports" && refused.header("retry-after") != nil)
    #expect(refused.header("content-type") == "application/problem+json")
    running.removeLast()
    // A place that a reader gave back serves one after the other.
    for _ in 1...3 {
      #expect(try await service.call("GET", "/v1/reports/messages", as: .finance).text.hasPrefix("campaign_id,"))
    }
    running = []
    await service.close()
  }
}

extension TestService {
  fileprivate static func everything(_ business: Business.ID) -> MessageReport.Request {
    MessageReport.Request(business: business, campaign: nil, from: nil, to: nil, showsPhones: false, format: .csv)
  }
}
