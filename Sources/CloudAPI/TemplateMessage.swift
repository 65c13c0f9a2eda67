import Domain
import JSON

/// Where the value of one place comes from.
public enum TemplateValue: Sendable, Hashable {
  /// The same for everybody.
  case literal(String)
  /// The person's value with this index.
  case person(Int)
}

/// The picture, video or document of a header.
public struct TemplateMedia: Sendable, Hashable {
  public enum Reference: Sendable, Hashable {
    /// Of a file uploaded to Meta: nothing is fetched at sending.
    case id(TemplateValue)
    case link(TemplateValue)
  }
  public var reference: Reference
  /// Shown to the recipient; for documents only.
  public var filename: TemplateValue?

  public init(_ reference: Reference, filename: TemplateValue? = nil) {
    (self.reference, self.filename) = (reference, filename)
  }
}

/// What a campaign puts into a template's places.
public struct TemplateFill: Sendable, Hashable {
  public var header: [TemplateValue]
  public var media: TemplateMedia?
  /// In the order of the body's placeholders (`TemplateText.names`).
  public var body: [TemplateValue]
  /// By the button's index. A quick reply without one comes back with its label.
  public var buttons: [Int: TemplateValue]
  /// The quick reply whose answer is an opt-out.
  public var stopButton: Int?

  public init(
    header: [TemplateValue] = [], media: TemplateMedia? = nil, body: [TemplateValue] = [],
    buttons: [Int: TemplateValue] = [:], stopButton: Int? = nil
  ) {
    (self.header, self.media, self.body, self.buttons, self.stopButton) = (header, media, body, buttons, stopButton)
  }
}

/// A template with its values' sources, compiled into the bytes of the request: rendering one person's message copies
/// what is the same for everybody and escapes the rest. About half a microsecond.
public struct TemplateMessage: Sendable {
  /// Prefixes our key in the payload of a stop button: whose message was answered is then known without any look-up.
  public static let stopPrefix = "stop:"
  /// An installation's name is at most this long, so that a payload stays within Meta's 128 characters.
  public static let installationLimit = 64

  enum Piece: Sendable {
    case fixed([UInt8])
    case value(Int)
    case phone
    case callback
  }

  public let definition: TemplateDefinition
  public let fill: TemplateFill
  /// How many values a person must bring.
  public let valueCount: Int
  private let pieces: [Piece]
  private let fixedLength: Int
  private let bodyLength: Int
  private let headerLength: Int

  public init(_ definition: TemplateDefinition, _ fill: TemplateFill) throws(TemplateError) {
    try TemplateMessage.check(definition, fill)
    (self.definition, self.fill) = (definition, fill)
    var body = TemplateBody(definition, fill)
    pieces = body.build()
    fixedLength = pieces.reduce(0) { if case .fixed(let bytes) = $1 { $0 + bytes.count } else { $0 } }
    valueCount =
      (TemplateMessage.sources(fill).compactMap { if case .person(let index) = $0 { index } else { nil } }.max() ?? -1)
      + 1
    bodyLength = definition.body.fixedLength
    if case .text(let text)? = definition.header { headerLength = text.fixedLength } else { headerLength = 0 }
    // What is the same for everybody is checked once, here.
    if let fault = fault([], literalsOnly: true) { throw .fault(fault) }
  }

