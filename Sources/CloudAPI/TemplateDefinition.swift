import Domain
import JSON

/// A message template as Meta describes it: what it says and which values a message must bring.
public struct TemplateDefinition: Sendable, Hashable {
  public enum Header: Sendable, Hashable {
    case text(TemplateText)
    case media(Media)
  }

  public enum Media: String, Sendable, Hashable, CaseIterable { case image, video, document }

  public struct Button: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
      /// May carry a payload of ours.
      case quickReply
      /// Only what stands after the URL's fixed part is sent; a URL without a placeholder takes nothing.
      case url(TemplateText)
      case copyCode
      /// The one-time code of an authentication template; sent like a URL's end.
      case oneTimeCode
      /// Takes nothing: phone numbers, calls.
      case fixed
    }
    public let kind: Kind
    public let label: String

    /// Whether Meta refuses a message without a value here.
    public var needsValue: Bool {
      switch kind {
      case .url(let url): !url.names.isEmpty
      case .copyCode, .oneTimeCode: true
      case .quickReply, .fixed: false
      }
    }
  }

  public let name: String
  public let language: String
  public let isNamed: Bool
  public let header: Header?
  public let body: TemplateText
  public let footer: String?
  public let buttons: [Button]
  /// What the template has and Qafila can't send yet: `carousel`, `limited_time_offer`, `flow`, `catalog`, … The
  /// template can be shown, not sent.
  public let unsupported: [String]

  /// The placeholders of a text header, in the order in which their values are sent.
  public var headerNames: [String] {
    if case .text(let text)? = header { text.names } else { [] }
  }

  /// Parses the `components` of Meta's template node.
  public init(name: String, language: String, parameterFormat: String?, components: JSONValue) throws(TemplateError) {
    (self.name, self.language) = (name, language)
    var header: Header?
    var body: TemplateText?
    var footer: String?
    var buttons: [Button] = []
    var unsupported: [String] = []
    guard let list = components.arrayValue else { throw .malformed("components is no list") }
    for component in list {
      switch component["type"]?.stringValue?.uppercased() {
      case "HEADER":
        switch component["format"]?.stringValue?.uppercased() ?? "TEXT" {
        case "TEXT": header = .text(TemplateText(component["text"]?.stringValue ?? ""))
        case let format:
          if let media = Media(rawValue: format.lowercased()) {
            header = .media(media)
          } else {
            unsupported.append(format.lowercased() + "_header")
          }
        }
      case "BODY":
        guard let text = component["text"]?.stringValue else { throw .malformed("the body has no text") }
        body = TemplateText(text)
      case "FOOTER": footer = component["text"]?.stringValue
      case "BUTTONS":
        for button in component["buttons"]?.arrayValue ?? [] {
          let label = button["text"]?.stringValue ?? ""
          switch button["type"]?.stringValue?.uppercased() {
          case "QUICK_REPLY": buttons.append(Button(kind: .quickReply, label: label))
          case "URL":
            buttons.append(Button(kind: .url(TemplateText(button["url"]?.stringValue ?? "")), label: label))
          case "COPY_CODE": buttons.append(Button(kind: .copyCode, label: label))
          case "OTP": buttons.append(Button(kind: .oneTimeCode, label: label))
          case "PHONE_NUMBER", "VOICE_CALL": buttons.append(Button(kind: .fixed, label: label))
          case let other:
            // Keeps its place: the others are addressed by index.
            buttons.append(Button(kind: .fixed, label: label))
            unsupported.append(TemplateDefinition.feature(other))
          }
        }
      case let other: unsupported.append(TemplateDefinition.feature(other))
      }
    }
    guard let body else { throw .malformed("there is no body") }
    (self.header, self.body, self.footer, self.buttons) = (header, body, footer, buttons)
    self.unsupported = unsupported.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    switch parameterFormat?.uppercased() {
    case "NAMED": isNamed = true
    case "POSITIONAL": isNamed = false
    default: isNamed = body.names.contains { Int($0) == nil }
    }
  }

  private static func feature(_ type: String?) -> String {
    switch type {
    case "MPM", "SPM", "CATALOG": "catalog"
    case let type?: type.lowercased()
    case nil: "untyped_component"
    }
  }

  /// Everything a message may or must bring, in the order header, body, buttons.
  public var slots: [TemplateSlot] {
    var slots: [TemplateSlot] = []
    switch header {
    case .text(let text): slots += text.names.indices.map { .header($0) }
    case .media: slots.append(.media)
    case nil: break
    }
    slots += body.names.indices.map { .body($0) }
    slots += buttons.indices.filter { buttons[$0].needsValue || buttons[$0].kind == .quickReply }.map { .button($0) }
    return slots
  }

  /// Whether the first look finds the template fit for a stop button at `index`.
  public func isQuickReply(_ index: Int) -> Bool {
    buttons.indices.contains(index) && buttons[index].kind == .quickReply
  }
}

/// A place of a template that takes a value.
public enum TemplateSlot: Hashable, Sendable, CustomStringConvertible {
  case header(Int)
  case media
  case body(Int)
  case button(Int)

  /// As a path in the campaign's request.
  public var description: String {
    switch self {
    case .header(let index): "header[\(index)]"
    case .media: "header"
    case .body(let index): "body[\(index)]"
    case .button(let index): "buttons[\(index)]"
    }
  }
}

/// Why a template can't be read, or a message not made of it.
public enum TemplateError: Error, Hashable, Sendable {
  case malformed(String)
  /// By Meta's name of the feature.
  case unsupported(String)
  case missing(TemplateSlot)
  /// A value for a place that the template does not have, or that takes none.
  case unexpected(TemplateSlot)
  /// The stop button must be a quick reply.
  case notAQuickReply(Int)
  /// A literal breaks Meta's rules.
  case fault(ParameterFault)
}
