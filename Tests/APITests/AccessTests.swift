import API
import Domain
import HTTPClient
import JSON
import Postgres
import Reactor
import Testing

@Suite struct `Access to the API` {
  @Test func `needs a key everywhere but for health and webhooks`() async throws {
    let service = try await TestService()
    for route in service.api.routes {
      let path = route.path.split(separator: "/").map { $0.hasPrefix("{") ? "1" : $0 }.joined(separator: "/")
      let answer = try await service.call(route.method, "/" + path, as: nil)
      if let permission = route.permission {
        #expect(answer.status == 401 && answer.code == "key_missing", "\(route) \(permission)")
        #expect(answer.header("www-authenticate") != nil)
      } else {
        #expect(answer.status == 200, "\(route) gave \(answer.status)")
      }
    }
    #expect(
      service.api.routes.filter { $0.permission == nil }.map(\.path).sorted() == [
        "/healthz", "/readyz", "/webhooks/whatsapp", "/webhooks/whatsapp",
      ])
    await service.close()
  }

  /// The table of product §1.15, row by row: a role that may not gets 403 before the handler looks at anything.
  @Test func `lets each role do its part and no more`() async throws {
    let service = try await TestService()
    for route in service.api.routes {
      guard let permission = route.permission else { continue }
      let path = "/" + route.path.split(separator: "/").map { $0.hasPrefix("{") ? "999" : $0 }.joined(separator: "/")
      for role in Role.allCases where !path.hasSuffix("/metrics") {
        let answer = try await service.call(route.method, path, as: role)
        if permission.allows(role) {
          #expect(
            answer.status != 401 && answer.code != "role_may_not" && answer.status < 500,
            "\(role) \(route) \(answer.status)")
        } else {
          #expect(answer.status == 403 && answer.code == "role_may_not", "\(role) \(route) \(answer.status)")
        }
      }
    }
    await service.close()
  }

  @Test func `keeps the roles as the product has them`() {
    let may = { (role: Role) in Set(Permission.allCases.filter { $0.allows(role) }) }
    #expect(may(.admin) == Set(Permission.allCases))
    #expect(may(.finance) == [.read, .readMoney, .readStatements, .manageMoney])
    #expect(!may(.marketer).contains(.cancelCampaigns) && !may(.marketer).contains(.seePhones))
    #expect(!may(.operate).contains(.manageKeys) && !may(.operate).contains(.recordConsents))
    #expect(may(.privacy).contains(.recordConsents) && !may(.privacy).contains(.draftCampaigns))
  }

  @Test func `refuses keys that are unknown, malformed or revoked`() async throws {
    let service = try await TestService()
    for header in ["Bearer qk_nothing", "Basic abc", "Bearer", "qk_x"] {
      let answer = try await service.call("GET", "/v1/numbers", as: nil, headers: [("Authorization", header)])
      #expect(answer.status == 401, "\(header)")
    }
    let made = try await service.call("POST", "/v1/keys", ["name": "till", "role": "marketer"])
    let key = made.json["key"]?.stringValue ?? ""
    let bearer = [("Authorization", "Bearer " + key)]
    #expect(try await service.call("GET", "/v1/numbers", as: nil, headers: bearer).status == 200)
    let listed = try await service.call("GET", "/v1/keys")
    #expect(!listed.text.contains(key))
    let id = made.json["id"]?.stringValue ?? ""
    #expect(try await service.call("POST", "/v1/keys/\(id)/revoke").status == 200)
    #expect(try await service.call("GET", "/v1/numbers", as: nil, headers: bearer).code == "key_unknown")
    await service.close()
  }

  @Test func `tells an unknown route from another method`() async throws {
    let service = try await TestService()
    let unknown = try await service.call("GET", "/v1/nothing")
    #expect(unknown.status == 404 && unknown.code == "route_unknown")
    #expect(unknown.header("content-type") == "application/problem+json")
    let method = try await service.call("DELETE", "/v1/campaigns")
    #expect(method.status == 405 && method.header("allow") == "GET, POST")
    await service.close()
  }

  @Test func `answers health without a database and readiness with one`() async throws {
    let service = try await TestService()
    #expect(try await service.call("GET", "/readyz", as: nil).status == 200)
    await service.pool.close()
    #expect(try await service.call("GET", "/healthz", as: nil).status == 200)
    #expect(try await service.call("GET", "/readyz", as: nil).status == 503)
    let answer = try await service.call("GET", "/v1/numbers")
    #expect(answer.status == 503 && answer.code == "database_away" && answer.header("retry-after") != nil)
    await service.close()
  }
}

