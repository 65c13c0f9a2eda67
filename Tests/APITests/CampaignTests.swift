import API
import Crypto
import Domain
import HTTPClient
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `Registering a number` {
  @Test func `reads Meta, subscribes the app and seals the token`() async throws {
    let service = try await TestService()
    let answer = try await service.call("POST", "/v1/numbers", TestService.registration)
    #expect(answer.status == 201, "\(answer.text)")
    #expect(answer.json["phone"]?.stringValue == "+201009999999" && answer.json["state"]?.stringValue == "ready")
    #expect(answer.json["currency"]?.stringValue == "USD" && answer.json["zone"]?.stringValue == "Africa/Cairo")
    #expect(service.graph.subscribed.with { $0 } == 1)
    #expect(!answer.text.contains(FakeGraph.token))
    #expect(try await service.pool.run("select sealed from token")[0].bytes(0).count > FakeGraph.token.utf8.count)
    let arabic = try await service.call("GET", "/v1/numbers/shop", headers: [("Accept-Language", "ar-EG, en;q=0.5")])
    #expect(arabic.json["state_reason"]?["text"]?.stringValue == "يُرسل بشكل طبيعي.")
    #expect(arabic.json["quality_text"]?.stringValue == "مرتفعة")
    await service.close()
  }

  @Test func `says what Meta refused and stores nothing`() async throws {
    let service = try await TestService()
    func with(_ name: String, _ value: JSONValue) -> JSONValue {
      guard case .object(var object) = TestService.registration else { return .null }
      object[name] = value
      return .object(object)
    }
    let token = try await service.call("POST", "/v1/numbers", with("access_token", "wrong"))
    #expect(token.code == "token_refused" && token.field == "access_token")
    let number = try await service.call("POST", "/v1/numbers", with("phone_number_id", "1"))
    #expect(number.code == "meta_refused" && number.field == "phone_number_id")
    let malformed = try await service.call("POST", "/v1/numbers", with("waba_id", "abc"))
    #expect(malformed.code == "field_invalid" && malformed.field == "waba_id")
    let zone = try await service.call("POST", "/v1/numbers", with("zone", "Africa/Kairo"))
    #expect(zone.code == "field_invalid" && zone.field == "zone")
    #expect(
      try await service.pool.run("select (select count(*) from number) + (select count(*) from token)")[0].int64(0) == 0
    )
    await service.close()
  }

  @Test func `says when the number is not connected`() async throws {
    let service = try await TestService()
    service.graph.status.with { $0 = "PENDING" }
    let answer = try await service.call("POST", "/v1/numbers", TestService.registration)
    #expect(answer.status == 201 && answer.json["state"]?.stringValue == "disconnected")
    #expect(answer.json["warning"]?.stringValue?.contains("133010") == true)
    await service.close()
  }

  @Test func `pauses with or without a reason and resumes with one`() async throws {
    let service = try await TestService()
    _ = try await service.call("POST", "/v1/numbers", TestService.registration)
    let paused = try await service.call("POST", "/v1/numbers/shop/pause", as: .operate)
    #expect(paused.json["state"]?.stringValue == "paused")
    #expect(try await service.call("POST", "/v1/numbers/shop/resume", as: .operate).code == "field_missing")
    let resumed = try await service.call("POST", "/v1/numbers/shop/resume", ["reason": "checked"], as: .operate)
    #expect(resumed.json["state"]?.stringValue == "ready")
    #expect(
      try await service.call("POST", "/v1/numbers/shop/resume", ["reason": "x"], as: .operate).code == "not_paused")
    await service.close()
  }
}

