/// The spelling of JSON's numbers (RFC 8259, section 6).
enum JSONNumber {
  /// `-`? (0 | 1-9 digits) (`.` digits)? ((e|E) (+|-)? digits)?
  static func isValid(_ text: some StringProtocol) -> Bool {
    var bytes = Array(text.utf8)[...]
    func take(_ allowed: [UInt8]) -> Bool {
      guard let first = bytes.first, allowed.contains(first) else { return false }
      bytes = bytes.dropFirst()
      return true
    }
    func digits() -> Int {
      let rest = bytes.drop { isDigit($0) }
      defer { bytes = rest }
      return bytes.count - rest.count
    }
    _ = take([UInt8(ascii: "-")])
    if !take([UInt8(ascii: "0")]), digits() == 0 { return false }
    if take([UInt8(ascii: ".")]), digits() == 0 { return false }
    if take([UInt8(ascii: "e"), UInt8(ascii: "E")]) {
      _ = take([UInt8(ascii: "+"), UInt8(ascii: "-")])
      if digits() == 0 { return false }
    }
    return bytes.isEmpty
  }

  /// The shortest spelling that reads back as the same double.
  static func text(_ value: Double) -> String {
    precondition(value.isFinite, "JSON has no spelling for \(value)")
    return value.description
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

/// Hands out the number tokens of a valid JSON text in order, because simdjson's tape keeps their values and not their
/// text.
struct JSONNumberTokens {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var at = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func next() -> String {
    var inString = false
    while at < bytes.count {
      let byte = bytes[at]
      if inString {
        if byte == UInt8(ascii: "\\") { at += 1 } else if byte == UInt8(ascii: "\"") { inString = false }
      } else if byte == UInt8(ascii: "\"") {
        inString = true
      } else if byte == UInt8(ascii: "-") || JSONNumber.isDigit(byte) {
        break
      }
      at += 1
    }
    let start = at
    while at < bytes.count, isNumberByte(bytes[at]) { at += 1 }
    precondition(start < at, "simdjson saw a number that the text does not have")
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  private func isNumberByte(_ byte: UInt8) -> Bool {
    JSONNumber.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
      || byte | 0x20 == UInt8(ascii: "e")
  }
}
