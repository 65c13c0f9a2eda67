import Domain
import Population

/// Appending bytes as Meta writes them: slashes and everything beyond ASCII escaped, so that who verifies the signature
/// over anything but the raw bytes finds out.
extension [UInt8] {
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  mutating func append(decimal value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    let start = count
    repeat {
      append(0x30 + UInt8(rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// The content of a JSON string, without quotes. The bytes must be UTF-8.
  mutating func append(escaping bytes: some Sequence<UInt8>) {
    var decoder = UTF8()
    var rest = bytes.makeIterator()
    while case .scalarValue(let scalar) = decoder.decode(&rest) {
      switch scalar.value {
      case 0x22, 0x5C, 0x2F:
        append(0x5C)
        append(UInt8(scalar.value))
      case 0x0A: append("\\n")
      case 0x20..<0x7F: append(UInt8(scalar.value))
      default:
        for unit in UTF16.encode(scalar)! {
          append("\\u")
          for shift in [12, 8, 4, 0] as [UInt16] { append(hexDigits[Int(unit >> shift & 15)]) }
        }
      }
    }
  }

  mutating func append(hex value: UInt64, digits: Int) {
    for position in (0..<digits).reversed() { append(hexUpper[Int(value >> UInt64(4 * position) & 15)]) }
  }
}

extension Category {
  /// As receipts spell it: here Meta writes a hyphen, in analytics an underscore.
  var inReceipts: StaticString {
    switch self {
    case .marketing: "marketing"
    case .utility: "utility"
    case .authentication: "authentication"
    case .service: "service"
    case .authenticationInternational: "authentication-international"
    case .marketingLite: "marketing_lite"
    case .referralConversion: "referral_conversion"
    }
  }
}

private let hexDigits = Array("0123456789abcdef".utf8)
private let hexUpper = Array("0123456789ABCDEF".utf8)

/// Meta's message ids. They hold the phone and, behind a fixed mix, our index: nothing needs to be stored to find the
/// message an id names.
enum MessageID {
  /// 0x1C 0x18 length phone 0x15 0x02 0x00 0x11 0x18 0x12 and 18 hexadecimal digits and 0x00, in base 64.
  static func append(phone: Int64, index: Int, seed: UInt64, to bytes: inout [UInt8]) {
    var raw: [UInt8] = [0x1C, 0x18, 0]
    raw.append(decimal: phone)
    raw[2] = UInt8(raw.count - 3)
    raw.append(contentsOf: [0x15, 0x02, 0x00, 0x11, 0x18, 0x12])
    raw.append(hex: scramble(UInt64(index), seed), digits: 16)
    raw.append(hex: UInt64(phone) & 0xFF, digits: 2)
    raw.append(0)
    bytes.append("wamid.")
    base64(raw, to: &bytes)
  }

  static func text(phone: Int64, index: Int, seed: UInt64) -> String {
    var bytes: [UInt8] = []
    append(phone: phone, index: index, seed: seed, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The index in an id of ours; nil for anything else.
  static func index(in id: String, seed: UInt64) -> Int? {
    guard id.hasPrefix("wamid."), let raw = decode(id.utf8.dropFirst(6)), raw.count > 20 else { return nil }
    let digits = raw.dropLast(3).suffix(16)
    guard let value = UInt64(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
    return Int(exactly: unscramble(value, seed))
  }

  /// An odd multiplier and a xor: invertible, and two neighbours look nothing alike.
  private static let multiplier: UInt64 = 0xD134_2543_DE82_EF95
  private static let inverse: UInt64 = {
    // Newton's iteration doubles the number of right bits each time.
    var x = multiplier
    for _ in 0..<6 { x = x &* (2 &- multiplier &* x) }
    return x
  }()
  private static func scramble(_ index: UInt64, _ seed: UInt64) -> UInt64 {
    (index &+ 1) &* multiplier ^ Draw.mix(seed)
  }
  private static func unscramble(_ value: UInt64, _ seed: UInt64) -> UInt64 {
    (value ^ Draw.mix(seed)) &* inverse &- 1
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func base64(_ raw: [UInt8], to bytes: inout [UInt8]) {
    var index = 0
    while index < raw.count {
      let b0 = raw[index]
      let b1 = index + 1 < raw.count ? raw[index + 1] : 0
      let b2 = index + 2 < raw.count ? raw[index + 2] : 0
      bytes.append(alphabet[Int(b0 >> 2)])
      bytes.append(alphabet[Int((b0 & 3) << 4 | b1 >> 4)])
      bytes.append(index + 1 < raw.count ? alphabet[Int((b1 & 15) << 2 | b2 >> 6)] : UInt8(ascii: "="))
      bytes.append(index + 2 < raw.count ? alphabet[Int(b2 & 63)] : UInt8(ascii: "="))
      index += 3
    }
  }

  private static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text where byte != UInt8(ascii: "=") {
      guard let value = alphabet.firstIndex(of: byte) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return out
  }
}