  /// The body of `POST /{phone number}/messages`.
  ///
  /// `values` are taken as they are: `fault(_:)` was asked when they were frozen. `installation` has at most 64
  /// characters.
  public func render(to phone: PhoneNumber, values: [String], key: MessageKey, installation: String) -> [UInt8] {
    precondition(values.count >= valueCount, "the message takes \(valueCount) values, not \(values.count)")
    precondition(installation.utf8.count <= TemplateMessage.installationLimit, "the installation's name is too long")
    let callback = key.callbackData(installation: installation)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.reduce(fixedLength + 2 * callback.utf8.count + 32) { $0 + $1.utf8.count + 8 })
    for piece in pieces {
      switch piece {
      case .fixed(let fixed): bytes.append(contentsOf: fixed)
      case .value(let index): JSONWriter.appendEscaped(values[index], to: &bytes)
      case .phone: bytes.append(contentsOf: phone.e164.utf8)
      case .callback: JSONWriter.appendEscaped(callback, to: &bytes)
      }
    }
    return bytes
  }

  /// What Meta would refuse in these values, found before anything is sent; nil when nothing.
  public func fault(_ values: [String]) -> ParameterFault? {
    precondition(values.count >= valueCount, "the message takes \(valueCount) values, not \(values.count)")
    return fault(values, literalsOnly: false)
  }

  /// What the person will see.
  public func preview(_ values: [String]) -> TemplatePreview {
    let header: String? =
      if case .text(let text)? = definition.header { text.filled(fill.header.map { resolve($0, values) }) } else { nil }
    let media: String? =
      switch fill.media?.reference {
      case .id(let value): resolve(value, values)
      case .link(let value): resolve(value, values)
      case nil: nil
      }
    return TemplatePreview(
      header: header, media: media, body: definition.body.filled(fill.body.map { resolve($0, values) }),
      footer: definition.footer, buttons: definition.buttons.map(\.label))
  }

  private func resolve(_ value: TemplateValue, _ values: [String]) -> String {
    switch value {
    case .literal(let text): text
    case .person(let index): values[index]
    }
  }

  private func fault(_ values: [String], literalsOnly: Bool) -> ParameterFault? {
    // Nil: not to be looked at now.
    func text(_ value: TemplateValue) -> String? {
      if literalsOnly, case .person = value { return nil }
      return resolve(value, values)
    }
    func length(_ part: TemplateText, _ sources: [TemplateValue], _ start: Int) -> Int {
      zip(part.uses, sources).reduce(start) { $0 + $1.0 * (text($1.1)?.utf16.count ?? 0) }
    }
    for (index, value) in fill.header.enumerated() {
      if let text = text(value), let fault = ParameterFault.of(text: text, in: .header(index)) { return fault }
    }
    if case .text(let part)? = definition.header {
      let count = length(part, fill.header, headerLength)
      if count > ParameterFault.headerLimit {
        return .tooLong(.header, count: count, limit: ParameterFault.headerLimit)
      }
    }
    switch fill.media?.reference {
    case .link(let value):
      if let link = text(value), let fault = ParameterFault.of(link: link, in: .media) { return fault }
    case .id(let value):
      if let id = text(value), let fault = ParameterFault.of(token: id, in: .media, limit: 100) { return fault }
    case nil: break
    }
    if let value = fill.media?.filename, let name = text(value), let fault = ParameterFault.of(text: name, in: .media) {
      return fault
    }
    for (index, value) in fill.body.enumerated() {
      if let text = text(value), let fault = ParameterFault.of(text: text, in: .body(index)) { return fault }
    }
    let count = length(definition.body, fill.body, bodyLength)
    if count > ParameterFault.bodyLimit { return .tooLong(.body, count: count, limit: ParameterFault.bodyLimit) }
    for (index, value) in fill.buttons {
      guard let text = text(value) else { continue }
      let fault: ParameterFault? =
        switch definition.buttons[index].kind {
        case .copyCode: ParameterFault.of(token: text, in: .button(index), limit: ParameterFault.couponLimit)
        case .quickReply:
          text.utf16.count > ParameterFault.payloadLimit
            ? .invalid(.button(index), .length) : ParameterFault.of(text: text, in: .button(index))
        default: ParameterFault.of(token: text, in: .button(index), limit: ParameterFault.linkLimit)
        }
      if let fault { return fault }
    }
    return nil
  }

  private static func sources(_ fill: TemplateFill) -> [TemplateValue] {
    var sources = fill.header + fill.body + Array(fill.buttons.values)
    switch fill.media?.reference {
    case .id(let value), .link(let value): sources.append(value)
    case nil: break
    }
    if let filename = fill.media?.filename { sources.append(filename) }
    return sources
  }

  /// Whether the fill gives each place of the template its value, and no other.
  private static func check(_ definition: TemplateDefinition, _ fill: TemplateFill) throws(TemplateError) {
    if let feature = definition.unsupported.first { throw .unsupported(feature) }
    var headerCount = 0
    var wantsMedia = false
    switch definition.header {
    case .text(let text): headerCount = text.names.count
    case .media: wantsMedia = true
    case nil: break
    }
    if fill.header.count < headerCount { throw .missing(.header(fill.header.count)) }
    if fill.header.count > headerCount { throw .unexpected(.header(headerCount)) }
    if wantsMedia, fill.media == nil { throw .missing(.media) }
    if !wantsMedia, fill.media != nil { throw .unexpected(.media) }
    let bodyCount = definition.body.names.count
    if fill.body.count < bodyCount { throw .missing(.body(fill.body.count)) }
    if fill.body.count > bodyCount { throw .unexpected(.body(bodyCount)) }
    if let stop = fill.stopButton {
      guard definition.isQuickReply(stop) else { throw .notAQuickReply(stop) }
      // Its payload is ours.
      if fill.buttons[stop] != nil { throw .unexpected(.button(stop)) }
    }
    for index in fill.buttons.keys.sorted() {
      guard definition.buttons.indices.contains(index),
        definition.buttons[index].needsValue || definition.buttons[index].kind == .quickReply
      else { throw .unexpected(.button(index)) }
    }
    for (index, button) in definition.buttons.enumerated() where button.needsValue && fill.buttons[index] == nil {
      throw .missing(.button(index))
    }
    for case .person(let index) in sources(fill) where index < 0 { throw .malformed("a value has a negative index") }
  }
}

/// A message as its recipient sees it.
public struct TemplatePreview: Sendable, Hashable {
  public let header: String?
  /// The link or id of the picture, video or document.
  public let media: String?
  public let body: String
  public let footer: String?
  public let buttons: [String]
}
