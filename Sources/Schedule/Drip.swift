import Domain

/// A campaign that goes out over days: so many people become due each day, at the start's time of day by one zone's
/// clocks. Whoever a day did not reach goes first on the next.
public struct Drip: Hashable, Sendable {
  public let perDay: Int

  public init(perDay: Int) {
    precondition(perDay > 0, "a day has people")
    self.perDay = perDay
  }

  /// When the people of a day, from 0, become due.
  public static func opens(day: Int, start: Instant, in zone: Zone) -> Instant {
    let local = zone.local(start)
    if day == 0 { return start }
    return zone.first(of: CivilDate(daysSince1970: local.date.daysSince1970 + day), secondsOfDay: local.secondsOfDay)
  }

  /// The day of a place in the frozen order, from 1.
  public func day(of place: Int) -> Int { (place - 1) / perDay }
}