@Suite struct `A campaign over HTTP` {
  @Test func `is a draft with every default and what it would come to`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let answer = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience), as: .marketer)
    #expect(answer.status == 201, "\(answer.text)")
    #expect(answer.json["state"]?.stringValue == "draft")
    let spec = answer.json["spec"]
    #expect(spec?["pace"]?["per_second"]?.int64Value == 64 && spec?["pace"]?["jitter"]?.stringValue == "human")
    #expect(spec?["require_opt_in"]?.boolValue == true && spec?["schedule"]?["if_late"]?.stringValue == "hold")
    let forecast = answer.json["forecast"]
    #expect(forecast?["audience"]?.int64Value == 3 && forecast?["recipients"]?.int64Value == 3)
    #expect(forecast?["cost"]?["high"]?.stringValue == "0.1932" && forecast?["cost"]?["currency"]?.stringValue == "USD")
    let id = answer.json["id"]?.stringValue ?? ""
    let shown = try await service.call("GET", "/v1/campaigns/\(id)", as: .finance)
    #expect(shown.json["state_reason"]?["text"]?.stringValue == "Saved. Nothing is sent until someone launches it.")
    let list = try await service.call("GET", "/v1/campaigns?limit=1", as: .privacy)
    #expect(
      list.json["items"]?.arrayValue?.first?["id"]?.stringValue == id && list.json["next_cursor"]?.stringValue == id)
    #expect(
      try await service.call("GET", "/v1/campaigns?limit=1&cursor=\(id)").json["items"]?.arrayValue?.isEmpty == true)
    await service.close()
  }

  @Test func `is only counted in a dry run`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 9)
    _ = try await service.call("POST", "/v1/opt-outs", ["phone": "+201001000000"])
    _ = try await service.pool.run("update contact set opt_in_at = null where phone = 201001000001")
    _ = try await service.pool.run("update contact set suspect = true where phone = 201001000002")
    let asked = TestService.campaign(audience, ["template", "parameters", "body"], [["attr": "first_name"], "20%"])
    let answer = try await service.call("POST", "/v1/campaigns?dry_run=true", asked)
    #expect(answer.status == 200, "\(answer.text)")
    let reasons = answer.json["forecast"]?["excluded_by_reason"]
    #expect(reasons?["opted_out"]?.int64Value == 1 && reasons?["no_opt_in"]?.int64Value == 1)
    #expect(reasons?["suspect_phone"]?.int64Value == 1 && reasons?["parameter_missing"]?.int64Value == 2)
    #expect(answer.json["forecast"]?["recipients"]?.int64Value == 4)
    #expect(try await service.pool.run("select count(*) from campaign")[0].int64(0) == 0)
    await service.close()
  }

  @Test func `names the field of whatever does not exist`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let empty = try await service.call("POST", "/v1/audiences", ["name": "nobody"]).json["id"]?.stringValue ?? ""
    let cases: [([String], JSONValue?, String, String)] = [
      (["from"], "+20 10 0123 4567", "from[0]", "number_unknown"),
      (["template", "name"], "offr", "template.name", "template_unknown"),
      (["template", "name"], "rejected", "template.name", "template_not_approved"),
      (["template", "language"], "en", "template.language", "template_language_unknown"),
      (["template", "stop_button"], 1, "template.stop_button", "stop_button_invalid"),
      (["template", "parameters", "body"], ["one"], "template.parameters.body", "parameter_count"),
      (["template", "parameters", "body"], ["name": "one"], "template.parameters.body", "parameter_unknown"),
      (["template", "parameters", "header"], ["x"], "template.parameters.header", "parameter_count"),
      (
        ["template", "parameters", "header"], ["image": ["link": "https://x/y.png"]], "template.parameters.header",
        "parameter_unknown"
      ),
      (["template", "parameters", "buttons"], [:], "template.parameters.buttons[1]", "parameter_count"),
      (["template", "parameters", "buttons", "5"], "x", "template.parameters.buttons[5]", "parameter_count"),
      (["audience", "id"], "999", "audience.id", "audience_unknown"),
      (["audience", "id"], .string(empty), "audience.id", "audience_empty"),
      (["audience", "where"], ["city": "Nowhere"], "audience.where", "audience_empty"),
      (["schedule", "start_at"], "2020-01-01T00:00:00Z", "schedule.start_at", "field_invalid"),
      (["schedule", "end_at"], "2020-01-01T00:00:00Z", "schedule.end_at", "field_invalid"),
      (
        ["schedule", "window"], ["start": "09:00", "end": "10:00", "zone": "Mars/Base"], "schedule.window.zone",
        "field_invalid"
      ),
      (["pace"], ["per_second": 80, "jitter": "human"], "pace.jitter", "field_invalid"),
      (["budget"], ["amount": "1"], "budget.currency", "field_missing"),
      (["budget"], ["amount": 7, "currency": "USD"], "budget.amount", "field_invalid"),
      (["budget"], ["amount": "-1", "currency": "USD"], "budget.amount", "field_invalid"),
      (["budget"], ["amount": "1", "currency": "EGP"], "budget.currency", "field_invalid"),
      (["budget"], ["amount": "1", "currency": "EUR"], "budget.currency", "budget_currency"),
      (["budget"], ["amount": "1", "currency": "USD", "messages": 5], "budget.messages", "field_invalid"),
      (["budget"], ["messages": 0], "budget.messages", "field_invalid"),
    ]
    for (path, value, field, code) in cases {
      let answer = try await service.call(
        "POST", "/v1/campaigns", TestService.campaign(audience, path, value), as: .marketer)
      #expect(answer.status == 422 && answer.field == field && answer.code == code, "\(path) gave \(answer.text)")
      #expect(answer.json["remedy"]?.stringValue?.isEmpty == false)
    }
    #expect(try await service.pool.run("select count(*) from campaign")[0].int64(0) == 0)
    await service.close()
  }

  @Test func `takes named parameters in any order`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let template: JSONValue = [
      "name": "named", "language": "en_US",
      "parameters": ["body": ["first_name": ["attr": "first_name", "fallback": "you"], "order": "12"]],
    ]
    let draft = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience, ["template"], template))
    #expect(draft.status == 201, "\(draft.text)")
    let id = draft.json["id"]?.stringValue ?? ""
    let preview = try await service.call("POST", "/v1/campaigns/\(id)/preview", as: .marketer)
    let bodies = preview.json["items"]?.arrayValue?.compactMap { $0["body"]?.stringValue } ?? []
    #expect(
      Set(bodies).isSubset(of: ["Order 12 for Mona 1", "Order 12 for Mona 2", "Order 12 for you"]) && bodies.count == 3,
      "\(preview.text)")
    #expect(preview.json["items"]?.arrayValue?.first?["phone"]?.stringValue?.hasPrefix("+…") == true)
    let wrong: JSONValue = [
      "name": "named", "language": "en_US", "parameters": ["body": ["frist_name": "a", "order": "12"]],
    ]
    let refused = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience, ["template"], wrong))
    #expect(
      refused.field == "template.parameters.body.frist_name"
        && refused.json["remedy"]?.stringValue == "Did you mean \"first_name\"?")
    await service.close()
  }

  @Test func `is launched once, and only with a start`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let open = try await service.call(
      "POST", "/v1/campaigns", TestService.campaign(audience, ["schedule", "start_at"], nil))
    let id = open.json["id"]?.stringValue ?? ""
    #expect(try await service.call("POST", "/v1/campaigns/\(id)/launch").code == "start_missing")
    let launched = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["start_at": "now"], as: .marketer)
    #expect(launched.json["state"]?.stringValue == "scheduled", "\(launched.text)")
    #expect(launched.json["state_reason"]?["until"] != nil)
    #expect(try await service.call("POST", "/v1/campaigns/\(id)/launch", ["start_at": "now"]).code == "not_a_draft")
    await service.close()
  }

  @Test func `is not launched when too many lack a value`() async throws {
    let service = try await TestService()
    let audience = try await service.stage(people: 9)
    let asked = TestService.campaign(audience, ["template", "parameters", "body"], [["attr": "first_name"], "20%"])
    let id = try await service.call("POST", "/v1/campaigns", asked).json["id"]?.stringValue ?? ""
    let answer = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true])
    #expect(answer.status == 422 && answer.code == "parameters_missing", "\(answer.text)")
    #expect(try await service.call("GET", "/v1/campaigns/\(id)").json["state"]?.stringValue == "draft")
    await service.close()
  }

  @Test func `takes another pace while it runs, and says why not`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id = try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    let path = "/v1/campaigns/\(id)/pace"
    #expect(try await service.call("POST", path, ["per_second": 5]).code == "not_running")
    _ = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true])
    #expect(try await service.call("POST", path, ["per_second": 5], as: .marketer).code == "not_yours")
    #expect(try await service.call("POST", path, ["reason": "slower"]).field == "per_second")
    #expect(try await service.call("POST", path, ["per_seconds": 5]).field == "per_seconds")
    #expect(try await service.call("POST", path, ["per_second": 5, "spread_until": "x"]).field == "spread_until")
    let fast = try await service.call("POST", path, ["per_second": 80, "jitter": "human"])
    #expect(fast.field == "pace.jitter" && fast.text.contains("0.8"))
    let answer = try await service.call("POST", path, ["per_minute": 90, "reason": "the shop is full"], as: .operate)
    #expect(answer.status == 200, "\(answer.text)")
    #expect(answer.json["pace"]?["per_minute"]?.int64Value == 90 && answer.json["pace"]?["jitter"]?.stringValue == "human")
    let rows = try await service.pool.run("select pace, seconds, shares from pace_share order by version desc")
    #expect(rows[0].int32(0) == 90 && rows[0].int32(1) == 60 && rows[0].int32s(2) == [90])
    let events = try await service.pool.run("select actor, reason from campaign_event where event = 'pace_changed'")
    #expect(events.count == 1 && events[0].text(1) == "the shop is full")
    await service.close()
  }

  @Test func `is paused by its maker and by operators, and resumed by whoever may`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    func launched(_ role: Role) async throws -> String {
      let id =
        try await service.call("POST", "/v1/campaigns", TestService.campaign(audience), as: role).json["id"]?
        .stringValue ?? ""
      _ = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true], as: role)
      return "/v1/campaigns/\(id)"
    }
    let own = try await launched(.marketer)
    let others = try await launched(.admin)
    #expect(try await service.call("POST", others + "/pause", as: .marketer).code == "not_yours")
    #expect(try await service.call("POST", own + "/pause", as: .marketer).json["state"]?.stringValue == "paused")
    #expect(try await service.call("POST", own + "/resume", as: .marketer).code == "field_missing")
    #expect(
      try await service.call("POST", own + "/resume", ["reason": "ok"], as: .marketer).json["state"]?.stringValue
        == "scheduled")
    _ = try await service.call("POST", own + "/pause", ["reason": "odd text"], as: .operate)
    #expect(
      try await service.call("POST", own + "/resume", ["reason": "ok"], as: .marketer).code == "operator_must_resume")
    let shown = try await service.call("GET", own)
    #expect(shown.json["state_reason"]?["code"]?.stringValue == "operator")
    #expect(
      shown.json["state_reason"]?["text"]?.stringValue
        == "Stopped by key:operator because odd text; 0 people wait; someone must resume it.")
    #expect(try await service.call("POST", own + "/resume", ["reason": "ok"], as: .operate).status == 200)
    // A stop of everything stands above the campaign and is undone where it was made.
    _ = try await service.call("POST", "/v1/stop", ["reason": "3 a.m."], as: .operate)
    #expect(try await service.call("GET", own).json["state"]?.stringValue == "paused")
    #expect(try await service.call("POST", own + "/resume", ["reason": "ok"], as: .operate).code == "not_paused")
    _ = try await service.call("POST", "/v1/resume", ["reason": "morning"], as: .operate)
    #expect(try await service.call("GET", own).json["state"]?.stringValue == "scheduled")
    // Cancel is final.
    #expect(try await service.call("POST", own + "/cancel", as: .marketer).status == 403)
    #expect(try await service.call("POST", own + "/cancel", as: .operate).json["state"]?.stringValue == "cancelled")
    #expect(try await service.call("POST", own + "/cancel", as: .operate).status == 409)
    #expect(try await service.call("POST", own + "/resume", ["reason": "no"], as: .operate).status == 409)
    await service.close()
  }

  @Test func `streams what happens until it has ended`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id =
      try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    async let stream = service.call("GET", "/v1/campaigns/\(id)/events")
    _ = try await service.call("POST", "/v1/campaigns/\(id)/launch", ["now": true])
    _ = try await service.call("POST", "/v1/campaigns/\(id)/cancel")
    let answer = try await stream
    let events = answer.text.split(separator: "\n").filter { $0.hasPrefix("event: ") }.map { $0.dropFirst(7) }
    #expect(events == ["created", "launched", "cancelled", "end"])
    #expect(answer.header("content-type") == "text/event-stream")
    await service.close()
  }

  @Test func `is tested on named phones, apart`() async throws {
    let service = try await TestService()
    let audience = try await service.stage()
    let id =
      try await service.call("POST", "/v1/campaigns", TestService.campaign(audience)).json["id"]?.stringValue ?? ""
    let test = try await service.call(
      "POST", "/v1/campaigns/\(id)/test", ["phones": ["+201001000000", "01005555555"], "default_region": "EG"],
      as: .marketer)
    #expect(test.status == 201, "\(test.text)")
    #expect(test.json["kind"]?.stringValue == "test" && test.json["state"]?.stringValue == "sending")
    let testID = test.json["id"]?.stringValue ?? ""
    let rows = try await service.pool.run(
      "select vars, phone from recipient where campaign_id = $1 order by seq", .int8(Int64(testID)!))
    #expect(rows.map { $0.texts(0) } == [["Mona 1", "20%", "summer"], ["عميلنا", "20%", "summer"]])
    #expect(try await service.call("GET", "/v1/campaigns").json["items"]?.arrayValue?.count == 1)
    #expect(try await service.call("GET", "/v1/campaigns?tests_of=\(id)").json["items"]?.arrayValue?.count == 1)
    let people = try await service.call("GET", "/v1/campaigns/\(testID)/recipients", as: .operate)
    #expect(people.json["items"]?.arrayValue?.map { $0["phone"]?.stringValue } == ["+201001000000", "+201005555555"])
    #expect(people.json["items"]?.arrayValue?.first?["state"]?.stringValue == "queued")
    let masked = try await service.call("GET", "/v1/campaigns/\(testID)/recipients?limit=1", as: .finance)
    #expect(
      masked.json["items"]?.arrayValue?.first?["phone"]?.stringValue == "+…000"
        && masked.json["next_cursor"]?.stringValue == "1")
    let rest = try await service.call("GET", "/v1/campaigns/\(testID)/recipients?limit=5&cursor=1&state=queued")
    #expect(rest.json["items"]?.arrayValue?.count == 1 && rest.json["next_cursor"]?.isNull == true)
    let shown = try await service.call("GET", "/v1/campaigns/\(testID)")
    #expect(
      shown.json["counts"]?["recipients"]?.int64Value == 2
        && shown.json["counts"]?["states"]?["queued"]?.int64Value == 2)
    await service.close()
  }
}

