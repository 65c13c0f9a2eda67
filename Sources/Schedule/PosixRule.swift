import Domain

/// The footer of a zone file, a POSIX TZ string such as `EET-2EEST,M4.5.5/0,M10.5.4/24`: the rule for every instant
/// after the last transition the file lists.
struct PosixRule: Sendable {
  /// When in a year the clock changes, in the forms of POSIX with the hours of RFC 9636 (-167 to 167).
  struct Change: Sendable {
    enum Day: Sendable {
      /// The `week`-th `weekday` of `month`; week 5 is the last. Weekday 0 is Sunday.
      case monthly(month: Int, week: Int, weekday: Int)
      /// 1 to 365; 29 February is never counted.
      case julian(Int)
      /// 0 to 365; 29 February is counted.
      case ordinal(Int)
    }

    let day: Day
    /// Seconds after local midnight, possibly of another day.
    let time: Int

    /// Local seconds since 1970 of the change in `year`.
    func local(in year: Int) -> Int64 {
      Int64(days(in: year)) * 86_400 + Int64(time)
    }

    private func days(in year: Int) -> Int {
      switch day {
      case .monthly(let month, let week, let weekday):
        let first = Self.days(year, month, 1)
        // 1970-01-01 was a Thursday (4).
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var day = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
        if day >= first + CivilDate.days(in: month, of: year) { day -= 7 }
        return day
      case .julian(let number):
        let leap = CivilDate.days(in: 2, of: year) == 29 && number >= 60
        return Self.days(year, 1, 1) + number - 1 + (leap ? 1 : 0)
      case .ordinal(let number):
        return Self.days(year, 1, 1) + number
      }
    }

    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
      CivilDate(year: min(max(year, 1), 9999), month: month, day: day)?.daysSince1970 ?? 0
    }
  }

  /// Seconds to add to UTC. (POSIX counts the other way.)
  let standard: Int
  let summer: (offset: Int, begins: Change, ends: Change)?

  /// The changes of one year as instants, in order; the second word is the offset from then on.
  func changes(in year: Int) -> [(at: Int64, offset: Int)] {
    guard let summer else { return [] }
    let begins = (at: summer.begins.local(in: year) - Int64(standard), offset: summer.offset)
    let ends = (at: summer.ends.local(in: year) - Int64(summer.offset), offset: standard)
    return begins.at < ends.at ? [begins, ends] : [ends, begins]
  }

  func offset(at seconds: Int64) -> Int {
    guard summer != nil else { return standard }
    let year = PosixRule.year(of: seconds + Int64(standard))
    // The hours of a rule may reach into the neighbour years. Of two changes at one instant, as in a zone that is
    // always on summer time, the later year's wins.
    var offset = standard
    for neighbour in year - 1...year + 1 {
      for change in changes(in: neighbour) where change.at <= seconds { offset = change.offset }
    }
    return offset
  }

  static func year(of localSeconds: Int64) -> Int {
    let days = localSeconds >= 0 ? localSeconds / 86_400 : (localSeconds - 86_399) / 86_400
    return CivilDate(daysSince1970: Int(days)).year
  }

  init?(_ text: some Sequence<UInt8>) {
    var reader = Reader(rest: Array(text)[...])
    guard reader.name(), let west = reader.clock(limit: 24) else { return nil }
    standard = -west
    guard !reader.isAtEnd else {
      summer = nil
      return
    }
    guard reader.name() else { return nil }
    var offset = standard + 3600
    if !reader.isNext(",") {
      guard let west = reader.clock(limit: 24) else { return nil }
      offset = -west
    }
    guard reader.take(","), let begins = reader.change(), reader.take(","), let ends = reader.change(), reader.isAtEnd
    else {
      return nil
    }
    summer = (offset, begins, ends)
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    var isAtEnd: Bool { rest.isEmpty }
    func isNext(_ character: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: character) }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      guard isNext(character) else { return false }
      rest.removeFirst()
      return true
    }

    /// Skips `EET` or `<+03>`.
    mutating func name() -> Bool {
      if take("<") {
        guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
        rest = rest[(end + 1)...]
        return true
      }
      let letters = rest.prefix { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
      rest = rest[letters.endIndex...]
      return letters.count >= 3
    }

    mutating func number(upTo limit: Int) -> Int? {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard (1...3).contains(digits.count) else { return nil }
      rest = rest[digits.endIndex...]
      let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
      return value <= limit ? value : nil
    }

    /// `[+-]h[h[h]][:mm[:ss]]`, in seconds.
    mutating func clock(limit: Int) -> Int? {
      let sign = take("-") ? -1 : 1
      if sign == 1 { _ = take("+") }
      guard let hours = number(upTo: limit) else { return nil }
      var seconds = hours * 3600
      for unit in [60, 1] where take(":") {
        guard let value = number(upTo: 59) else { return nil }
        seconds += value * unit
      }
      return sign * seconds
    }

    mutating func change() -> Change? {
      guard let day = day() else { return nil }
      guard take("/") else { return Change(day: day, time: 2 * 3600) }
      guard let time = clock(limit: 167) else { return nil }
      return Change(day: day, time: time)
    }

    mutating func day() -> Change.Day? {
      if take("M") {
        guard let month = number(upTo: 12), month > 0, take("."), let week = number(upTo: 5), week > 0, take("."),
          let weekday = number(upTo: 6)
        else { return nil }
        return .monthly(month: month, week: week, weekday: weekday)
      }
      if take("J") {
        guard let number = number(upTo: 365), number > 0 else { return nil }
        return .julian(number)
      }
      return number(upTo: 365).map { .ordinal($0) }
    }
  }
}
