import Domain
import Money
import Postgres

/// The volume tiers of a currency as finance loaded them, and what was charged towards them.
public struct VolumeRules: Sendable {
  private struct Row: Sendable {
    let from: CivilDate
    let market: Int16
    let category: Int16
    let tier: VolumeTiers.Tier
  }

  private let currency: Currency
  private let rows: [Row]
  private let book: RateBook

  public var isEmpty: Bool { rows.isEmpty }

  static func read(_ currency: Currency, _ tx: Transaction) async throws(DatabaseError) -> VolumeRules {
    let rows = try await tx.run(
      "select effective_from, market, category, above, amount from rate_tier where currency = $1", .text(currency.code))
    return VolumeRules(
      currency: currency,
      rows: rows.map {
        Row(
          from: $0.date(0), market: $0.int16(1), category: $0.int16(2), tier: .init(above: Int($0.int64(3)), rate: $0.amount(4)))
      }, book: try await RateCards.prices(in: tx).pricing.book)
  }

  /// The set that is in force when the month begins; nil when there is none, or no list price.
  public func rule(_ market: Market, _ category: Category, in month: BillingMonth) -> VolumeTiers? {
    let start = month.firstDay
    let own = rows.filter { $0.market == market.rawValue && $0.category == category.rawValue && $0.from <= start }
    guard let from = own.map(\.from).max(), let list = book.rate(market, category, in: currency, on: start) else {
      return nil
    }
    return VolumeTiers(list: list.amount, tiers: own.filter { $0.from == from }.map(\.tier))
  }

  /// What counts towards a tier on one day.
  public struct Count: Sendable {
    public let day: CivilDate
    public let market: Market
    public let category: Category
    public let count: Int64
    /// Of another account of the portfolio.
    public let isElsewhere: Bool
  }

  /// The rules, and the ledger's charged messages of the account's portfolio in its currency, from the first day of the
  /// month of `from` on.
  public static func counted(
    with account: Statements.Account, from: CivilDate, to: CivilDate, on pool: Pool
  ) async throws -> (rules: VolumeRules, counts: [Count]) {
    try await pool.transaction(.repeatableReadOnly) { tx in
      let rules = try await read(account.currency, tx)
      if rules.isEmpty { return (rules, []) }
      let rows = try await tx.run(
        """
        select p.day, p.market, p.category, p.account_id <> $3, sum(p.count)::int8
        from posting p join account a using (account_id)
        where a.portfolio_id = $1 and a.currency = $2 and p.charge = 1 and p.reason <> 5 and p.category in (2, 3)
          and p.day between $4 and $5
        group by 1, 2, 3, 4 order by 1, 2, 3, 4
        """, .int8(account.portfolio.rawValue), .text(account.currency.code), .int8(account.id.rawValue),
        .date(BillingMonth(of: from).firstDay), .date(to))
      return (
        rules,
        rows.compactMap { row in
          guard let market = Market(rawValue: row.int16(1)), let category = Category(rawValue: row.int16(2)) else {
            return nil
          }
          return Count(day: row.date(0), market: market, category: category, count: row.int64(4), isElsewhere: row.bool(3))
        }
      )
    }
  }
}
