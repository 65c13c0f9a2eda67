import Domain

/// Why a posting was made.
public enum PostingReason: Int16, Word {
  /// A message reached a phone.
  case charge = 1
  /// A later receipt said something else about it: its day, category or type.
  case receipt = 2
  /// The card that was missing came.
  case priced = 3
  /// A newer card, or another market of its calling code, holds for its day.
  case repriced = 4
  /// The month's volume discount, from counts.
  case volumeTier = 5

  public var word: String { self == .volumeTier ? "volume_tier" : "\(self)" }
}

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
    public let reason: PostingReason

    public init(
      campaign: Campaign.ID, number: Number.ID, priced: Priced, category: Category?, type: PricingType?,
      currency: Currency, reason: PostingReason = .charge
    ) {
      (self.campaign, self.number, self.day, self.market) = (campaign, number, priced.day, priced.market)
      (self.category, self.type, self.currency, self.charge) = (category, type ?? .regular, currency, priced.charge)
      self.reason = reason
    }

    /// Whether a message posted as one needs no posting to stand as the other: why it was posted is no difference, nor
    /// is why it has no price.
    public func saysTheSame(as other: Kind) -> Bool {
      let isSameCharge =
        switch (charge, other.charge) {
        case (.charged(let a), .charged(let b)): a.id == b.id && a.amount == b.amount
        case (.free, .free), (.unpriced, .unpriced): true
        default: false
        }
      return isSameCharge && campaign == other.campaign && number == other.number && day == other.day
        && market == other.market && category == other.category && type == other.type && currency == other.currency
    }

    public func because(_ reason: PostingReason) -> Kind {
      Kind(
        campaign: campaign, number: number, priced: Priced(charge: charge, market: market, day: day),
        category: category, type: type, currency: currency, reason: reason)
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
  public mutating func correct(_ old: Posting.Kind, to new: Posting.Kind, because reason: PostingReason = .receipt) {
    add(old.because(reason), -1)
    add(new.because(reason))
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
      if x.reason != y.reason { return x.reason.rawValue < y.reason.rawValue }
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