@Suite struct `Opt-outs over HTTP` {
  @Test func `are recorded, found and listed without a phone in any URL`() async throws {
    let service = try await TestService()
    let added = try await service.call(
      "POST", "/v1/opt-outs", ["phones": ["+201001234567", "0100 123 4567", "+966501234567"], "default_region": "EG"],
      as: .marketer)
    #expect(added.status == 201 && added.json["recorded"]?.int64Value == 2, "\(added.text)")
    #expect(try await service.call("GET", "/v1/opt-outs", as: .marketer).status == 403)
    let list = try await service.call("GET", "/v1/opt-outs?limit=1", as: .privacy)
    #expect(list.json["items"]?.arrayValue?.count == 1 && list.json["next_cursor"]?.stringValue != nil)
    let found = try await service.call("POST", "/v1/opt-outs/search", ["phone": "+201001234567"], as: .privacy)
    #expect(found.json["opted_out"]?.arrayValue?.first?["scope"]?.stringValue == "marketing")
    let start: JSONValue = ["phone": "+201001234567", "event": "start", "source": "branch form"]
    #expect(try await service.call("POST", "/v1/consents", start, as: .operate).status == 403)
    #expect(try await service.call("POST", "/v1/consents", start, as: .privacy).status == 201)
    let again = try await service.call("POST", "/v1/opt-outs/search", ["phone": "+201001234567"], as: .privacy)
    #expect(again.json["opted_out"]?.arrayValue?.isEmpty == true && again.json["history"]?.arrayValue?.count == 2)
    await service.close()
  }

