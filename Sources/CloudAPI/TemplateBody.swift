import JSON

/// Writes the request once, with gaps.
struct TemplateBody {
  private let definition: TemplateDefinition
  private let fill: TemplateFill
  private var pieces: [TemplateMessage.Piece] = []
  private var fixed: [UInt8] = []
  private var componentCount = 0

  init(_ definition: TemplateDefinition, _ fill: TemplateFill) { (self.definition, self.fill) = (definition, fill) }

  mutating func build() -> [TemplateMessage.Piece] {
    raw(#"{"messaging_product":"whatsapp","recipient_type":"individual","to":""#)
    gap(.phone)
    raw(#"","type":"template","template":{"name":""#)
    escaped(definition.name)
    raw(#"","language":{"code":""#)
    escaped(definition.language)
    raw(#""},"components":["#)
    header()
    if !fill.body.isEmpty {
      component("body")
      texts(fill.body, definition.isNamed ? definition.body.names : nil)
      raw("]}")
    }
    for index in definition.buttons.indices { button(index) }
    raw(#"]},"biz_opaque_callback_data":""#)
    gap(.callback)
    raw(#""}"#)
    flush()
    return pieces
  }

  private mutating func header() {
    switch definition.header {
    case .text(let text) where !fill.header.isEmpty:
      component("header")
      texts(fill.header, definition.isNamed ? text.names : nil)
      raw("]}")
    case .media(let kind):
      guard let media = fill.media else { return }
      component("header")
      raw(#"{"type":"\#(kind.rawValue)","\#(kind.rawValue)":{""#)
      switch media.reference {
      case .id(let value):
        raw(#"id":""#)
        put(value)
      case .link(let value):
        raw(#"link":""#)
        put(value)
      }
      if kind == .document, let filename = media.filename {
        raw(#"","filename":""#)
        put(filename)
      }
      raw(#""}}]}"#)
    case .text, nil: break
    }
  }

  private mutating func button(_ index: Int) {
    let isStop = fill.stopButton == index
    guard isStop || fill.buttons[index] != nil else { return }
    let (subtype, type, name) =
      switch definition.buttons[index].kind {
      case .quickReply: ("quick_reply", "payload", "payload")
      case .copyCode: ("copy_code", "coupon_code", "coupon_code")
      case .url, .oneTimeCode, .fixed: ("url", "text", "text")
      }
    component("button", #""sub_type":"\#(subtype)","index":"\#(index)","#)
    raw(#"{"type":"\#(type)","\#(name)":""#)
    if isStop {
      raw(TemplateMessage.stopPrefix)
      gap(.callback)
    } else if let value = fill.buttons[index] {
      put(value)
    }
    raw(#""}]}"#)
  }

  private mutating func texts(_ values: [TemplateValue], _ names: [String]?) {
    for (index, value) in values.enumerated() {
      raw(index == 0 ? #"{"type":"text","# : #",{"type":"text","#)
      if let names {
        raw(#""parameter_name":""#)
        escaped(names[index])
        raw(#"","#)
      }
      raw(#""text":""#)
      put(value)
      raw(#""}"#)
    }
  }

  private mutating func component(_ type: String, _ more: String = "") {
    if componentCount > 0 { raw(",") }
    componentCount += 1
    raw(#"{"type":"\#(type)",\#(more)"parameters":["#)
  }

  private mutating func put(_ value: TemplateValue) {
    switch value {
    case .literal(let text): escaped(text)
    case .person(let index): gap(.value(index))
    }
  }

  private mutating func raw(_ text: String) { fixed.append(contentsOf: text.utf8) }
  private mutating func escaped(_ text: String) { JSONWriter.appendEscaped(text, to: &fixed) }

  private mutating func gap(_ piece: TemplateMessage.Piece) {
    flush()
    pieces.append(piece)
  }

  private mutating func flush() {
    if !fixed.isEmpty { pieces.append(.fixed(fixed)) }
    fixed = []
  }
}
