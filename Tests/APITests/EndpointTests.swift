import Domain
import JSON
import Postgres
import Store
import Testing

@Suite(.serialized) struct `An endpoint over HTTP` {
  @Test func `is registered by an admin, shows its secret once, and is removed`() async throws {
    let service = try await TestService()
    let body: JSONValue = ["url": "https://example.com/hook?key=1", "events": ["campaign.paused"]]
    #expect(try await service.call("POST", "/v1/endpoints", body, as: .operate).status == 403)
    let made = try await service.call("POST", "/v1/endpoints", body)
    let secret = made.json["secret"]?.stringValue ?? ""
    #expect(made.status == 201 && secret.hasPrefix("whsec_") && made.json["reached"]?.boolValue == true, "\(made.text)")
    let id = try #require(made.json["id"]?.stringValue)
    let listed = try await service.call("GET", "/v1/endpoints")
    #expect(listed.json["items"]?.arrayValue?.count == 1 && !listed.text.contains("whsec"))
    let rotated = try await service.call("POST", "/v1/endpoints/\(id)/rotate", ["valid_hours": 2])
    #expect(rotated.status == 200 && rotated.json["secret"]?.stringValue != secret, "\(rotated.text)")
    #expect(rotated.json["old_secret_until"]?.stringValue != nil)
    let desk: JSONValue = ["url": "https://example.com/desk", "forward": "messages", "secret": "0123456789abcdef"]
    let forward = try await service.call("POST", "/v1/endpoints", desk)
    #expect(forward.json["secret"]?.stringValue == "0123456789abcdef" && forward.json["forward"]?.stringValue == "messages")
    let path = "/v1/endpoints/" + (forward.json["id"]?.stringValue ?? "")
    #expect(try await service.call("POST", path + "/rotate", ["valid_hours": 2]).field == "valid_hours")
    #expect(try await service.call("POST", path + "/rotate").json["old_secret_until"] == .null)
    #expect(try await service.call("GET", path + "/undelivered").json["items"]?.arrayValue == [])
    #expect(try await service.call("POST", path + "/replay").json["replayed"]?.int64Value == 0)
    #expect(try await service.call("DELETE", path).status == 200)
    let stored = try await service.pool.run("select sealed, sealed_before from endpoint")
    #expect(!stored[0].bytes(0).isEmpty && !String(decoding: stored[0].bytes(1), as: UTF8.self).contains(secret))
    #expect(
      try await service.pool.run("select count(*) from audit where detail::text like '%key=%' or detail::text like '%whsec%'")[0]
        .int64(0) == 0)
    #expect(try await service.call("GET", "/v1/endpoints/\(id)/undelivered").json["items"]?.arrayValue == [])
    #expect(try await service.call("POST", "/v1/endpoints/\(id)/replay").json["replayed"]?.int64Value == 0)
    #expect(try await service.call("DELETE", "/v1/endpoints/\(id)").json["removed"]?.boolValue == true)
    #expect(try await service.call("DELETE", "/v1/endpoints/\(id)").status == 404)
    #expect(try await service.call("GET", "/v1/endpoints/\(id)").status == 404)
    await service.close()
  }

  @Test func `is refused by field and remedy, and what is down may be registered`() async throws {
    let service = try await TestService()
    let refused: [(JSONValue, String, String)] = [
      (["events": ["campaign.paused"]], "url", "field_missing"), (["url": "ftp://example.com"], "url", "field_invalid"),
      (["url": "https://user:pass@example.com/"], "url", "field_invalid"), (["url": "https:///x"], "url", "field_invalid"),
      (["url": "https://example.com/#x"], "url", "field_invalid"), (["url": "https://a b"], "url", "field_invalid"),
      (["url": "https://private.example"], "url", "endpoint_address"),
      (["url": "http://private.example"], "url", "endpoint_address"),
      (["url": "https://example.com", "events": ["campaign.exploded"]], "events[0]", "field_invalid"),
      (["url": "https://example.com", "events": []], "events", "field_invalid"),
      (["url": "https://example.com", "forward": "some"], "forward", "field_invalid"),
      (["url": "https://example.com", "forward": "all", "events": ["campaign.paused"]], "events", "field_invalid"),
      (["url": "https://example.com", "secret": "abcdefabcdefabcdef"], "secret", "field_invalid"),
      (["url": "https://example.com", "forward": "all", "secret": "short"], "secret", "field_invalid"),
      (["url": "https://example.com", "evnts": ["campaign.paused"]], "evnts", "field_unknown"),
    ]
    for (body, field, code) in refused {
      let answer = try await service.call("POST", "/v1/endpoints", body)
      #expect(answer.status == 422 && answer.field == field && answer.code == code, "\(answer.text)")
      #expect(answer.json["remedy"] != nil && !answer.text.contains("pass@"), "\(answer.text)")
    }
    #expect(try await service.pool.run("select count(*) from endpoint")[0].int64(0) == 0, "nothing half-written")
    let down = try await service.call("POST", "/v1/endpoints", ["url": "https://down.example"], headers: [("Accept-Language", "ar")])
    #expect(down.status == 201 && down.json["reached"]?.boolValue == false, "\(down.text)")
    #expect(down.json["text"]?.stringValue == "لا أحد يستمع على هذا العنوان.")
    for index in 1..<Endpoints.most {
      #expect(try await service.call("POST", "/v1/endpoints", ["url": .string("https://example.com/\(index)")]).status == 201)
    }
    #expect(try await service.call("POST", "/v1/endpoints", ["url": "https://example.com"]).code == "endpoints_full")
    await service.close()
  }

  @Test func `leaves the list of what happened to everybody, in their language`() async throws {
    let service = try await TestService()
    #expect(try await service.call("POST", "/v1/stop", ["reason": "night"], as: .operate).status == 200)
    _ = try await AlertSources.derive(on: service.pool)
    let listed = try await service.call("GET", "/v1/alerts", as: .marketer)
    let item = listed.json["items"]?.arrayValue?.first
    #expect(item?["type"]?.stringValue == "sending.paused" && item?["deliveries"]?.arrayValue == [], "\(listed.text)")
    #expect(item?["text"]?.stringValue == "Sending of everything was stopped by operator: night.", "\(listed.text)")
    #expect(try await service.call("GET", "/v1/alerts?type=campaign.paused").json["items"]?.arrayValue == [])
    #expect(try await service.call("GET", "/v1/alerts?type=x").field == "type")
    await service.close()
  }
}
