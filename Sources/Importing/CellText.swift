/// What is done to a cell's text on its way in: blanks and bidi controls at its edges go, because copying from a
/// right-to-left screen leaves them there and nothing shows them; inside, everything stays, ZWNJ above all.
enum CellText {
  /// The bytes between the edges.
  static func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var (start, end) = (0, text.count)
    while start < end {
      let length = invisibleLength(text, at: start, before: end)
      if length == 0 { break }
      start += length
    }
    while start < end {
      // Back to the first byte of the last character.
      var first = end - 1
      while first > start, text[first] & 0xC0 == 0x80 { first -= 1 }
      let length = invisibleLength(text, at: first, before: end)
      if length == 0 || first + length != end { break }
      end = first
    }
    return UnsafeBufferPointer(rebasing: text[start..<end])
  }

  /// Appends the content of a JSON string. NUL goes: PostgreSQL has no place for it.
  static func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, to json: inout [UInt8]) {
    var start = 0
    for (index, byte) in text.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
      json.append(contentsOf: UnsafeBufferPointer(rebasing: text[start..<index]))
      start = index + 1
      switch byte {
      case 0x00: break
      case 0x22, 0x5C: json += [0x5C, byte]
      case 0x09: json += [0x5C, UInt8(ascii: "t")]
      case 0x0A: json += [0x5C, UInt8(ascii: "n")]
      case 0x0D: json += [0x5C, UInt8(ascii: "r")]
      default:
        let digits = Array("0123456789abcdef".utf8)
        json += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    json.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
  }

  /// The length of the blank or bidi control at `at`; 0 when something visible, or a joiner, stands there.
  private static func invisibleLength(_ text: UnsafeBufferPointer<UInt8>, at: Int, before end: Int) -> Int {
    func byte(_ offset: Int) -> UInt8 { at + offset < end ? text[at + offset] : 0 }
    switch text[at] {
    case 0x00...0x20: return 1
    case 0xC2: return byte(1) == 0xA0 ? 2 : 0  // NBSP
    case 0xD8: return byte(1) == 0x9C ? 2 : 0  // ALM
    case 0xE2:
      switch (byte(1), byte(2)) {
      case (0x80, 0x80...0x8B), (0x80, 0x8E...0x8F): return 3  // spaces, ZWSP, LRM, RLM
      case (0x80, 0xA8...0xAF): return 3  // separators, embeddings, overrides, narrow NBSP
      case (0x81, 0x9F...0xA0), (0x81, 0xA6...0xA9): return 3  // isolates
      default: return 0
      }
    case 0xE3: return byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0  // ideographic space
    case 0xEF: return byte(1) == 0xBB && byte(2) == 0xBF ? 3 : 0  // BOM
    default: return 0
    }
  }
}
