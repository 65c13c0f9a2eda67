import Domain

/// A file of prices, read and judged whole: either all of it can be loaded or none, and then every line at fault is
/// named with its reason.
///
/// Two shapes are read. Meta's card: a line per market, a column per category, lines of prose before the header, one
/// currency. And the long shape, a line per price: `effective_from,market,category,currency,rate,source`, optionally
/// with `effective_to` and `above` (the volume a tier begins after); it may hold many cards.
public struct RateFile: Sendable {
  public struct Options: Sendable {
    /// Where the file does not say it itself.
    public var effectiveFrom: CivilDate?
    public var currency: Currency?
    /// Nil: complete when it lists every market.
    public var isComplete: Bool?
    public var source: String

    public init(effectiveFrom: CivilDate?, currency: Currency?, isComplete: Bool?, source: String) {
      (self.effectiveFrom, self.currency, self.isComplete, self.source) = (effectiveFrom, currency, isComplete, source)
    }
  }

  public struct Fault: Hashable, Sendable {
    /// From 1; 0 is the file as a whole.
    public let line: Int
    public let reason: String
    public let remedy: String
  }

  /// Nothing of the file can be loaded.
  public struct Refusal: Error, Equatable {
    /// In the order of lines, at most `limit`.
    public let faults: [Fault]
    public let count: Int
    public static let limit = 20

    init(_ faults: [Fault]) {
      self.faults = Array(faults.sorted { $0.line < $1.line }.prefix(Refusal.limit))
      count = faults.count
    }
  }

  /// One price above a volume.
  public struct TierRow: Hashable, Sendable {
    public let effectiveFrom: CivilDate
    public let market: Market
    public let category: Category
    public let currency: Currency
    public let above: Int
    public let amount: Amount
  }

  /// By currency, the oldest first.
  public let cards: [RateCard]
  public let tiers: [TierRow]

  public static func read(
    _ bytes: [UInt8], _ options: Options, markets: MarketMap = .shipped
  ) throws(Refusal) -> RateFile {
    var reading = RateFileReading(options, markets)
    return try reading.read(bytes)
  }

  /// The markets of its day that a card lacks a price of marketing, utility or authentication for.
  public static func missing(from card: RateCard, markets: MarketMap = .shipped) -> [Market] {
    markets.listed(on: card.effectiveFrom).filter { market in
      [Category.marketing, .utility, .authentication].contains { card.rate(market, $0) == nil }
    }.sorted { $0.rawValue < $1.rawValue }
  }
}
