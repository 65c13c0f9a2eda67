import Domain
import HTTPClient
import JSON
import Population
import Reactor
import Sandbox
import Testing

@Suite struct `People of the double` {
  @Test func `press the stop button with the payload the message gave it`() async throws {
    try await withStage { stage in
      let texts = [#"{"type":"text","text":"a"}"#, #"{"type":"text","text":"b"}"#]
      let button =
        #",{"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload","payload":"stop:q:t:1:1:1"}]}"#
      let sent = await stage.send(
        Stage.body(to: "+201001234567", template: "ramadan_offer", "ar", texts, extra: button))
      let id = sent.json["messages"]?.arrayValue?.first?["id"]?.stringValue
      _ = await stage.receiver.statuses(1, "delivered")
      #expect(await stage.call("POST", "/sandbox/people/press_stop", #"{"phone":"+201001234567"}"#).status == 200)
      let message = await stage.receiver.inbound(1)[0]
      #expect(message["type"]?.stringValue == "button")
      #expect(message["button"]?["payload"]?.stringValue == "stop:q:t:1:1:1")
      #expect(message["button"]?["text"]?.stringValue == "إيقاف العروض")
      #expect(message["context"]?["id"]?.stringValue == id)
      #expect(message["from"]?.stringValue == "201001234567")
    }
  }

  @Test func `write, which opens the window for free text`() async throws {
    try await withStage { stage in
      let text = #"{"messaging_product":"whatsapp","to":"+201001234567","type":"text","text":{"body":"ok"}}"#
      let ask = #"""
        {"messaging_product":"whatsapp","to":"+201001234567","type":"interactive","interactive":{"type":"button","body":{"text":"?"},
        "action":{"buttons":[{"type":"reply","reply":{"id":"yes","title":"Yes"}},{"type":"reply","reply":{"id":"no","title":"No"}}]}}}
        """#
      #expect(code(await stage.send(text)) == 131047)
      _ = await stage.call(
        "POST", "/sandbox/people/text", #"{"phone":"+201001234567","text":"إلغاء \"الاشتراك\" 🙏","means_stop":true}"#)
      let message = await stage.receiver.inbound(1)[0]
      #expect(message["text"]?["body"]?.stringValue == "إلغاء \"الاشتراك\" 🙏")
      #expect(await stage.send(text).status == 200)
      #expect(await stage.send(ask).status == 200)
      let sent = await stage.receiver.statuses(2, "sent")
      #expect(sent[0]["pricing"]?["category"]?.stringValue == "service")
      #expect(sent[0]["pricing"]?["type"]?.stringValue == "free_customer_service")
      #expect(sent[0]["pricing"]?["billable"]?.boolValue == false)
    }
  }

  @Test func `who can't be reached within a template's time to live never get it, and nobody is told`() async throws {
    try await withStage { settings in
      settings.receipts.delayScale = 0.001
      (settings.people.online, settings.people.offlineDelay) = (0, 60_000...60_000)
      settings.accounts[0].templates = settings.accounts[0].templates.map { template in
        guard case .object(var object) = template, template["name"]?.stringValue == "order_update" else { return template }
        object["message_send_ttl_seconds"] = 30
        return .object(object)
      }
    } _: { stage in
      let node = await stage.call(
        "GET", "/v26.0/\(stage.account)/message_templates?name=order_update&fields=message_send_ttl_seconds")
      #expect(node.json["data"]?.arrayValue?.first?["message_send_ttl_seconds"]?.int64Value == 30, "\(node.json)")
      #expect(await stage.sendUtility("+201001234567", callback: "q:t:1:1:1").status == 200)
      #expect(await stage.sendOffer("+201001234568", callback: "q:t:1:2:1").status == 200)
      // The later one arrives; of the earlier one nothing is to come.
      _ = await stage.receiver.statuses(1, "delivered")
      var summary = await stage.summary()
      for _ in 0..<5000 where summary["events_to_come"]?.int64Value != 0 { summary = await stage.summary() }
      #expect(summary["sent"]?.int64Value == 2 && summary["delivered"]?.int64Value == 1, "\(summary)")
    }
  }

  @Test func `who stop natively get no offers any more, and what still comes is counted`() async throws {
    try await withStage { stage in
      #expect(await stage.call("POST", "/sandbox/people/opt_out", #"{"phone":"+201001234567"}"#).status == 200)
      let preference = await stage.receiver.field("user_preferences")
      #expect(preference["user_preferences"]?.arrayValue?.first?["value"]?.stringValue == "stop")
      #expect(preference["user_preferences"]?.arrayValue?.first?["timestamp"]?.int64Value != nil)
      while await stage.call("POST", "/sandbox/people/show", #"{"phone":"+201001234567"}"#).json["stop_acknowledged"]?
        .boolValue != true
      {}
      #expect(await stage.sendOffer("+201001234567").status == 200)
      let failed = await stage.receiver.statuses(1, "failed")[0]
      #expect(failed["errors"]?.arrayValue?.first?["code"]?.int64Value == 131050)
      #expect(failed["pricing"] == nil)
      let summary = await stage.summary()
      #expect(summary["offers_after_stop"]?.int64Value == 1)
      #expect(summary["offers_after_stop_acknowledged"]?.int64Value == 1)
      #expect(summary["worst_after_stop_acknowledged_ns"]?.int64Value ?? 0 > 0)
      #expect(await stage.sendUtility("+201001234567").status == 200)
      _ = await stage.receiver.statuses(1, "delivered")
      _ = await stage.call("POST", "/sandbox/people/opt_in", #"{"phone":"+201001234567"}"#)
      #expect(await stage.sendOffer("+201001234567").status == 200)
      _ = await stage.receiver.statuses(2, "delivered")
    }
  }

  @Test func `not on WhatsApp fail, numbers of the United States get no offers`() async throws {
    try await withStage({ $0.people.notOnWhatsApp = 1 }) { stage in
      _ = await stage.sendUtility("+201001234567")
      #expect(await stage.receiver.statuses(1, "failed")[0]["errors"]?.arrayValue?.first?["code"]?.int64Value == 131026)
    }
    try await withStage { stage in
      _ = await stage.sendOffer("+12125550123")
      _ = await stage.sendOffer("+16045550123")
      #expect(await stage.receiver.statuses(1, "failed")[0]["errors"]?.arrayValue?.first?["code"]?.int64Value == 131049)
      #expect(await stage.receiver.statuses(1, "delivered")[0]["recipient_id"]?.stringValue == "16045550123")
    }
  }

  @Test func `are the same for the same seed, whatever the order`() async throws {
    func fates(_ phones: [Int]) async throws -> [String: Int64] {
      try await withStage({
        $0.people = PeopleModel()
        $0.people.marketingCap = 0.3
        $0.people.notOnWhatsApp = 0.3
        $0.people.readers = 0
        $0.people.online = 1
        $0.people.unreachable = 0
        $0.people.stopRate = 0
        $0.people.blockRate = 0
        $0.people.replyRate = 0
        $0.accounts[0].numbers[0].throughput = 1000
      }) { stage in
        for phone in phones { _ = await stage.sendOffer("+20100\(1_000_000 + phone)") }
        let all = await stage.receiver.changes { changes in
          Receiver.statuses(in: changes).filter { ["delivered", "failed"].contains($0["status"]?.stringValue) }.count
            == phones.count
        }
        var fates: [String: Int64] = [:]
        for status in Receiver.statuses(in: all) where status["status"]?.stringValue != "sent" {
          fates[status["recipient_id"]?.stringValue ?? ""] =
            status["errors"]?.arrayValue?.first?["code"]?.int64Value ?? 0
        }
        return fates
      }
    }
    let first = try await fates(Array(0..<60))
    let second = try await fates(Array((0..<60).reversed()))
    #expect(first == second)
    #expect(Set(first.values) == [0, 131026, 131049])
  }

  @Test func `who are badly treated block, until quality falls, the number is flagged and the template paused`()
    async throws
  {
    try await withStage({
      $0.people.blockRate = 0.2
      $0.people.qualityEvidence = 50
      $0.people.templatePause = .seconds(3600)
      $0.receipts.delayScale = 0.001
      $0.accounts[0].numbers[0].throughput = 1000
    }) { stage in
      for phone in 0..<150 {
        let answer = await stage.sendOffer("+20100\(1_000_000 + phone)")
        if answer.status != 200 { break }
      }
      let update = await stage.receiver.field("message_template_status_update")
      #expect(update["event"]?.stringValue == "PAUSED")
      #expect(update["other_info"]?["title"]?.stringValue == "FIRST_PAUSE")
      #expect(update["message_template_name"]?.stringValue == "ramadan_offer")
      #expect(await stage.receiver.field("phone_number_quality_update")["event"]?.stringValue == "FLAGGED")
      #expect(await stage.receiver.field("message_template_quality_update")["new_quality_score"]?.stringValue != nil)
      let number = await stage.call("GET", "/v26.0/\(stage.number)?fields=quality_rating,status")
      #expect(number.json["quality_rating"]?.stringValue == "RED")
      #expect(number.json["status"]?.stringValue == "FLAGGED")
      #expect(code(await stage.sendUtility("+201001234567")) == 131048)
    }
  }
}

@Suite struct `A hold for quality` {
  private func stage(_ outcome: String, _ body: (Stage) async throws -> Void) async throws {
    let json = """
      {"name":"paced","language":"ar","category":"MARKETING","components":[{"type":"BODY","text":"x"}],
       "sandbox":{"pacing":{"after":1,"hold_ms":10000,"outcome":"\(outcome)"}}}
      """
    let template = try JSONValue(parsing: Array(json.utf8))
    try await withStage({ $0.accounts[0].templates = [template] }) { stage in
      let message = { (phone: String) in
        Stage.body(to: phone, template: "paced", "ar", []).replacing(#"{"type":"body","parameters":[]}"#, with: "")
      }
      let first = await stage.send(message("+201001234567"))
      #expect(first.json["messages"]?.arrayValue?.first?["message_status"]?.stringValue == "accepted")
      let second = await stage.send(message("+201001234568"))
      #expect(
        second.json["messages"]?.arrayValue?.first?["message_status"]?.stringValue == "held_for_quality_assessment")
      try await body(stage)
    }
  }

  @Test func `ends with the message sent`() async throws {
    try await stage("release") { stage in
      let delivered = await stage.receiver.statuses(2, "delivered")
      #expect(Set(delivered.compactMap { $0["recipient_id"]?.stringValue }) == ["201001234567", "201001234568"])
    }
  }

  @Test func `ends with the message failed and the template paused`() async throws {
    try await stage("pause") { stage in
      #expect(await stage.receiver.statuses(1, "failed")[0]["errors"]?.arrayValue?.first?["code"]?.int64Value == 132015)
      #expect(await stage.receiver.field("message_template_status_update")["event"]?.stringValue == "PAUSED")
    }
  }
}
