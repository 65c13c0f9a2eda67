import Domain

/// What is wrong with one person's values.
public enum ParameterFault: Error, Hashable, Sendable {
  case missing(TemplateSlot)
  case invalid(TemplateSlot, Why)
  /// The whole text of that part, its values filled in.
  case tooLong(Part, count: Int, limit: Int)

  public enum Why: String, Hashable, Sendable { case newline, tab, spaces, control, space, length, link }
  public enum Part: String, Hashable, Sendable { case header, body }

  /// The reason under which the person is left out.
  public var reason: ExclusionReason {
    switch self {
    case .missing: .parameterMissing
    case .invalid: .parameterInvalid
    case .tooLong: .textTooLong
    }
  }

  public static let headerLimit = 60
  public static let bodyLimit = 1024
  static let couponLimit = 15
  static let payloadLimit = 128
  static let linkLimit = 2000
  /// Meta refuses a fifth one in a row.
  static let spacesInARow = 4

  /// The rules for text parameters: no line break, no tab, at most four spaces in a row, and something to read.
  static func of(text: String, in slot: TemplateSlot) -> ParameterFault? {
    var spaces = 0
    var isBlank = true
    for byte in text.utf8 {
      switch byte {
      case 0x20:
        spaces += 1
        if spaces > spacesInARow { return .invalid(slot, .spaces) }
        continue
      case 0x0A, 0x0D: return .invalid(slot, .newline)
      case 0x09: return .invalid(slot, .tab)
      case 0..<0x20, 0x7F: return .invalid(slot, .control)
      default: isBlank = false
      }
      spaces = 0
    }
    return isBlank ? .missing(slot) : nil
  }

  /// The rules for what becomes part of a URL, or is a code: no spaces at all.
  static func of(token: String, in slot: TemplateSlot, limit: Int) -> ParameterFault? {
    if token.isEmpty { return .missing(slot) }
    for byte in token.utf8 {
      switch byte {
      case 0x0A, 0x0D: return .invalid(slot, .newline)
      case 0x09: return .invalid(slot, .tab)
      case 0x20: return .invalid(slot, .space)
      case 0..<0x20, 0x7F: return .invalid(slot, .control)
      default: break
      }
    }
    return token.utf16.count > limit ? .invalid(slot, .length) : nil
  }

  static func of(link: String, in slot: TemplateSlot) -> ParameterFault? {
    if let fault = of(token: link, in: slot, limit: linkLimit) { return fault }
    return link.hasPrefix("https://") || link.hasPrefix("http://") ? nil : .invalid(slot, .link)
  }
}
