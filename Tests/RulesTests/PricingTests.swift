import Domain
import Money
import Testing

@Suite struct `Seed rates` {
  @Test func `hold every known price with its source`() throws {
    let cards = SeedRates.cards
    #expect(
      cards.map { "\($0.effectiveFrom) \($0.currency) \($0.isComplete) \($0.rates.count)" } == [
        "2026-01-01 USD true 105", "2026-04-01 USD true 105", "2026-07-01 EUR true 123", "2026-07-01 USD true 123",
        "2026-10-01 AED false 1", "2026-10-01 USD true 197",
      ])
    #expect(cards.allSatisfy { card in card.rates.allSatisfy { $0.amount > .zero && $0.source.utf8.count > 20 } })
    // An independent sum: that of the rates as they were collected.
    #expect(cards.flatMap(\.rates).reduce(Amount.zero) { $0 + $1.amount } == (try money("20.8177")))
  }

  @Test(arguments: [
    ("egypt", "marketing", "USD", "2026-03-31", "0.0644"), ("egypt", "marketing", "USD", "2027-01-05", "0.0644"),
    ("saudi_arabia", "marketing", "USD", "2026-03-31", "0.0455"),
    ("saudi_arabia", "marketing", "USD", "2026-04-01", "0.0501"),
    ("saudi_arabia", "marketing", "USD", "2026-10-01", "0.0576"),
    ("saudi_arabia", "utility", "USD", "2026-10-01", "0.0107"),
    ("kuwait", "marketing", "USD", "2026-10-01", "0.0792"), ("pakistan", "utility", "USD", "2026-07-01", "0.01"),
    ("india", "authentication_international", "USD", "2026-04-01", "0.0304"),
    ("egypt", "service", "USD", "2026-10-01", "0.0036"), ("turkey", "marketing_lite", "USD", "2026-10-01", "0.0109"),
  ])
  func `give the price of a market, category and day`(
    market: String, category: String, code: String, on: String, amount: String
  ) throws {
    let rate = SeedRates.book.rate(
      try #require(Market(word: market)), try #require(Category(word: category)), in: try currency(code), on: day(on))
    #expect(try #require(rate).amount == (try money(amount)))
  }

  @Test func `know no riyals, and say so`() throws {
    let riyal = try currency("SAR")
    #expect(SeedRates.book.rate(.saudiArabia, .marketing, in: riyal, on: day("2026-10-05")) == nil)
    #expect(SeedRates.book.standing(of: riyal, on: day("2026-10-05")) == .missing)
    #expect(SeedRates.book.standing(of: try currency("AED"), on: day("2026-10-05")) == .missing)
  }

  @Test func `grow stale with the quarter`() throws {
    let (book, dollar, euro) = (SeedRates.book, try currency("USD"), try currency("EUR"))
    #expect(book.standing(of: dollar, on: day("2026-12-31")) == .confirmed(from: day("2026-10-01")))
    #expect(
      book.standing(of: dollar, on: day("2027-01-01")) == .stale(from: day("2026-10-01"), quarter: day("2027-01-01")))
    #expect(
      book.standing(of: euro, on: day("2026-10-01")) == .stale(from: day("2026-07-01"), quarter: day("2026-10-01")))
    #expect(book.standing(of: euro, on: day("2026-06-30")) == .missing)
  }
}

@Suite struct `A rate book` {
  func card(_ from: String, complete: Bool, _ rates: [(Market, Amount, Domain.Category)]) throws -> RateCard {
    let dollar = try currency("USD")
    return RateCard(
      currency: dollar, effectiveFrom: day(from), isComplete: complete, source: "test",
      rates: rates.map {
        Rate(effectiveFrom: day(from), market: $0.0, category: $0.2, currency: dollar, amount: $0.1, source: "test")
      })
  }

