import Domain
import JSON
import Money
import Store

/// How many of the people a campaign's budget covers, in the order in which they are written to: each is reserved at the
/// dearest price until the message expires, so what Meta charges in the end is at most that.
struct ForecastBudget: Sendable {
  let limit: Budget?
  /// Nil: no budget.
  let covers: Int?

  init(_ checked: CampaignCheck.Checked, _ written: [Freeze.Count], dearest: [Int: Amount]) {
    limit = checked.draft.spec.budget
    switch limit {
    case nil: covers = nil
    case .messages(let count)?: covers = count
    case .amount(let amount, _)?:
      var (left, people) = (amount, 0)
      // Of people with one place the cheaper and the dearer come mixed: by their mean.
      let places = Dictionary(grouping: written.indices, by: { written[$0].place })
      for place in places.keys.sorted() {
        let groups = places[place]!
        let count = groups.reduce(0) { $0 + written[$1].people }
        guard groups.allSatisfy({ dearest[$0] != nil }) else { break }
        let cost = groups.reduce(Amount.zero) { $0 + dearest[$1]! * written[$1].people }
        if cost <= left {
          (left, people) = (left - cost, people + count)
        } else {
          people += count == 0 ? 0 : Int(clamping: left.billionths * Int128(count) / cost.billionths)
          break
        }
      }
      covers = people
    }
  }

  /// `exhausted`: when the last message that it covers leaves; nil when it covers everybody.
  func json(exhausted: Instant?) -> JSONValue? {
    guard let limit, let covers else { return nil }
    var object = JSONObject()
    for field in limit.json.objectValue ?? [] { object.append(field.0, field.1) }
    object.append("covers", .count(covers))
    object.append("exhausted_at", .time(exhausted))
    return .object(object)
  }
}
