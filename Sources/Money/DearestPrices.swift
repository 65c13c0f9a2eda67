import Domain

/// What a claim reserves for each message: the dearest price that can apply until Meta drops it, by the cards as known.
public struct DearestPrices: Sendable {
  /// Meta delivers a message for so long, at the price of the day of delivery.
  public static let deliveryDays = 30

  public let day: CivilDate
  public let category: Category
  private let pricing: Pricing
  private let currency: Currency
  private let last: CivilDate
  /// Markets change on few days: where none does before the last delivery, the market alone decides.
  private let isByMarket: Bool
  private var known: [Market: Amount?] = [:]

  public init(_ pricing: Pricing, category: Category, currency: Currency, day: CivilDate) {
    (self.pricing, self.category, self.currency, self.day) = (pricing, category, currency, day)
    last = CivilDate(daysSince1970: day.daysSince1970 + DearestPrices.deliveryDays)
    isByMarket = pricing.markets.changes(after: day, through: last).isEmpty
  }

  /// Nil when no price is known: that is never zero.
  public mutating func price(of phone: PhoneNumber) -> Amount? {
    guard isByMarket else { return dearest(phone) }
    let market = pricing.markets.market(of: phone, on: day)
    if let price = known[market] { return price }
    let price = dearest(phone)
    known[market] = .some(price)
    return price
  }

  private func dearest(_ phone: PhoneNumber) -> Amount? {
    pricing.book.dearest(phone, category, in: currency, from: day, through: last, markets: pricing.markets)?.amount
  }
}
