import Domain
import JSON

/// Where the value of a template's parameter comes from: the same text for everybody, or an attribute of the contact.
public enum ParameterSource: Sendable, Equatable {
  case literal(String)
  /// `fallback` stands in for people who lack the attribute; without one they are excluded as `parameter_missing`.
  case attribute(String, fallback: String?)

  /// Reads `"20%"` or `{"attr": "first_name", "fallback": "عميلنا العزيز"}`. Attribute names may be Arabic.
  public init(json: JSONValue, at path: String) throws(Problem) {
    if let text = json.stringValue {
      self = .literal(try ParameterSource.checked(text, at: path))
      return
    }
    guard case .object = json else {
      throw .invalid(
        path, "A parameter is a text, or an attribute of the contact.",
        remedy: "Write \"text\" or {\"attr\": \"first_name\", \"fallback\": \"…\"}.")
    }
    let fields = try Fields(json, at: path, known: ["attr", "fallback"], later: ["format", "default"])
    let name = try fields.requiredText("attr", limit: 100, remedy: "Name the contact's attribute.")
    var fallback: String?
    if let value = fields["fallback"] {
      guard let text = value.stringValue else {
        throw .invalid(fields.path(to: "fallback"), "A fallback is a text.", remedy: "Write it in quotation marks.")
      }
      fallback = try ParameterSource.checked(text, at: fields.path(to: "fallback"))
    }
    self = .attribute(name, fallback: fallback)
  }

  public var json: JSONValue {
    switch self {
    case .literal(let text): return .string(text)
    case .attribute(let name, let fallback):
      var object: JSONObject = ["attr": .string(name)]
      if let fallback { object.append("fallback", .string(fallback)) }
      return .object(object)
    }
  }

  /// The value for a contact, before it is checked; nil when the contact lacks it.
  public func value(_ attributes: (String) -> String?) -> String? {
    switch self {
    case .literal(let text): return text
    case .attribute(let name, let fallback):
      guard let value = attributes(name), !value.isEmpty else { return fallback }
      return value
    }
  }

  /// What Meta refuses in a parameter: nothing, a new line, a tab, more than four spaces in a row (132012, 132018).
  public static func flaw(in value: String) -> String? {
    if value.allSatisfy({ $0 == " " }) { return "it is empty" }
    var spaces = 0
    for byte in value.utf8 {
      switch byte {
      case 0x0A, 0x0D: return "it holds a new line"
      case 0x09: return "it holds a tab"
      case 0x20:
        spaces += 1
        if spaces > 4 { return "it holds more than 4 spaces in a row" }
      case 0: return "it holds a NUL character"
      default: spaces = 0
      }
    }
    return nil
  }

  private static func checked(_ text: String, at path: String) throws(Problem) -> String {
    if let flaw = flaw(in: text) {
      throw Problem(
        422, "parameter_invalid", "Meta refuses this parameter.", detail: "Meta refuses this value: \(flaw).",
        field: path,
        remedy: "Write one line without tabs and with at most 4 spaces in a row.")
    }
    guard text.count <= 1024 else {
      throw .invalid(path, "The text has \(text.count) characters.", remedy: "At most 1024 are allowed.")
    }
    return text
  }
}
