import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `An urgent message over HTTP` {
  private static let template: JSONValue = [
    "name": "named", "language": "en_US", "parameters": ["body": ["order": "860198", "first_name": "Mona"]],
  ]
  private static func message(_ changes: [(String, JSONValue)]) -> JSONValue {
    var object: JSONObject = ["from": "shop", "to": "+20 100 123 4567", "template": template]
    for (name, value) in changes { object[name] = value }
    return .object(object)
  }

  @Test func `is taken once under its key, in line at once, and tells what the person is sent`() async throws {
    let service = try await TestService()
    _ = try await service.stage()
    let key = [("Idempotency-Key", "order-860198")]
    let taken = try await service.call("POST", "/v1/messages", Self.message([]), as: .operate, headers: key)
    #expect(taken.status == 202 && taken.json["state"]?.stringValue == "queued", "\(taken.text)")
    #expect(taken.json["kind"]?.stringValue == "urgent" && taken.json["to"]?.stringValue == "+201001234567")
    let again = try await service.call("POST", "/v1/messages", Self.message([]), as: .operate, headers: key)
    #expect(again.status == 202 && again.json == taken.json && again.header("idempotent-replayed") == "true")
    let other = try await service.call(
      "POST", "/v1/messages", Self.message([("to", "+201001234568")]), as: .operate, headers: key)
    #expect(other.status == 422 && other.code == "idempotency_key_reused")
    let inLine = "select count(*) from due d join campaign c using (campaign_id) where c.kind = 3"
    #expect(try await service.pool.run(inLine)[0].int64(0) == 1)

    let id = try #require(taken.json["id"]?.stringValue)
    let shown = try await service.call("GET", "/v1/messages/\(id)", as: .marketer)
    #expect(shown.status == 200 && shown.json["state"]?.stringValue == "queued", "\(shown.text)")
    #expect(shown.json["content"]?["body"]?.stringValue == "Order 860198 for Mona")
    #expect(shown.json["from"]?.stringValue == "106540352242922")
    #expect(shown.json["to"]?.stringValue?.hasSuffix("567") == true && shown.json["to"]?.stringValue != "+201001234567")
    // In the reader's language.
    let arabic = try await service.call("GET", "/v1/messages/\(id)", headers: [("Accept-Language", "ar")])
    #expect(arabic.json["state_reason"]?["text"]?.stringValue == "في قائمة الانتظار ولم يُرسل بعد.")
    for unknown in ["1-1", "x", "\(id)9", "0-1", "1-1-1-1"] {
      #expect(try await service.call("GET", "/v1/messages/\(unknown)").status == 404, "\(unknown)")
    }
    // A new text of the template is another standing campaign; the old one shows what it said.
    service.graph.templates.with {
      $0[1] = [
        "id": "2", "name": "named", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "NAMED", "components": [["type": "BODY", "text": "{{first_name}}: {{order}} is on its way"]],
      ]
    }
    _ = try await service.call("POST", "/v1/templates/sync")
    let newer = try #require(try await service.call("POST", "/v1/messages", Self.message([])).json["id"]?.stringValue)
    #expect(
      try await service.call("GET", "/v1/messages/\(newer)").json["content"]?["body"]?.stringValue
        == "Mona: 860198 is on its way")
    #expect(
      try await service.call("GET", "/v1/messages/\(id)").json["content"]?["body"]?.stringValue == "Order 860198 for Mona")
    await service.close()
  }

  @Test func `that can't be sent is refused with the field and the remedy, and nothing is stored`() async throws {
    let service = try await TestService()
    _ = try await service.stage()
    func template(_ changes: [(String, JSONValue)]) -> [(String, JSONValue)] {
      guard case .object(var object) = Self.template else { return [] }
      for (name, value) in changes { object[name] = value }
      return [("template", .object(object))]
    }
    let cases: [([(String, JSONValue)], String, String)] = [
      ([("from", "nobody")], "number_unknown", "from"),
      ([("to", "12")], "phone_invalid", "to"),
      ([("to", .null)], "field_missing", "to"),
      ([("template", .null)], "field_missing", "template"),
      ([("text", "hello")], "field_invalid", "text"),
      ([("template", .null), ("text", "hello")], "service_window_closed", "text"),
      ([("template", .null), ("text", .string(String(repeating: "x", count: 5000)))], "field_invalid", "text"),
      ([("txet", "hello")], "field_unknown", "txet"),
      (template([("name", "nothing")]), "template_unknown", "template.name"),
      (template([("language", "fr")]), "template_language_unknown", "template.language"),
      (template([("name", "rejected"), ("language", "ar")]), "template_not_approved", "template.name"),
      (
        template([("name", "offer"), ("language", "ar"), ("parameters", ["body": ["x", "y"], "buttons": ["1": "z"]])]),
        "template_is_marketing", "template.name"
      ),
      (
        template([("parameters", ["body": ["order": ["attr": "order"], "first_name": "x"]])]), "field_invalid",
        "template.parameters.body.order"
      ),
      (template([("parameters", ["body": ["order": "1"]])]), "parameter_count", "template.parameters.body"),
      (
        template([("parameters", ["body": ["order": "1\n2", "first_name": "x"]])]), "parameter_invalid",
        "template.parameters.body.order"
      ),
      (template([("stop_button", 0)]), "field_invalid", "template.stop_button"),
    ]
    for (changes, code, field) in cases {
      let answer = try await service.call("POST", "/v1/messages", Self.message(changes))
      #expect(answer.status == 422 && answer.code == code && answer.field == field, "\(changes): \(answer.text)")
      #expect(answer.json["remedy"]?.stringValue?.isEmpty == false)
    }
    #expect(try await service.call("POST", "/v1/messages", Self.message([]), as: .finance).status == 403)
    // A stop of offers is none of codes and orders; a stop of everything is.
    _ = try await service.call("POST", "/v1/opt-outs", ["phone": "+201001234567"])
    _ = try await service.call("POST", "/v1/opt-outs", ["phone": "+201001234568", "scope": "everything"])
    let stopped = try await service.call("POST", "/v1/messages", Self.message([("to", "+201001234568")]))
    #expect(stopped.code == "opted_out" && stopped.field == "to", "\(stopped.text)")
    _ = try await service.call("POST", "/v1/numbers/shop/pause", ["reason": "night"])
    let paused = try await service.call("POST", "/v1/messages", Self.message([]))
    #expect(paused.status == 409 && paused.code == "sending_paused" && paused.field == "from", "\(paused.text)")
    #expect(try await service.pool.run("select count(*) from campaign where kind = 3")[0].int64(0) == 0)
    _ = try await service.call("POST", "/v1/numbers/shop/resume", ["reason": "day"])
    let taken = try await service.call("POST", "/v1/messages", Self.message([]))
    #expect(taken.status == 202)
    // What stops the standing campaign stops what would wait behind it.
    let standing = taken.json["id"]?.stringValue?.split(separator: "-").first.map(String.init) ?? ""
    #expect(try await service.call("POST", "/v1/campaigns/\(standing)/pause", ["reason": "wrong text"]).status == 200)
    let behind = try await service.call("POST", "/v1/messages", Self.message([("to", "+201001234569")]))
    #expect(behind.code == "sending_paused" && behind.json["remedy"]?.stringValue?.contains(standing) == true, "\(behind.text)")
    #expect(try await service.call("POST", "/v1/campaigns/\(standing)/resume", ["reason": "right"]).status == 200)
    #expect(try await service.call("POST", "/v1/messages", Self.message([])).status == 202)
    await service.close()
  }

  @Test func `without a template reaches those who wrote to the number within a day`() async throws {
    let service = try await TestService()
    _ = try await service.stage()
    let person = service.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_567)!)
    func wrote(_ ago: Int) async throws {
      _ = try await service.pool.batch([
        ServiceWindows.opening(
          [.init(person: person, phoneNumberID: "106540352242922", at: .now - .seconds(ago))],
          business: service.installation.business)
      ])
    }
    let text = Self.message([("template", .null), ("text", "سطر أول\nسطر ثانٍ")])
    try await wrote(86_401)
    let late = try await service.call("POST", "/v1/messages", text)
    #expect(late.code == "service_window_closed" && late.field == "text", "\(late.text)")
    try await wrote(60)
    let taken = try await service.call("POST", "/v1/messages", text)
    #expect(taken.status == 202, "\(taken.text)")
    let id = taken.json["id"]?.stringValue ?? ""
    #expect(
      try await service.call("GET", "/v1/messages/\(id)").json["content"]?["text"]?.stringValue == "سطر أول\nسطر ثانٍ")
    await service.close()
  }
}
