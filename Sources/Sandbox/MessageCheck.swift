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
      guard let bytes = data.withUTF8({ Array($0) }) else { throw GraphFault.invalid("biz_opaque_callback_data must be a string") }
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
      throw GraphFault(131051, 400, "(#131051) Unsupported message type", "This double knows template, text and interactive.")
    }
    return Candidate(to: phone, content: .session, callback: callback, payload: [])
  }

  /// `+` and 7 to 15 digits, the first not 0. Meta forgives more and then may guess a country: here that is an error.
  private static func phone(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
    guard (8...16).contains(bytes.count), bytes[0] == UInt8(ascii: "+"), bytes[1] != UInt8(ascii: "0") else { return nil }
    var value: Int64 = 0
    for byte in bytes.dropFirst() {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    return value
  }

  private static func only(_ names: [String], in element: JSONElement, _ place: @autoclosure () -> String) throws {
    guard element.kind == .object else { throw GraphFault.invalid("\(place()) must be an object") }
    try element.forEachField { key, _ in
      guard names.contains(key) else { throw GraphFault.parameter("Unexpected key \"\(key)\" on param \"\(place())\"") }
    }
  }

  // Made once: a literal would be built for each message.
  private static let templateNames = ["name", "language", "components", "namespace"]
  private static let languageNames = ["code", "policy"]
  private static let componentNames = ["type", "parameters", "sub_type", "index"]
  private static let textNames = ["type", "text", "parameter_name", "currency", "date_time"]
  private static let sessionNames = ["body", "preview_url"]

  private static func check(interactive: JSONElement?) throws {
    guard let interactive else { throw GraphFault.missing("interactive") }
    try only(["type", "header", "body", "footer", "action"], in: interactive, "interactive")
    guard let type = interactive["type"], type.equals("button") else {
      throw GraphFault.invalid("This double knows interactive messages of type button")
    }
    guard let text = interactive["body"]?["text"]?.string, !text.isEmpty else {
      throw GraphFault.missing("interactive['body']['text']")
    }
    guard text.utf16.count <= 1024 else { throw GraphFault.invalid("interactive['body']['text'] has more than 1024 characters") }
    var count = 0
    var ids: Set<String> = []
    try interactive["action"]?["buttons"]?.forEach { button in
      count += 1
      guard let type = button["type"], type.equals("reply") else { throw GraphFault.invalid("A button's type must be reply") }
      guard let id = button["reply"]?["id"]?.string, let title = button["reply"]?["title"]?.string,
        (1...256).contains(id.utf16.count), (1...20).contains(title.utf16.count), ids.insert(id).inserted
      else { throw GraphFault.invalid("A button has an id of 1 to 256 characters of its own and a title of 1 to 20") }
    }
    guard (1...3).contains(count) else { throw GraphFault.invalid("1 to 3 buttons are allowed") }
  }

  // MARK: Templates

  private static func check(
    template: JSONElement, _ find: (String, String) -> Template?
  ) throws -> (Template, payload: [UInt8]) {
    try only(templateNames, in: template, "template")
    guard let name = template["name"]?.string, !name.isEmpty else { throw GraphFault.missing("template['name']") }
    guard let language = template["language"] else { throw GraphFault.missing("template['language']") }
    try only(languageNames, in: language, "template['language']")
    guard let code = language["code"]?.string, !code.isEmpty else { throw GraphFault.missing("template['language']['code']") }
    if let policy = language["policy"], !policy.equals("deterministic") {
      throw GraphFault.invalid("template['language']['policy'] must be deterministic")
    }
    guard let found = find(name, code) else { throw GraphFault.noTemplate(name, code) }
    switch found.status {
    case "APPROVED": break
    case "PAUSED": throw GraphFault.pausedTemplate(name)
    case "DISABLED": throw GraphFault.disabledTemplate(name)
    default: throw GraphFault.noTemplate(name, code)
    }
    var seen = Seen()
    if let components = template["components"] {
      guard components.kind == .array else { throw GraphFault.invalid("template['components'] must be an array") }
      try components.forEach { try check(component: $0, of: found, &seen) }
    }
    try seen.finish(found)
    return (found, seen.payload)
  }

  private struct Seen {
    var header = false
    var body = false
    var buttons: [Int] = []
    var otp: String?
    var code: String?
    var payload: [UInt8] = []

    /// What the template needs and the message left out.
    func finish(_ template: Template) throws {
      if !header {
        switch template.header {
        case .none: break
        case .text(let names, _) where names.isEmpty: break
        case .text(let names, _): throw expected(0, names.count, "header")
        case .media, .location: throw GraphFault.format("header: Format mismatch, expected \(template.header), received UNKNOWN")
        }
      }
      if !body, !template.body.isEmpty { throw expected(0, template.body.count, "body") }
      for (index, button) in template.buttons.enumerated() where !buttons.contains(index) {
        switch button {
        case .url(isDynamic: true), .otp, .copyCode:
          throw GraphFault(
            131008, 400, "(#131008) Required parameter is missing",
            "buttons: Button at index \(index) of type Url requires a parameter")
        case .url, .quickReply, .flow, .fixed: break
        }
      }
      if let otp, let code, otp != code { throw GraphFault.invalid("The button must repeat the code of the body") }
    }

    private func expected(_ got: Int, _ wanted: Int, _ place: String) -> GraphFault {
      .mismatch("\(place): number of localizable_params (\(got)) does not match the expected number of params (\(wanted))")
    }
  }

  private static func check(component: JSONElement, of template: Template, _ seen: inout Seen) throws {
    try only(componentNames, in: component, "template['components']")
    guard let type = component["type"] else { throw GraphFault.missing("template['components'][…]['type']") }
    let parameters = component["parameters"]
    if let parameters, parameters.kind != .array { throw GraphFault.invalid("parameters must be an array") }
    if type.equals("body") {
      guard !seen.body else { throw GraphFault.invalid("body is given twice") }
      seen.body = true
      var first: String?
      try texts(parameters, template.body, template.isNamed, "body", fixed: template.bodyFixed, limit: 1024) { first = first ?? $0 }
      seen.code = first
    } else if type.equals("header") {
      guard !seen.header else { throw GraphFault.invalid("header is given twice") }
      seen.header = true
      switch template.header {
      case .none: throw GraphFault.format("header: the template has none")
      case .text(let names, let fixed): try texts(parameters, names, template.isNamed, "header", fixed: fixed, limit: 60) { _ in }
      case .media(let kind): try media(parameters, kind)
      case .location: try media(parameters, "location")
      }
    } else if type.equals("button") {
      try check(button: component, parameters, of: template, &seen)
    } else {
      throw GraphFault.parameter("Unexpected component type; known here are header, body and button")
    }
  }

  private static func texts(
    _ parameters: JSONElement?, _ names: [String], _ isNamed: Bool, _ place: String, fixed: Int, limit: Int,
    _ each: (String) -> Void
  ) throws {
    var count = 0
    var length = fixed
    var given: Set<String> = []
    try parameters?.forEach { parameter in
      count += 1
      guard let type = parameter["type"] else { throw GraphFault.missing("\(place): parameter type") }
      let text: String?
      if type.equals("text") {
        text = parameter["text"]?.string
      } else if type.equals("currency") {
        text = parameter["currency"]?["fallback_value"]?.string
      } else if type.equals("date_time") {
        text = parameter["date_time"]?["fallback_value"]?.string
      } else {
        throw GraphFault.format("\(place): a parameter of this type is not expected")
      }
      try only(textNames, in: parameter, "template['components'][\(place)]['parameters']")
      guard let text, !text.isEmpty else {
        throw GraphFault(131008, 400, "(#131008) Required parameter is missing", "Parameter of type text is missing text value")
      }
      if isNamed {
        guard let name = parameter["parameter_name"]?.string else {
          throw GraphFault.mismatch("\(place): Parameter name is missing or empty")
        }
        guard names.contains(name), given.insert(name).inserted else {
          throw GraphFault.mismatch("\(place): the template has no parameter of that name, or it is given twice")
        }
      } else if parameter["parameter_name"] != nil {
        throw GraphFault.format("\(place): this template's parameters have no names")
      }
      guard isClean(text) else { throw GraphFault.parameterText }
      length += text.utf16.count
      each(text)
    }
    guard count == names.count else {
      throw GraphFault.mismatch("\(place): number of localizable_params (\(count)) does not match the expected number of params (\(names.count))")
    }
    guard length <= limit else { throw GraphFault.tooLong(place) }
  }

  private static func isClean(_ text: String) -> Bool {
    var spaces = 0
    for byte in text.utf8 {
      if byte == 0x0A || byte == 0x0D || byte == 0x09 { return false }
      spaces = byte == 0x20 ? spaces + 1 : 0
      if spaces > 4 { return false }
    }
    return true
  }

  private static func media(_ parameters: JSONElement?, _ kind: String) throws {
    var count = 0
    try parameters?.forEach { parameter in
      count += 1
      guard parameter["type"]?.string == kind, let media = parameter[named: kind], media.kind == .object else {
        throw GraphFault.format("header: Format mismatch, expected \(kind.uppercased())")
      }
      if kind == "location" {
        guard media["latitude"] != nil, media["longitude"] != nil else { throw GraphFault.missing("location") }
        return
      }
      try only(["id", "link", "filename"], in: media, "template['components'][header]['\(kind)']")
      guard (media["id"] == nil) != (media["link"] == nil) else {
        throw GraphFault.invalid("header: exactly one of id and link is required")
      }
    }
    guard count == 1 else { throw GraphFault.format("header: one parameter of type \(kind) is expected") }
  }

  private static func check(
    button component: JSONElement, _ parameters: JSONElement?, of template: Template, _ seen: inout Seen
  ) throws {
    let place = component["index"].flatMap { $0.int64.map(Int.init) ?? $0.string.flatMap { Int($0) } }
    guard let place else { throw GraphFault.missing("button: index") }
    guard template.buttons.indices.contains(place) else {
      throw GraphFault.format("buttons: the template has no button at index \(place)")
    }
    guard !seen.buttons.contains(place) else { throw GraphFault.invalid("button \(place) is given twice") }
    seen.buttons.append(place)
    guard let subType = component["sub_type"]?.string else { throw GraphFault.missing("button: sub_type") }
    var count = 0
    let mismatch = GraphFault.format("buttons: Button at index \(place) is not of type \(subType)")
    try parameters?.forEach { parameter in
      count += 1
      switch (subType, template.buttons[place]) {
      case ("quick_reply", .quickReply):
        guard let type = parameter["type"], type.equals("payload"), let payload = parameter["payload"]?.string else {
          throw GraphFault.format("buttons: a quick reply takes a payload")
        }
        guard (1...256).contains(payload.utf16.count) else { throw GraphFault.invalid("A payload has 1 to 256 characters") }
        if place == template.stopButton || (seen.payload.isEmpty && template.stopButton == nil) {
          seen.payload = Array(payload.utf8)
        }
      case ("url", .url(isDynamic: true)), ("url", .otp):
        guard let type = parameter["type"], type.equals("text"), let text = parameter["text"]?.string, !text.isEmpty else {
          throw GraphFault(
            131008, 400, "(#131008) Required parameter is missing",
            "buttons: Button at index \(place) of type Url requires a parameter")
        }
        guard isClean(text), text.utf16.count <= 2000 else { throw GraphFault.parameterText }
        if case .otp = template.buttons[place] { seen.otp = text }
      case ("copy_code", .copyCode):
        guard let code = parameter["coupon_code"]?.string, (1...15).contains(code.utf16.count) else {
          throw GraphFault.invalid("A coupon code has 1 to 15 characters")
        }
      case ("flow", .flow): break
      default: throw mismatch
      }
    }
    guard count == 1 else { throw GraphFault.mismatch("buttons: Button at index \(place) takes one parameter, not \(count)") }
  }
}
