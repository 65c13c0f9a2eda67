import Domain
import Money
import Postgres

/// The rate cards as rows, read into the book that prices by them.
public enum RateCards {
  /// What prices a message: the cards that hold, every price that ever held, and the markets.
  public struct Prices: Sendable {
    public let pricing: Pricing
    /// By row, those of replaced cards too: postings name them.
    public let rates: [RateRow.ID: Rate]

    public init(pricing: Pricing = Pricing(book: RateBook()), rates: [RateRow.ID: Rate] = [:]) {
      (self.pricing, self.rates) = (pricing, rates)
    }
  }

  public static func prices(on connection: Connection) async throws(DatabaseError) -> Prices {
    prices(try await connection.batch(statements))
  }

  public static func prices(in tx: Transaction) async throws(DatabaseError) -> Prices {
    prices(try await tx.batch(statements))
  }

  private static var statements: [Statement] { [Statement(cards), Statement(changes)] }

  private static func prices(_ rows: [Rows]) -> Prices {
    Prices(
      pricing: Pricing(book: book(rows[0]), markets: map(rows[1])),
      rates: Dictionary(
        uniqueKeysWithValues: rows[0].compactMap { row in rate(row).flatMap { rate in rate.id.map { ($0, rate) } } }))
  }

  public static func prices(on pool: Pool) async throws -> Prices {
    try await pool.withConnection { try await prices(on: $0) }
  }

  private static let cards = """
    select c.currency, c.effective_from, c.complete, c.source, r.rate_id, r.market, r.category, r.amount,
      c.rate_card_id, n.rate_card_id is not null
    from rate_card c join rate r using (rate_card_id) left join current_rate_card n using (rate_card_id)
    """

  private static func rate(_ row: Row) -> Rate? {
    guard let currency = Currency(row.text(0)), let market = Market(rawValue: row.int16(5)),
      let category = Category(rawValue: row.int16(6))
    else { return nil }
    return Rate(
      id: RateRow.ID(row.int64(4)), effectiveFrom: row.date(1), market: market, category: category, currency: currency,
      amount: row.amount(7), source: row.text(3))
  }

  private static func book(_ rows: Rows) -> RateBook {
    struct Card {
      let isComplete: Bool
      let source: String
      var rates: [Rate] = []
    }
    var cards: [Int64: Card] = [:]
    for row in rows where row.bool(9) {
      guard let rate = rate(row) else { continue }
      cards[row.int64(8), default: Card(isComplete: row.bool(2), source: row.text(3))].rates.append(rate)
    }
    return RateBook(
      cards.values.compactMap { card in
        card.rates.first.map {
          RateCard(
            currency: $0.currency, effectiveFrom: $0.effectiveFrom, isComplete: card.isComplete, source: card.source,
            rates: card.rates)
        }
      })
  }

  // MARK: Markets

  private static let changes = "select effective_from, prefix, market from market_change order by effective_from"

  private static func map(_ rows: Rows) -> MarketMap {
    var changes: [CivilDate: [(prefix: String, market: Market)]] = [:]
    for row in rows {
      guard let market = Market(rawValue: row.int16(2)) else { continue }
      changes[row.date(0), default: []].append((row.text(1), market))
    }
    return MarketMap(changes.map { MarketMap.Change(from: $0.key, prefixes: $0.value) })
  }

  // MARK: Seeds

  /// Loads the shipped cards and calling codes that are not there yet; what exists is never touched.
  static func loadSeeds(_ connection: Connection) async throws(DatabaseError) {
    for card in SeedRates.cards {
      _ = try await connection.run(
        """
        with c as (
          insert into rate_card (currency, effective_from, source, complete) values ($1, $2, $3, $4)
          on conflict do nothing returning rate_card_id
        )
        insert into rate (rate_card_id, market, category, amount)
        select rate_card_id, m, k, a from c, unnest($5::int2[], $6::int2[], $7::numeric[]) x (m, k, a)
        """, .text(card.currency.code), .date(card.effectiveFrom), .text(card.source), .bool(card.isComplete),
        .int2s(card.rates.map(\.market.rawValue)), .int2s(card.rates.map(\.category.rawValue)),
        .numerics(card.rates.map(\.amount)))
    }
    for change in MarketMap.shippedChanges {
      _ = try await connection.run(
        """
        insert into market_change (effective_from, prefix, market, source)
        select $1, p, m, 'Meta''s pricing page, as publicly transcribed' from unnest($2::text[], $3::int2[]) x (p, m)
        on conflict do nothing
        """, .date(change.from), .texts(change.prefixes.map(\.prefix)), .int2s(change.prefixes.map(\.market.rawValue)))
    }
  }
}
