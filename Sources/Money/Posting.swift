import Domain

/// One line of the ledger: so many messages of one kind, count x rate.
///
/// The ledger holds postings, not messages; the charge of a single message is its rate and its day.
public struct Posting: Hashable, Sendable {
  /// What the messages of one posting share.
  public struct Kind: Hashable, Sendable {
    public let campaign: Campaign.ID
    public let number: Number.ID
    /// In the account's zone.
    public let day: CivilDate
    public let market: Market
    /// Nil when no receipt carried it.
    public let category: Category?
    public let type: PricingType
    public let currency: Currency
    public let charge: Charge

    public init(
      campaign: Campaign.ID, number: Number.ID, priced: Priced, category: Category?, type: PricingType?,
      currency: Currency
    ) {
      (self.campaign, self.number, self.day, self.market) = (campaign, number, priced.day, priced.market)
      (self.category, self.type, self.currency, self.charge) = (category, type ?? .regular, currency, priced.charge)
    }
  }

  public let kind: Kind
  /// Negative where an earlier posting is taken back.
  public let count: Int

  public init(kind: Kind, count: Int) { (self.kind, self.count) = (kind, count) }

  /// Zero for free and for unpriced messages; the kind tells which.
  public var amount: Amount { (kind.charge.rate?.amount ?? .zero) * count }
}

/// Gathers the postings of one fold. The order in which messages come changes nothing.
public struct PostingBatch: Sendable {
  private var counts: [Posting.Kind: Int] = [:]

  public init() {}

  public mutating func add(_ kind: Posting.Kind, _ count: Int = 1) { counts[kind, default: 0] += count }

  /// Replaces what a message was posted as: two postings that cancel and add, never a change of a line.
  public mutating func correct(_ old: Posting.Kind, to new: Posting.Kind) {
    add(old, -1)
    add(new)
  }

  public var isEmpty: Bool { counts.allSatisfy { $0.value == 0 } }

  /// One posting per kind whose count is not zero, in an order of their keys.
  public var postings: [Posting] {
    counts.compactMap { $0.value == 0 ? nil : Posting(kind: $0.key, count: $0.value) }.sorted { a, b in
      let (x, y) = (a.kind, b.kind)
      if (x.campaign, x.number, x.day) != (y.campaign, y.number, y.day) {
        return (x.campaign, x.number, x.day) < (y.campaign, y.number, y.day)
      }
      let (p, q) = (x.category?.rawValue ?? 0, y.category?.rawValue ?? 0)
      if (x.market.rawValue, p, x.type.rawValue) != (y.market.rawValue, q, y.type.rawValue) {
        return (x.market.rawValue, p, x.type.rawValue) < (y.market.rawValue, q, y.type.rawValue)
      }
      if x.currency != y.currency { return x.currency.code < y.currency.code }
      return (a.amount, a.count) < (b.amount, b.count)
    }
  }

  public var totals: [Currency: Amount] { Totals.byCurrency(postings) }
}

public enum Totals {
  /// Exact sums; currencies never mix.
  public static func byCurrency(_ postings: some Sequence<Posting>) -> [Currency: Amount] {
    var sums: [Currency: Amount] = [:]
    for posting in postings { sums[posting.kind.currency, default: .zero] += posting.amount }
    return sums
  }
}
