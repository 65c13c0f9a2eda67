import Domain

/// PostgreSQL's days and microseconds, which count from 2000-01-01.
enum PGTime {
  static let epochDays = 10_957
  static let epochMicroseconds: Int64 = 946_684_800_000_000

  static func wire(_ instant: Instant) -> Int64 { instant.microseconds - epochMicroseconds }
  static func wire(_ date: CivilDate) -> Int32 { Int32(date.daysSince1970 - epochDays) }

  /// `infinity`, `-infinity` and what lies outside an Instant's 292 years become the last or first instant.
  static func instant(_ wire: Int64) -> Instant {
    let (microseconds, overBase) = wire.addingReportingOverflow(epochMicroseconds)
    let (nanoseconds, over) = microseconds.multipliedReportingOverflow(by: 1000)
    if overBase || over { return Instant(nanoseconds: wire < 0 ? .min : .max) }
    return Instant(nanoseconds: nanoseconds)
  }

  static func date(_ wire: Int32) -> CivilDate { CivilDate(daysSince1970: Int(wire) + epochDays) }
}

/// `numeric` in binary: digit count, weight of the first digit, sign, decimals to show; then digits of base 10000.
enum NumericWire {
  private static let billion: UInt128 = 1_000_000_000
  private static let negative: UInt16 = 0x4000

  static func append(_ amount: Amount, to bytes: inout [UInt8]) {
    let magnitude = amount.billionths.magnitude
    // Nine decimals are two and a quarter digits of four: filled up to three digits.
    var fraction = UInt64(magnitude % billion) * 1000
    var whole = magnitude / billion
    var digits = [UInt16]()
    for _ in 0..<3 {
      digits.append(UInt16(fraction % 10_000))
      fraction /= 10_000
    }
    while whole > 0 {
      digits.append(UInt16(whole % 10_000))
      whole /= 10_000
    }
    // Lowest digit first here. Zeros at either end are not sent.
    var weight = digits.count - 4
    while let last = digits.last, last == 0 {
      digits.removeLast()
      weight -= 1
    }
    let trailing = digits.prefix { $0 == 0 }.count
    var decimals = Amount.decimals
    var rest = UInt64(magnitude % billion)
    while decimals > 0, rest % 10 == 0 {
      rest /= 10
      decimals -= 1
    }
    func put(_ value: UInt16) {
      bytes.append(UInt8(value >> 8))
      bytes.append(UInt8(truncatingIfNeeded: value))
    }
    put(UInt16(digits.count - trailing))
    put(UInt16(bitPattern: Int16(digits.isEmpty ? 0 : weight)))
    put(amount.billionths < 0 ? negative : 0)
    put(UInt16(decimals))
    for digit in digits.dropFirst(trailing).reversed() { put(digit) }
  }

  /// Nil for NaN, the infinities, more than nine decimals and what 128 bits do not hold.
  static func amount(_ cell: UnsafeRawBufferPointer) -> Amount? {
    func word(_ index: Int) -> UInt16 { cell.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self).bigEndian }
    guard cell.count >= 8 else { return nil }
    let count = Int(word(0))
    let weight = Int(Int16(bitPattern: word(1)))
    let sign = word(2)
    guard cell.count == 8 + 2 * count, sign == 0 || sign == negative else { return nil }
    var total: Int128 = 0
    for index in 0..<count {
      let digit = Int128(word(4 + index))
      // 10000^(weight - index) billionths-times: the exponent of ten relative to a billionth.
      let exponent = 4 * (weight - index) + Amount.decimals
      guard exponent >= 0 else {
        // 10000^-3 reaches below a billionth: its last three decimals must be zero.
        guard exponent > -4, digit % power(-exponent) == 0 else {
          if digit == 0 { continue }
          return nil
        }
        total += digit / power(-exponent)
        continue
      }
      guard exponent <= 37 else { return nil }
      let (part, over) = digit.multipliedReportingOverflow(by: power(exponent))
      let (sum, overSum) = total.addingReportingOverflow(part)
      guard !over, !overSum else { return nil }
      total = sum
    }
    return Amount(billionths: sign == negative ? -total : total)
  }

  private static func power(_ exponent: Int) -> Int128 {
    var value: Int128 = 1
    for _ in 0..<exponent { value *= 10 }
    return value
  }
}
