import Domain

/// Finds messages that Meta counts on the day of their delivery and we on a later one, because the receipt of delivery was
/// lost and the one of reading came. Over one number, country, category and type.
public enum DayShift {
  public struct Day: Sendable {
    public let day: CivilDate
    /// Meta's messages less ours.
    public let more: Int64
    /// Of ours, those that no receipt of delivery came for.
    public let byRead: Int64

    public init(day: CivilDate, more: Int64, byRead: Int64) { (self.day, self.more, self.byRead) = (day, more, byRead) }
  }

  /// By day: how many Meta counts there and we later, negative where we count them. The sum is 0.
  public static func between(_ days: [Day]) -> [CivilDate: Int64] {
    var open: [(day: CivilDate, count: Int64)] = []
    var moved: [CivilDate: Int64] = [:]
    for entry in days.sorted(by: { $0.day < $1.day }) {
      if entry.more > 0 { open.append((entry.day, entry.more)) }
      var rest = min(-entry.more, entry.byRead)
      while rest > 0, !open.isEmpty {
        let taken = min(rest, open[0].count)
        moved[open[0].day, default: 0] += taken
        moved[entry.day, default: 0] -= taken
        rest -= taken
        open[0].count -= taken
        if open[0].count == 0 { open.removeFirst() }
      }
    }
    return moved
  }
}
