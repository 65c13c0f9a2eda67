import Domain
import HTTPClient
import JSON
import Reactor
import Sandbox
import Testing

@Suite struct `The double` {
  @Test func `accepts a template message as Meta does`() async throws {
    try await withStage { stage in
      let answer = await stage.sendOffer("+201001234567")
      #expect(answer.status == 200)
      #expect(answer.json["messaging_product"]?.stringValue == "whatsapp")
      #expect(answer.json["contacts"]?.arrayValue?.first?["input"]?.stringValue == "+201001234567")
      #expect(answer.json["contacts"]?.arrayValue?.first?["wa_id"]?.stringValue == "201001234567")
      let message = answer.json["messages"]?.arrayValue?.first
      #expect(message?["message_status"]?.stringValue == "accepted")
      #expect(message?["id"]?.stringValue?.hasPrefix("wamid.HBg") == true)
    }
  }

  @Test func `tells sent, delivered and read, signed, with the price on sent and on delivered`() async throws {
    try await withStage { stage in
      let answer = await stage.sendOffer("+201001234567", callback: "q:t:7:1:1")
      let id = answer.json["messages"]?.arrayValue?.first?["id"]?.stringValue
      let statuses = await stage.receiver.statuses(3)
      #expect(Set(statuses.compactMap { $0["status"]?.stringValue }) == ["sent", "delivered", "read"])
      for status in statuses {
        #expect(status["id"]?.stringValue == id)
        #expect(status["biz_opaque_callback_data"]?.stringValue == "q:t:7:1:1")
        #expect(status["recipient_id"]?.stringValue == "201001234567")
        let price = status["pricing"]
        if status["status"]?.stringValue == "read" {
          #expect(price == nil)
        } else {
          #expect(price?["category"]?.stringValue == "marketing")
          #expect(price?["type"]?.stringValue == "regular")
          #expect(price?["pricing_model"]?.stringValue == "PMP")
          #expect(price?["billable"]?.boolValue == true)
        }
      }
      #expect(stage.receiver.seen.with { $0.badSignatures } == 0)
    }
  }

