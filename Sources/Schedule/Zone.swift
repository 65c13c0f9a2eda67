import Domain

/// A date and time of day as a wall clock shows them, and the offset it runs at.
public struct LocalTime: Hashable, Sendable {
  public let date: CivilDate
  /// 0 to 86,399.
  public let secondsOfDay: Int
  /// Seconds to add to UTC.
  public let offset: Int

  public init(date: CivilDate, secondsOfDay: Int, offset: Int) {
    (self.date, self.secondsOfDay, self.offset) = (date, secondsOfDay, offset)
  }
}

/// The rules of one time zone, as the system's files had them when it was read.
///
/// A look-up is a binary search; nothing is allocated. Two zones are equal when their names are.
public struct Zone: Hashable, Sendable {
  public let name: String
  private let file: TZif

  /// Reads the zone's file: the one initialiser with an effect.
  public init(named name: String, directory: String = "/usr/share/zoneinfo") throws(ZoneError) {
    let bytes = try ZoneFile.bytes(of: name, in: directory)
    try self.init(named: name, bytes: bytes)
  }

  /// From the bytes of a zone file.
  public init(named name: String, bytes: [UInt8]) throws(ZoneError) {
    self.name = name
    do { file = try TZif(bytes) } catch { throw .malformed(name, reason: error.reason) }
  }

  public static func == (a: Zone, b: Zone) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Seconds to add to UTC at an instant.
  public func offset(at instant: Instant) -> Int { offset(at: instant.seconds) }

  private func offset(at seconds: Int64) -> Int {
    guard let last = file.transitions.last else { return file.rule?.offset(at: seconds) ?? Int(file.initial) }
    if seconds >= last, let rule = file.rule { return rule.offset(at: seconds) }
    // The number of transitions not after the instant.
    var (low, high) = (0, file.transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if file.transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
    }
    return Int(low == 0 ? file.initial : file.offsets[low - 1])
  }

  public func local(_ instant: Instant) -> LocalTime {
    let offset = offset(at: instant)
    let local = instant.seconds + Int64(offset)
    let days = Zone.floorDivide(local, 86_400)
    return LocalTime(
      date: CivilDate(daysSince1970: Int(days)), secondsOfDay: Int(local - days * 86_400), offset: offset)
  }

  public func day(of instant: Instant) -> CivilDate { local(instant).date }

  /// The instants at which the zone's clocks show a time: none when they skip it, two when they show it twice, in
  /// order.
  ///
  /// `secondsOfDay` may be 86,400 or more for times of the days after.
  public func instants(of date: CivilDate, secondsOfDay: Int) -> [Instant] {
    let local = Int64(date.daysSince1970) * 86_400 + Int64(secondsOfDay)
    var found: [Int64] = []
    for offset in offsets(around: local) {
      let candidate = local - Int64(offset)
      if self.offset(at: candidate) == offset, !found.contains(candidate) { found.append(candidate) }
    }
    return found.sorted().map { Instant(seconds: $0) }
  }

  /// The first instant at which the zone's clocks show a time or, when they skip it, the instant at which they skip.
  public func first(of date: CivilDate, secondsOfDay: Int) -> Instant {
    instants(of: date, secondsOfDay: secondsOfDay).first ?? skip(date, secondsOfDay)
  }

  /// The last such instant.
  public func last(of date: CivilDate, secondsOfDay: Int) -> Instant {
    instants(of: date, secondsOfDay: secondsOfDay).last ?? skip(date, secondsOfDay)
  }

  /// The instant of the forward change that skips a local time.
  private func skip(_ date: CivilDate, _ secondsOfDay: Int) -> Instant {
    let local = Int64(date.daysSince1970) * 86_400 + Int64(secondsOfDay)
    // Before the change the clock shows less than `local`, from it on more: half the distance until they meet.
    var (before, after) = (local - Zone.reach, local + Zone.reach)
    while after - before > 1 {
      let middle = before + (after - before) / 2
      if middle + Int64(offset(at: middle)) < local { before = middle } else { after = middle }
    }
    return Instant(seconds: after)
  }

  /// No offset is larger: RFC 9636 allows 25:59:59.
  private static let reach: Int64 = 26 * 3600

  /// The offsets in use near a local time, the usual one first.
  private func offsets(around local: Int64) -> [Int] {
    var offsets: [Int] = []
    // Clocks have never changed twice within six hours.
    var instant = local - Zone.reach
    while instant <= local + Zone.reach {
      let offset = offset(at: instant)
      if !offsets.contains(offset) { offsets.append(offset) }
      instant += 6 * 3600
    }
    return offsets
  }

  private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a >= 0 ? a / b : (a - b + 1) / b }
}
