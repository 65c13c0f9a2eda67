import Domain
import Money
import Postgres

/// The rate cards as rows, read into the book that prices by them.
public enum RateCards {
  public static func book(on connection: Connection) async throws(DatabaseError) -> RateBook {
    let rows = try await connection.run(
      """
      select c.currency, c.effective_from, c.complete, c.source, r.rate_id, r.market, r.category, r.amount
      from rate_card c join rate r using (rate_card_id) order by c.currency, c.effective_from
      """)
    struct Key: Hashable {
      let currency: Currency
      let from: CivilDate
      let isComplete: Bool
      let source: String
    }
    var cards: [Key: [Rate]] = [:]
    for row in rows {
      guard let currency = Currency(row.text(0)), let market = Market(rawValue: row.int16(5)),
        let category = Category(rawValue: row.int16(6))
      else { continue }
      let key = Key(currency: currency, from: row.date(1), isComplete: row.bool(2), source: row.text(3))
      cards[key, default: []].append(
        Rate(
          id: RateRow.ID(row.int64(4)), effectiveFrom: key.from, market: market, category: category, currency: currency,
          amount: row.amount(7), source: key.source))
    }
    return RateBook(
      cards.map {
        RateCard(
          currency: $0.key.currency, effectiveFrom: $0.key.from, isComplete: $0.key.isComplete, source: $0.key.source,
          rates: $0.value)
      })
  }
}
