// Bytes as text and back. Decoders take exactly what the encoders write and refuse everything else.
extension Crypto {
  /// Lower case.
  public static func hex(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[2 * index] = digits[Int(byte >> 4)]
        buffer[2 * index + 1] = digits[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }

  /// Either case. Nil for an odd count or any other character.
  public static func bytes(hex text: some StringProtocol) -> [UInt8]? {
    func value(_ byte: UInt8) -> UInt8? {
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x41...0x46: byte - 0x41 + 10
      case 0x61...0x66: byte - 0x61 + 10
      default: nil
      }
    }
    var bytes: [UInt8] = []
    var high: UInt8?
    for character in text.utf8 {
      guard let digit = value(character) else { return nil }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return high == nil ? bytes : nil
  }

  /// RFC 4648 section 4, with padding.
  public static func base64(_ bytes: [UInt8]) -> String {
    var text = grouped(bytes, bits: 6, alphabet: base64Alphabet)
    while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
    return String(decoding: text, as: UTF8.self)
  }

  /// RFC 4648 section 4, strictly: padded, no line breaks, no stray bits at the end. Nil otherwise.
  public static func bytes(base64 text: some StringProtocol) -> [UInt8]? {
    var characters = Array(text.utf8)[...]
    guard characters.count % 4 == 0 else { return nil }
    for _ in 0..<2 where characters.last == UInt8(ascii: "=") { characters = characters.dropLast() }
    var bytes: [UInt8] = []
    var (pending, bits): (UInt32, Int) = (0, 0)
    for character in characters {
      guard let value = base64Alphabet.firstIndex(of: character) else { return nil }
      pending = (pending << 6 | UInt32(value)) & 0xFFFF
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
      }
    }
    guard bits < 6, pending & (1 << UInt32(bits) - 1) == 0 else { return nil }
    return bytes
  }

  /// RFC 4648 section 6 in lower case without padding: for keys that people read aloud and type.
  public static func base32(_ bytes: [UInt8]) -> String {
    String(decoding: grouped(bytes, bits: 5, alphabet: Array("abcdefghijklmnopqrstuvwxyz234567".utf8)), as: UTF8.self)
  }

  private static let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Cuts the bits into groups of `bits`, the last filled with zeros, and writes each by the alphabet.
  private static func grouped(_ bytes: [UInt8], bits: Int, alphabet: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 8 / bits + 4)
    var (pending, held): (UInt32, Int) = (0, 0)
    for byte in bytes {
      pending = (pending << 8 | UInt32(byte)) & 0xFFFF
      held += 8
      while held >= bits {
        held -= bits
        text.append(alphabet[Int(pending >> UInt32(held)) & (1 << bits - 1)])
      }
    }
    if held > 0 { text.append(alphabet[Int(pending << UInt32(bits - held)) & (1 << bits - 1)]) }
    return text
  }
}
