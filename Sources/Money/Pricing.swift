import Domain

/// What one message costs, by its receipts.
public enum Charge: Hashable, Sendable {
  /// Delivered, read or played: the list rate of its day.
  case charged(Rate)
  /// Meta says so.
  case free(PricingType)
  /// Delivered, but the price is not known: never zero, never converted.
  case unpriced(Unpriced)

  /// Why a price is not known, and thereby who can help.
  public enum Unpriced: Int16, Word {
    /// The currency has no card on that day: finance loads one.
    case noCard = 1
    /// There is a card, and it does not list this market and category.
    case noRate = 2
    /// No receipt of the message carried its category.
    case noCategory = 3

    public var word: String {
      switch self {
      case .noCard: "no_card"
      case .noRate: "no_rate"
      case .noCategory: "no_category"
      }
    }
  }

  public var rate: Rate? { if case .charged(let rate) = self { rate } else { nil } }

  /// Nothing when free; nil when unpriced.
  public var amount: Amount? {
    switch self {
    case .charged(let rate): rate.amount
    case .free: .zero
    case .unpriced: nil
    }
  }
}

/// A price and what it hangs on.
public struct Priced: Hashable, Sendable {
  public let charge: Charge
  public let market: Market
  /// The day in the account's zone that chose the card, however late the receipt came.
  public let day: CivilDate

  public init(charge: Charge, market: Market, day: CivilDate) {
    (self.charge, self.market, self.day) = (charge, market, day)
  }
}

/// Decides which rate applies to a delivered message.
public struct Pricing: Sendable {
  public var book: RateBook
  public var markets: MarketMap

  public init(book: RateBook, markets: MarketMap = .shipped) { (self.book, self.markets) = (book, markets) }

  /// The charge of a message that reached the phone at `delivered` (or was read then, when that came first), by the
  /// category and type of its receipts. `offset` gives the account's zone: seconds to add to UTC at an instant.
  ///
  /// A missing type counts as regular: what Meta does not call free is not.
  public func price(
    category: Category?, type: PricingType?, delivered: Instant, phone: PhoneNumber, currency: Currency,
    offset: (Instant) -> Int
  ) -> Priced {
    price(
      category: category, type: type, day: Pricing.day(of: delivered, offset: offset(delivered)), phone: phone,
      currency: currency)
  }

  /// The same for a day that is known already.
  public func price(
    category: Category?, type: PricingType?, day: CivilDate, phone: PhoneNumber, currency: Currency
  ) -> Priced {
    let market = markets.market(of: phone, on: day)
    return Priced(
      charge: charge(category: category, type: type, market: market, currency: currency, day: day), market: market,
      day: day)
  }

  private func charge(
    category: Category?, type: PricingType?, market: Market, currency: Currency, day: CivilDate
  ) -> Charge {
    switch type {
    case .freeCustomerService, .freeEntryPoint, .freeGroupCustomerService: return .free(type ?? .regular)
    case .regular, nil: break
    }
    guard let category else { return .unpriced(.noCategory) }
    if let rate = book.rate(market, category, in: currency, on: day) { return .charged(rate) }
    return .unpriced(book.cards(of: currency).contains { $0.effectiveFrom <= day } ? .noRate : .noCard)
  }

  /// The day of an instant at an offset from UTC in seconds.
  public static func day(of instant: Instant, offset: Int) -> CivilDate {
    let local = instant.seconds + Int64(offset)
    let days = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    return CivilDate(daysSince1970: Int(days))
  }
}