  @Test func `lets a partial card override and a complete one stand alone`() throws {
    let dollar = try currency("USD")
    let book = RateBook([
      try card(
        "2026-01-01", complete: true, [(.egypt, try money("0.06"), .marketing), (.egypt, try money("0.01"), .utility)]),
      try card("2026-02-01", complete: false, [(.egypt, try money("0.07"), .marketing)]),
      try card("2026-03-01", complete: true, [(.egypt, try money("0.05"), .marketing)]),
    ])
    func price(_ category: Domain.Category, _ on: String) -> String? {
      book.rate(.egypt, category, in: dollar, on: day(on))?.amount.description
    }
    #expect(price(.marketing, "2026-01-31") == "0.0600")
    #expect(price(.marketing, "2026-02-01") == "0.0700")
    #expect(price(.utility, "2026-02-01") == "0.0100")
    #expect(price(.utility, "2026-03-01") == nil)
    #expect(price(.marketing, "2025-12-31") == nil)
  }

  @Test func `reserves at the dearest price within a message's life`() throws {
    let (book, dollar) = (SeedRates.book, try currency("USD"))
    func dearest(_ number: String, _ from: String, _ to: String) throws -> Amount? {
      book.dearest(try phone(number), .marketing, in: dollar, from: day(from), through: day(to))?.amount
    }
    #expect(try dearest("+966501234567", "2026-09-01", "2026-09-30") == money("0.0501"))
    #expect(try dearest("+966501234567", "2026-09-01", "2026-10-01") == money("0.0576"))
    // Kuwait leaves the rest of its region within the period, and gets dearer by that.
    #expect(try dearest("+96550123456", "2026-09-20", "2026-10-20") == money("0.0792"))
    // Egypt became cheaper than an earlier card: never less than the price of the day itself.
    #expect(try dearest("+201001234567", "2026-09-20", "2026-10-20") == money("0.0644"))
    #expect(
      book.dearest(
        try phone("+966501234567"), .marketing, in: try currency("SAR"), from: day("2026-09-20"),
        through: day("2026-10-20")) == nil)
  }
}

@Suite struct `A price` {
  let pricing = Pricing(book: SeedRates.book)

  @Test func `is picked by the delivered instant in the account's zone`() throws {
    let (saudi, dollar) = (try phone("+966501234567"), try currency("USD"))
    let delivered = try #require(Instant(rfc3339: "2026-09-30T21:30:00Z"))
    func priced(_ offset: Int) -> Priced {
      pricing.price(category: .marketing, type: .regular, delivered: delivered, phone: saudi, currency: dollar) { _ in
        offset
      }
    }
    #expect(priced(3 * 3600).day == day("2026-10-01"))
    #expect(priced(3 * 3600).charge.amount == (try money("0.0576")))
    #expect(priced(-5 * 3600).day == day("2026-09-30"))
    #expect(priced(-5 * 3600).charge.amount == (try money("0.0501")))
    #expect(Pricing.day(of: Instant(nanoseconds: -1), offset: 0) == day("1969-12-31"))
  }

  @Test func `is free only when Meta says so, and unpriced when it is not known`() throws {
    let (egypt, dollar, riyal) = (try phone("+201001234567"), try currency("USD"), try currency("SAR"))
    let on = day("2026-10-05")
    for type in [PricingType.freeCustomerService, .freeEntryPoint, .freeGroupCustomerService] {
      #expect(
        pricing.price(category: .marketing, type: type, day: on, phone: egypt, currency: riyal).charge == .free(type))
    }
    #expect(
      pricing.price(category: .marketing, type: nil, day: on, phone: egypt, currency: dollar).charge.amount
        == (try money("0.0644")))
    #expect(
      pricing.price(category: .marketing, type: .regular, day: on, phone: egypt, currency: riyal).charge
        == .unpriced(.noCard))
    #expect(
      pricing.price(category: nil, type: .regular, day: on, phone: egypt, currency: dollar).charge
        == .unpriced(.noCategory))
    #expect(
      pricing.price(category: .referralConversion, type: .regular, day: on, phone: egypt, currency: dollar).charge
        == .unpriced(.noRate))
    #expect(
      pricing.price(category: .service, type: .regular, day: day("2026-09-30"), phone: egypt, currency: dollar).charge
        == .unpriced(.noRate))
    #expect(Charge.unpriced(.noRate).amount == nil)
  }
}
