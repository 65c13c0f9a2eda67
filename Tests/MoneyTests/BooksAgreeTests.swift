import Domain
import Governor
import Intake
import JSON
import Money
import Postgres
import Reactor
import Reports
import Simulation
import Store
import Testing

/// Everything that says what a month cost must say the same, and what a naive reckoning by hand says.
@Suite(.serialized) struct `The books` {
  @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
  func `agree to the last digit: ledger, reports, statements and a reckoning by hand`(seed: UInt64) async throws {
    let books = try await Books(at: RandomBooks.start)
    var world = RandomBooks(seed: seed)
    try await world.open(books)
    try await world.play(books)
    #expect(try await LatePricing.run(now: books.now, on: books.pool).changed == 0, "seed \(seed): a second run finds nothing")
    let expected = try await world.reckon(books)

    // The ledger; months that are closed already have their discounts.
    #expect(try await books.charges() == expected.before, "seed \(seed)")

    // The messages, as CSV: every line's charge.
    let lines = try await books.report()
    var charges: [String: Amount] = [:]
    for line in lines {
      if let charge = line["charge"].flatMap({ $0.isEmpty ? nil : $0 }) {
        charges[line["currency"]!, default: .zero] += try #require(Amount(charge))
      }
    }
    #expect(charges.filter { $0.value != .zero } == expected.before.mapValues(\.amount).filter { $0.value != .zero })
    #expect(Set(lines.map { $0["recipient_ref"]! + "-" + $0["attempt"]! }).count == lines.count)
    #expect(lines.count { $0["charge_state"] == "unpriced" } == Int(expected.before.values.reduce(0) { $0 + $1.unpriced }))

    // All is over: the months close, with their discounts, and the statements hold what the ledger holds.
    #expect(try await MonthClosing.run(now: RandomBooks.later, on: books.pool) > 0)
    #expect(try await MonthClosing.run(now: RandomBooks.later, on: books.pool) == 0)
    let ledger = try await books.ledger().filter { $0.value != Books.Sums() }
    #expect(ledger == expected.after, "seed \(seed)")
    let nets = expected.after.mapValues(\.amount).filter { $0.value != .zero }
    #expect(try await books.statements() == nets, "seed \(seed)")
    for (key, text) in world.closed { #expect(try await books.statement(key) == text, "closed, so it never changes: \(key)") }
    for groups in [[], [.campaign], [.market, .category], [.number, .day], [.month]] as [[CostLines.Group]] {
      for zone in [nil, "Asia/Tokyo"] as [String?] {
        var asked = CostLines.Asked(
          groups: groups, business: books.installation.business, campaign: nil, from: nil, to: nil)
        asked.zone = zone
        var sums: [String: Books.Sums] = [:]
        for line in try await CostLines.read(asked, on: books.pool) {
          var sum = sums[line.currency] ?? Books.Sums()
          sum.amount += line.sums.amount
          sum.charged += line.sums.charged
          sum.free += line.sums.free
          sum.unpriced += line.sums.unpriced
          sums[line.currency] = sum
          let isDelivered = line.sums.delivered == line.sums.charged + line.sums.free + line.sums.unpriced
          #expect(isDelivered, "seed \(seed), by \(groups): outcomes and money under the same keys")
        }
        #expect(sums == expected.after, "seed \(seed), by \(groups) in \(zone ?? "own zone")")
      }
    }
    await books.close()
  }
}

/// Accounts, cards, tiers and receipts drawn from a seed; the cards come before, between and after the receipts.
struct RandomBooks {
  static let currencies = ["USD", "SAR", "INR"]
  static let zones = ["Africa/Cairo", "Asia/Riyadh", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kolkata"]
  static let days = ["2026-09-01", "2026-10-01", "2026-10-20"]
  static let start = Instant(seconds: 1_790_900_000)
  /// Everything is closed by then.
  static let later = Instant(seconds: 1_801_000_000)
  /// Phones with the market that is theirs before and from 2026-10-01: a table of its own.
  static let phones: [(prefix: Int64, before: Market, after: Market)] = [
    (20_100_000_0000, .egypt, .egypt), (966_500_000_000, .saudiArabia, .saudiArabia),
    (965_500_000_00, .restOfMiddleEast, .kuwait), (212_600_000_000, .restOfAfrica, .morocco),
    (1_809_200_0000, .restOfLatinAmerica, .restOfLatinAmerica), (1_212_200_0000, .northAmerica, .northAmerica),
    (970_590_000_000, .other, .other),
  ]
  static let categories: [Domain.Category] = [.marketing, .utility, .authentication, .service, .marketingLite]

  var chance: SplitMix64
  private var accounts: [Books.Account] = []
  private var campaigns: [(id: Campaign.ID, account: Int, phones: [Int64])] = []
  /// What is told of each message.
  private var receipts: [Books.Receipt] = []
  /// Cards as text: by currency, day, market, category.
  private var cards: [(currency: String, day: String, csv: String)] = []
  private var prices: [String: String] = [:]
  private var tiers: [String: [(above: Int, price: String)]] = [:]

  /// Statements as they were when their month was closed.
  private(set) var closed: [String: String] = [:]

  init(seed: UInt64) { chance = SplitMix64(seed: seed) }

  mutating func open(_ books: Books) async throws {
    let count = Int(chance.within(1...3))
    for n in 0..<count {
      accounts.append(
        try await books.account(
          "70\(n)", currency: chance.one(of: Self.currencies), zone: chance.one(of: Self.zones),
          numbers: Int(chance.within(1...2)), portfolio: "one"))
    }
    for n in 0..<Int(chance.within(1...4)) {
      let account = Int(chance.below(Int64(count)))
      let people = (0..<Int64(chance.within(10...60))).map { chance.one(of: Self.phones).prefix + $0 }
      let id = try await books.campaign(
        "=C\(n), \"x\"", of: accounts[account], to: people, category: chance.one(of: Self.categories))
      campaigns.append((id, account, people))
    }
    drawCards()
    drawReceipts()
  }

  private mutating func price() -> String {
    var digits = String(chance.within(1...9999))
    while digits.count < 4 { digits = "0" + digits }
    return "0." + digits + (chance.once(in: 3) ? String(chance.within(1...99999)) : "")
  }

  /// Whole cards per currency and day; a currency may have none, and a card may leave prices out.
  private mutating func drawCards() {
    for currency in Set(accounts.map(\.currency)).sorted() where !chance.once(in: 6) {
      for day in Self.days where !chance.once(in: 4) {
        var csv = "effective_from,market,category,currency,rate,above\n"
        for market in Set(Self.phones.flatMap { [$0.before, $0.after] }).sorted(by: { $0.rawValue < $1.rawValue }) {
          for category in [Domain.Category.marketing, .utility, .authentication] where !chance.once(in: 12) {
            let list = price()
            csv += "\(day),\(market.name),\(category.word),\(currency),\(list),\n"
            prices["\(currency) \(day) \(market) \(category)"] = list
            if category != .marketing, chance.once(in: 2) {
              var seen: [(Int, String)] = []
              for above in [Int(chance.within(2...5)), Int(chance.within(6...12))] {
                let lower = price()
                csv += "\(day),\(market.name),\(category.word),\(currency),\(lower),\(above)\n"
                seen.append((above, lower))
              }
              tiers["\(currency) \(day) \(market) \(category)"] = seen
            }
          }
        }
        cards.append((currency, day, csv))
      }
    }
  }

  private mutating func drawReceipts() {
    for (id, account, phones) in campaigns {
      for seq in 1...phones.count where !chance.once(in: 8) {
        // Around the quarter's midnight of every zone, and over two months.
        let at: Int64 = chance.once(in: 2) ? 1_790_812_800 + chance.within(-60_000...60_000) : chance.within(1_788_300_000...1_793_300_000)
        let numbers = accounts[account].numbers
        var receipt = Books.Receipt(
          campaign: id, seq: seq, number: numbers[(seq) % numbers.count].phoneNumberID, status: "sent", at: at - 5)
        let category = chance.one(of: Self.categories)
        let type = chance.one(of: ["regular", "regular", "regular", "free_customer_service", "free_entry_point"])
        let fate = chance.below(10)
        if fate == 0 { receipts.append(receipt) }
        if fate == 1 {
          receipt.status = "failed"
          receipts.append(receipt)
          continue
        }
        if fate == 0 { continue }
        // The price stands in any one of them, or in all, or (seldom) nowhere.
        let place = chance.below(20)
        func tell(_ status: String, _ at: Int64, _ priced: Bool) {
          receipt.status = status
          receipt.at = at
          receipt.category = priced ? category.word.replacing("authentication_i", with: "authentication-i") : nil
          receipt.type = priced ? type : nil
          receipts.append(receipt)
        }
        tell("sent", at - 5, place < 10)
        if fate != 2 { tell("delivered", at, place >= 8 && place < 19) }
        if fate > 4 || fate == 2 { tell("read", at + (chance.once(in: 4) ? -3 : 40), place >= 8 && place < 19 && fate == 2) }
        if chance.once(in: 3) { receipts.append(receipts[receipts.count - 1]) }
      }
    }
  }

  /// Receipts in disorder and in flushes of every size; between two of them a card may come, or the late pricing run.
  mutating func play(_ books: Books) async throws {
    var rest = receipts.shuffled(using: &chance)
    var waiting = cards.shuffled(using: &chance)
    while !rest.isEmpty {
      let flush = Array(rest.prefix(Int(chance.within(1...60))))
      rest.removeFirst(flush.count)
      try await books.receive(flush)
      if chance.once(in: 2) { try await books.foldAll() }
      if chance.once(in: 3), let card = waiting.popLast() { _ = try await books.load(card.csv, replaces: true) }
      if chance.once(in: 5) { try await LatePricing.run(now: books.now, on: books.pool) }
      if chance.once(in: 5), books.now < Instant(seconds: 1_796_000_000) {
        let days = chance.within(1...14)
        books.clock.with { $0 = $0 + .seconds(days * 86_400) }
        try await MonthClosing.run(now: books.now, on: books.pool)
        for key in try await books.closedMonths() where closed[key] == nil { closed[key] = try await books.statement(key) }
      }
    }
    try await books.foldAll()
    for card in waiting { _ = try await books.load(card.csv, replaces: true) }
    try await LatePricing.run(now: books.now, on: books.pool)
  }

  // MARK: By hand

  /// The sums before and after the discounts, from nothing but the receipts and the texts of the cards. Days are
  /// PostgreSQL's, by its own tables of zones.
  func reckon(_ books: Books) async throws -> (before: [String: Books.Sums], after: [String: Books.Sums]) {
    struct Message {
      var at: Int64?
      var category: Int16?
      var type: Int16?
    }
    var messages: [String: Message] = [:]
    for receipt in receipts {
      let key = "\(receipt.campaign.rawValue) \(receipt.seq)"
      var message = messages[key] ?? Message()
      if receipt.status != "sent", receipt.status != "failed" {
        message.at = min(message.at ?? .max, receipt.at)
      }
      if let word = receipt.category {
        message.category = Domain.Category(word: word.replacing("-", with: "_"))?.rawValue
        message.type = receipt.type.flatMap { PricingType(word: $0) }?.rawValue
      }
      messages[key] = message
    }
    var sums: [String: Books.Sums] = [:]
    var counts: [String: (currency: String, month: String, market: Market, category: Domain.Category, count: Int)] = [:]
    for (id, account, phones) in campaigns {
      let own = (1...phones.count).compactMap { seq in
        messages["\(id.rawValue) \(seq)"].flatMap { message in message.at.map { (seq, $0, message) } }
      }
      let days = try await books.pool.run(
        "select (to_timestamp(t) at time zone $2)::date::text from unnest($1::int8[]) with ordinality x (t, n) order by n",
        .int8s(own.map(\.1)), .text(accounts[account].zone)
      ).map { $0.text(0) }
      let currency = accounts[account].currency
      for ((seq, _, message), day) in zip(own, days) {
        var sum = sums[currency] ?? Books.Sums()
        defer { sums[currency] = sum }
        if let type = message.type, type != 1 {
          sum.free += 1
          continue
        }
        let place = Self.phones.first { phones[seq - 1] - $0.prefix >= 0 && phones[seq - 1] - $0.prefix < 1000 }!
        let market = day >= "2026-10-01" ? place.after : place.before
        guard let category = message.category.flatMap({ Domain.Category(rawValue: $0) }),
          let price = price(currency, market, category, day)
        else {
          sum.unpriced += 1
          continue
        }
        sum.charged += 1
        sum.amount += price
        let key = "\(currency) \(day.prefix(7)) \(market) \(category)"
        counts[key, default: (currency, String(day.prefix(7)), market, category, 0)].count += 1
      }
    }
    let before = sums
    for (_, group) in counts where group.category == .utility || group.category == .authentication {
      let first = group.month + "-01"
      guard let set = newest(tierDays(group.currency, group.market, group.category), first),
        let list = price(group.currency, group.market, group.category, first)
      else { continue }
      let steps = tiers["\(group.currency) \(set) \(group.market) \(group.category)"]!
      // One message after the other.
      for n in 1...group.count {
        guard let step = steps.filter({ n > $0.above }).max(by: { $0.above < $1.above }) else { continue }
        sums[group.currency]!.amount += Amount(step.price)! - list
      }
    }
    return (before.filter { $0.value != Books.Sums() }, sums.filter { $0.value != Books.Sums() })
  }

  private func tierDays(_ currency: String, _ market: Market, _ category: Domain.Category) -> [String] {
    Self.days.filter { tiers["\(currency) \($0) \(market) \(category)"] != nil }
  }

  private func newest(_ days: [String], _ day: String) -> String? { days.filter { $0 <= day }.max() }

  /// The newest of the test's cards that lists it (all are partial), else what the shipped complete card says.
  private func price(_ currency: String, _ market: Market, _ category: Domain.Category, _ day: String) -> Amount? {
    var words = [category == .marketingLite ? Domain.Category.marketing : category]
    if category == .service { words = day >= "2026-10-01" ? [.utility] : [] }
    let seeded = currency == "USD" ? ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01"] : []
    for start in Set(Self.days + seeded).sorted(by: >) where start <= day {
      let isOurs = cards.contains { $0.currency == currency && $0.day == start }
      for word in words {
        if isOurs {
          if let price = prices["\(currency) \(start) \(market) \(word)"] { return Amount(price) }
        } else if seeded.contains(start) {
          return SeedRates.cards.first { $0.currency.code == currency && $0.effectiveFrom.description == start }?
            .rate(market, word)?.amount
        }
      }
    }
    return nil
  }
}
