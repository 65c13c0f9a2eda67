import Domain
import Governor
import Money
import Simulation
import Testing

@Suite struct `The ledger` {
  @Test func `adds up to the last digit, in whatever order messages come`() throws {
    let pricing = Pricing(book: SeedRates.book)
    let phones = try ["+201001234567", "+966501234567", "+96550123456", "+491701234567"].map(phone)
    let currencies = try ["USD", "EUR", "SAR"].map(currency)
    for seed in UInt64(1)...8 {
      var chance = SplitMix64(seed: seed)
      var kinds: [Posting.Kind] = []
      var sums: [Currency: Amount] = [:]
      for _ in 0..<2000 {
        let category = chance.once(in: 20) ? nil : chance.one(of: Category.allCases)
        let (type, currency) = (chance.one(of: PricingType.allCases), chance.one(of: currencies))
        let priced = pricing.price(
          category: category, type: type, day: CivilDate(daysSince1970: Int(chance.within(20_700...20_800))),
          phone: chance.one(of: phones), currency: currency)
        kinds.append(
          Posting.Kind(
            campaign: Campaign.ID(chance.below(3)), number: Number.ID(chance.below(2)), priced: priced,
            category: category,
            type: type, currency: currency))
        sums[currency, default: .zero] += priced.charge.amount ?? .zero
      }
      var (forwards, backwards) = (PostingBatch(), PostingBatch())
      for kind in kinds { forwards.add(kind) }
      for kind in kinds.shuffled(using: &chance) { backwards.add(kind) }
      let areEqual = forwards.postings == backwards.postings
      #expect(areEqual, "seed \(seed)")
      #expect(forwards.postings.reduce(0) { $0 + $1.count } == 2000)
      #expect(forwards.totals == sums, "seed \(seed)")
      for kind in kinds { forwards.add(kind, -1) }
      #expect(forwards.isEmpty && forwards.postings.isEmpty)
    }
  }

  @Test func `corrects by taking back and adding`() throws {
    let (pricing, dollar, egypt) = (Pricing(book: SeedRates.book), try currency("USD"), try phone("+201001234567"))
    func kind(_ category: Domain.Category) -> Posting.Kind {
      Posting.Kind(
        campaign: Campaign.ID(1), number: Number.ID(1),
        priced: pricing.price(
          category: category, type: .regular, day: day("2026-10-05"), phone: egypt, currency: dollar),
        category: category, type: .regular, currency: dollar)
    }
    var batch = PostingBatch()
    batch.correct(kind(.marketing), to: kind(.utility))
    #expect(batch.postings.map(\.count).sorted() == [-1, 1])
    #expect(batch.totals[dollar] == (try money("-0.0608")))
  }
}

@Suite struct `A statement` {
  @Test func `rounds its totals once, half up`() throws {
    let dollar = try currency("USD")
    let totals = StatementTotals(currency: dollar, net: try money("1.0050"), vatPercent: try money("14"))
    #expect(totals.exactNet == (try money("1.005")))
    #expect(totals.net == (try money("1.01")))
    #expect(totals.vat == (try money("0.14")))
    #expect(totals.gross == (try money("1.15")))
    #expect(StatementTotals(currency: dollar, net: try money("-1.005")).net == (try money("-1.01")))
    #expect(StatementTotals(currency: dollar, net: try money("0.0049")).net == .zero)
    #expect(
      StatementTotals(currency: dollar, net: try money("10"), vatPercent: try money("2.25")).vat == (try money("0.23")))
    #expect(StatementTotals(currency: dollar, net: try money("10")).vat == nil)
  }

  @Test func `counts what has no price instead of adding nothing`() throws {
    let (pricing, riyal, saudi) = (Pricing(book: SeedRates.book), try currency("SAR"), try phone("+966501234567"))
    let kind = Posting.Kind(
      campaign: Campaign.ID(1), number: Number.ID(1),
      priced: pricing.price(
        category: .marketing, type: .regular, day: day("2026-10-05"), phone: saudi, currency: riyal),
      category: .marketing, type: .regular, currency: riyal)
    let totals = StatementTotals(currency: riyal, postings: [Posting(kind: kind, count: 7)])
    #expect(totals.unpriced == 7 && totals.net == .zero)
  }
}

