import Domain
import Money
import Testing

@Suite struct `A file of rates` {
  static let meta = """
    "Cost per message in USD, effective January 1, 2027",,,,,,
    Note: some rates apply later.,,,,,,
    Market,Currency,Marketing,Utility,Authentication,"Authentication-
    International",Service
    Egypt,$US,0.0644,0.0036,0.0036,0.0650,n/a
    "Rest of Central & Eastern Europe",$US,0.0860,0.0212,0.0212,n/a,n/a
    """

  private func read(
    _ text: String, from: String? = nil, currency: String? = nil, complete: Bool? = nil
  ) throws(RateFile.Refusal) -> RateFile {
    try RateFile.read(
      Array(text.utf8),
      RateFile.Options(
        effectiveFrom: from.flatMap { CivilDate($0) }, currency: currency.flatMap { Currency($0) },
        isComplete: complete, source: "Meta"))
  }

  private func faults(_ text: String, from: String? = "2027-01-01", currency: String? = nil, complete: Bool? = nil)
    -> [RateFile.Fault]
  {
    do throws(RateFile.Refusal) {
      _ = try read(text, from: from, currency: currency, complete: complete)
      return []
    } catch { return error.faults }
  }

  @Test func `is Meta's own: prose above, a header with a line break, $US, n/a, and the day in its words`() throws {
    let card = try #require(try read(Self.meta).cards.first)
    #expect(try card.effectiveFrom == day("2027-01-01") && card.currency == currency("USD") && !card.isComplete)
    #expect(card.rates.count == 7)
    #expect(card.rate(.egypt, .authenticationInternational)?.amount == (try money("0.065")))
    #expect(card.rate(.restOfCentralAndEasternEurope, .authenticationInternational) == nil)
  }

  @Test(arguments: Currency.billable.sorted()) func `may be in any currency that Meta bills`(code: String) throws {
    let text = "Market;Marketing rate;Utility (per message)\r\nEgypt;1.5;0.25\r\n"
    let card = try #require(try read(text, from: "2027-01-01", currency: code).cards.first)
    #expect(try card.currency.code == code && card.rate(.egypt, .utility)?.amount == money("0.25"))
  }

  @Test func `is complete when it lists every market of its day`() throws {
    var text = "Market\tCurrency\tMarketing\tUtility\tAuthentication\n"
    for market in MarketMap.shipped.listed(on: day("2027-01-01")) { text += "\(market.name)\tSAR\t0.2\t0.1\t0.1\n" }
    #expect(try read(text, from: "2027-01-01").cards[0].isComplete)
    let partial = text.replacing("Egypt\tSAR\t0.2", with: "Egypt\tSAR\tn/a")
    #expect(try read(partial, from: "2027-01-01").cards[0].isComplete == false)
    let refused = faults(partial, complete: true)
    #expect(refused.count == 1 && refused[0].reason.hasSuffix("it lacks Egypt"))
  }

  @Test func `holds many cards and tiers with a line per price`() throws {
    let file = try read(
      """
      effective_from,effective_to,market,category,currency,rate,above,source
      2026-07-01,2026-09-30,Egypt,utility,USD,0.0036,,a
      2026-10-01,,Egypt,utility,USD,0.0040,,b
      2026-10-01,,Egypt,utility,USD,0.0038,100000,b
      2026-10-01,,مصر,marketing,EUR,0.05,,b
      """)
    #expect(file.cards.map { "\($0.currency) \($0.effectiveFrom)" } == ["EUR 2026-10-01", "USD 2026-07-01", "USD 2026-10-01"])
    #expect(try file.tiers.map(\.above) == [100_000] && file.tiers[0].amount == money("0.0038"))
  }