@Suite struct `A request's body` {
  @Test func `that is not JSON is told where it breaks`() async throws {
    let service = try await TestService()
    for text in ["{", "{\"name\": \"a\",}", "[1", "\u{FEFF}{}", "{\"name\":\"a\",\"name\":\"b\"}", "nul"] {
      let answer = try await service.send("POST", "/v1/audiences", bytes: Array(text.utf8))
      #expect(answer.status == 400 && answer.code == "json_malformed", "\(text) gave \(answer.text)")
    }
    let list = try await service.call("POST", "/v1/audiences", [])
    #expect(list.status == 422 && list.code == "field_invalid")
    #expect(try await service.pool.run("select count(*) from audience")[0].int64(0) == 0)
    await service.close()
  }

  @Test func `of 100 MB is refused unread`() async throws {
    let service = try await TestService()
    let answer = try await service.send("POST", "/v1/campaigns", bytes: [UInt8](repeating: 0x20, count: 100 << 20))
    #expect(answer.status == 413 && answer.code == "body_too_large")
    await service.close()
  }
}

@Suite struct `A write with an Idempotency-Key` {
  private func key(_ text: String) -> [(String, String)] { [("Idempotency-Key", text)] }

  @Test func `is made once and answered alike`() async throws {
    let service = try await TestService()
    let first = try await service.call("POST", "/v1/audiences", ["name": "a"], headers: key("k1"))
    let second = try await service.call("POST", "/v1/audiences", ["name": "a"], headers: key("k1"))
    #expect(first.status == 201 && second.status == 201 && first.text == second.text)
    #expect(first.header("idempotent-replayed") == nil && second.header("idempotent-replayed") == "true")
    #expect(try await service.call("POST", "/v1/audiences", ["name": "a"]).status == 409)
    await service.close()
  }

  @Test func `is not kept where the answer holds a secret`() async throws {
    let service = try await TestService()
    let made = try await service.call("POST", "/v1/keys", ["name": "a", "role": "marketer"], headers: key("k1"))
    let secret = try #require(made.json["key"]?.stringValue)
    let kept = try await service.pool.run(
      "select count(*) from idempotency where position(convert_to($1, 'UTF8') in answer) > 0", .text(secret))
    #expect(made.status == 201 && kept[0].int64(0) == 0)
    await service.close()
  }

  @Test func `refuses another body, another path, another query`() async throws {
    let service = try await TestService()
    _ = try await service.call("POST", "/v1/audiences", ["name": "a"], headers: key("k1"))
    for (path, body) in [("/v1/audiences", "b"), ("/v1/budgets", "a"), ("/v1/audiences?x=1", "a")] {
      let answer = try await service.call("POST", path, ["name": .string(body)], headers: key("k1"))
      #expect(answer.status == 422 && answer.code == "idempotency_key_reused")
    }
    await service.close()
  }

  @Test func `gets its refusal again`() async throws {
    let service = try await TestService()
    let first = try await service.call("POST", "/v1/audiences", ["nam": "a"], headers: key("k1"))
    let second = try await service.call("POST", "/v1/audiences", ["nam": "a"], headers: key("k1"))
    #expect(first.status == 422 && first.text == second.text && second.header("idempotent-replayed") == "true")
    #expect(second.header("content-type") == "application/problem+json")
    await service.close()
  }

