import CloudAPI
import Domain
import JSON
import Testing

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

/// As Meta lists it, with a text header and five buttons.
let order = #"""
  [{"type":"HEADER","format":"TEXT","text":"Order {{1}}","example":{"header_text":["860198"]}},
   {"type":"BODY","text":"Hi {{1}}, order {{2}}. Bye {{1}}","example":{"body_text":[["Pablo","860198"]]}},
   {"type":"FOOTER","text":"Reply STOP"},
   {"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop promotions"},
    {"type":"URL","text":"Open","url":"https://x/{{1}}","example":["https://x/a"]},{"type":"COPY_CODE",
     "example":"SAVE25"},
    {"type":"PHONE_NUMBER","text":"Call","phone_number":"+1555"},{"type":"URL","text":"Home","url":"https://x/"}]}]
  """#

func definition(_ components: String, format: String? = nil) throws -> TemplateDefinition {
  try TemplateDefinition(name: "order", language: "ar", parameterFormat: format, components: json(components))
}

let key = MessageKey(campaign: Campaign.ID(42), seq: 9001, attempt: 1)
let pablo = PhoneNumber(e164: "+16505551234")!

@Suite struct `A template's definition` {
  @Test func `tells which values a message must bring`() throws {
    let template = try definition(order)
    #expect(template.slots == [.header(0), .body(0), .body(1), .button(0), .button(1), .button(2)])
    #expect(
      template.slots.map(\.description) == [
        "header[0]", "body[0]", "body[1]", "buttons[0]", "buttons[1]", "buttons[2]",
      ])
    #expect(template.buttons.map(\.needsValue) == [false, true, true, false, false])
    #expect(template.footer == "Reply STOP" && !template.isNamed && template.unsupported.isEmpty)
    #expect(template.isQuickReply(0) && !template.isQuickReply(1) && !template.isQuickReply(9))
  }

  @Test func `knows named placeholders`() throws {
    let template = try definition(#"[{"type":"BODY","text":"{{first_name}} {{ order_no }} {{first_name}}"}]"#)
    #expect(template.isNamed)
    #expect(template.body.names == ["first_name", "order_no"])
    #expect(template.body.filled(["a", "b"]) == "a b a")
  }

  @Test func `numbers positional placeholders whatever order the text has them in`() {
    let text = TemplateText("{{2}} before {{1}}, {{not a name}} {{}} {{")
    #expect(text.names == ["1", "2"])
    #expect(text.filled(["one", "two"]) == "two before one, {{not a name}} {{}} {{")
  }

  @Test(arguments: [
    (#"{"type":"CAROUSEL","cards":[]}"#, "carousel"), (#"{"type":"LIMITED_TIME_OFFER"}"#, "limited_time_offer"),
    (#"{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"x"}]}"#, "flow"),
    (#"{"type":"BUTTONS","buttons":[{"type":"CATALOG","text":"x"}]}"#, "catalog"),
    (#"{"type":"BUTTONS","buttons":[{"type":"MPM","text":"x"}]}"#, "catalog"),
    (#"{"type":"HEADER","format":"LOCATION"}"#, "location_header"), (#"{"type":"NEW_THING"}"#, "new_thing"),
    ("{}", "untyped_component"),
  ])
  func `names what can't be sent yet, and refuses to send it`(component: String, feature: String) throws {
    let template = try definition("[\(component),{\"type\":\"BODY\",\"text\":\"x\"}]")
    #expect(template.unsupported == [feature])
    #expect(throws: TemplateError.unsupported(feature)) { try TemplateMessage(template, TemplateFill()) }
  }

  @Test func `is refused without a body`() {
    #expect(throws: TemplateError.malformed("there is no body")) { try definition("[]") }
    #expect(throws: TemplateError.malformed("components is no list")) { try definition("{}") }
  }
}

@Suite struct `A template message` {
  @Test func `is the body that Meta documents`() throws {
    let fill = TemplateFill(
      header: [.person(1)], body: [.person(0), .person(1)], buttons: [1: .person(2), 2: .literal("SAVE25")],
      stopButton: 0)
    let message = try TemplateMessage(definition(order), fill)
    #expect(message.valueCount == 3)
    let values = ["Pablo \"P\" عميل", "860198", "summer?x=1"]
    let expected = #"""
      {"messaging_product":"whatsapp","recipient_type":"individual","to":"+16505551234","type":"template",
       "template":{"name":"order","language":{"code":"ar"},"components":[
        {"type":"header","parameters":[{"type":"text","text":"860198"}]},
        {"type":"body","parameters":[{"type":"text","text":"Pablo \"P\" عميل"},{"type":"text","text":"860198"}]},
        {"type":"button","sub_type":"quick_reply","index":"0","parameters":[{"type":"payload",
         "payload":"stop:q:main:42:9001:1"}]},
        {"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"summer?x=1"}]},
        {"type":"button","sub_type":"copy_code","index":"2","parameters":[{"type":"coupon_code",
         "coupon_code":"SAVE25"}]}]},
       "biz_opaque_callback_data":"q:main:42:9001:1"}
      """#
    let bytes = message.render(to: pablo, values: values, key: key, installation: "main")
    #expect(try JSONValue(parsing: bytes) == json(expected))
  }

  @Test func `names its parameters when the template does`() throws {
    let template = try definition(#"[{"type":"BODY","text":"Hi {{first_name}}"}]"#, format: "NAMED")
    let message = try TemplateMessage(template, TemplateFill(body: [.literal("Pablo")]))
    let body = try JSONValue(parsing: message.render(to: pablo, values: [], key: key, installation: "i"))
    let expected = #"[{"type":"body","parameters":[{"type":"text","parameter_name":"first_name","text":"Pablo"}]}]"#
    #expect(try body["template"]?["components"] == json(expected))
  }

  @Test(arguments: [
    (TemplateMedia(.id(.literal("2871834006348767"))), "IMAGE", #"{"type":"image","image":{"id":"2871834006348767"}}"#),
    (
      TemplateMedia(.link(.literal("https://h/x.mp4"))), "VIDEO",
      #"{"type":"video","video":{"link":"https://h/x.mp4"}}"#
    ),
    (
      TemplateMedia(.id(.literal("28718")), filename: .literal("bill.pdf")), "DOCUMENT",
      #"{"type":"document","document":{"id":"28718","filename":"bill.pdf"}}"#
    ),
  ])
  func `carries a header's picture, video or document`(media: TemplateMedia, format: String, parameter: String) throws {
    let template = try definition(#"[{"type":"HEADER","format":"\#(format)"},{"type":"BODY","text":"x"}]"#)
    let message = try TemplateMessage(template, TemplateFill(media: media))
    let body = try JSONValue(parsing: message.render(to: pablo, values: [], key: key, installation: "i"))
    #expect(try body["template"]?["components"] == json(#"[{"type":"header","parameters":[\#(parameter)]}]"#))
  }

  @Test func `leaves static parts out`() throws {
    let template = try definition(
      #"[{"type":"BODY","text":"x"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"y"}]}]"#)
    let message = try TemplateMessage(template, TemplateFill())
    let body = try JSONValue(parsing: message.render(to: pablo, values: [], key: key, installation: "i"))
    #expect(body["template"]?["components"] == .array([]))
  }

  @Test func `is refused when places and values do not match`() throws {
    let template = try definition(order)
    let whole = TemplateFill(
      header: [.literal("a")], body: [.literal("a"), .literal("b")], buttons: [1: .literal("u"), 2: .literal("c")])
    _ = try TemplateMessage(template, whole)
    func refusal(_ change: (inout TemplateFill) -> Void) -> TemplateError? {
      var fill = whole
      change(&fill)
      do throws(TemplateError) {
        _ = try TemplateMessage(template, fill)
        return nil
      } catch { return error }
    }
    #expect(refusal { $0.header = [] } == .missing(.header(0)))
    #expect(refusal { $0.body.removeLast() } == .missing(.body(1)))
    #expect(refusal { $0.body.append(.literal("c")) } == .unexpected(.body(2)))
    #expect(refusal { $0.buttons[2] = nil } == .missing(.button(2)))
    #expect(refusal { $0.buttons[3] = .literal("x") } == .unexpected(.button(3)))
    #expect(refusal { $0.buttons[4] = .literal("x") } == .unexpected(.button(4)))
    #expect(refusal { $0.buttons[7] = .literal("x") } == .unexpected(.button(7)))
    #expect(refusal { $0.media = TemplateMedia(.id(.literal("1"))) } == .unexpected(.media))
    #expect(refusal { $0.stopButton = 1 } == .notAQuickReply(1))
    #expect(refusal { ($0.stopButton, $0.buttons[0]) = (0, .literal("mine")) } == .unexpected(.button(0)))
    #expect(refusal { $0.body[0] = .literal("a\nb") } == .fault(.invalid(.body(0), .newline)))
  }

  @Test(arguments: [
    ("", ParameterFault.missing(.body(0))), ("  ", .missing(.body(0))), ("a\nb", .invalid(.body(0), .newline)),
    ("a\r", .invalid(.body(0), .newline)), ("a\tb", .invalid(.body(0), .tab)), ("a     b", .invalid(.body(0), .spaces)),
    ("a\u{1}", .invalid(.body(0), .control)),
  ])
  func `finds the values that Meta would refuse`(value: String, fault: ParameterFault) throws {
    let template = try definition(#"[{"type":"BODY","text":"Hi {{1}}"}]"#)
    let message = try TemplateMessage(template, TemplateFill(body: [.person(0)]))
    #expect(message.fault([value]) == fault)
    #expect(message.fault(["a    b عميلنا العزيز 👋"]) == nil)
  }

  @Test func `is too long by its whole text`() throws {
    let template = try definition(
      #"[{"type":"HEADER","format":"TEXT","text":"Hi {{1}}"},{"type":"BODY","text":"{{1}} و {{1}}"}]"#)
    let message = try TemplateMessage(template, TemplateFill(header: [.person(0)], body: [.person(1)]))
    #expect(message.fault([String(repeating: "ع", count: 57), String(repeating: "ع", count: 510)]) == nil)
    #expect(message.fault([String(repeating: "x", count: 58), "x"]) == .tooLong(.header, count: 61, limit: 60))
    let fault = message.fault(["x", String(repeating: "x", count: 511)])
    #expect(fault == .tooLong(.body, count: 1025, limit: 1024))
    #expect(fault?.reason == .textTooLong)
  }

  @Test func `checks codes, ends of addresses and links by their own rules`() throws {
    let message = try TemplateMessage(
      definition(order),
      TemplateFill(
        header: [.literal("a")], body: [.literal("a"), .literal("b")], buttons: [1: .person(0), 2: .person(1)]))
    #expect(message.fault(["a?b=c", "SAVE25"]) == nil)
    #expect(message.fault(["a b", "SAVE25"]) == .invalid(.button(1), .space))
    #expect(message.fault(["a", "SAVE2512345678901"]) == .invalid(.button(2), .length))
    #expect(message.fault(["", "SAVE25"])?.reason == .parameterMissing)
    let picture = try TemplateMessage(
      definition(#"[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"x"}]"#),
      TemplateFill(media: TemplateMedia(.link(.person(0)))))
    #expect(picture.fault(["https://h/a.png"]) == nil)
    #expect(picture.fault(["file:///etc/passwd"]) == .invalid(.media, .link))
  }

  @Test func `previews what the person will see`() throws {
    let message = try TemplateMessage(
      definition(order),
      TemplateFill(
        header: [.person(1)], body: [.person(0), .person(1)], buttons: [1: .literal("u"), 2: .literal("c")]))
    let preview = message.preview(["سارة", "17"])
    #expect(preview.header == "Order 17")
    #expect(preview.body == "Hi سارة, order 17. Bye سارة")
    #expect(preview.footer == "Reply STOP")
    #expect(preview.buttons == ["Stop promotions", "Open", "", "Call", "Home"])
  }
}

@Suite struct `A reply` {
  @Test func `is plain text or a question with buttons`() throws {
    let text = try #require(ReplyMessage("تم إيقاف الرسائل."))
    let plain = #"""
      {"messaging_product":"whatsapp","recipient_type":"individual","to":"+16505551234","type":"text",
       "text":{"body":"تم إيقاف الرسائل."},"biz_opaque_callback_data":"q:i:42:9001:1"}
      """#
    #expect(try JSONValue(parsing: text.render(to: pablo, key: key, installation: "i")) == json(plain))

    let question = try #require(
      ReplyMessage("Stop?", buttons: [.init(id: "y", title: "Yes"), .init(id: "n", title: "No")]))
    let body = try JSONValue(parsing: question.render(to: pablo, key: key, installation: "i"))
    let interactive = #"""
      {"type":"button","body":{"text":"Stop?"},"action":{"buttons":[
       {"type":"reply","reply":{"id":"y","title":"Yes"}},{"type":"reply","reply":{"id":"n","title":"No"}}]}}
      """#
    #expect(body["type"] == .string("interactive"))
    #expect(try body["interactive"] == json(interactive))
  }

  @Test func `is nil when Meta would refuse it`() {
    #expect(ReplyMessage("") == nil)
    #expect(ReplyMessage(String(repeating: "x", count: 4097)) == nil)
    #expect(ReplyMessage("x", buttons: [.init(id: "1", title: String(repeating: "x", count: 21))]) == nil)
    #expect(ReplyMessage("x", buttons: [.init(id: "1", title: "a"), .init(id: "2", title: "a")]) == nil)
    #expect(ReplyMessage("x", buttons: (1...4).map { .init(id: "\($0)", title: "\($0)") }) == nil)
  }
}
