import Domain

/// What Meta charged one account: counted when a message is delivered, in half hours, by the double's own price list.
struct Bill {
  struct Key: Hashable {
    /// Half hours since 1970.
    var slot: Int64
    var line: Int
    var country: String
    var category: Category
    var type: PricingType
    /// Above so many messages of the month.
    var tier: Int64 = 0
  }
  /// What a volume tier counts.
  struct Tiered: Hashable {
    var month: Int
    var market: String
    var category: Category
  }
  struct Sum {
    var volume: Int64 = 0
    /// Millionths.
    var cost: Int64 = 0
  }
  private(set) var sums: [Key: Sum] = [:]
  /// Charged messages of a market that has no price in this currency.
  private(set) var unpriced = 0

  /// From 2026-10-01 in the account's zone, utility in the service window and service beyond the monthly thousand are
  /// charged. Days since 1970.
  static let servicePricing: Int64 = 20_727

  /// The type Meta applies when the message is accepted.
  mutating func type(_ category: Category, _ line: Line, inWindow: Bool, isFree: Bool, at now: Instant) -> PricingType {
    if isFree { return .freeEntryPoint }
    let local = now.nanoseconds / 1_000_000_000 + Int64(line.account.settings.utcOffsetMinutes) * 60
    let day = local / 86_400
    switch category {
    case .utility: return inWindow && day < Bill.servicePricing ? .freeCustomerService : .regular
    case .service:
      guard day >= Bill.servicePricing else { return .freeCustomerService }
      let date = CivilDate(daysSince1970: Int(day))
      let month = date.year * 12 + date.month
      if line.serviceMonth.month != month { line.serviceMonth = (month, 0) }
      line.serviceMonth.count += 1
      return line.serviceMonth.count > 1000 ? .regular : .freeCustomerService
    default: return .regular
    }
  }

  /// Answers what this message costs, in millionths.
  mutating func charge(_ entry: Entry, _ line: Line, at now: Instant, counts: inout [Tiered: Int64]) -> Int64 {
    guard let category = Category(rawValue: Int16(entry.category)),
      let type = PricingType(rawValue: Int16(entry.pricingType))
    else { return 0 }
    let seconds = now.nanoseconds / 1_000_000_000
    var key = Key(
      slot: seconds / 1800, line: line.index, country: Calling.country(of: entry.to), category: category, type: type)
    var cost: Int64 = 0
    if type == .regular {
      let day = Int((seconds + Int64(line.account.settings.utcOffsetMinutes) * 60) / 86_400)
      let market = Calling.market(of: entry.to, day: day)
      if let price = Rates.price(currency: line.account.settings.currency, market: market, day: day) {
        switch category {
        case .marketing, .marketingLite: cost = price.marketing
        case .utility, .service: cost = price.utility
        case .authentication: cost = price.authentication
        case .authenticationInternational: cost = price.authenticationInternational ?? price.authentication
        case .referralConversion: cost = 0
        }
        // One message after the other: this one is the month's next, and pays what the tier it falls into says.
        let date = CivilDate(daysSince1970: day)
        let place = Tiered(month: date.year * 12 + date.month, market: market, category: category)
        counts[place, default: 0] += 1
        for tier in line.account.settings.volumeTiers
        where tier.market == market && tier.category == category.word && counts[place]! > tier.above
          && tier.above > key.tier
        {
          (key.tier, cost) = (tier.above, tier.price)
        }
      } else {
        unpriced += 1
      }
    }
    sums[key, default: Sum()].volume += 1
    sums[key, default: Sum()].cost += cost
    return cost
  }

  /// `64400` → `0.0644`.
  static func decimal(_ millionths: Int64) -> String {
    let digits = String(1_000_000 + millionths % 1_000_000).dropFirst()
    var fraction = digits[...]
    while fraction.count > 1, fraction.last == "0" { fraction = fraction.dropLast() }
    return "\(millionths / 1_000_000).\(fraction)"
  }
}
