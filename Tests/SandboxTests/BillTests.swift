import Domain
import HTTPClient
import JSON
import Population
import Reactor
import Sandbox
import Testing

@Suite struct `The double's bill` {
  private func points(_ stage: Stage, _ dimensions: String, _ more: String = "") async -> [JSONValue] {
    let now = Instant.now.nanoseconds / 1_000_000_000
    let field =
      "pricing_analytics.start(\(now - 86_400)).end(\(now + 86_400)).granularity(DAILY).phone_numbers([])\(more)"
      + ".metric_types([\"COST\",\"VOLUME\"]).dimensions([\(dimensions)])"
    let escaped = field.utf8.map { byte -> String in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16)
    }
    let answer = await stage.call("GET", "/v26.0/\(stage.account)?fields=\(escaped.joined())")
    return answer.json["pricing_analytics"]?["data"]?.arrayValue?.first?["data_points"]?.arrayValue ?? []
  }

  @Test func `counts what was delivered, at the list price of the market`() async throws {
    try await withStage { stage in
      _ = await stage.sendOffer("+201001234567")
      _ = await stage.sendOffer("+201001234568")
      _ = await stage.sendUtility("+966501234567")
      _ = await stage.sendOffer("+96550123456")
      _ = await stage.receiver.statuses(4, "delivered")
      let all = await points(stage, "\"COUNTRY\",\"PRICING_CATEGORY\",\"PRICING_TYPE\",\"PHONE\",\"TIER\"")
      let lines = all.map { point in
        "\(point["country"]?.stringValue ?? "") \(point["pricing_category"]?.stringValue ?? "") \(point["volume"]?.int64Value ?? 0) "
          + (point["cost"].map { String(decoding: $0.rendered(), as: UTF8.self) } ?? "")
      }
      #expect(lines == ["EG MARKETING 2 0.1288", "KW MARKETING 1 0.0792", "SA UTILITY 1 0.0107"])
      #expect(all.allSatisfy { $0["pricing_type"]?.stringValue == "REGULAR" && $0["tier"]?.stringValue == "0:MAX" })
      #expect(all.allSatisfy { $0["phone_number"]?.stringValue == "201090000000" })
      let total = await points(stage, "")
      #expect(total.count == 1)
      #expect(total.first?["volume"]?.int64Value == 4)
      #expect(total.first?["cost"] == .number("0.2187"))
      #expect(await points(stage, "", ".country_codes([\"EG\"])").first?["volume"]?.int64Value == 2)
      #expect(await stage.summary()["unpriced"]?.int64Value == 0)
    }
  }

  @Test func `takes volume tiers into account, one message after the other`() async throws {
    let tier = SandboxSettings.VolumeTier(market: "Egypt", category: "utility", above: 2, price: 3000)
    try await withStage({ $0.accounts[0].volumeTiers = [tier] }) { stage in
      for last in 0..<3 { _ = await stage.sendUtility("+20100123456\(last)") }
      _ = await stage.receiver.statuses(3, "delivered")
      let points = await points(stage, "\"PRICING_CATEGORY\",\"TIER\"")
      #expect(points.map { $0["tier"]?.stringValue } == ["0:2", "2:MAX"])
      #expect(points.map { $0["volume"]?.int64Value } == [2, 1])
      #expect(points.map { $0["cost"] } == [.number("0.0072"), .number("0.003")])
    }
  }

  @Test func `has no price in a currency without a card`() async throws {
    try await withStage({ $0.accounts[0].currency = "SAR" }) { stage in
      _ = await stage.sendOffer("+201001234567")
      _ = await stage.receiver.statuses(1, "delivered")
      #expect(await stage.summary()["unpriced"]?.int64Value == 1)
    }
  }

  @Test func `leaves out what failed, and what came by an advertisement costs nothing`() async throws {
    try await withStage { stage in
      _ = await stage.sendOffer("+12125550123")
      _ = await stage.receiver.statuses(1, "failed")
      _ = await stage.call("POST", "/sandbox/people/click_ad", #"{"phone":"+201001234567"}"#)
      _ = await stage.sendOffer("+201001234567")
      _ = await stage.receiver.statuses(1, "delivered")
      let all = await points(stage, "\"PRICING_TYPE\"")
      #expect(all.count == 1)
      #expect(all.first?["pricing_type"]?.stringValue == "FREE_ENTRY_POINT")
      #expect(all.first?["cost"] == .number("0.0"))
    }
  }
}

@Suite struct `A configuration` {
  @Test func `overrides the defaults`() throws {
    let settings = try SandboxSettings(
      json: Array(
        """
        {"listen":"127.0.0.1:9191","seed":7,"webhook_url":"http://h/x","latency_ms":20,
         "receipts":{"batch":10,"delay_scale":0.5},"people":{"stop_rate":0.5,"delays_ms":{"read":[1,2]}},
         "accounts":[{"id":"1","currency":"EUR","numbers":[{"id":"2","display_phone_number":"+49 30 1","throughput":20}]}]}
        """.utf8))
    #expect(settings.port == 9191)
    #expect(settings.seed == 7)
    #expect(settings.receipts.batch == 10)
    #expect(settings.people.stopRate == 0.5)
    #expect(settings.people.readDelay == 1...2)
    #expect(settings.accounts[0].numbers[0].throughput == 20)
    #expect(settings.accounts[0].templates.count == 5)
  }

  @Test(arguments: [
    (#"{"sed":1}"#, "sed"), (#"{"receipts":{"batch":0}}"#, "receipts.batch"),
    (#"{"people":{"stop_rate":2}}"#, "people.stop_rate"),
    (#"{"accounts":[{"numbers":[]}]}"#, "accounts[0].id"),
    (#"{"accounts":[{"id":"1","numbers":[{"id":"x"}]}]}"#, "accounts[0].numbers[0].id"),
    (#"{"listen":"nowhere"}"#, "listen"), ("[]", ""),
  ]) func `is refused by the name of what is wrong`(_ json: String, _ path: String) {
    #expect {
      try SandboxSettings(json: Array(json.utf8))
    } throws: { ($0 as? SandboxSettingsError)?.path == path }
  }
}
