/// An exact decimal amount: a whole number of billionths, in 128 bits. Sums and products with counts never round; the
/// range is ±1.7e29, so no month of messages in any currency overflows. PostgreSQL's side is `numeric`.
///
/// It carries no currency: a sum that mixes currencies is a bug of the caller, who groups by `Currency` first.
public struct Amount: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The amount times 10^9.
  public let billionths: Int128

  public static let zero = Amount(billionths: 0)
  public static let decimals = 9
  static let scale: Int128 = 1_000_000_000

  public init(billionths: Int128) { self.billionths = billionths }

  /// Reads `-12`, `0.0576`, `700.00`. At most nine decimals and 20 whole digits; no exponent, no separators, no spaces.
  /// Nil otherwise.
  public init?(_ text: some StringProtocol) {
    var bytes = Array(text.utf8)[...]
    var negative = false
    if bytes.first == UInt8(ascii: "-") {
      negative = true
      bytes = bytes.dropFirst()
    }
    var value: Int128 = 0
    var whole = 0
    var decimals: Int?
    for byte in bytes {
      if byte == UInt8(ascii: "."), decimals == nil {
        decimals = 0
        continue
      }
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      value = value * 10 + Int128(byte - 0x30)
      if let count = decimals { decimals = count + 1 } else { whole += 1 }
      guard whole <= 20, (decimals ?? 0) <= Amount.decimals else { return nil }
    }
    guard whole > 0, decimals != 0 else { return nil }
    for _ in (decimals ?? 0)..<Amount.decimals { value *= 10 }
    billionths = negative ? -value : value
  }

  public static func + (a: Amount, b: Amount) -> Amount { Amount(billionths: a.billionths + b.billionths) }
  public static func - (a: Amount, b: Amount) -> Amount { Amount(billionths: a.billionths - b.billionths) }
  public static prefix func - (a: Amount) -> Amount { Amount(billionths: -a.billionths) }
  public static func * (a: Amount, count: Int) -> Amount { Amount(billionths: a.billionths * Int128(count)) }
  public static func += (a: inout Amount, b: Amount) { a = a + b }
  public static func -= (a: inout Amount, b: Amount) { a = a - b }
  public static func < (a: Amount, b: Amount) -> Bool { a.billionths < b.billionths }

  /// Rounded to `digits` decimals, half away from zero ("half up" of a bill), as the only step where money rounds.
  public func rounded(to digits: Int) -> Amount {
    precondition((0...Amount.decimals).contains(digits), "an amount has 0 to 9 decimals, not \(digits)")
    var unit: Int128 = 1
    for _ in digits..<Amount.decimals { unit *= 10 }
    let magnitude = billionths < 0 ? -billionths : billionths
    let rounded = (magnitude + unit / 2) / unit * unit
    return Amount(billionths: billionths < 0 ? -rounded : rounded)
  }

  /// At least `minimumDecimals` decimals, more only where they are not zero: `0.0576`, `700.00`.
  public func text(minimumDecimals: Int = 4) -> String {
    let magnitude = billionths < 0 ? -billionths : billionths
    var text = (billionths < 0 ? "-" : "") + String(magnitude / Amount.scale)
    var fraction = String(magnitude % Amount.scale + Amount.scale).dropFirst()
    while fraction.count > minimumDecimals, fraction.last == "0" { fraction = fraction.dropLast() }
    if !fraction.isEmpty { text += "." + fraction }
    return text
  }

  public var description: String { text() }
}

/// An ISO 4217 code, upper case. Meta bills in sixteen of them; EGP is not among them (product §5).
public struct Currency: Hashable, Sendable, CustomStringConvertible {
  public let code: String

  /// Three ASCII letters; lower case is accepted. Nil otherwise.
  public init?(_ text: String) {
    let upper = text.uppercased()
    guard upper.utf8.count == 3, upper.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5A }) else { return nil }
    code = upper
  }

  /// The currencies of Meta's rate cards (developers.facebook.com, pricing, read October 2026).
  public static let billable: Set<String> = [
    "USD", "AED", "ARS", "AUD", "BRL", "CLP", "COP", "EUR", "GBP", "IDR", "INR", "MXN", "MYR", "PEN", "SAR", "SGD",
  ]

  public var description: String { code }
}
