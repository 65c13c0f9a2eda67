import Domain
import JSON

/// A body of POST /{phone number}/messages that passed every check that needs no clock.
struct Candidate {
  enum Content {
    case template(Template)
    /// Text or buttons, inside the 24 hours after the person wrote.
    case session
  }
  let to: Int64
  let content: Content
  let callback: [UInt8]
  /// What a press of the template's stop button (or first quick reply) sends back, when the message says so.
  let payload: [UInt8]
}

/// Reads and checks message bodies as strictly as Meta documents them; unknown members are refused at every level.
struct MessageCheck {
  private let reader = JSONReader(sizeLimit: 1 << 18)

  /// `template` finds one by name and language.
  func check(
    _ body: [UInt8], sender: Int64, template: (String, String) -> Template?
  ) -> Result<Candidate, GraphFault> {
    do {
      return .success(try reader.read(body) { try MessageCheck.message($0, sender, template) })
    } catch let fault as GraphFault {
      return .failure(fault)
    } catch {
      return .failure(.parameter("The request body is not valid JSON."))
    }
  }

  private static func message(
    _ root: JSONElement, _ sender: Int64, _ find: (String, String) -> Template?
  ) throws -> Candidate {
    guard root.kind == .object else { throw GraphFault.parameter("The parameter messaging_product is required.") }
    try root.forEachField { key, value in
      switch key {
      case "messaging_product", "recipient_type", "to", "type", "template", "text", "interactive", "context",
        "biz_opaque_callback_data", "recipient", "recipient_identity_key_hash", "message_activity_sharing":
        return
      default: throw GraphFault.parameter("Unexpected key \"\(key)\" in the message")
      }
    }
    guard let product = root["messaging_product"] else {
      throw GraphFault.parameter("The parameter messaging_product is required.")
    }
    guard product.equals("whatsapp") else { throw GraphFault.invalid("messaging_product must be whatsapp") }
    if let kind = root["recipient_type"], !kind.equals("individual") {
      throw GraphFault.invalid("recipient_type must be individual")
    }
    guard let to = root["to"] else {
      if root["recipient"] != nil {
        throw GraphFault(
          131062, 400, "(#131062) Business-scoped User ID (BSUID) recipients are not supported for this message",
          "This double finds people by phone only.")
      }
      throw GraphFault.parameter("The parameter to is required.")
    }
    guard let phone = to.withUTF8({ phone($0) }) ?? nil else {
      throw GraphFault.invalid("to must be + and a phone number in E.164")
    }
    guard phone != sender else { throw GraphFault.ownNumber }
    var callback: [UInt8] = []
    if let data = root["biz_opaque_callback_data"] {
      guard let bytes = data.withUTF8({ Array($0) }) else {
        throw GraphFault.invalid("biz_opaque_callback_data must be a string")
      }
      let length = bytes.count <= 512 ? bytes.count : String(decoding: bytes, as: UTF8.self).unicodeScalars.count
      guard length <= 512 else { throw GraphFault.invalid("biz_opaque_callback_data has more than 512 characters") }
      callback = bytes
    }
    guard let type = root["type"] else { throw GraphFault.missing("type") }
    if type.equals("template") {
      guard let template = root["template"] else { throw GraphFault.missing("template") }
      let (found, payload) = try check(template: template, find)
      return Candidate(to: phone, content: .template(found), callback: callback, payload: payload)
    }
    if type.equals("text") {
      guard let text = root["text"] else { throw GraphFault.missing("text") }
      try only(sessionNames, in: text, "text")
      guard let body = text["body"]?.string, !body.isEmpty else { throw GraphFault.missing("text['body']") }
      guard body.utf16.count <= 4096 else { throw GraphFault.invalid("text['body'] has more than 4096 characters") }
    } else if type.equals("interactive") {
      try check(interactive: root["interactive"])
    } else {
      throw GraphFault(
        131051, 400, "(#131051) Unsupported message type", "This double knows template, text and interactive.")
    }
    return Candidate(to: phone, content: .session, callback: callback, payload: [])
  }

  /// `+` and 7 to 15 digits, the first not 0. Meta forgives more and then may guess a country: here that is an error.
  private static func phone(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard (8...16).contains(bytes.count), bytes[0] == UInt8(ascii: "+"), bytes[1] != UInt8(ascii: "0") else {
      return nil
    }
    var value: Int64 = 0
    for byte in bytes.dropFirst() {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    return value
  }

  static func only(_ names: [String], in element: JSONElement, _ place: @autoclosure () -> String) throws {
    guard element.kind == .object else { throw GraphFault.invalid("\(place()) must be an object") }
    try element.forEachField { key, _ in
      guard names.contains(key) else { throw GraphFault.parameter("Unexpected key \"\(key)\" on param \"\(place())\"") }
    }
  }

  // Made once: a literal would be built for each message.
  static let templateNames = ["name", "language", "components", "namespace"]
  static let languageNames = ["code", "policy"]
  static let componentNames = ["type", "parameters", "sub_type", "index"]
  static let textNames = ["type", "text", "parameter_name", "currency", "date_time"]
  static let sessionNames = ["body", "preview_url"]

  private static func check(interactive: JSONElement?) throws {
    guard let interactive else { throw GraphFault.missing("interactive") }
    try only(["type", "header", "body", "footer", "action"], in: interactive, "interactive")
    guard let type = interactive["type"], type.equals("button") else {
      throw GraphFault.invalid("This double knows interactive messages of type button")
    }
    guard let text = interactive["body"]?["text"]?.string, !text.isEmpty else {
      throw GraphFault.missing("interactive['body']['text']")
    }
    guard text.utf16.count <= 1024 else {
      throw GraphFault.invalid("interactive['body']['text'] has more than 1024 characters")
    }
    var count = 0
    var ids: Set<String> = []
    try interactive["action"]?["buttons"]?.forEach { button in
      count += 1
      guard let type = button["type"], type.equals("reply") else {
        throw GraphFault.invalid("A button's type must be reply")
      }
      guard let id = button["reply"]?["id"]?.string, let title = button["reply"]?["title"]?.string,
        (1...256).contains(id.utf16.count), (1...20).contains(title.utf16.count), ids.insert(id).inserted
      else { throw GraphFault.invalid("A button has an id of 1 to 256 characters of its own and a title of 1 to 20") }
    }
    guard (1...3).contains(count) else { throw GraphFault.invalid("1 to 3 buttons are allowed") }
  }
}
