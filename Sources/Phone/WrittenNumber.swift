/// A cell as people fill it, brought to ASCII digits: every script's digits, invisible marks from contact cards,
/// spreadsheet quoting, WhatsApp links, brackets, dashes and spaces.
struct WrittenNumber {
  /// Without the `+` or 00 of the international form. At most 15.
  private(set) var digits: [UInt8] = []
  private(set) var isInternational = false

  init(_ text: String) throws(Refusal) {
    var characters = WrittenNumber.simplified(text)
    if let link = WrittenNumber.link(characters) {
      characters = link.target
      isInternational = link.isInternational
    }
    guard characters.contains(where: WrittenNumber.isDigit) else {
      throw Refusal(characters.contains(where: WrittenNumber.isLetter) ? .letters : .empty)
    }
    if WrittenNumber.isSpreadsheetDamage(characters) { throw Refusal(.spreadsheet) }
    if characters.contains(where: { WrittenNumber.isLetter($0) || $0 == UInt8(ascii: "=") }) { throw Refusal(.letters) }
    if WrittenNumber.holdsTwoNumbers(characters) { throw Refusal(.twoNumbers) }

    if let first = characters.first(where: { WrittenNumber.isDigit($0) || $0 == UInt8(ascii: "+") }) {
      isInternational = isInternational || first == UInt8(ascii: "+")
    }
    digits = characters.filter(WrittenNumber.isDigit)
    if digits.starts(with: [0x30, 0x30]) {
      isInternational = true
      digits.removeFirst(2)
    } else if isInternational, digits.first == 0x30 {
      // A national number with a `+` before it.
      isInternational = false
    }
    if digits.count > 15 { throw Refusal(.tooLong) }
    if digits.count < 5 { throw Refusal(.tooShort) }
  }

  struct Refusal: Error {
    let reason: PhoneRejection
    init(_ reason: PhoneRejection) { self.reason = reason }
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  private static func isLetter(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7A }

  /// Digits, `+`, space, `-`, `.`, `(`, `)`, `/` for every divider, `:`, `=`, lower-case letters; any other sign
  /// becomes `x`.
  private static func simplified(_ text: String) -> [UInt8] {
    var simple: [UInt8] = []
    for scalar in text.unicodeScalars {
      switch scalar.value {
      case 0x30...0x39, 0x61...0x7A, 0x28, 0x29, 0x3A: simple.append(UInt8(scalar.value))
      case 0x41...0x5A: simple.append(UInt8(scalar.value | 0x20))
      case 0x2B, 0xFF0B: simple.append(UInt8(ascii: "+"))
      // A spreadsheet's text marks: '0100…, ="0100…".
      case 0x22, 0x27, 0x60, 0xB4, 0x2018, 0x2019, 0x201C, 0x201D, 0xAB, 0xBB: break
      case 0x3D: if !simple.allSatisfy({ $0 == UInt8(ascii: " ") }) { simple.append(UInt8(ascii: "=")) }
      case 0x2D, 0x5F, 0x7E, 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63, 0xFF0D: simple.append(UInt8(ascii: "-"))
      case 0x2E, 0xB7, 0x2024, 0xFF0E, 0x066B: simple.append(UInt8(ascii: "."))
      case 0x2F, 0x5C, 0x7C, 0x2C, 0x3B, 0x26, 0x3F, 0x0A, 0x060C, 0x061B, 0x066C, 0x2044, 0x2215, 0xFF0F:
        simple.append(UInt8(ascii: "/"))
      case 0x5B, 0xFF08: simple.append(UInt8(ascii: "("))
      case 0x5D, 0xFF09: simple.append(UInt8(ascii: ")"))
      default:
        let properties = scalar.properties
        if properties.numericType == .decimal, let value = properties.numericValue {
          simple.append(0x30 + UInt8(value))
        } else if properties.isWhitespace {
          simple.append(UInt8(ascii: " "))
        } else if properties.generalCategory != .format, properties.generalCategory != .control,
          properties.generalCategory != .nonspacingMark
        {
          simple.append(UInt8(ascii: "x"))
        }
      }
    }
    return simple
  }

  /// What follows `wa.me/` or `…whatsapp.com/send?phone=`, which leave out the `+`, or `tel:`, which does not.
  private static func link(_ text: [UInt8]) -> (target: [UInt8], isInternational: Bool)? {
    for (marker, isInternational) in [("wa.me/", true), ("phone=", true), ("tel:", false), ("whatsapp:", false)] {
      guard let end = firstRange(of: Array(marker.utf8), in: text) else { continue }
      let target = text[end...].drop { $0 == UInt8(ascii: "/") }
      return (Array(target.prefix { $0 != UInt8(ascii: "/") }), isInternational)
    }
    return nil
  }

  private static func firstRange(of marker: [UInt8], in text: [UInt8]) -> Int? {
    guard text.count >= marker.count else { return nil }
    for start in 0...(text.count - marker.count) where text[start...].starts(with: marker) {
      return start + marker.count
    }
    return nil
  }

  /// `2.01001E+11`, and `201001234567.0` or `…,00`.
  private static func isSpreadsheetDamage(_ text: [UInt8]) -> Bool {
    let words = text.filter { $0 != UInt8(ascii: " ") }
    var rest = words[...]
    func takeDigits() -> Int {
      let after = rest.drop(while: isDigit)
      defer { rest = after }
      return rest.count - after.count
    }
    if rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    let whole = takeDigits()
    guard whole > 0 else { return false }
    var fraction = 0
    if let divider = rest.first, divider == UInt8(ascii: ".") || divider == UInt8(ascii: "/") {
      rest = rest.dropFirst()
      let zeros = rest.allSatisfy { $0 == 0x30 } && (1...2).contains(rest.count)
      fraction = takeDigits()
      if rest.isEmpty { return whole >= 7 && zeros }
    }
    guard rest.first == UInt8(ascii: "e"), whole + fraction < 16 else { return false }
    rest = rest.dropFirst()
    if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
    return takeDigits() > 0 && rest.isEmpty
  }

  private static func holdsTwoNumbers(_ text: [UInt8]) -> Bool {
    // A divider after a whole number: 0100…/0122…, also 0223456789/90 for two lines.
    let pieces = text.split(separator: UInt8(ascii: "/")).map { $0.filter(isDigit).count }.filter { $0 > 0 }
    if pieces.count > 1, pieces[0] >= 7 { return true }
    // A second `+`.
    if let first = text.firstIndex(where: isDigit), text[first...].contains(UInt8(ascii: "+")) { return true }
    let count = text.filter(isDigit).count
    guard count > 15 else { return false }
    if count >= 20 { return true }
    var before = 0
    for (index, byte) in text.enumerated() {
      if isDigit(byte) {
        before += 1
      } else if before >= 7, count - before >= 7, text[index...].contains(where: isDigit) {
        return true
      }
    }
    return false
  }
}
