import Domain

/// The sums of one currency's statement. Lines are exact; each total is rounded once, half up, to two decimals, and
/// both are printed.
///
/// Value added tax is computed on the rounded net, because that is the sum it is owed on; the printed totals then add
/// up.
public struct StatementTotals: Hashable, Sendable {
  public let currency: Currency
  /// The sum of the lines, to the last digit.
  public let exactNet: Amount
  public let net: Amount
  /// Nil when no rate was given.
  public let vat: Amount?
  public let gross: Amount
  /// Messages delivered whose price is not known: a statement with any of them says that it is not whole.
  public let unpriced: Int

  /// `vatPercent` is e.g. 14 or 15; nil leaves the line out.
  public init(currency: Currency, net exact: Amount, vatPercent: Amount? = nil, unpriced: Int = 0) {
    (self.currency, exactNet, self.unpriced) = (currency, exact, unpriced)
    let net = exact.rounded(to: 2)
    self.net = net
    vat = vatPercent.map { Ratio.part(of: net, $0.billionths, outOf: 100 * 1_000_000_000, decimals: 2) }
    gross = net + (vat ?? .zero)
  }

  /// Sums postings of one currency; those of others are left out.
  public init(currency: Currency, postings: some Sequence<Posting>, vatPercent: Amount? = nil) {
    var (net, unpriced) = (Amount.zero, 0)
    for posting in postings where posting.kind.currency == currency {
      net += posting.amount
      if case .unpriced = posting.kind.charge { unpriced += posting.count }
    }
    self.init(currency: currency, net: net, vatPercent: vatPercent, unpriced: unpriced)
  }
}

/// Products of an amount and a fraction: the only place besides `Amount.rounded` where money rounds.
public enum Ratio {
  /// `amount` x `numerator` / `denominator`, rounded once, half away from zero.
  public static func part(of amount: Amount, _ numerator: Int128, outOf denominator: Int128, decimals: Int) -> Amount {
    precondition(
      denominator > 0 && (0...Amount.decimals).contains(decimals), "a fraction of something, to 0 to 9 decimals")
    var unit: Int128 = 1
    for _ in decimals..<Amount.decimals { unit *= 10 }
    let product = amount.billionths * numerator
    let magnitude = product < 0 ? -product : product
    let divisor = denominator * unit
    let rounded = (magnitude + divisor / 2) / divisor * unit
    return Amount(billionths: product < 0 ? -rounded : rounded)
  }
}
