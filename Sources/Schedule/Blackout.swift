import Domain

/// Hours in which nobody may be written to: one line of a calendar, by the clocks of whoever it concerns.
///
/// Like a window it may pass midnight and belongs to the day it starts. Where clocks change it is never too short: a start
/// that the clocks show twice counts the first time, an end the last.
public struct Blackout: Hashable, Sendable {
  public enum Days: Hashable, Sendable {
    case dates(CivilDate, through: CivilDate)
    /// Every week: Friday prayer.
    case weekly(Weekdays)

    func contains(_ day: CivilDate) -> Bool {
      switch self {
      case .dates(let first, let last): first <= day && day <= last
      case .weekly(let days): days.contains(isoNumber: day.weekday)
      }
    }
  }

  public let days: Days
  /// ISO 3166; nil concerns everybody.
  public let country: String?
  /// Minutes of the day, 0 to 1,439.
  public let start: Int
  /// 1 to 1,440. Not after `start` when it passes midnight.
  public let end: Int
  /// What people are told: `friday_prayer`, `public_holiday`, `ramadan_hours`.
  public let kind: String

  /// Nil when start and end are the same time, or a time is none. An end of 0 is midnight.
  public init?(days: Days, country: String?, start: Int, end: Int, kind: String) {
    let end = end == 0 ? 1440 : end
    guard (0..<1440).contains(start), (1...1440).contains(end), start != end else { return nil }
    (self.days, self.country, self.start, self.end, self.kind) = (days, country, start, end, kind)
  }

  func concerns(_ country: String?) -> Bool { self.country == nil || self.country == country }

  /// When the blackout of a day begins and ends; nil when that day has none.
  func hours(startingOn day: CivilDate, in zone: Zone) -> (from: Instant, to: Instant)? {
    guard days.contains(day) else { return nil }
    let from = zone.first(of: day, secondsOfDay: start * 60)
    let to = zone.last(of: day, secondsOfDay: (end <= start ? end + 1440 : end) * 60)
    return from < to ? (from, to) : nil
  }
}

/// The blackouts of one file, by the name under which the user loaded it.
public struct BlackoutCalendar: Hashable, Sendable {
  public let name: String
  public let blackouts: [Blackout]

  public init(name: String, blackouts: [Blackout]) { (self.name, self.blackouts) = (name, blackouts) }
}
