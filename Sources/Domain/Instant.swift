/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. Rows and protocols use it; waiting uses the Reactor's boot
/// clock, which never jumps.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  public init(seconds: Int64) { nanoseconds = seconds * 1_000_000_000 }
  public init(microseconds: Int64) { nanoseconds = microseconds * 1000 }

  /// Whole seconds since 1970, rounded down.
  public var seconds: Int64 { Instant.floorDivide(nanoseconds, 1_000_000_000) }
  public var microseconds: Int64 { Instant.floorDivide(nanoseconds, 1000) }

  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }
  public static func + (a: Instant, b: Duration) -> Instant { Instant(nanoseconds: a.nanoseconds + b.nanoseconds) }
  public static func - (a: Instant, b: Duration) -> Instant { Instant(nanoseconds: a.nanoseconds - b.nanoseconds) }
  public static func - (a: Instant, b: Instant) -> Duration { .nanoseconds(a.nanoseconds - b.nanoseconds) }

  static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient - 1 : quotient
  }

  /// RFC 3339 in UTC, with as many of the fraction's digits as are not zero (in threes): `2027-02-09T18:30:00Z`.
  public var description: String { rfc3339() }

  /// RFC 3339 at a fixed offset from UTC, in seconds.
  public func rfc3339(offset: Int = 0) -> String {
    let local = seconds + Int64(offset)
    let (day, second) = (Instant.floorDivide(local, 86_400), local - Instant.floorDivide(local, 86_400) * 86_400)
    let date = CivilDate(daysSince1970: Int(day))
    var text = date.description + "T"
    text += CivilDate.twoDigits(Int(second / 3600)) + ":" + CivilDate.twoDigits(Int(second / 60 % 60)) + ":"
    text += CivilDate.twoDigits(Int(second % 60))
    let fraction = Int(nanoseconds - seconds * 1_000_000_000)
    if fraction != 0 {
      let digits = String(fraction + 1_000_000_000).dropFirst()
      text += "." + (fraction % 1_000_000 == 0 ? digits.prefix(3) : fraction % 1000 == 0 ? digits.prefix(6) : digits)
    }
    if offset == 0 { return text + "Z" }
    let minutes = abs(offset) / 60
    return text + (offset < 0 ? "-" : "+") + CivilDate.twoDigits(minutes / 60) + ":" + CivilDate.twoDigits(minutes % 60)
  }

  /// Reads RFC 3339: date, `T` or a space, time with optional fraction (kept to the nanosecond), and `Z` or an offset,
  /// which is required: a time without its zone is not a point in time. Nil when the text is anything else.
  public init?(rfc3339 text: String) {
    var bytes = Array(text.utf8)[...]
    func number(_ count: Int) -> Int? {
      guard bytes.count >= count else { return nil }
      var value = 0
      for byte in bytes.prefix(count) {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      bytes = bytes.dropFirst(count)
      return value
    }
    func take(_ allowed: String) -> UInt8? {
      guard let first = bytes.first, allowed.utf8.contains(first) else { return nil }
      bytes = bytes.dropFirst()
      return first
    }
    guard let year = number(4), take("-") != nil, let month = number(2), take("-") != nil, let day = number(2),
      take("Tt ") != nil, let hour = number(2), take(":") != nil, let minute = number(2), take(":") != nil,
      let second = number(2), let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60,
      second <= 60
    else { return nil }
    var fraction = 0
    if take(".") != nil {
      var scale = 100_000_000
      var digits = 0
      while let byte = bytes.first, byte >= 0x30, byte <= 0x39 {
        fraction += Int(byte - 0x30) * scale
        scale /= 10
        digits += 1
        bytes = bytes.dropFirst()
      }
      guard digits > 0 else { return nil }
    }
    guard let sign = take("Zz+-") else { return nil }
    var offset = 0
    if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      guard let hours = number(2), take(":") != nil, let minutes = number(2), hours < 24, minutes < 60 else { return nil }
      offset = (hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }
    guard bytes.isEmpty else { return nil }
    let total = date.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second - offset
    guard total > -9_000_000_000, total < 9_000_000_000 else { return nil }
    nanoseconds = Int64(total) * 1_000_000_000 + Int64(fraction)
  }
}

extension Duration {
  /// The whole duration in nanoseconds; about 292 years fit.
  public var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}

/// A day of the calendar, without a zone.
public struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let year: Int
  public let month: Int
  public let day: Int

  /// Nil when there is no such day.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= CivilDate.days(in: month, of: year) else {
      return nil
    }
    (self.year, self.month, self.day) = (year, month, day)
  }

  /// Reads `YYYY-MM-DD`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2])
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// The proleptic Gregorian day `days` after 1970-01-01 (Howard Hinnant's `civil_from_days`).
  public init(daysSince1970 days: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  public var daysSince1970: Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// 1 is Monday, 7 is Sunday (ISO 8601).
  public var weekday: Int { ((daysSince1970 + 3) % 7 + 7) % 7 + 1 }

  public static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: return 30
    default: return 31
    }
  }

  public static func < (a: CivilDate, b: CivilDate) -> Bool { (a.year, a.month, a.day) < (b.year, b.month, b.day) }

  /// `YYYY-MM-DD`.
  public var description: String {
    let digits = String(10_000 + year).dropFirst()
    return digits + "-" + CivilDate.twoDigits(month) + "-" + CivilDate.twoDigits(day)
  }

  static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
}