  @Test func `is one of many at once`() async throws {
    let service = try await TestService()
    let answers = try await withThrowingTaskGroup(of: TestService.Answer.self) { group in
      for _ in 0..<10 {
        group.addTask {
          try await service.call("POST", "/v1/audiences", ["name": "a"], headers: [("Idempotency-Key", "k1")])
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    for answer in answers { #expect(answer.status == 201 || answer.code == "idempotency_key_busy", "\(answer.text)") }
    #expect(answers.contains { $0.status == 201 })
    #expect(try await service.pool.run("select count(*) from audience")[0].int64(0) == 1)
    await service.close()
  }

  @Test func `takes a file that is read while it is sent, and gives one that is written while it comes`() async throws {
    let service = try await TestService()
    let id = try await service.call("POST", "/v1/audiences", ["name": "a"]).json["id"]?.stringValue ?? ""
    let length = 5 << 20
    let given = Lock(0)
    var request = HTTPRequest(
      "POST", service.url + "/v1/audiences/\(id)/contacts",
      headers: [("Authorization", "Bearer " + service.key(.admin)), ("Content-Type", "text/csv")])
    request.upload = HTTPUpload(length: length) { buffer in
      given.with { given in
        let count = min(buffer.count, length - given)
        for index in 0..<count { buffer[index] = 0x41 }
        given += count
        return count
      }
    }
    let answer = try await TestService.client.send(request).get()
    #expect(answer.status == 201 && String(decoding: answer.body, as: UTF8.self).contains("\"bytes\":\(length)"))
    let taken = Lock<[UInt8]>([])
    var report = HTTPRequest(
      "GET", service.url + "/v1/reports/messages", headers: [("Authorization", "Bearer " + service.key(.admin))])
    report.sink = { bytes in
      taken.with { $0 += bytes }
      return true
    }
    let streamed = try await TestService.client.send(report).get()
    #expect(
      streamed.status == 200 && streamed.body.isEmpty
        && taken.with { String(decoding: $0, as: UTF8.self) } == "campaign\r\n")
    report.url = service.url + "/v1/reports/nothing"
    #expect(try await TestService.client.send(report).get().body.isEmpty == false)
    await service.close()
  }

  @Test func `covers an upload by the hash of its stream`() async throws {
    let service = try await TestService()
    let id = try await service.call("POST", "/v1/audiences", ["name": "a"]).json["id"]?.stringValue ?? ""
    let path = "/v1/audiences/\(id)/contacts"
    let file = [UInt8](repeating: 0x41, count: 3 << 20)
    let headers = key("k1") + [("Content-Type", "text/csv")]
    let first = try await service.send("POST", path, bytes: file, headers: headers)
    let second = try await service.send("POST", path, bytes: file, headers: headers)
    #expect(first.status == 201 && first.text == second.text && service.imported.with { $0 } == 1)
    let other = try await service.send("POST", path, bytes: file + [0x42], headers: headers)
    #expect(other.status == 422 && other.code == "idempotency_key_reused")
    await service.close()
  }

  @Test func `is found again among the imports of its audience`() async throws {
    let service = try await TestService()
    for name in ["a", "b"] { _ = try await service.call("POST", "/v1/audiences", ["name": .string(name)]) }
    for audience in [1, 2, 1] {
      _ = try await service.send(
        "POST", "/v1/audiences/\(audience)/contacts", bytes: [0x41], headers: [("Content-Type", "text/csv")])
    }
    let all = try await service.call("GET", "/v1/imports?limit=2").json
    #expect(all["items"]?.arrayValue?.map { $0["id"]?.stringValue } == ["3", "2"])
    let rest = try await service.call("GET", "/v1/imports?cursor=\(all["next_cursor"]?.stringValue ?? "")").json
    #expect(rest["items"]?.arrayValue?.map { $0["id"]?.stringValue } == ["1"])
    let one = try await service.call("GET", "/v1/imports?audience=1").json
    #expect(one["items"]?.arrayValue?.map { $0["id"]?.stringValue } == ["3", "1"])
    #expect(try await service.call("GET", "/v1/imports?audience=x").field == "audience")
    await service.close()
  }
}
