import Domain
import JSON
import Population

/// A template as the double checks messages against it.
final class Template {
  enum Header {
    case none
    case text(names: [String], fixed: Int)
    case media(String)
    case location
  }
  enum Button {
    case quickReply(label: String)
    case url(isDynamic: Bool)
    case copyCode
    /// Authentication: the button repeats the code.
    case otp
    case flow
    case fixed
  }
  struct Pacing {
    var after: Int
    var hold: Duration
    var pauses: Bool
  }

  let id: String
  let name: String
  let language: String
  let index: UInt16
  let account: Int
  var status: String
  var category: Category
  var quality: String
  let isNamed: Bool
  let header: Header
  /// The placeholders' names in order of appearance, each once.
  let body: [String]
  let bodyFixed: Int
  let buttons: [Button]
  /// The quick reply that stops offers: by its words, else none.
  let stopButton: Int?
  let components: JSONValue
  /// Set when it was made; without it a message lives as long as its category's.
  let ttlSeconds: Int64?
  var pacing: Pacing?
  var accepted = 0
  var score = Score()
  var pauses = 0

  /// Throws a sentence when the JSON is no template.
  init(_ json: JSONValue, index: Int, account: Int, path: String) throws(SandboxSettingsError) {
    func fault(_ reason: String) -> SandboxSettingsError { SandboxSettingsError(path: path, reason: reason) }
    guard let name = json["name"]?.stringValue, let language = json["language"]?.stringValue else {
      throw fault("a template has a name and a language")
    }
    guard let category = json["category"]?.stringValue.flatMap({ Category(word: $0.lowercased()) }),
      [.marketing, .utility, .authentication].contains(category)
    else { throw fault("category is MARKETING, UTILITY or AUTHENTICATION") }
    guard let components = json["components"], let list = components.arrayValue else {
      throw fault("components are missing")
    }
    id = json["id"]?.stringValue ?? String(1_689_556_908_129_000 + Int64(account) * 1000 + Int64(index))
    (self.name, self.language, self.index, self.account) = (name, language, UInt16(index), account)
    status = json["status"]?.stringValue ?? "APPROVED"
    self.category = category
    quality = json["quality_score"]?["score"]?.stringValue ?? "GREEN"
    isNamed = json["parameter_format"]?.stringValue == "NAMED"
    self.components = components
    ttlSeconds = json["message_send_ttl_seconds"]?.int64Value
    if let ttlSeconds {
      let bounds: ClosedRange<Int64> =
        category == .authentication ? 30...900 : category == .utility ? 30...43_200 : 43_200...2_592_000
      guard bounds.contains(ttlSeconds) else {
        throw fault("message_send_ttl_seconds is \(bounds.lowerBound) to \(bounds.upperBound) for this category")
      }
    }
    var header = Header.none
    var body: (names: [String], fixed: Int)?
    var buttons: [Button] = []
    for component in list {
      let text = component["text"]?.stringValue
      switch component["type"]?.stringValue?.uppercased() {
      case "HEADER":
        switch component["format"]?.stringValue?.uppercased() {
        case "TEXT":
          let (names, fixed) = Template.placeholders(text ?? "")
          header = .text(names: names, fixed: fixed)
        case "IMAGE", "VIDEO", "DOCUMENT": header = .media(component["format"]!.stringValue!.lowercased())
        case "LOCATION": header = .location
        default: throw fault("a header's format is TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION")
        }
      case "BODY": body = Template.placeholders(text ?? "")
      case "FOOTER": break
      case "BUTTONS":
        for button in component["buttons"]?.arrayValue ?? [] { buttons.append(Template.button(button, category)) }
      default: throw fault("a component of unknown type")
      }
    }
    guard let body else { throw fault("a template has a body") }
    (self.header, self.body, bodyFixed, self.buttons) = (header, body.names, body.fixed, buttons)
    stopButton = Template.stopButton(buttons)
    if let pacing = json["sandbox"]?["pacing"] {
      self.pacing = Pacing(
        after: Int(pacing["after"]?.int64Value ?? 0), hold: .milliseconds(pacing["hold_ms"]?.int64Value ?? 60_000),
        pauses: pacing["outcome"]?.stringValue == "pause")
    }
  }

  private static func button(_ button: JSONValue, _ category: Category) -> Button {
    switch button["type"]?.stringValue?.uppercased() {
    case "QUICK_REPLY": return .quickReply(label: button["text"]?.stringValue ?? "")
    case "URL":
      let isDynamic = button["url"]?.stringValue?.contains("{{") ?? false
      return category == .authentication && isDynamic ? .otp : .url(isDynamic: isDynamic)
    case "COPY_CODE": return .copyCode
    case "OTP": return .otp
    case "FLOW": return .flow
    default: return .fixed
    }
  }

  /// The names between `{{` and `}}`, each once, and the length of all else in UTF-16 units, as Meta counts.
  static func placeholders(_ text: String) -> ([String], Int) {
    var names: [String] = []
    var rest = text[...]
    var fixed = 0
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      fixed += rest[..<open.lowerBound].utf16.count
      let name = String(rest[open.upperBound..<close.lowerBound].filter { $0 != " " })
      if !names.contains(name) { names.append(name) }
      rest = rest[close.upperBound...]
    }
    return (names, fixed + rest.utf16.count)
  }

  private static func stopButton(_ buttons: [Button]) -> Int? {
    buttons.firstIndex { button in
      guard case .quickReply(let label) = button else { return false }
      let text = label.lowercased()
      return ["إيقاف", "ايقاف", "الغاء", "إلغاء", "stop", "unsubscribe"].contains { text.contains($0) }
    }
  }

  func label(ofButton index: Int) -> String? {
    if buttons.indices.contains(index), case .quickReply(let label) = buttons[index] { label } else { nil }
  }

  /// Milliseconds for which a message of it is tried.
  var life: Double { Double(ttlSeconds ?? (category == .authentication ? 600 : 2_592_000)) * 1000 }

  /// As GET /{WABA}/message_templates shows it, all fields.
  func node() -> JSONObject {
    [
      "id": .string(id), "name": .string(name), "language": .string(language), "status": .string(status),
      "category": .string(category.word.uppercased()), "parameter_format": .string(isNamed ? "NAMED" : "POSITIONAL"),
      "components": components, "quality_score": ["score": .string(quality), "date": 1_750_000_000],
      "rejected_reason": "NONE", "sub_category": .null, "previous_category": .null,
      "message_send_ttl_seconds": ttlSeconds.map { .number(String($0)) } ?? .null,
    ]
  }
}
