import Domain
import HTTPClient
import JSON
import Population
import Reactor
import Sandbox
import Testing

@Suite struct `A fault` {
  @Test func `closes before acceptance, for the next two`() async throws {
    try await withStage { stage in
      #expect(await stage.call("POST", "/sandbox/faults", #"{"close_before_rate":1,"next":2}"#).status == 200)
      for index in 0..<3 {
        let answer = await stage.sendUtility("+20100123456\(index)")
        #expect(answer.status == (index < 2 ? 0 : 200))
      }
      let summary = await stage.summary()
      #expect(summary["accepted"]?.int64Value == 1)
      #expect(summary["closed_before"]?.int64Value == 2)
    }
  }

  @Test func `closes after acceptance: no answer, but receipts`() async throws {
    try await withStage { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"close_after_rate":{"rate":1,"next":1}}"#)
      let answer = await stage.sendUtility("+201001234567", callback: "q:t:1:1:1")
      #expect(answer.status == 0)
      #expect(await stage.receiver.statuses(1, "sent")[0]["biz_opaque_callback_data"]?.stringValue == "q:t:1:1:1")
      let summary = await stage.summary()
      #expect(summary["accepted"]?.int64Value == 1)
      #expect(summary["answers_lost"]?.int64Value == 1)
      #expect(await stage.journal()[0]["answer_lost"]?.boolValue == true)
    }
  }

  @Test(arguments: ["close_after_on_later_request", "close_before_on_later_request"])
  func `closes a kept-alive connection on a later request only`(_ name: String) async throws {
    try await withStage { stage in
      _ = await stage.call("POST", "/sandbox/faults", "{\"\(name)\":1}")
      // A client of its own: a fresh connection.
      let client = HTTPClient(on: stage.reactor, settings: HTTPClientSettings(maxConnections: 1))
      var statuses: [Int] = []
      for index in 0..<3 {
        let text = Stage.body(
          to: "+20100123456\(index)", template: "order_update", "ar", [#"{"type":"text","text":"1"}"#])
        let request = HTTPRequest(
          "POST", "\(stage.base)/v26.0/\(stage.number)/messages", headers: [("Authorization", "Bearer \(stage.token)")],
          body: Array(text.utf8))
        if case .success(let answer) = await client.send(request) {
          statuses.append(answer.status)
        } else {
          statuses.append(0)
        }
      }
      client.close()
      #expect(statuses == [200, 0, 200])
      let accepted = await stage.summary()["accepted"]?.int64Value
      #expect(accepted == (name == "close_after_on_later_request" ? 3 : 2))
    }
  }

  @Test func `answers 500 and 131000 after acceptance`() async throws {
    try await withStage { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"error_131000_after_acceptance":true,"next":1}"#)
      let answer = await stage.sendUtility("+201001234567")
      #expect(answer.status == 500)
      #expect(code(answer) == 131000)
      _ = await stage.receiver.statuses(1, "delivered")
      #expect(await stage.sendUtility("+201001234568").status == 200)
    }
  }

  @Test func `of one number leaves the others alone, and DELETE ends all`() async throws {
    try await withStage({
      $0.accounts[0].numbers.append(SandboxSettings.Number(id: "2", displayNumber: "+20 10 9000 0001"))
    }) { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"number":"2","refuse":{"code":131048}}"#)
      #expect(await stage.sendUtility("+201001234567").status == 200)
      let other = await stage.call(
        "POST", "/v26.0/2/messages",
        Stage.body(to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"1"}"#]))
      #expect(code(other) == 131048)
      #expect(await stage.call("DELETE", "/sandbox/faults").status == 200)
      let again = await stage.call(
        "POST", "/v26.0/2/messages",
        Stage.body(to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"1"}"#]))
      #expect(again.status == 200)
      #expect(await stage.call("POST", "/sandbox/faults", #"{"closebefore":1}"#).status == 422)
    }
  }

  @Test func `of latency and of hanging delays the answer, not the acceptance`() async throws {
    try await withStage { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"latency_ms":150}"#)
      let start = BootInstant.now
      #expect(await stage.sendUtility("+201001234567").status == 200)
      #expect(BootInstant.now - start >= .milliseconds(150))
      _ = await stage.call("POST", "/sandbox/faults", #"{"latency_ms":null,"hang":true,"hang_ms":100}"#)
      #expect(await stage.sendUtility("+201001234568").status == 0)
      #expect(await stage.summary()["accepted"]?.int64Value == 2)
    }
  }

  @Test func `of silence keeps receipts back until it ends`() async throws {
    try await withStage({ $0.people.readers = 0 }) { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"silence":true}"#)
      _ = await stage.sendUtility("+201001234567")
      while await stage.summary()["webhooks"]?["silenced"]?.int64Value != 2 {
        try await stage.reactor.sleep(for: .milliseconds(10))
      }
      #expect(stage.receiver.seen.with { $0.posts } == 0)
      _ = await stage.call("POST", "/sandbox/faults", #"{"silence":false}"#)
      #expect(await stage.receiver.statuses(2).count == 2)
    }
  }

  @Test func `loses receipts for good`() async throws {
    try await withStage({ $0.people.readers = 0 }) { stage in
      _ = await stage.call("POST", "/sandbox/faults", #"{"receipts_lost_rate":1}"#)
      _ = await stage.sendUtility("+201001234567")
      while await stage.summary()["webhooks"]?["lost"]?.int64Value != 2 {
        try await stage.reactor.sleep(for: .milliseconds(10))
      }
      _ = await stage.call("POST", "/sandbox/faults", #"{"receipts_lost_rate":0}"#)
      #expect(await stage.call("POST", "/sandbox/receipts/replay").json["receipts"]?.int64Value == 2)
      #expect(await stage.receiver.statuses(2).count == 2)
    }
  }
}

@Suite struct `Receipts` {
  @Test func `come again until they are answered 200`() async throws {
    try await withStage({ $0.people.readers = 0 }) { stage in
      stage.receiver.seen.with { $0.refuse = 4 }
      _ = await stage.sendUtility("+201001234567")
      #expect(await stage.receiver.statuses(2).count == 2)
      #expect(await stage.summary()["webhooks"]?["retries"]?.int64Value == 4)
    }
  }

  @Test func `come in batches, out of order and twice`() async throws {
    try await withStage({
      $0.receipts.disorderRate = 0.5
      $0.receipts.duplicateRate = 0.5
      $0.receipts.batch = 7
      $0.receipts.flushDelay = .milliseconds(20)
      $0.people.readDelay = 200...400
      $0.accounts[0].numbers[0].throughput = 1000
    }) { stage in
      for index in 0..<100 { _ = await stage.sendUtility("+20100\(1_000_000 + index)", callback: "m\(index)") }
      while await stage.summary()["events_to_come"]?.int64Value != 0 {
        try await stage.reactor.sleep(for: .milliseconds(10))
      }
      while await stage.summary()["webhooks"]?["waiting"]?.int64Value != 0 {
        try await stage.reactor.sleep(for: .milliseconds(10))
      }
      let all = await stage.receiver.statuses(300)
      let distinct = Set(
        all.map { "\($0["biz_opaque_callback_data"]?.stringValue ?? "") \($0["status"]?.stringValue ?? "")" })
      #expect(distinct.count == 300)
      #expect((380...520).contains(all.count), "\(all.count)")
      var overtaken = 0
      var seen: [String: Set<String>] = [:]
      for status in all {
        let key = status["biz_opaque_callback_data"]?.stringValue ?? ""
        if status["status"]?.stringValue == "delivered", !(seen[key] ?? []).contains("sent") { overtaken += 1 }
        seen[key, default: []].insert(status["status"]?.stringValue ?? "")
      }
      #expect(overtaken > 0)
      #expect(stage.receiver.seen.with { $0.posts } < all.count)
      #expect(stage.receiver.seen.with { $0.badSignatures } == 0)
    }
  }

  @Test func `may skip delivered, and then read carries the price`() async throws {
    try await withStage({ $0.receipts.skippedDeliveredRate = 1 }) { stage in
      _ = await stage.sendOffer("+201001234567")
      let read = await stage.receiver.statuses(1, "read")[0]
      #expect(read["pricing"]?["category"]?.stringValue == "marketing")
      #expect(Receiver.statuses(in: stage.receiver.seen.with { $0.changes }, "delivered").isEmpty)
      #expect(await stage.summary()["delivered"]?.int64Value == 1)
    }
  }
}
