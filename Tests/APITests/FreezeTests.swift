import API
import Domain
import JSON
import Postgres
import Reactor
import Testing

/// Product §1.6: what a launch froze is what is shown, previewed and sent, whatever becomes of its sources.
@Suite struct `A launched campaign` {
  /// A campaign that starts tomorrow, launched, its people frozen.
  private func launched(_ service: TestService, _ body: JSONValue) async throws -> String {
    let draft = try await service.call("POST", "/v1/campaigns", body)
    let id = draft.json["id"]?.stringValue ?? ""
    let tomorrow = Instant(nanoseconds: Instant.now.nanoseconds + 86_400_000_000_000)
    let answer = try await service.call(
      "POST", "/v1/campaigns/\(id)/launch", ["start_at": .string(tomorrow.rfc3339())], as: .marketer)
    #expect(answer.status == 200 && answer.json["state"]?.stringValue == "scheduled", "\(answer.text)")
    return id
  }

  private func edit(_ service: TestService, _ change: (inout [JSONValue]) -> Void) async throws {
    service.graph.templates.with { change(&$0) }
    #expect(try await service.call("POST", "/v1/templates/sync").status == 200)
  }

  @Test func `keeps its text and its people through a new template text, new people and new names`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id = try await launched(service, TestService.campaign(audience))
    let early = try await service.call("POST", "/v1/campaigns/\(id)/preview")
    #expect(early.status == 409 && early.code == "people_not_frozen")
    try await service.freezePeople(of: id)

    try await edit(service) { templates in
      templates[0] = [
        "id": "1", "name": "offer", "language": "ar", "status": "APPROVED", "category": "MARKETING",
        "parameter_format": "POSITIONAL", "components": [["type": "BODY", "text": "نص جديد {{1}}"]],
      ]
    }
    _ = try await service.pool.run("update contact set attributes = '{\"first_name\": \"Changed\"}'")
    try await service.fill(audience, people: 2, from: 201_009_000_000)

    let shown = try await service.call("GET", "/v1/campaigns/\(id)")
    #expect(shown.json["state"]?.stringValue == "scheduled" && shown.json["recipients"]?.int64Value == 3)
    #expect(shown.json["state_reason"]?["until"]?.stringValue == shown.json["start_at"]?.stringValue)
    #expect(shown.json["template"]?["body"]?.stringValue == "مرحبا {{1}}، خصم {{2}}")
    #expect(shown.json["template"]?["version"]?.int64Value == 1)
    let preview = try await service.call("POST", "/v1/campaigns/\(id)/preview")
    let bodies = Set(preview.json["items"]?.arrayValue?.compactMap { $0["body"]?.stringValue } ?? [])
    #expect(bodies == ["مرحبا Mona 1، خصم 20%", "مرحبا Mona 2، خصم 20%", "مرحبا عميلنا، خصم 20%"], "\(preview.text)")
    // The next draft is checked against the new text.
    let draft = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience))
    #expect(draft.status == 422 && draft.code == "parameter_count", "\(draft.text)")
    await service.close()
  }

  @Test func `keeps each named value in its place`() async throws {
    let service = try await TestService()
    // In the record the shorter name comes first, in the text the longer one.
    service.graph.templates.with { templates in
      templates[1] = [
        "id": "2", "name": "named", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [["type": "BODY", "text": "For {{first_name}}: order {{order}}"]],
      ]
    }
    let audience = try await service.stage(people: 1)
    let template: JSONValue = [
      "name": "named", "language": "en_US",
      "parameters": ["body": ["order": "12", "first_name": ["attr": "first_name", "fallback": "Mona"]]],
    ]
    let id = try await launched(service, TestService.campaign(audience, ["template"], template))
    try await service.freezePeople(of: id)
    let preview = try await service.call("POST", "/v1/campaigns/\(id)/preview")
    #expect(preview.json["items"]?.arrayValue?.first?["body"]?.stringValue == "For Mona 1: order 12", "\(preview.text)")
    let vars = try await service.pool.run("select vars from recipient where campaign_id = $1", .int8(Int64(id)!))
    #expect(vars[0].texts(0) == ["Mona 1", "12"])
    await service.close()
  }

  @Test func `fails at its start, and says why, when Meta took the template back`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id = try await launched(service, TestService.campaign(audience))
    try await service.freezePeople(of: id)
    _ = try await service.pool.run("update template set status = 'REJECTED'")
    _ = try await service.pool.run("update job set due_at = now() where kind = 'start'")
    try await service.runJobs("the failure") {
      try await service.call("GET", "/v1/campaigns/\(id)").json["state"]?.stringValue == "failed"
    }
    let shown = try await service.call("GET", "/v1/campaigns/\(id)")
    #expect(shown.json["state_reason"]?["code"]?.stringValue == "template_not_approved", "\(shown.text)")
    await service.close()
  }
}
