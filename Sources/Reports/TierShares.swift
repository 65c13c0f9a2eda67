import Domain
import Money
import Store

/// What volume tiers take off Meta's price, day by day, from counts: Meta's own of the account, and the ledger's of the
/// portfolio's other accounts and of the days before.
///
/// Which of a day's messages crossed a threshold nobody can say, so the keys of that day draw from one sum. Where another
/// account of the portfolio sent on the same day, ours are counted as the last of it.
struct TierShares {
  private struct Place: Hashable {
    let market: Market
    let category: Category
    let month: BillingMonth
  }

  private let rules: VolumeRules
  private let from: CivilDate
  /// Not of the account, or before the period; by day.
  private var others: [Place: [CivilDate: Int64]] = [:]
  private var own: [Place: [CivilDate: Int64]] = [:]
  private var taken: [Place: [CivilDate: Amount]] = [:]

  init(_ rules: VolumeRules, _ counts: [VolumeRules.Count], from: CivilDate) {
    (self.rules, self.from) = (rules, from)
    for entry in counts where entry.isElsewhere || entry.day < from {
      others[Place(market: entry.market, category: entry.category, month: BillingMonth(of: entry.day)), default: [:]][
        entry.day, default: 0] += entry.count
    }
  }

  private static func place(_ key: Reconciliations.Key, _ market: Market) -> Place? {
    guard key.type == .regular, let category = key.category, category == .utility || category == .authentication else {
      return nil
    }
    return Place(market: market, category: category, month: BillingMonth(of: key.day))
  }

  mutating func add(_ key: Reconciliations.Key, _ market: Market, _ volume: Int64) {
    guard let place = TierShares.place(key, market) else { return }
    own[place, default: [:]][key.day, default: 0] += volume
  }

  /// What is left of the day's discount; nil when no tier is known for these messages.
  func most(_ key: Reconciliations.Key, _ market: Market) -> Amount? {
    guard let place = TierShares.place(key, market), let rule = rules.rule(market, place.category, in: place.month) else {
      return nil
    }
    let counts = own[place] ?? [:]
    let earlier = counts.reduce(0) { $0 + ($1.key < key.day ? $1.value : 0) }
    let elsewhere = (others[place] ?? [:]).reduce(0) { $0 + ($1.key <= key.day ? $1.value : 0) }
    let all = rule.adjustment(for: Int(counts[key.day] ?? 0), after: Int(earlier + elsewhere))
    return min(.zero, all - (taken[place]?[key.day] ?? .zero))
  }

  mutating func take(_ amount: Amount, _ key: Reconciliations.Key, _ market: Market) {
    guard let place = TierShares.place(key, market) else { return }
    taken[place, default: [:]][key.day, default: .zero] += amount
  }
}
