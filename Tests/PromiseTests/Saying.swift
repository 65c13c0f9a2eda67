import CloudAPI
import Domain
import Intake
import JSON
import Reactor
import Testing

/// What people say, as Meta signs and posts it.
enum Saying {
  case text(String)
  /// A button with the payload we gave it.
  case payload(String)
  /// A button whose template had no payload: Meta puts the label there.
  case label(String)
  case preference(MarketingPreference.Choice)
  /// Meta refused a message because the person stopped: 131050.
  case refused(wamid: String)

  static let signature = WebhookSignature(appSecrets: [World.secret])

  func body(
    from phone: PhoneNumber?, userID: String? = nil, id: String, context: String? = nil, at: Instant = .now,
    number: String = "106540352242922"
  ) -> [UInt8] {
    let time = String(at.seconds)
    // Who hides their phone has Meta's id alone.
    let who = phone.map { JSONValue.string(String($0.digits)) } ?? .null
    var value: JSONObject = [
      "messaging_product": "whatsapp",
      "metadata": ["display_phone_number": "201001234567", "phone_number_id": .string(number)],
    ]
    var field = "messages"
    func message(_ type: String, _ content: JSONValue) -> JSONValue {
      var message: JSONObject = ["id": .string(id), "timestamp": .string(time), "type": .string(type)]
      if phone != nil { message.append("from", who) }
      if let userID { message.append("from_user_id", .string(userID)) }
      message.append(type, content)
      if let context { message.append("context", ["id": .string(context)]) }
      return .object(message)
    }
    switch self {
    case .text(let text): value.append("messages", [message("text", ["body": .string(text)])])
    case .payload(let payload):
      value.append("messages", [message("button", ["text": "زر", "payload": .string(payload)])])
    case .label(let label):
      value.append("messages", [message("button", ["text": .string(label), "payload": .string(label)])])
    case .preference(let choice):
      field = "user_preferences"
      value.append(
        "user_preferences",
        [["wa_id": who, "category": "marketing_messages", "value": .string(choice.rawValue), "timestamp": .string(time)]])
    case .refused(let wamid):
      value.append(
        "statuses",
        [
          [
            "id": .string(wamid), "status": "failed", "timestamp": .string(time), "recipient_id": who,
            "errors": [["code": 131050, "title": "stopped"]],
          ]
        ])
    }
    let body: JSONValue = [
      "object": "whatsapp_business_account",
      "entry": [["id": "102290129340398", "changes": [["field": .string(field), "value": .object(value)]]]],
    ]
    return body.rendered()
  }
}

extension World.Node {
  /// Delivers it as Meta does; answered 200 means it is on the record.
  func hear(
    _ saying: Saying, from phone: PhoneNumber?, userID: String? = nil, id: String, context: String? = nil,
    at: Instant = .now
  ) async throws {
    let body = saying.body(from: phone, userID: userID, id: id, context: context, at: at)
    try #require(await intake.receive(body, signature: Saying.signature.sign(body)) == 200)
  }
}
