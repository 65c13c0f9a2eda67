import Domain
import JSON
import Postgres
import Testing

@Suite struct `Segments over HTTP` {
  @Test func `are counted, said in both languages, saved, and used by name`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 9)
    let asked: JSONValue = ["audience": ["id": .string(audience), "where": ["city": "  القاهره", "country": "EG"]]]
    let counted = try await service.call("POST", "/v1/segments/count", asked, as: .marketer)
    #expect(counted.json["people"]?.int64Value == 6 && counted.json["marketable"]?.int64Value == 6, "\(counted.text)")
    #expect(
      counted.json["text"]?.stringValue
        == "People of “all” for whom their “city” is “  القاهره” and the country of their phone is EG.")
    let arabic = try await service.call("POST", "/v1/segments/count", asked, headers: [("Accept-Language", "ar")])
    #expect(arabic.json["text"]?.stringValue == "من هم في «all» بشرط أن «city» هو «  القاهره» وبلد الهاتف هو EG.")

    let saved = try await service.call(
      "POST", "/v1/segments", ["name": "cairenes", "where": ["city": "القاهرة"]], as: .marketer)
    #expect(saved.status == 201, "\(saved.text)")
    #expect(try await service.call("POST", "/v1/segments", ["name": "cairenes", "where": ["city": "x"]]).status == 409)
    let draft = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["audience", "segment"], "cairenes"), as: .marketer)
    #expect(draft.json["forecast"]?["audience"]?.int64Value == 6, "\(draft.text)")
    #expect(draft.json["spec"]?["audience"]?["segment"]?["where"]?["city"]?.stringValue == "القاهرة")
    #expect(draft.json["audience_text"]?.stringValue == "People of “all” for whom their “city” is “القاهرة”.")

    // What the draft copied holds, whatever becomes of the name.
    let id = saved.json["id"]?.stringValue ?? ""
    let changed = try await service.call("POST", "/v1/segments/\(id)", ["where": ["city": ["prefix": "gi"]]])
    #expect(changed.json["text"]?.stringValue == "People for whom their “city” begins with “gi”.", "\(changed.text)")
    let campaign = draft.json["id"]?.stringValue ?? ""
    let launched = try await service.call("POST", "/v1/campaigns/\(campaign)/launch")
    #expect(launched.json["forecast"]?["audience"]?.int64Value == 6, "\(launched.text)")
    #expect(try await service.call("POST", "/v1/segments/\(id)/remove").status == 200)
    #expect(try await service.call("GET", "/v1/segments/\(id)").status == 404)
    #expect(try await service.call("GET", "/v1/segments").json["items"]?.arrayValue?.isEmpty == true)
    await service.close()
  }

  @Test func `say where they are wrong and what there is instead`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let cases: [(JSONValue, String, String)] = [
      (["citty": "x"], "audience.where.citty", "attribute_unknown"),
      (["or": [["city": "x"], ["not": ["age": ["gte": 18]]]]], "audience.where.or[1].not.age", "attribute_unknown"),
      (["city": ["gt": "x"]], "audience.where.city.gt", "field_invalid"),
      (["audience": ["in": [.string(audience), "77"]]], "audience.where.audience.in[1]", "audience_unknown"),
      (["city') or true --": "x"], "audience.where.city') or true --", "attribute_unknown"),
      (["city": "x') or true --"], "audience.where", "audience_empty"),
      (["city": ["prefix": "%' or '1'='1"]], "audience.where", "audience_empty"),
    ]
    for (filter, field, code) in cases {
      let answer = try await service.call(
        "POST", "/v1/campaigns", TestService.campaign(audience, ["audience", "where"], filter), as: .marketer)
      #expect(answer.status == 422 && answer.field == field && answer.code == code, "\(answer.text)")
    }
    let misspelled = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["audience", "where"], ["citty": "x"]))
    #expect(
      misspelled.json["remedy"]?.stringValue
        == "Did you mean \"city\"? Attributes there are: \"city\", \"first_name\". "
        + "Besides: country, language, audience, last_outcome, days_since_message.")
    let segment = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["audience", "segment"], "nobody"))
    #expect(segment.code == "segment_unknown" && segment.field == "audience.segment")
    #expect(try await service.pool.run("select count(*) from campaign")[0].int64(0) == 0)
    await service.close()
  }
}