@Suite struct `A billing month` {
  @Test func `is provisional for a week and then closes`() throws {
    let january = try #require(BillingMonth("2027-01"))
    #expect(january.state(on: day("2027-01-31")) == .running)
    #expect(january.state(on: day("2027-02-01")) == .provisional)
    #expect(january.state(on: day("2027-02-07")) == .provisional)
    #expect(january.state(on: day("2027-02-08")) == .closed)
    #expect(try #require(BillingMonth("2026-12")).next == january)
    #expect(january.description == "2027-01")
    #expect(BillingMonth("2027-13") == nil)
  }

  @Test(arguments: [
    ("2027-01-31", "2027-01-31", "2027-01", false), ("2027-01-31", "2027-02-07", "2027-01", false),
    ("2027-01-31", "2027-02-08", "2027-02", true), ("2027-01-31", "2027-03-03", "2027-02", true),
    ("2027-01-31", "2027-03-09", "2027-03", true), ("2026-12-31", "2027-01-08", "2027-01", true),
  ])
  func `bears a late charge as an adjustment`(delivered: String, booked: String, month: String, adjustment: Bool) {
    let bearing = BillingMonth.bearing(delivered: day(delivered), booked: day(booked))
    #expect(bearing.month.description == month)
    #expect(bearing.isAdjustment == adjustment)
  }
}

@Suite struct `A volume discount` {
  @Test func `lowers only the messages above its thresholds`() throws {
    let tiers = VolumeTiers(
      list: try money("0.0040"),
      tiers: [.init(above: 200, rate: try money("0.0036")), .init(above: 100, rate: try money("0.0038"))])
    #expect(tiers.adjustment(for: 100) == .zero)
    #expect(tiers.adjustment(for: 101) == (try money("-0.0002")))
    #expect(tiers.adjustment(for: 250) == (try money("-0.0400")))
  }
}

@Suite struct `A budget` {
  @Test func `is never handed out beyond its end, and to the last message`() throws {
    for seed in UInt64(1)...50 {
      var chance = SplitMix64(seed: seed)
      let price = Amount(billionths: Int128(chance.within(1...90_000_000)))
      let total = Amount(billionths: Int128(chance.within(0...900_000_000_000)))
      let lanes = Int(chance.within(1...12))
      var (left, messages, blocks) = (total, 0, 0)
      while let block = Budget.block(left: left, lanes: lanes, dearest: price) {
        left -= block
        messages += Budget.fitting(block, dearest: price)
        blocks += 1
      }
      #expect(left >= .zero && left < price, "seed \(seed)")
      #expect(messages == Budget.fitting(total, dearest: price), "seed \(seed)")
      #expect(blocks < 1500, "seed \(seed): \(blocks) blocks for \(messages) messages")
    }
  }

  @Test func `fits no message when nothing is left`() throws {
    #expect(Budget.fitting(.zero, dearest: try money("0.01")) == 0)
    #expect(Budget.fitting(try money("0.0999"), dearest: try money("0.01")) == 9)
    #expect(Budget.fitting(try money("-1"), dearest: try money("0.01")) == 0)
    #expect(Budget.block(left: try money("0.009"), lanes: 3, dearest: try money("0.01")) == nil)
  }
}

@Suite struct `An estimate` {
  @Test func `gives a low, an expected and a high sum, and counts the unpriced`() throws {
    let estimate = Estimate([
      .init(people: 1000, rate: try money("0.05"), dearest: try money("0.06")),
      .init(people: 3, rate: nil, dearest: nil),
    ])
    #expect(estimate.low == (try money("30")))
    #expect(estimate.expected == (try money("42.5")))
    #expect(estimate.high == (try money("60")))
    #expect(estimate.people == 1003 && estimate.unpriced == 3)
  }
}