  @Test func `are recorded by Meta's id of whoever hides their phone, and a start makes them marketable`() async throws {
    let service = try await TestService()
    let (pool, business) = (service.pool, service.installation.business)
    let id = "EG.13491208655302741918"
    let hidden: JSONValue = ["user_id": .string(id)]
    _ = try await pool.run(
      "insert into contact (business_id, user_id, person_key, country) values ($1, $2, $3, 'EG')", .int8(business.rawValue),
      .text(id), .uuid(service.installation.personKeys.key(of: try #require(UserID(id)))))
    let added = try await service.call("POST", "/v1/opt-outs", hidden, as: .marketer)
    #expect(added.status == 201 && added.json["recorded"]?.int64Value == 1, "\(added.text)")
    let found = try await service.call("POST", "/v1/opt-outs/search", hidden, as: .privacy)
    #expect(found.json["opted_out"]?.arrayValue?.count == 1 && !found.text.contains("1349120"))
    let start: JSONValue = ["user_id": .string(id), "event": "start", "source": "branch form"]
    #expect(try await service.call("POST", "/v1/consents", start, as: .privacy).status == 201)
    let again = try await service.call("POST", "/v1/opt-outs/search", hidden, as: .privacy)
    #expect(again.json["opted_out"]?.arrayValue?.isEmpty == true)
    #expect(try await pool.run("select count(*) from contact where opt_in_source = 'branch form'")[0].int64(0) == 1)
    let two: JSONValue = ["user_id": .string(id), "phone": "+201001234567", "event": "stop", "source": "x"]
    #expect(try await service.call("POST", "/v1/consents", two, as: .privacy).field == "user_id")
    #expect(try await service.call("POST", "/v1/opt-outs", ["user_id": "Mona"]).field == "user_id")
    await service.close()
  }

  @Test func `are all recorded or none, and a refusal quotes no phone`() async throws {
    let service = try await TestService()
    let answer = try await service.call("POST", "/v1/opt-outs", ["phones": ["+201001234567", "01OO1234567"]])
    #expect(answer.status == 422 && answer.field == "phones[1]" && answer.code == "phone_invalid")
    #expect(!answer.text.contains("1234567"))
    #expect(try await service.pool.run("select count(*) from consent")[0].int64(0) == 0)
    let future = try await service.call(
      "POST", "/v1/opt-outs", ["phone": "+201001234567", "at": "2100-01-01T00:00:00Z"])
    #expect(future.field == "at")
    await service.close()
  }
}
