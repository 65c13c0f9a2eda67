/// A phone number in E.164, kept as the number its digits spell: at most 15 digits, the first never 0, so nothing is lost.
///
/// Printed, dumped or interpolated it shows its last three digits only: phone numbers never reach a log. Whoever must write
/// one asks for `e164`.
public struct PhoneNumber: Hashable, Comparable, Sendable, CustomStringConvertible, CustomReflectable {
  /// The digits after `+`, as a number; the database's form.
  public let digits: Int64

  /// Nil unless the value has 7 to 15 digits.
  public init?(digits: Int64) {
    guard digits >= 1_000_000, digits <= 999_999_999_999_999 else { return nil }
    self.digits = digits
  }

  /// Reads `+` and 7 to 15 ASCII digits, the first not 0; the `+` may be missing (Meta's `wa_id`). Nothing else is
  /// forgiven: people's spellings are the Phone module's work.
  public init?(e164 text: some StringProtocol) {
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
    guard (7...15).contains(bytes.count), bytes.first != UInt8(ascii: "0") else { return nil }
    var value: Int64 = 0
    for byte in bytes {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    self.init(digits: value)
  }

  /// `+201001234567`.
  public var e164: String { "+" + String(digits) }

  /// Masked to the last three digits, for those who may not read phones: `+…567`.
  public var masked: String { "+…" + String(String(digits).suffix(3)) }

  public var description: String { masked }
  public var customMirror: Mirror { Mirror(self, children: []) }

  public static func < (a: PhoneNumber, b: PhoneNumber) -> Bool { a.digits < b.digits }
}

/// Who a person is to consent and caps: the first 16 bytes of HMAC-SHA256(pepper, E.164). The pepper is the
/// installation's and never changes, so that the key outlives erasure without keeping the phone.
public struct PersonKey: Hashable, Sendable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

  /// From at least 16 bytes, big-endian; the rest is not looked at.
  @inlinable
  public init(bytes: some Collection<UInt8>) {
    precondition(bytes.count >= 16, "a person key needs 16 bytes, not \(bytes.count)")
    var (high, low): (UInt64, UInt64) = (0, 0)
    for byte in bytes.prefix(8) { high = high << 8 | UInt64(byte) }
    for byte in bytes.dropFirst(8).prefix(8) { low = low << 8 | UInt64(byte) }
    self.init(high: high, low: low)
  }

  public var bytes: [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64(56 - 8 * ($0 % 8))) }
  }
}
