import Domain

/// When a campaign that repeats is launched: a part of RFC 5545's recurrence rules, by the clocks of one zone.
///
/// Taken: `FREQ` of `DAILY`, `WEEKLY`, `MONTHLY`; `INTERVAL`; `BYDAY`, in a monthly rule also as `1SU` or `-1FR`;
/// `BYMONTHDAY`, from the end too; `BYMONTH`; `COUNT` or `UNTIL`. Weeks begin on Monday. Each launch has the start's time
/// of day; one that the clocks skip counts by the offset before the change, one that they show twice the first time. A
/// start that the rule itself does not name is none.
public struct Recurrence: Hashable, Sendable {
  public enum Frequency: String, Sendable { case daily = "DAILY", weekly = "WEEKLY", monthly = "MONTHLY" }

  /// A day of the week, or the `ordinal`-th of a month; -1 is the last.
  struct Day: Hashable, Sendable {
    let weekday: Int
    let ordinal: Int?
  }

  /// Why a rule can't be used.
  public struct Malformed: Error, Equatable, Sendable {
    public let reason: String
  }

  public let frequency: Frequency
  public let interval: Int
  let days: [Day]
  let monthDays: [Int]
  let months: [Int]
  let count: Int?
  let until: Instant?

  /// No rule is followed further than this after its start.
  static let longestDays = 366 * 20

  public init(_ text: some StringProtocol) throws(Malformed) {
    var parts: [String: String] = [:]
    for part in text.uppercased().split(separator: ";") {
      let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
      guard pair.count == 2, parts[pair[0]] == nil else { throw Malformed(reason: "\(part) is no part of a rule.") }
      parts[pair[0]] = pair[1]
    }
    guard let frequency = parts.removeValue(forKey: "FREQ").flatMap({ Frequency(rawValue: $0) }) else {
      throw Malformed(reason: "FREQ is DAILY, WEEKLY or MONTHLY.")
    }
    self.frequency = frequency
    interval = try Recurrence.number(parts.removeValue(forKey: "INTERVAL") ?? "1", in: 1...1000, "INTERVAL")
    count = try parts.removeValue(forKey: "COUNT").map { (text) throws(Malformed) in
      try Recurrence.number(text, in: 1...10_000, "COUNT")
    }
    until = try parts.removeValue(forKey: "UNTIL").map(Recurrence.until)
    days = try Recurrence.list(parts.removeValue(forKey: "BYDAY"), Recurrence.day)
    monthDays = try Recurrence.list(parts.removeValue(forKey: "BYMONTHDAY")) { (text) throws(Malformed) in
      try Recurrence.number(text, in: -31...31, "BYMONTHDAY")
    }
    months = try Recurrence.list(parts.removeValue(forKey: "BYMONTH")) { (text) throws(Malformed) in
      try Recurrence.number(text, in: 1...12, "BYMONTH")
    }
    if let start = parts.removeValue(forKey: "WKST"), start != "MO" { throw Malformed(reason: "WKST is MO.") }
    if let other = parts.keys.sorted().first { throw Malformed(reason: "\(other) is not supported.") }
    guard count == nil || until == nil else { throw Malformed(reason: "COUNT and UNTIL exclude each other.") }
    guard frequency == .monthly || monthDays.isEmpty && days.allSatisfy({ $0.ordinal == nil }) else {
      throw Malformed(reason: "Days of a month belong to FREQ=MONTHLY.")
    }
    guard !monthDays.contains(0) else { throw Malformed(reason: "A month has no day 0.") }
  }

  /// The first launch after `instant` of a rule that starts at `start`; nil when there is none.
  public func next(after instant: Instant, start: Instant, in zone: Zone) -> Instant? {
    let first = zone.local(start)
    var seen = 0
    for offset in 0..<Recurrence.longestDays {
      let date = CivilDate(daysSince1970: first.date.daysSince1970 + offset)
      guard matches(date, from: first.date) else { continue }
      let at = Recurrence.instant(of: date, secondsOfDay: first.secondsOfDay, in: zone)
      if let until, at > until { return nil }
      seen += 1
      if let count, seen > count { return nil }
      if at > instant { return at }
    }
    return nil
  }

