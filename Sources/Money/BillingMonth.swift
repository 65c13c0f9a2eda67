import Domain

/// A calendar month of the account's zone, for statements. It is provisional from the first day of the next month and
/// closes on the eighth.
public struct BillingMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
  public enum State: Hashable, Sendable {
    case running
    /// Over, but charges still come in.
    case provisional
    /// Nothing is booked into it any more.
    case closed
  }

  public static let closingDay = 8

  public let year: Int
  public let month: Int

  /// Nil unless the month is 1 to 12.
  public init?(year: Int, month: Int) {
    guard (1...9998).contains(year), (1...12).contains(month) else { return nil }
    (self.year, self.month) = (year, month)
  }

  public init(of day: CivilDate) { (year, month) = (day.year, day.month) }

  /// Reads `YYYY-MM`.
  public init?(_ text: some StringProtocol) {
    guard let day = CivilDate(String(text) + "-01") else { return nil }
    self.init(of: day)
  }

  public var next: BillingMonth {
    BillingMonth(of: CivilDate(daysSince1970: firstDay.daysSince1970 + 31))
  }

  public var firstDay: CivilDate {
    guard let day = CivilDate(year: year, month: month, day: 1) else { preconditionFailure("no month \(self)") }
    return day
  }

  public func contains(_ day: CivilDate) -> Bool { day.year == year && day.month == month }

  public func state(on day: CivilDate) -> State {
    let after = next.firstDay
    if day < after { return .running }
    return day.daysSince1970 < after.daysSince1970 + BillingMonth.closingDay - 1 ? .provisional : .closed
  }

  /// The month that bears a charge delivered on `delivered` and booked on `booked`: its own while that is open, else
  /// the earliest month still open, as an adjustment with its own delivered day and its old card.
  ///
  /// `closed` is the last month whose statement is on record: whatever a clock says, nothing goes into that any more.
  public static func bearing(
    delivered: CivilDate, booked: CivilDate, closed: BillingMonth? = nil
  ) -> (month: BillingMonth, isAdjustment: Bool) {
    var month = BillingMonth(of: delivered)
    if let closed, month <= closed { month = closed.next }
    while month.state(on: booked) == .closed { month = month.next }
    return (month, month != BillingMonth(of: delivered))
  }

  public static func < (a: BillingMonth, b: BillingMonth) -> Bool { (a.year, a.month) < (b.year, b.month) }
  public var description: String { String(firstDay.description.dropLast(3)) }
}
