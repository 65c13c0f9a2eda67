import CloudAPI
import Crypto
import Domain
import JSON
import Testing

/// Meta's envelope around one change.
func envelope(_ field: String, _ value: String, time: String = "") -> [UInt8] {
  let time = time.isEmpty ? "" : #""time":\#(time),"#
  return Array(
    #"""
    {"object":"whatsapp_business_account","entry":[{"id":"102290129340398",\#(time)"changes":[{"value":\#(value),
     "field":"\#(field)"}]}]}
    """#
    .utf8)
}

let metadata =
  #"""
  "messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881",
   "phone_number_id":"106540352242922"}
  """#

@Suite struct `A webhook` {
  let reader = WebhookReader()

  func statuses(_ list: String) throws -> [WebhookEvent] {
    try reader.read(envelope("messages", "{\(metadata),\"statuses\":[\(list)]}"))
  }
  func receipt(_ status: String) throws -> StatusReceipt {
    guard case .status(let receipt) = try statuses(status).first else { throw NoReceipt() }
    return receipt
  }
  struct NoReceipt: Error {}

  func messages(
    _ list: String,
    contacts: String = #"{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234","user_id":"US.1349"}"#
  )
    throws -> [InboundMessage]
  {
    try reader.read(envelope("messages", "{\(metadata),\"contacts\":[\(contacts)],\"messages\":[\(list)]}")).compactMap
    {
      if case .inbound(let message) = $0 { message } else { nil }
    }
  }

  @Test func `brings a sent receipt of the older kind, with its conversation and pricing`() throws {
    let body = #"""
      {"object":"whatsapp_business_account","entry":[{"id":"102290129340398",
       "changes":[{"value":{"messaging_product":"whatsapp",
       "metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},
       "contacts":[{"profile":{"name":"Sheena Nelson","username":"@sheena"},"wa_id":"16505551234",
        "user_id":"US.13491208655302741918"}],
       "statuses":[{"id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=","status":"sent",
        "timestamp":"1750030073",
       "recipient_id":"16505551234","recipient_user_id":"US.13491208655302741918",
        "biz_opaque_callback_data":"q:main:42:9001:1",
       "conversation":{"id":"72b14d6bd5407799e66f64d1b338e567","expiration_timestamp":"1750116480",
        "origin":{"type":"marketing"}},
       "pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"marketing"}}]},
        "field":"messages"}]}]}
      """#
    let expected = StatusReceipt(
      wabaID: "102290129340398", phoneNumberID: "106540352242922",
      wamid: "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUFERjg0NDEzNDdFODU3MUMxMAA=", callback: "q:main:42:9001:1",
      standing: .sent, timestamp: Instant(seconds: 1_750_030_073), recipient: pablo,
      recipientUserID: "US.13491208655302741918",
      pricing: ReceiptPricing(billable: true, category: .marketing, type: .regular), error: nil)
    #expect(try reader.read(Array(body.utf8)) == [.status(expected)])
    #expect(expected.callback.flatMap { MessageKey(callbackData: $0, installation: "main") } == key)
  }

  @Test func `brings a failed receipt with its first error`() throws {
    let receipt = try receipt(
      #"""
      {"id":"wamid.X","status":"failed","timestamp":"1750030090","recipient_id":"16505551234",
       "biz_opaque_callback_data":"c42:m9001",
       "errors":[{"code":131049,"title":"This message was not delivered to maintain healthy ecosystem engagement.",
       "message":"This message was not delivered to maintain healthy ecosystem engagement.",
       "error_data":{
        "details":"In order to maintain a healthy ecosystem engagement, the message failed to be delivered."},
       "href":"/documentation/business-messaging/whatsapp/support/error-codes"}]}
      """#)
    #expect(receipt.standing == .failed && receipt.error?.code == 131049 && receipt.pricing == nil)
    #expect(
      receipt.error?.details
        == "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.")
    #expect(receipt.error?.entry.errorClass == .holdPerson)
  }

  @Test(arguments: [
    ("delivered", Standing.delivered), ("read", .read), ("played", .played), ("sent", .sent), ("failed", .failed),
  ])
  func `knows each standing, with times as text or number, and people without a phone`(word: String, standing: Standing)
    throws
  {
    for timestamp in ["1750030090", "\"1750030090\""] {
      let receipt = try receipt(
        #"{"id":"wamid.X","status":"\#(word)","timestamp":\#(timestamp),"recipient_user_id":"US.1"}"#)
      #expect(receipt.standing == standing && receipt.timestamp == Instant(seconds: 1_750_030_090))
      #expect(receipt.recipient == nil && receipt.recipientUserID == "US.1" && receipt.callback == nil)
    }
  }

  @Test(arguments: [
    (#""type":"free_entry_point","category":"service""#, ReceiptPricing(category: .service, type: .freeEntryPoint)),
    (
      #""type":"regular","category":"authentication-international""#,
      ReceiptPricing(category: .authenticationInternational, type: .regular)
    ),
    (
      #""type":"regular","category":"marketing_lite","subtype":"paid_exempt""#,
      ReceiptPricing(category: .marketingLite, type: .regular)
    ),
    (#""type":"regular","category":"group_marketing""#, ReceiptPricing(type: .regular, unknownWord: "group_marketing")),
    (
      #""pricing_model":"CBP","billable":false,"category":"utility""#,
      ReceiptPricing(billable: false, category: .utility)
    ),
  ])
  func `reads pricing by type and category`(fields: String, pricing: ReceiptPricing) throws {
    let receipt = try receipt(#"{"id":"wamid.X","status":"delivered","timestamp":"1750030090","pricing":{\#(fields)}}"#)
    #expect(receipt.pricing == pricing)
  }

  @Test func `brings what people write, in each form`() throws {
    let list = #"""
      {"from":"16505551234","from_user_id":"US.1349","id":"wamid.A","timestamp":"1749416383","type":"text",
       "text":{"body":"STOP"}},
      {"context":{"from":"15550783881","id":"wamid.OURS"},"from":"16505551234","id":"wamid.B",
       "timestamp":"1749416384","type":"button","button":{"payload":"stop:q:main:42:9001:1",
       "text":"Stop promotions"}},
      {"context":{"from":"15550783881","id":"wamid.OURS"},"from":"16505551234","id":"wamid.C",
       "timestamp":"1749416385","type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes",
       "title":"Yes"}}},
      {"from":"16505551234","id":"wamid.D","timestamp":"1749416386","type":"system","system":{"body":"…changed…",
       "wa_id":"12195555358","type":"user_changed_number"}},
      {"from":"16505551234","id":"wamid.E","timestamp":"1749416387","type":"unsupported","errors":[{"code":131051,
       "title":"Message type unknown"}]},
      {"from":"16505551234","id":"wamid.F","timestamp":"1749416388","type":"image","image":{"id":"1","caption":"قف"}},
      {"from":"16505551234","id":"wamid.G","timestamp":"1749416389","type":"reaction",
       "reaction":{"message_id":"wamid.OURS","emoji":"👎"}},
      {"from":"16505551234","id":"wamid.H","timestamp":"1749416390","type":"interactive",
       "interactive":{"type":"list_reply","list_reply":{"id":"l1","title":"Later"}}}
      """#
    let found = try messages(list)
    #expect(
      found.map(\.kind) == [.text, .button, .interactive, .system, .unsupported, .other, .reaction, .interactive])
    #expect(found.map(\.text) == ["STOP", "Stop promotions", "Yes", nil, nil, "قف", "👎", "Later"])
    #expect(found.map(\.payload) == [nil, "stop:q:main:42:9001:1", "yes", nil, nil, nil, nil, "l1"])
    #expect(found.map(\.contextID) == [nil, "wamid.OURS", "wamid.OURS", nil, nil, nil, nil, nil])
    #expect(
      found.allSatisfy { $0.from == pablo && $0.fromUserID == "US.1349" && $0.phoneNumberID == "106540352242922" })
    #expect(found[1].stopCallback == "q:main:42:9001:1" && found[2].stopCallback == nil)
    #expect(found[3].newPhone?.e164 == "+12195555358")
    #expect(found[0].timestamp == Instant(seconds: 1_749_416_383))
  }

  @Test func `finds a sender without a phone by the only contact, and never by a stranger`() throws {
    let message = #"{"id":"wamid.A","timestamp":"1749416383","type":"text","text":{"body":"STOP"}}"#
    let alone = try messages(message, contacts: #"{"profile":{"name":"x"},"user_id":"US.7"}"#)
    #expect(alone.map(\.fromUserID) == ["US.7"] && alone[0].from == nil)
    let two = try messages(message, contacts: #"{"wa_id":"16505551234"},{"wa_id":"16505551235"}"#)
    #expect(two.map(\.from) == [nil] && two[0].fromUserID == nil)
  }

  @Test func `brings the choice people make in WhatsApp itself`() throws {
    func preference(_ contacts: String, _ entry: String) throws -> [WebhookEvent] {
      try reader.read(
        envelope("user_preferences", #"{\#(metadata),"contacts":[\#(contacts)],"user_preferences":[\#(entry)]}"#))
    }
    let stop =
      #"""
      {"wa_id":"16505551234","detail":"User requested to stop marketing messages","category":"marketing_messages",
       "value":"stop","timestamp":1731705721}
      """#
    var expected = MarketingPreference(
      wabaID: "102290129340398", phoneNumberID: "106540352242922", phone: pablo, userID: "US.1349", choice: .stop,
      timestamp: Instant(seconds: 1_731_705_721))
    #expect(
      try preference(#"{"profile":{"name":"Sheena"},"wa_id":"16505551234","user_id":"US.1349"}"#, stop) == [
        .preference(expected)
      ])
    // Meta's own example has only a phone in its contact.
    expected.userID = nil
    expected.choice = .resume
    let resume = stop.replacing("\"stop\"", with: "\"resume\"").replacing("1731705721", with: "\"1731705721\"")
    #expect(try preference(#"{"wa_id":"16505551234"}"#, resume) == [.preference(expected)])
  }

  @Test func `keeps all that can be read beside what can't`() throws {
    let body = #"""
      {"object":"whatsapp_business_account","entry":[{"id":102290129340398,"changes":[
       {"field":"messages"},{"value":{}},{"field":"messages","value":7},{"field":"messages","value":{"statuses":[
        {"status":"sent","timestamp":"1750030090"},{"id":"wamid.1","status":"warning","timestamp":"1750030090"},
        {"id":"wamid.2","status":"sent"},{"id":"wamid.3","status":"sent","timestamp":"soon"},7,
        {"id":"wamid.4","status":"read","timestamp":"1750030090","recipient_id":"not a phone","pricing":"none"}],
        "errors":[{"code":130429,"title":"Rate limit hit"},{"title":"x"}]}}]},
       {"id":"2"},{"id":"3","changes":[{"field":"message_echoes","value":{"x":1}}]}]}
      """#
    let events = try reader.read(Array(body.utf8))
    #expect(events.count { if case .unreadable = $0 { true } else { false } } == 10)
    let receipts = events.compactMap { if case .status(let receipt) = $0 { receipt } else { nil } }
    #expect(receipts.map(\.wamid) == ["wamid.4"] && receipts[0].wabaID == "102290129340398")
    #expect(receipts[0].recipient == nil && receipts[0].pricing == nil)
    #expect(
      events.contains(
        .failure(wabaID: "102290129340398", phoneNumberID: nil, MetaError(code: 130429, details: "Rate limit hit"))))
    #expect(events.contains(.ignored(wabaID: "3", field: "message_echoes")))
  }

  @Test func `survives half an emoji`() throws {
    let broken =
      #"""
      {"id":"wamid.A","timestamp":"1749416383","type":"text","from":"16505551234",
       "text":{"body":"\\ud83d \ud83d\ude00 \ud83d"}}
      """#
    let found = try messages(broken, contacts: #"{"profile":{"name":"\ude00x"},"wa_id":"16505551234"}"#)
    #expect(found.map(\.text) == ["\\ud83d 😀 \u{FFFD}"])
  }

  @Test(arguments: ["", "x", "[]", "{}", #"{"entry":{}}"#, #"{"entry":[{"#, "\"\u{1}\""])
  func `is refused when it is none`(body: String) {
    #expect(throws: WebhookError.self) { try reader.read(Array(body.utf8)) }
  }

  /// Whatever is cut off or changed, the reader answers or refuses; it never traps.
  @Test func `withstands any damage`() throws {
    let whole = envelope(
      "messages",
      #"""
      {\#(metadata),"statuses":[{"id":"wamid.X","status":"failed","timestamp":"1750030090",
       "errors":[{"code":131049}],"pricing":{"type":"regular"}}],"messages":[{"id":"a","timestamp":1749416383,
       "type":"button","button":{"text":"\ud83d\ude00"}}]}
      """#
    )
    var state: UInt64 = 42
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var read = 0
    for turn in 0..<4000 {
      var body = whole
      for _ in 0...next(3) {
        switch next(3) {
        case 0: body[next(body.count)] = UInt8(next(256))
        case 1: body.removeSubrange(next(body.count)...)
        default: body.insert(contentsOf: whole[next(whole.count)...].prefix(next(12)), at: next(body.count + 1))
        }
        if body.isEmpty { body = [0x7B] }
      }
      do {
        read += try reader.read(body).count
      } catch { #expect(error != .noWebhook || !body.isEmpty, "turn \(turn)") }
    }
    #expect(read > 0)
  }
}

@Suite struct `An account's webhook` {
  func meaning(_ field: String, _ value: String) throws -> AccountMeaning {
    let events = try WebhookReader().read(envelope(field, value, time: "1748454394"))
    guard case .account(let change) = events.first else { return .other }
    #expect(change.time == Instant(seconds: 1_748_454_394) && change.wabaID == "102290129340398")
    return change.meaning
  }

  @Test func `tells what happened to a template`() throws {
    let paused =
      #"""
      {"event":"PAUSED","message_template_id":1689556908129832,"message_template_name":"order_confirmation",
       "message_template_language":"en-US","reason":"NONE","message_template_category":"MARKETING",
       "other_info":{"title":"FIRST_PAUSE","description":"…"}}
      """#
    let order = AccountMeaning.TemplateReference(id: "1689556908129832", name: "order_confirmation", language: "en_US")
    #expect(
      try meaning("message_template_status_update", paused)
        == .templateStatus(order, event: "PAUSED", reason: nil, title: "FIRST_PAUSE"))
    let quality =
      #"""
      {"previous_quality_score":"GREEN","new_quality_score":"YELLOW","message_template_id":806312974732579,
       "message_template_name":"welcome_template","message_template_language":"en-US"}
      """#
    let welcome = AccountMeaning.TemplateReference(id: "806312974732579", name: "welcome_template", language: "en_US")
    #expect(
      try meaning("message_template_quality_update", quality)
        == .templateQuality(welcome, previous: .green, now: .yellow))
    let announced =
      #"""
      {"message_template_id":806312974732579,"message_template_name":"welcome_template",
       "message_template_language":"en-US","new_category":"UTILITY","correct_category":"MARKETING",
       "category_update_timestamp":1746169200}
      """#
    #expect(
      try meaning("template_category_update", announced)
        == .templateCategory(welcome, category: .marketing, coming: true))
    let done =
      #"""
      {"message_template_id":806312974732579,"message_template_name":"welcome_template",
       "message_template_language":"en-US","previous_category":"UTILITY","new_category":"MARKETING"}
      """#
    #expect(
      try meaning("template_category_update", done) == .templateCategory(welcome, category: .marketing, coming: false))
  }

  @Test func `tells what happened to a number or the account`() throws {
    let upgrade =
      #"""
      {"display_phone_number":"15550783881","event":"THROUGHPUT_UPGRADE",
       "max_daily_conversations_per_business":"TIER_UNLIMITED"}
      """#
    #expect(
      try meaning("phone_number_quality_update", upgrade)
        == .numberEvent(display: "15550783881", event: "THROUGHPUT_UPGRADE", tier: .unlimited))
    for (value, tier) in [
      ("2000", MessagingTier.people(2000)), ("\"TIER_2K\"", .people(2000)), ("-1", .unlimited),
      ("\"TIER_NOT_SET\"", .unknown),
    ] {
      let capability = #"{"max_daily_conversations_per_business":\#(value),"max_phone_numbers_per_waba":25}"#
      #expect(try meaning("business_capability_update", capability) == .portfolioTier(tier))
    }
    let restricted =
      #"""
      {"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING",
       "expiration":1641330498,"remediation":"…"}]}
      """#
    let restriction = AccountMeaning.Restriction(
      type: "RESTRICTED_BIZ_INITIATED_MESSAGING", until: Instant(seconds: 1_641_330_498))
    #expect(
      try meaning("account_update", restricted)
        == .accountEvent(event: "ACCOUNT_RESTRICTION", restrictions: [restriction], banState: nil, violation: nil))
    let banned =
      #"""
      {"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE",
       "waba_ban_date":"April 17, 2025"}}
      """#
    #expect(
      try meaning("account_update", banned)
        == .accountEvent(event: "DISABLED_UPDATE", restrictions: [], banState: "SCHEDULE_FOR_DISABLE", violation: nil))
    let alert =
      #"""
      {"entity_type":"BUSINESS","entity_id":"506914307656634","alert_info":{"alert_severity":"WARNING",
       "alert_status":"ACTIVE","alert_type":"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED","alert_description":"…"}}
      """#
    #expect(
      try meaning("account_alerts", alert)
        == .alert(
          severity: "WARNING", status: "ACTIVE", type: "INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED",
          entityType: "BUSINESS",
          entityID: "506914307656634"))
    let pin = #"{"display_phone_number":"15550783881","event":"PIN_RESET_REQUEST","requester":"61555822107539"}"#
    #expect(try meaning("security", pin) == .security(display: "15550783881", event: "PIN_RESET_REQUEST"))
    let name =
      #"""
      {"display_phone_number":"15550783881","decision":"APPROVED","requested_verified_name":"Lucky Shrub",
       "rejection_reason":null}
      """#
    #expect(try meaning("phone_number_name_update", name) == .numberName(display: "15550783881", decision: "APPROVED"))
    #expect(try meaning("account_update", "{}") == .other)
    #expect(try meaning("some_new_field", #"{"a":1}"#) == .other)
  }
}

@Suite struct `A webhook's signature` {
  /// Made with `openssl dgst -sha256 -hmac`.
  @Test(arguments: [
    ("secret", "", "f9e66e179b6747ae54108f82f8ade8b3c25d76fd30afde6c395822c530196169"),
    (
      "appsecret", #"{"object":"whatsapp_business_account"}"#,
      "f6491327cb5b041cdf4fe69b94711c7b68bb0aef719854bae676a59788a2b6b6"
    ),
    ("مفتاح", "قافلة \\u00e9", "4ab84f0db001943a47ab972261fdaeb21ac31d6796da872a7d3767a68cbec3a9"),
  ])
  func `holds for the raw bytes and nothing else`(secret: String, body: String, hex: String) {
    let signature = WebhookSignature(appSecrets: [secret])
    #expect(signature.isValid("sha256=" + hex, body: Array(body.utf8)))
    #expect(signature.isValid("sha256=" + hex.uppercased(), body: Array(body.utf8)))
    #expect(signature.sign(Array(body.utf8)) == "sha256=" + hex)
    #expect(WebhookSignature(appSecrets: ["new", secret]).isValid("sha256=" + hex, body: Array(body.utf8)))
    #expect(!signature.isValid("sha256=" + hex, body: Array((body + " ").utf8)))
    for header in [
      nil, "", hex, "sha1=" + hex, "sha256=", "sha256=" + hex.dropLast(2), "sha256=" + hex + "00", "sha256=zz",
    ] {
      #expect(!signature.isValid(header, body: Array(body.utf8)))
    }
    #expect(!WebhookSignature(appSecrets: []).isValid("sha256=" + hex, body: Array(body.utf8)))
  }

  @Test func `is set up by a handshake that knows our token`() {
    let query = [("hub.mode", "subscribe"), ("hub.challenge", "1158201444"), ("hub.verify_token", "ours")]
    #expect(WebhookHandshake.challenge(query, verifyToken: "ours") == "1158201444")
    #expect(WebhookHandshake.challenge(query, verifyToken: "other") == nil)
    #expect(
      WebhookHandshake.challenge(
        [("hub.mode", "subscribe"), ("hub.challenge", "1"), ("hub.verify_token", "")], verifyToken: "") == nil)
    #expect(
      WebhookHandshake.challenge([("hub.challenge", "1"), ("hub.verify_token", "ours")], verifyToken: "ours") == nil)
  }
}