  @Test(arguments: [
    ("{", 100), (#"{"to":"+201001234567"}"#, 100),
    (#"{"messaging_product":"whatsapp","type":"template"}"#, 100),
    (#"{"messaging_product":"whatsapp","to":"201001234567","type":"template","template":{}}"#, 131009),
    (#"{"messaging_product":"whatsapp","to":"+20 100","type":"template","template":{}}"#, 131009),
    (#"{"messaging_product":"whatsapp","to":"+201001234567"}"#, 131008),
    (#"{"messaging_product":"whatsapp","to":"+201001234567","type":"template"}"#, 131008),
    (#"{"messaging_product":"whatsapp","to":"+201001234567","type":"video","video":{}}"#, 100),
    (#"{"messaging_product":"whatsapp","to":"+201001234567","type":"sticker"}"#, 131051),
    (#"{"messaging_product":"whatsapp","to":"+201001234567","type":"text","text":{"body":"hi"}}"#, 131047),
    (#"{"messaging_product":"whatsapp","to":"+201001234567","tpye":"template"}"#, 100),
    (#"{"messaging_product":"whatsapp","recipient":"EG.1","type":"template"}"#, 131062),
    (
      #"{"messaging_product":"whatsapp","to":"+201001234567","type":"template","template":{"name":"nope","language":{"code":"ar"}}}"#,
      132001
    ),
    (
      #"{"messaging_product":"whatsapp","to":"+201001234567","type":"template","template":{"name":"ramadan_offer","language":{"code":"en"}}}"#,
      132001
    ),
    (Stage.body(to: "+201001234567", template: "ramadan_offer", "ar", [#"{"type":"text","text":"a"}"#]), 132000),
    (
      Stage.body(
        to: "+201001234567", template: "ramadan_offer", "ar",
        [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"a\nb"}"#]),
      132018
    ),
    (
      Stage.body(
        to: "+201001234567", template: "ramadan_offer", "ar",
        [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"a     b"}"#]), 132018
    ),
    (
      Stage.body(
        to: "+201001234567", template: "ramadan_offer", "ar",
        [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":""}"#]),
      131008
    ),
    (
      Stage.body(
        to: "+201001234567", template: "ramadan_offer", "ar",
        [#"{"type":"image","image":{"id":"1"}}"#, #"{"type":"text","text":"b"}"#]), 132012
    ),
    (
      Stage.body(
        to: "+201001234567", template: "order_update", "ar",
        ["{\"type\":\"text\",\"text\":\"\(String(repeating: "x", count: 1020))\"}"]),
      132005
    ),
    (
      Stage.body(
        to: "+201001234567", template: "ramadan_offer", "ar",
        [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"b"}"#],
        extra:
          #",{"type":"button","sub_type":"quick_reply","index":"3","parameters":[{"type":"payload","payload":"x"}]}"#),
      132012
    ),
    (
      Stage.body(
        to: "+201001234567", template: "spring_offer", "en",
        [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"b"}"#]), 131008
    ),
    (Stage.body(to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"a","x":1}"#]), 100),
    (
      Stage.body(
        to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"a"}"#],
        callback: String(repeating: "c", count: 513)), 131009
    ),
    (Stage.body(to: "+201001234567", template: "login_code", "ar", [#"{"type":"text","text":"1"}"#]), 131008),
    (
      Stage.body(to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"a"}"#]).replacing(
        "+201001234567", with: "+201001234567\\u0000"), 131009
    ),
    (
      Stage.body(to: "+201001234567", template: "order_update", "ar", [#"{"type":"text","text":"a"}"#]).replacing(
        "individual", with: "group"), 131009
    ),
  ]) func `refuses what Meta would, with its code`(_ body: String, _ wanted: Int) async throws {
    try await withStage { stage in
      let answer = await stage.send(body)
      #expect(
        code(answer) == Int64(wanted),
        "\(answer.json.rendered().count) bytes: \(String(decoding: answer.json.rendered(), as: UTF8.self))")
      #expect(answer.json["error"]?["type"]?.stringValue != nil)
      #expect(answer.json["error"]?["fbtrace_id"]?.stringValue != nil)
      #expect(await stage.summary()["accepted"]?.int64Value == 0)
    }
  }

  @Test func `accepts buttons, codes and urls that fit their template`() async throws {
    try await withStage { stage in
      let two = [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"b"}"#]
      let stop =
        #",{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"stop:1"}]}"#
      let link = #",{"type":"button","sub_type":"url","index":1,"parameters":[{"type":"text","text":"x?y=1"}]}"#
      let code = #",{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"1234"}]}"#
      #expect(
        await stage.send(Stage.body(to: "+201001234567", template: "ramadan_offer", "ar", two, extra: stop)).status
          == 200)
      #expect(
        await stage.send(Stage.body(to: "+201001234568", template: "spring_offer", "en", two, extra: link)).status
          == 200)
      let right = Stage.body(
        to: "+201001234569", template: "login_code", "ar", [#"{"type":"text","text":"1234"}"#], extra: code)
      #expect(await stage.send(right).status == 200)
      let wrong = Stage.body(
        to: "+201001234569", template: "login_code", "ar", [#"{"type":"text","text":"9999"}"#], extra: code)
      #expect(await stage.send(wrong).status == 400)
    }
  }

  @Test func `checks the token`() async throws {
    try await withStage { stage in
      #expect(code(await stage.send("{}", token: nil)) == 104)
      let wrong = await stage.send("{}", token: "wrong")
      #expect(code(wrong) == 190)
      #expect(wrong.status == 401)
      #expect(code(await stage.call("GET", "/v26.0/\(stage.number)", token: "wrong")) == 190)
      #expect(await stage.call("POST", "/sandbox/accounts/\(stage.account)", #"{"token_valid":false}"#).status == 200)
      #expect(code(await stage.sendUtility("+201001234567")) == 190)
    }
  }

  @Test func `limits a number's messages in any second`() async throws {
    try await withStage({ $0.accounts[0].numbers[0].throughput = 2 }) { stage in
      let codes = await atOnce(40) { code(await stage.sendUtility("+2010012345\(10 + $0)")) }
      let refused = codes.count { $0 == 130429 }
      #expect(refused > 0)
      #expect(refused + codes.count { $0 == nil } == 40)
      let number = await stage.summary()["numbers"]?.arrayValue?.first
      #expect(number?["accepted_highest_second"]?.int64Value == 2)
      #expect(number?["arrived_highest_second"]?.int64Value ?? 0 > 2)
    }
  }

  @Test func `limits what one number sends to one person`() async throws {
    try await withStage { stage in
      let codes = await atOnce(60) { _ in code(await stage.sendUtility("+201001234567")) }
      #expect((45...50).contains(codes.count { $0 == nil }), "45 at once, and one more for each six seconds it took")
      #expect(codes.count { $0 == 131056 } == 60 - codes.count { $0 == nil })
      #expect(code(await stage.sendUtility("+201001234568")) == nil)
    }
  }

  @Test func `keeps a journal in order of arrival, with what was refused, and counts duplicates`() async throws {
    try await withStage { stage in
      _ = await stage.sendUtility("+201001234567", callback: "q:t:1:1:1")
      _ = await stage.sendUtility("+201001234567", callback: "q:t:1:1:1")
      _ = await stage.sendUtility("+201001234567", callback: "q:t:1:2:1")
      _ = await stage.sendUtility("+201001234568", callback: "q:t:1:1:1")
      _ = await stage.send("{}")
      let lines = await stage.journal()
      #expect(lines.map { $0["outcome"]?.stringValue } == ["accepted", "accepted", "accepted", "accepted", "refused"])
      #expect(lines.map { $0["n"]?.int64Value } == [1, 2, 3, 4, 5])
      #expect(lines[0]["to"]?.stringValue == "+201001234567")
      #expect(lines[0]["callback"]?.stringValue == "q:t:1:1:1")
      #expect(lines[0]["template"]?.stringValue == "order_update")
      #expect(lines[0]["number"]?.stringValue == stage.number)
      #expect(lines[4]["code"]?.int64Value == 100)
      let times = lines.compactMap { $0["boot_ns"]?.int64Value }
      #expect(times == times.sorted())
      let summary = await stage.summary()
      #expect(summary["duplicates_by_callback"]?.int64Value == 1)
      #expect(summary["duplicates_by_campaign"]?.int64Value == 2)
      #expect(await stage.journal("?after=3").count == 2)
    }
  }

  @Test func `tells numbers, templates and the account in Meta's shapes`() async throws {
    try await withStage { stage in
      let number = await stage.call(
        "GET", "/v26.0/\(stage.number)?fields=id,quality_rating,status,throughput,health_status")
      #expect(number.json["quality_rating"]?.stringValue == "GREEN")
      #expect(number.json["throughput"]?["level"]?.stringValue == "STANDARD")
      #expect(number.json["health_status"]?["can_send_message"]?.stringValue == "AVAILABLE")
      #expect(number.json["verified_name"] == nil)
      #expect(code(await stage.call("GET", "/v26.0/\(stage.number)?fields=nonsense")) == 100)
      let waba = await stage.call("GET", "/v26.0/\(stage.account)?fields=id,currency,timezone_id")
      #expect(waba.json["currency"]?.stringValue == "USD")
      #expect(waba.json["timezone_id"]?.stringValue == "53")
      let numbers = await stage.call("GET", "/v26.0/\(stage.account)/phone_numbers")
      #expect(numbers.json["data"]?.arrayValue?.count == 1)
      var names: [String] = []
      var after = ""
      repeat {
        let page = await stage.call(
          "GET", "/v26.0/\(stage.account)/message_templates?limit=2&fields=name,language,status&after=\(after)")
        names += (page.json["data"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        after = page.json["paging"]?["next"] == nil ? "" : page.json["paging"]?["cursors"]?["after"]?.stringValue ?? ""
      } while !after.isEmpty
      #expect(names == ["ramadan_offer", "spring_offer", "order_update", "order_update", "login_code"])
      #expect(code(await stage.call("GET", "/v26.0/999")) == 100)
    }
  }

  @Test func `sends no webhooks to an app that did not subscribe`() async throws {
    try await withStage({ $0.accounts[0].isSubscribed = false }) { stage in
      _ = await stage.sendUtility("+201001234567")
      while await stage.summary()["webhooks"]?["unwanted"]?.int64Value != 3 {
        try await stage.reactor.sleep(for: .milliseconds(10))
      }
      #expect(await stage.call("POST", "/v26.0/\(stage.account)/subscribed_apps").json["success"]?.boolValue == true)
      _ = await stage.sendUtility("+201001234568")
      #expect(await stage.receiver.statuses(1).count >= 1)
    }
  }

  @Test func `checks an address by the handshake`() async throws {
    try await withStage { stage in
      let hook =
        await stage.call("GET", "/v26.0/\(stage.number)").json["webhook_configuration"]?["application"]?.stringValue
        ?? ""
      #expect(await stage.call("POST", "/sandbox/webhook", "{\"url\":\"\(hook)\",\"handshake\":true}").status == 200)
      #expect(
        await stage.call("POST", "/sandbox/webhook", "{\"url\":\"\(stage.base)/x\",\"handshake\":true}").status == 409)
    }
  }
}
