import Domain

/// One price: a row of a rate card.
public struct Rate: Hashable, Sendable {
  /// Nil until the row is stored.
  public let id: RateRow.ID?
  public let effectiveFrom: CivilDate
  public let market: Market
  public let category: Category
  public let currency: Currency
  public let amount: Amount
  /// Where the figure was read.
  public let source: String

  public static func == (a: Rate, b: Rate) -> Bool {
    a.id == b.id && a.amount == b.amount && a.market == b.market && a.category == b.category
      && a.effectiveFrom == b.effectiveFrom && a.currency == b.currency
  }

  // Every message of a fold is hashed by its rate: the fields that tell rates apart are enough, the source is not one.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(market)
    hasher.combine(category)
    hasher.combine(amount)
  }

  public init(
    id: RateRow.ID? = nil, effectiveFrom: CivilDate, market: Market, category: Category, currency: Currency,
    amount: Amount,
    source: String
  ) {
    precondition(amount >= .zero, "a rate is not negative")
    (self.id, self.effectiveFrom, self.market, self.category) = (id, effectiveFrom, market, category)
    (self.currency, self.amount, self.source) = (currency, amount, source)
  }
}

/// The prices of one currency that begin on one day, at midnight in the account's zone.
///
/// A complete card stands alone: what it does not list has no price. One that is not complete only overrides, so that
/// what it does not list is looked up in the card before it.
public struct RateCard: Sendable {
  public let currency: Currency
  public let effectiveFrom: CivilDate
  public let isComplete: Bool
  public let source: String
  public let rates: [Rate]
  private let places: [Int32]

  /// Every rate must be of the card's currency and day, and a market and category listed once. `source` says where the
  /// card as a whole came from.
  public init(currency: Currency, effectiveFrom: CivilDate, isComplete: Bool, source: String, rates: [Rate]) {
    (self.currency, self.effectiveFrom, self.isComplete) = (currency, effectiveFrom, isComplete)
    (self.source, self.rates) = (source, rates)
    var places = Array(repeating: Int32(-1), count: RateCard.size)
    for (index, rate) in rates.enumerated() {
      precondition(rate.currency == currency && rate.effectiveFrom == effectiveFrom, "a rate of another card")
      let place = RateCard.place(rate.market, rate.category)
      precondition(places[place] < 0, "two rates for \(rate.market.word), \(rate.category.word) from \(effectiveFrom)")
      places[place] = Int32(index)
    }
    self.places = places
  }

  public func rate(_ market: Market, _ category: Category) -> Rate? {
    let index = places[RateCard.place(market, category)]
    return index < 0 ? nil : rates[Int(index)]
  }

  private static let categories = Int((Category.allCases.map(\.rawValue).max() ?? 0) + 1)
  private static let size = Int((Market.allCases.map(\.rawValue).max() ?? 0) + 1) * categories
  private static func place(_ market: Market, _ category: Category) -> Int {
    Int(market.rawValue) * categories + Int(category.rawValue)
  }
}