  private static func instant(of date: CivilDate, secondsOfDay: Int, in zone: Zone) -> Instant {
    if let shown = zone.instants(of: date, secondsOfDay: secondsOfDay).first { return shown }
    let change = zone.first(of: date, secondsOfDay: secondsOfDay)
    let before = zone.offset(at: change - .seconds(1))
    return Instant(seconds: Int64(date.daysSince1970) * 86_400 + Int64(secondsOfDay) - Int64(before))
  }

  private func matches(_ date: CivilDate, from first: CivilDate) -> Bool {
    guard months.isEmpty || months.contains(date.month) else { return false }
    switch frequency {
    case .daily:
      return (date.daysSince1970 - first.daysSince1970) % interval == 0
        && (days.isEmpty || days.contains { $0.weekday == date.weekday })
    case .weekly:
      let week = { (day: CivilDate) in (day.daysSince1970 - day.weekday + 1) / 7 }
      guard (week(date) - week(first)) % interval == 0 else { return false }
      return days.isEmpty ? date.weekday == first.weekday : days.contains { $0.weekday == date.weekday }
    case .monthly:
      guard ((date.year - first.year) * 12 + date.month - first.month) % interval == 0 else { return false }
      if days.isEmpty, monthDays.isEmpty { return date.day == first.day }
      let length = CivilDate.days(in: date.month, of: date.year)
      let isDay = monthDays.isEmpty || monthDays.contains { $0 == date.day || $0 == date.day - length - 1 }
      return isDay && (days.isEmpty || days.contains { Recurrence.matches($0, date, length) })
    }
  }

  private static func matches(_ day: Day, _ date: CivilDate, _ length: Int) -> Bool {
    guard day.weekday == date.weekday else { return false }
    guard let ordinal = day.ordinal else { return true }
    return ordinal == (date.day - 1) / 7 + 1 || ordinal == -((length - date.day) / 7 + 1)
  }

  private static func number(_ text: String, in range: ClosedRange<Int>, _ name: String) throws(Malformed) -> Int {
    guard let number = Int(text), range.contains(number) else {
      throw Malformed(reason: "\(name) is from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  private static func list<T>(_ text: String?, _ read: (String) throws(Malformed) -> T) throws(Malformed) -> [T] {
    var list: [T] = []
    for word in (text ?? "").split(separator: ",") { list.append(try read(String(word))) }
    return list
  }

  private static func day(_ text: String) throws(Malformed) -> Day {
    let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    guard let weekday = names.firstIndex(of: String(text.suffix(2))) else {
      throw Malformed(reason: "\(text) is no day: write MO to SU.")
    }
    let ordinal = text.dropLast(2)
    if ordinal.isEmpty { return Day(weekday: weekday + 1, ordinal: nil) }
    let number = try number(String(ordinal.hasPrefix("+") ? ordinal.dropFirst() : ordinal), in: -5...5, "A day's place")
    guard number != 0 else { throw Malformed(reason: "A month has no day 0.") }
    return Day(weekday: weekday + 1, ordinal: number)
  }

  /// `20271231T210000Z`, or `20271231`: that day's end in UTC.
  private static func until(_ text: String) throws(Malformed) -> Instant {
    let digits = text.prefix(8)
    var time = "23:59:59"
    let rest = text.dropFirst(8)
    if rest.count == 8, rest.hasPrefix("T"), rest.hasSuffix("Z") {
      let clock = Array(rest.dropFirst().dropLast())
      time = "\(String(clock[0..<2])):\(String(clock[2..<4])):\(String(clock[4..<6]))"
    } else if !rest.isEmpty {
      throw Malformed(reason: "UNTIL is a day or a time in UTC: 20271231T210000Z.")
    }
    let date = "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
    guard let until = Instant(rfc3339: "\(date)T\(time)Z") else {
      throw Malformed(reason: "UNTIL is a day or a time in UTC: 20271231T210000Z.")
    }
    return until
  }
}
