import Domain

/// Meta's volume discount of one (portfolio, market, category): marginal, by the messages charged in a calendar month.
///
/// Messages are charged at list rate and the discount is one adjustment per month, computed from the counts, so that
/// the order in which receipts are folded never changes a price.
public struct VolumeTiers: Hashable, Sendable {
  /// Messages above `above` cost `rate`.
  public struct Tier: Hashable, Sendable {
    public let above: Int
    public let rate: Amount
    public init(above: Int, rate: Amount) { (self.above, self.rate) = (above, rate) }
  }

  public let list: Amount
  public let tiers: [Tier]

  /// Tiers in any order; thresholds must differ and be positive.
  public init(list: Amount, tiers: [Tier]) {
    self.list = list
    self.tiers = tiers.sorted { $0.above < $1.above }
    for (index, tier) in self.tiers.enumerated() {
      precondition(tier.above > (index == 0 ? 0 : self.tiers[index - 1].above), "two tiers begin at \(tier.above)")
    }
  }

  /// What to add to the list charges of `count` messages; not positive when tiers are discounts.
  public func adjustment(for count: Int) -> Amount {
    var sum = Amount.zero
    for (index, tier) in tiers.enumerated() where count > tier.above {
      let end = index + 1 < tiers.count ? min(count, tiers[index + 1].above) : count
      sum += (tier.rate - list) * (end - tier.above)
    }
    return sum
  }

  /// What is added to the list charges of `count` messages that come after `before` others of the month.
  public func adjustment(for count: Int, after before: Int) -> Amount {
    adjustment(for: before + count) - adjustment(for: before)
  }
}