  @Test(arguments: [
    ("Market,Currency,Marketing\nEgypt,USD,-0.01\n", 2, "negative"),
    ("Market,Currency,Marketing\nEgipt,USD,0.01\n", 2, "\"Egipt\" is not known"),
    ("Market,Currency,Marketing\n\nEgypt,USD,6.44E-02\n", 3, "floating-point"),
    ("Market,Currency,Marketing\nEgypt,USD,0.064399999999999996\n", 2, "more than 9 decimals"),
    ("Market,Currency,Marketing\nEgypt,USD,nan\n", 2, "floating-point"),
    ("Market;Currency;Marketing\nEgypt;USD;0,0644\n", 2, "comma"),
    ("Market,Currency,Marketing\nEgypt,USD,0\n", 2, "would be free"),
    ("Market,Currency,Marketing\nEgypt,EGP,3.1\n", 2, "does not bill in EGP"),
    ("Market,Currency,Marketing\nEgypt,USD,0.1\nEgypt,USD,0.1\n", 3, "stands on line 2 already"),
    ("Market,Currency,Marketing,Margin\nEgypt,USD,0.1,3\n", 1, "\"Margin\" is not known"),
    ("Country code,Price\n20,0.1\n", 1, "no header"),
    ("Market,Currency\nEgypt,USD\n", 1, "no column of prices"),
    ("Market,Currency,Marketing\n", 1, "no prices"),
    ("Market,Marketing\nEgypt,0.1\n", 2, "no currency"),
    ("Market,Currency,Marketing\nEgypt,USD,0.1,0.2\n", 2, "more cells"),
  ]) func `is refused with the line and the reason`(text: String, line: Int, reason: String) {
    let found = faults(text)
    #expect(found.count == 1 && found.first?.line == line && found.first?.reason.contains(reason) == true, "\(found)")
    #expect(found.first?.remedy.isEmpty == false)
  }

  @Test func `is refused when periods overlap, leave a hole or end in nothing`() {
    let head = "effective_from,effective_to,market,category,currency,rate\n"
    func lines(_ first: String, _ second: String) -> [RateFile.Fault] {
      faults(head + "\(first),Egypt,utility,USD,0.1\n\(second),Egypt,utility,USD,0.2\n", from: nil)
    }
    #expect(lines("2026-07-01,2026-10-15", "2026-10-01,").map(\.line) == [3])
    #expect(lines("2026-07-01,2026-10-15", "2026-10-01,")[0].reason.contains("overlaps line 2"))
    #expect(lines("2026-07-01,2026-08-30", "2026-10-01,")[0].reason.contains("no price between"))
    #expect(lines("2026-07-01,2026-09-30", "2026-10-01,2026-12-31")[0].reason.contains("nothing follows"))
    #expect(lines("2026-07-01,2026-09-30", "2026-10-01,").isEmpty)
  }

  @Test func `names every line at fault, and contradictions with the request`() {
    #expect(faults("Market,Currency,Marketing\nA,USD,1\nB,USD,1\nEgypt,USD,x\n").map(\.line) == [2, 3, 4])
    #expect(faults("Market,Currency,Marketing\nEgypt,USD,1\n", currency: "SAR")[0].reason.contains("the request says SAR"))
    #expect(faults(Self.meta, from: "2026-10-01")[0].reason.contains("effective from 2027-01-01"))
    #expect(faults("Market,Currency,Marketing\nEgypt,USD,1\n", from: nil)[0].reason.contains("no day"))
    #expect(faults("\u{0}\u{1}", from: nil)[0].reason.contains("no header"))
  }

  @Test func `prices service as utility since it is charged, unless the card says otherwise`() throws {
    let (dollar, phone) = (try currency("USD"), try phone("+201001234567"))
    let pricing = Pricing(book: SeedRates.book)
    func charge(_ on: String, _ type: PricingType) -> Charge {
      pricing.price(category: .service, type: type, day: day(on), phone: phone, currency: dollar).charge
    }
    #expect(charge("2026-10-01", .regular).amount == (try money("0.0036")))
    #expect(charge("2026-10-01", .freeCustomerService) == .free(.freeCustomerService))
    #expect(charge("2026-09-30", .regular) == .unpriced(.noRate))
    var book = SeedRates.book
    for card in try read("Market,Currency,Utility,Service\nEgypt,USD,0.0036,0.0009\n", from: "2027-01-01").cards {
      book.insert(card)
    }
    #expect(book.rate(.egypt, .service, in: dollar, on: day("2027-01-01"))?.amount == (try money("0.0009")))
  }
}
