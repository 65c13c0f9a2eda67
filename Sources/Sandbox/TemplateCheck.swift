import JSON

/// A message's components against its template.
extension MessageCheck {
  static func check(
    template: JSONElement, _ find: (String, String) -> Template?
  ) throws -> (Template, payload: [UInt8]) {
    try only(templateNames, in: template, "template")
    guard let name = template["name"]?.string, !name.isEmpty else { throw GraphFault.missing("template['name']") }
    guard let language = template["language"] else { throw GraphFault.missing("template['language']") }
    try only(languageNames, in: language, "template['language']")
    guard let code = language["code"]?.string, !code.isEmpty else {
      throw GraphFault.missing("template['language']['code']")
    }
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
        case .media, .location:
          throw GraphFault.format("header: Format mismatch, expected \(template.header), received UNKNOWN")
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
      .mismatch(
        "\(place): number of localizable_params (\(got)) does not match the expected number of params (\(wanted))")
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
      try texts(parameters, template.body, template.isNamed, "body", fixed: template.bodyFixed, limit: 1024) {
        first = first ?? $0
      }
      seen.code = first
    } else if type.equals("header") {
      guard !seen.header else { throw GraphFault.invalid("header is given twice") }
      seen.header = true
      switch template.header {
      case .none: throw GraphFault.format("header: the template has none")
      case .text(let names, let fixed):
        try texts(parameters, names, template.isNamed, "header", fixed: fixed, limit: 60) { _ in }
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
        throw GraphFault(
          131008, 400, "(#131008) Required parameter is missing", "Parameter of type text is missing text value")
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
      throw GraphFault.mismatch(
        "\(place): number of localizable_params (\(count)) does not match the expected number of params (\(names.count))"
      )
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
        guard (1...256).contains(payload.utf16.count) else {
          throw GraphFault.invalid("A payload has 1 to 256 characters")
        }
        if place == template.stopButton || (seen.payload.isEmpty && template.stopButton == nil) {
          seen.payload = Array(payload.utf8)
        }
      case ("url", .url(isDynamic: true)), ("url", .otp):
        guard let type = parameter["type"], type.equals("text"), let text = parameter["text"]?.string, !text.isEmpty
        else {
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
    guard count == 1 else {
      throw GraphFault.mismatch("buttons: Button at index \(place) takes one parameter, not \(count)")
    }
  }
}
