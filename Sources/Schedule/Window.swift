import Domain

/// The hours of the day in which messages may leave, by the clocks of a zone. A window may pass midnight and belongs to
/// the day it starts: 20:30 to 00:30 on Thursdays ends on Friday.
///
/// Where clocks change it never opens early and never closes late: a start that the clocks show twice counts the second
/// time, an end that they show twice the first time, and either, when they skip it, at the moment they skip. So whoever
/// looks at a clock when a message comes sees a time within the window.
public struct Window: Hashable, Sendable {
  /// What a window says at an instant.
  public enum State: Hashable, Sendable {
    /// Messages may leave until then. A window that never closes says so for about a week.
    case open(until: Instant)
    /// No message may leave before then.
    case closed(until: Instant)
  }

  /// Minutes of the day, 0 to 1,439.
  public let start: Int
  /// 1 to 1,440. Not after `start` when the window passes midnight.
  public let end: Int
  /// The days on which it starts.
  public let days: Weekdays

  /// 09:00 to 21:00 on all days.
  public static let usual = Window(startMinute: 540, endMinute: 1260, days: .all)
  public static let always = Window(startMinute: 0, endMinute: 1440, days: .all)

  private init(startMinute: Int, endMinute: Int, days: Weekdays) {
    (start, end, self.days) = (startMinute, endMinute, days)
  }

  /// An end of 0 is midnight, as 1,440 is. Nil when start and end are the same time, when a time is none, or without
  /// days.
  public init?(start: Int, end: Int, days: Weekdays = .all) {
    let end = end == 0 ? 1440 : end
    guard (0..<1440).contains(start), (1...1440).contains(end), start != end, !days.isEmpty else { return nil }
    self.init(startMinute: start, endMinute: end, days: days)
  }

  /// Reads `20:30`, `00:30`, and `24:00` as an end.
  public init?(start: some StringProtocol, end: some StringProtocol, days: Weekdays = .all) {
    guard let start = Window.minutes(start), let end = Window.minutes(end) else { return nil }
    self.init(start: start, end: end, days: days)
  }

  static func minutes(_ text: some StringProtocol) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
    var digits: [Int] = []
    for index in [0, 1, 3, 4] {
      guard (0x30...0x39).contains(bytes[index]) else { return nil }
      digits.append(Int(bytes[index] - 0x30))
    }
    let (hour, minute) = (digits[0] * 10 + digits[1], digits[2] * 10 + digits[3])
    guard hour < 24 && minute < 60 || hour == 24 && minute == 0 else { return nil }
    return hour * 60 + minute
  }

  public var passesMidnight: Bool { end <= start }

  /// `20:30`.
  public static func text(minutes: Int) -> String {
    let (hour, minute) = (minutes / 60, minutes % 60)
    return (hour < 10 ? "0" : "") + "\(hour):" + (minute < 10 ? "0" : "") + "\(minute)"
  }

  /// The state by the clocks of one zone. Costs a few look-ups in the zone.
  public func state(at instant: Instant, in zone: Zone) -> State {
    let today = zone.day(of: instant).daysSince1970
    for day in today - 1...today + Window.daysAhead {
      guard let hours = hours(startingOn: CivilDate(daysSince1970: day), in: zone), hours.close > instant else {
        continue
      }
      if hours.open > instant { return .closed(until: hours.open) }
      return .open(until: extended(hours.close, after: day, in: zone))
    }
    // Only a window whose days are all swallowed by clock changes comes here; asking again later is always right.
    return .closed(until: zone.first(of: CivilDate(daysSince1970: today + Window.daysAhead), secondsOfDay: 0))
  }

  /// The state for people of whom only the country is known, and the country has several zones: open when it is open in
  /// all of them.
  public func state(at instant: Instant, in zones: [Zone]) -> State {
    precondition(!zones.isEmpty, "a window opens by the clocks of some zone")
    if zones.count == 1 { return state(at: instant, in: zones[0]) }
    let last = instant + .seconds(86_400 * Window.daysAhead)
    var candidate = instant
    while true {
      var (closes, opens) = (Instant(nanoseconds: .max), candidate)
      for zone in zones {
        switch state(at: candidate, in: zone) {
        case .open(let until): closes = min(closes, until)
        case .closed(let until): opens = max(opens, until)
        }
      }
      if opens == candidate { return candidate == instant ? .open(until: closes) : .closed(until: candidate) }
      candidate = opens
      if candidate > last { return .closed(until: candidate) }
    }
  }

  /// Whether the window opens in all the zones at once within the next two weeks. A short window over a wide country
  /// never does, and a campaign with it would wait for ever.
  public func opens(in zones: [Zone], after instant: Instant) -> Bool {
    guard case .closed(let until) = state(at: instant, in: zones) else { return true }
    if case .open = state(at: until, in: zones) { return true }
    return false
  }

  static let daysAhead = 15

  /// When a window that starts on a day opens and closes; nil when it does not.
  func hours(startingOn day: CivilDate, in zone: Zone) -> (open: Instant, close: Instant)? {
    guard days.contains(isoNumber: day.weekday) else { return nil }
    // A window of whole days has no start of its own inside a repeated midnight.
    let isWholeDay = start == 0 && end == 1440
    let open = isWholeDay ? zone.first(of: day, secondsOfDay: 0) : zone.last(of: day, secondsOfDay: start * 60)
    let close = zone.first(of: day, secondsOfDay: (passesMidnight ? end + 1440 : end) * 60)
    return open < close ? (open, close) : nil
  }

  /// Follows windows that touch, for at most a week.
  private func extended(_ close: Instant, after day: Int, in zone: Zone) -> Instant {
    var close = close
    for next in day + 1...day + 7 {
      guard let hours = hours(startingOn: CivilDate(daysSince1970: next), in: zone), hours.open <= close else { break }
      close = max(close, hours.close)
    }
    return close
  }
}
