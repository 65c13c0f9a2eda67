import Domain

/// All rate cards, by currency and day.
public struct RateBook: Sendable {
  /// How far a currency's prices can be trusted on a day.
  public enum Standing: Hashable, Sendable {
    /// A complete card begins in this quarter.
    case confirmed(from: CivilDate)
    /// `card_stale`: the newest complete card is of an earlier quarter, and Meta may have changed prices since. It
    /// still applies, but forecast, launch and statement say so.
    case stale(from: CivilDate, quarter: CivilDate)
    /// No complete card: what is not listed in a partial one is unpriced.
    case missing

    public var word: String {
      switch self {
      case .confirmed: "confirmed"
      case .stale: "card_stale"
      case .missing: "card_missing"
      }
    }
  }

  /// Each currency's cards, newest first.
  private var cards: [Currency: [RateCard]]

  /// A later card of the same currency and day replaces an earlier one.
  public init(_ cards: [RateCard] = []) {
    self.cards = [:]
    for card in cards { insert(card) }
  }

  public mutating func insert(_ card: RateCard) {
    var list = cards[card.currency, default: []]
    list.removeAll { $0.effectiveFrom == card.effectiveFrom }
    list.insert(card, at: list.firstIndex { $0.effectiveFrom < card.effectiveFrom } ?? list.count)
    cards[card.currency] = list
  }

  public var currencies: [Currency] { cards.keys.sorted { $0.code < $1.code } }

  /// Newest first.
  public func cards(of currency: Currency) -> [RateCard] { cards[currency] ?? [] }

  /// The price that applies to a delivery on `day` in the account's zone; nil is "no price known", never "free".
  ///
  /// `marketing_lite` costs what marketing costs; service costs, since it is charged at all, what utility costs unless
  /// the card says otherwise. No other category stands in for another.
  public func rate(_ market: Market, _ category: Category, in currency: Currency, on day: CivilDate) -> Rate? {
    let priced: Category = category == .marketingLite ? .marketing : category
    let instead: Category? = category == .service && day >= RateBook.serviceChargedFrom ? .utility : nil
    for card in cards[currency] ?? [] where card.effectiveFrom <= day {
      if let rate = card.rate(market, priced) ?? instead.flatMap({ card.rate(market, $0) }) { return rate }
      if card.isComplete { return nil }
    }
    return nil
  }

  /// The dearest price that can apply to a message handed over on `first` and delivered by `last`, as known now: what a
  /// claim reserves. Nil when the price of `first` itself is not known.
  ///
  /// Prices and markets change on the same few days; each of them within the period is asked.
  public func dearest(
    _ phone: PhoneNumber, _ category: Category, in currency: Currency, from first: CivilDate, through last: CivilDate,
    markets: MarketMap = .shipped
  ) -> Rate? {
    guard var dearest = rate(markets.market(of: phone, on: first), category, in: currency, on: first) else {
      return nil
    }
    var days = markets.changes(after: first, through: last)
    for card in cards[currency] ?? [] where card.effectiveFrom > first && card.effectiveFrom <= last {
      days.append(card.effectiveFrom)
    }
    for day in days {
      guard let rate = rate(markets.market(of: phone, on: day), category, in: currency, on: day) else { continue }
      if rate.amount > dearest.amount { dearest = rate }
    }
    return dearest
  }

  /// Service beyond the free 1,000 of a number and month costs the market's utility rate (Meta's pricing page of October
  /// 2026). Which message is beyond them Meta says in `pricing.type`.
  public static let serviceChargedFrom = CivilDate(daysSince1970: 20_727)

  /// Meta changes prices only on the first day of a quarter.
  public func standing(of currency: Currency, on day: CivilDate) -> Standing {
    guard let card = cards[currency]?.first(where: { $0.isComplete && $0.effectiveFrom <= day }) else {
      return .missing
    }
    let quarter = RateBook.quarter(of: day)
    return card.effectiveFrom >= quarter
      ? .confirmed(from: card.effectiveFrom) : .stale(from: card.effectiveFrom, quarter: quarter)
  }

  /// The first day of the day's quarter.
  public static func quarter(of day: CivilDate) -> CivilDate {
    CivilDate(year: day.year, month: (day.month - 1) / 3 * 3 + 1, day: 1) ?? day
  }
}
