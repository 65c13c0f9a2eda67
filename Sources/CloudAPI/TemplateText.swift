/// A template's text cut at its placeholders: `{{1}}` (positional) or `{{first_name}}` (named).
public struct TemplateText: Sendable, Hashable {
  enum Piece: Sendable, Hashable {
    case literal(String)
    case slot(Int)
  }

  /// As Meta stores it.
  public let text: String
  let pieces: [Piece]
  /// The placeholders in the order in which their values are sent: `1`, `2`, … or each name where it first stands. One
  /// that stands twice takes one value.
  public let names: [String]

  public init(_ text: String) {
    self.text = text
    var pieces: [Piece] = []
    var found: [String] = []
    var rest = text[...]
    while let open = TemplateText.find("{{", in: rest) {
      let inner = rest[open...].dropFirst(2)
      guard let close = TemplateText.find("}}", in: inner), let name = TemplateText.name(inner[..<close]) else {
        // Braces that hold no name are text.
        pieces.append(.literal(String(rest[..<open]) + "{{"))
        rest = inner
        continue
      }
      if open > rest.startIndex { pieces.append(.literal(String(rest[..<open]))) }
      if !found.contains(name) { found.append(name) }
      pieces.append(.slot(found.firstIndex(of: name) ?? 0))
      rest = rest[close...].dropFirst(2)
    }
    if !rest.isEmpty { pieces.append(.literal(String(rest))) }

    // Positional ones are sent by number, whatever order the text has them in.
    let numbers = found.compactMap { Int($0) }
    if numbers.count == found.count, let last = numbers.max(), numbers.allSatisfy({ $0 >= 1 }), last <= 100 {
      names = (1...last).map { String($0) }
      self.pieces = pieces.map { if case .slot(let index) = $0 { .slot(numbers[index] - 1) } else { $0 } }
    } else {
      names = found
      self.pieces = pieces
    }
  }

  /// The text with its placeholders replaced, in the order of `names`.
  public func filled(_ values: [String]) -> String {
    precondition(values.count == names.count, "the text takes \(names.count) values, not \(values.count)")
    return pieces.reduce(into: "") { text, piece in
      switch piece {
      case .literal(let literal): text += literal
      case .slot(let index): text += values[index]
      }
    }
  }

  /// UTF-16 units outside the placeholders. Meta says "characters"; UTF-16 is the reading that never passes too much.
  public var fixedLength: Int {
    pieces.reduce(0) { if case .literal(let literal) = $1 { $0 + literal.utf16.count } else { $0 } }
  }

  /// How often each placeholder stands in the text.
  var uses: [Int] {
    pieces.reduce(into: [Int](repeating: 0, count: names.count)) { if case .slot(let index) = $1 { $0[index] += 1 } }
  }

  private static func find(_ mark: String, in text: Substring) -> Substring.Index? {
    text.indices.first { text[$0...].hasPrefix(mark) }
  }

  private static func name(_ text: Substring) -> String? {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    let isName = text.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
    return text.isEmpty || !isName ? nil : String(text)
  }
}
