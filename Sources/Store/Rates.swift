import Domain
import Money
import Postgres

/// Meta's list prices, as rows.
public enum Rates {
  public struct Entry: Sendable {
    public let currency: String
    public let effectiveFrom: CivilDate
    public let market: Market
    public let category: Category
    public let amount: Amount
    public let source: String
    public let isComplete: Bool
  }

  public static func list(currency: String?, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    let rows = try await pool.run(
      """
      select c.currency, c.effective_from, r.market, r.category, r.amount, c.source, c.complete
      from rate_card c join rate r using (rate_card_id)
      where $1::text is null or c.currency = $1
      order by c.currency, c.effective_from, r.market, r.category
      """, currency.map { .text($0) } ?? .null)
    return rows.map { row in
      Entry(
        currency: row.text(0), effectiveFrom: row.date(1), market: Market(rawValue: row.int16(2)) ?? .other,
        category: Category(rawValue: row.int16(3)) ?? .marketing, amount: row.amount(4), source: row.text(5),
        isComplete: row.bool(6))
    }
  }

  /// Loads the shipped cards that are not there yet; a card that exists is never touched.
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
  }

  /// All cards as the rules read them, with the rows' ids.
  public static func book(on pool: Pool) async throws(DatabaseError) -> RateBook {
    let rows = try await pool.run(
      """
      select c.currency, c.effective_from, c.source, c.complete, r.rate_id, r.market, r.category, r.amount
      from rate_card c join rate r using (rate_card_id) order by c.currency, c.effective_from
      """)
    var cards: [String: (currency: Currency, from: CivilDate, source: String, complete: Bool, rates: [Rate])] = [:]
    for row in rows {
      guard let currency = Currency(row.text(0)), let market = Market(rawValue: row.int16(5)),
        let category = Category(rawValue: row.int16(6))
      else { continue }
      let key = row.text(0) + row.date(1).description
      let rate = Rate(
        id: RateRow.ID(row.int64(4)), effectiveFrom: row.date(1), market: market, category: category,
        currency: currency,
        amount: row.amount(7), source: row.text(2))
      cards[key, default: (currency, row.date(1), row.text(2), row.bool(3), [])].rates.append(rate)
    }
    return RateBook(
      cards.values.map {
        RateCard(
          currency: $0.currency, effectiveFrom: $0.from, isComplete: $0.complete, source: $0.source, rates: $0.rates)
      })
  }
}
