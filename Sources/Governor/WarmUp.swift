/// A number that is new begins with few people a day and grows: `start` on its first day, `growth` times as many on each
/// day after it, until `until` are reached; from then on it has no limit of its own.
public struct WarmUp: Hashable, Sendable {
  public let start: Int
  /// In hundredths: 150 is one and a half times.
  public let growth: Int
  public let until: Int

  public static let mostPeople = 1_000_000

  /// Nil for a ramp that does not rise to its end.
  public init?(start: Int, growth: Int, until: Int) {
    guard (1...WarmUp.mostPeople).contains(start), (101...1000).contains(growth), (start...WarmUp.mostPeople).contains(until)
    else { return nil }
    (self.start, self.growth, self.until) = (start, growth, until)
  }

  /// People on a day, 0 being the first; nil when it is over. At least one more each day.
  public func people(onDay day: Int) -> Int? {
    var people = start
    for _ in 0..<max(0, day) {
      people = max(people + 1, people * growth / 100)
      if people >= until { return nil }
    }
    return people < until ? people : nil
  }

  /// The first day without a limit.
  public var lastsDays: Int {
    var (people, days) = (start, 0)
    while people < until {
      people = max(people + 1, people * growth / 100)
      days += 1
    }
    return days
  }
}
