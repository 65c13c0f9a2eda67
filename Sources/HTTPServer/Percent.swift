/// Percent-decoding, strict: what does not decode to UTF-8 without NUL is refused.
enum Percent {
  static func decoded(_ bytes: some Collection<UInt8>) -> String? {
    guard bytes.contains(where: { $0 == 0x25 || $0 >= 0x80 || $0 < 0x20 }) else {
      return String(decoding: bytes, as: UTF8.self)
    }
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var rest = bytes.makeIterator()
    while let byte = rest.next() {
      var value = byte
      if byte == 0x25 {
        guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
        value = high << 4 | low
      }
      guard value != 0 else { return nil }
      out.append(value)
    }
    return String(validating: out, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
  }
}
