import Domain
import Money
import Postgres
import Schedule
import Store

/// Closes the months whose week of grace is over, each account in its own zone, the oldest first.
public enum MonthClosing {
  /// Answers how many were closed. Running it again, or on several nodes at once, closes nothing twice.
  @discardableResult
  public static func run(now: Instant, on pool: Pool) async throws -> Int {
    var count = 0
    for account in try await Statements.accounts(of: nil, on: pool) {
      let today = try Zone(named: account.zone).day(of: now)
      let known = try await Statements.months(of: account.id, on: pool)
      guard !known.isEmpty else { continue }
      var due = Set(known.filter { $0.number == nil && $0.month.state(on: today) == .closed }.map(\.month))
      // A month without a message may still bear a discount: a tier that was loaded late.
      if let newest = newestClosed(on: today), !known.contains(where: { $0.month >= newest && $0.number != nil }) {
        due.insert(newest)
      }
      for month in due.sorted() {
        if try await close(account, month, today, on: pool) { count += 1 }
      }
    }
    return count
  }

  private static func newestClosed(on today: CivilDate) -> BillingMonth? {
    var month = BillingMonth(of: today)
    for _ in 0..<3 where month.state(on: today) != .closed {
      month = BillingMonth(of: CivilDate(daysSince1970: month.firstDay.daysSince1970 - 1))
    }
    return month.state(on: today) == .closed ? month : nil
  }

  private static func close(
    _ account: Statements.Account, _ month: BillingMonth, _ today: CivilDate, on pool: Pool
  ) async throws -> Bool {
    var tries = 0
    while true {
      do { return try await Statements.close(account, month, booked: today, on: pool) } catch let error as DatabaseError {
        // A fold, or another node's closing, took the same place in the log; it has committed by now.
        guard case .rejected(.uniqueViolation, _) = error, tries < 50 else { throw error }
        tries += 1
      }
    }
  }
}
