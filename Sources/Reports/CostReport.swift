import Domain
import JSON
import Money
import Postgres
import Store

/// What was spent and what came of it: one line per group and currency, on request beside the period before.
public enum CostReport {
  public static func lines(_ asked: CostLines.Asked, comparing: Bool, on pool: Pool) async throws -> [JSONValue] {
    let lines = try await CostLines.read(asked, on: pool)
    var before: [[String]: CostLines.Sums] = [:]
    if comparing, let from = asked.from, let to = asked.to {
      var earlier = asked
      (earlier.from, earlier.to) = period(before: from, to)
      for line in try await CostLines.read(earlier, on: pool) { before[line.keys + [line.currency]] = line.sums }
    }
    // Answers have no day of their own, so they stand beside whole campaigns only.
    let showsResponses = asked.groups == [.campaign] && asked.from == nil && asked.to == nil
    let responses =
      showsResponses ? try await Responses.sums(of: asked.business, campaign: asked.campaign, on: pool) : [:]
    return lines.map { line in
      var object = JSONObject()
      for (group, key) in zip(asked.groups, line.keys) { object.append(group.rawValue, .string(key)) }
      object.append("currency", .string(line.currency))
      append(line.sums, to: &object)
      if showsResponses, let id = line.keys.first.flatMap({ Int64($0) }) {
        let own = responses[Campaign.ID(id)] ?? Responses.Sums()
        for (name, count) in [("replied", own.replied), ("clicked", own.clicked), ("opted_out", own.optedOut)] {
          object.append(name, .number(String(count)))
        }
      }
      if comparing {
        var other = JSONObject()
        append(before[line.keys + [line.currency]] ?? CostLines.Sums(), to: &other)
        object.append("previous", .object(other))
      }
      return .object(object)
    }
  }

  /// Whole calendar months are compared with as many months before, any other period with as many days.
  static func period(before from: CivilDate, _ to: CivilDate) -> (CivilDate, CivilDate) {
    let last = CivilDate(daysSince1970: from.daysSince1970 - 1)
    let isWholeMonths = from.day == 1 && CivilDate(daysSince1970: to.daysSince1970 + 1).day == 1
    guard isWholeMonths else {
      return (CivilDate(daysSince1970: 2 * from.daysSince1970 - to.daysSince1970 - 1), last)
    }
    let months = (to.year - from.year) * 12 + to.month - from.month + 1
    let first = from.year * 12 + from.month - 1 - months
    return (CivilDate(year: first / 12, month: first % 12 + 1, day: 1) ?? last, last)
  }

  private static func append(_ sums: CostLines.Sums, to object: inout JSONObject) {
    object.append("amount", .string(sums.amount.text()))
    if sums.adjustments != .zero {
      object.append("charges", .string(sums.charges.text()))
      object.append("adjustments", .string(sums.adjustments.text()))
    }
    for (name, count) in [
      ("charged", sums.charged), ("free", sums.free), ("unpriced", sums.unpriced), ("delivered", sums.delivered),
      ("read", sums.read),
    ] { object.append(name, .number(String(count))) }
    object.append("per_delivered", per(sums.delivered, sums.amount))
    object.append("per_read", per(sums.read, sums.amount))
  }

  /// To six decimals, half up; null for nothing.
  private static func per(_ count: Int64, _ amount: Amount) -> JSONValue {
    guard count > 0 else { return .null }
    return .string(Ratio.part(of: amount, 1, outOf: Int128(count), decimals: 6).text())
  }
}
