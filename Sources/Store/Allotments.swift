import Domain
import Money
import Postgres

/// Blocks of shared budgets in the hands of a lane's owner: drawn from one row, spent by claims, given back. The draw is
/// fenced as a claim is, so what an owner that is gone held is known exactly and comes back (`Budgets.reclaim`).
public enum Allotments {
  /// A budget that a lane's claims for a campaign must be covered by.
  public struct Source: Sendable, Hashable {
    public let budget: Int64
    /// Nil until somebody opens it: the month is new.
    public let pool: Int64?
    public let scope: PauseScope
    /// Nil for a campaign's.
    public let month: CivilDate?
    /// Nil: it counts messages.
    public let currency: String?
    /// How many lanes share it.
    public let lanes: Int
    /// What the number's messages are billed in, and the zone whose days choose the card.
    public let billed: String
    public let zone: String
    /// Changes whenever a rate card or a market does.
    public let rates: Int64

    /// The same with its pool opened.
    public init(_ other: Source, pool: Int64) {
      (budget, self.pool, scope, month, currency) = (other.budget, pool, other.scope, other.month, other.currency)
      (lanes, billed, zone, rates) = (other.lanes, other.billed, other.zone, other.rates)
    }

    init(
      budget: Int64, pool: Int64?, scope: PauseScope, month: CivilDate?, currency: String?, lanes: Int, billed: String,
      zone: String, rates: Int64
    ) {
      (self.budget, self.pool, self.scope, self.month, self.currency) = (budget, pool, scope, month, currency)
      (self.lanes, self.billed, self.zone, self.rates) = (lanes, billed, zone, rates)
    }
  }

  /// What a claim reserves: the price of each position of its range, nil where nobody was claimed.
  public struct Reservation: Sendable {
    public let pools: [Int64]
    public let prices: [Amount?]
    public var people: Int { prices.count { $0 != nil } }
    public var reserved: Amount { prices.reduce(.zero) { $0 + ($1 ?? .zero) } }

    public init(pools: [Int64], prices: [Amount?]) { (self.pools, self.prices) = (pools, prices) }

    /// Equal prices side by side are one: nearly always a claim has a single one.
    var runs: (prices: [Amount?], counts: [Int32]) {
      var runs: (prices: [Amount?], counts: [Int32]) = ([], [])
      for price in prices {
        if let last = runs.prices.last, last == price {
          runs.counts[runs.counts.count - 1] += 1
        } else {
          runs.prices.append(price)
          runs.counts.append(1)
        }
      }
      return runs
    }
  }

  /// The budgets over each campaign that `number` sends: its own, the number's and the portfolio's of this month.
  public static func sources(of number: Number.ID, on connection: Connection) async throws(DatabaseError)
    -> [Campaign.ID: [Source]]
  {
    let rows = try await connection.run(
      """
      with me as (
        select n.number_id, a.portfolio_id, a.currency as billed, a.zone, date_trunc('month', now() at time zone a.zone)::date as month
        from number n join account a using (account_id) where n.number_id = $1
      ), mine as (
        select c.campaign_id, cardinality(c.numbers) as lanes, c.kind from campaign c
        where $1 = any(c.numbers) and c.state = 5 and c.kind in (1, 2)
      ), held as (
        select m.campaign_id, b.budget_id, b.scope, b.currency, m.lanes, null::date as month
        from mine m join budget b on b.scope = 7 and b.scope_id = m.campaign_id
        union all
        select m.campaign_id, b.budget_id, b.scope, b.currency, 1, me.month
        from mine m, me join budget b on b.scope = 5 and b.scope_id = me.number_id
        union all
        select m.campaign_id, b.budget_id, b.scope, b.currency,
          (select count(*)::int from number x join account y using (account_id) where y.portfolio_id = me.portfolio_id),
          me.month
        from mine m, me join budget b on b.scope = 2 and b.scope_id = me.portfolio_id
      )
      select h.campaign_id, h.budget_id, p.pool_id, h.scope, h.month, h.currency, h.lanes, me.billed, me.zone,
        case when h.currency is not null then (select coalesce(max(rate_card_id), 0) from rate_card)
          + (select count(*) << 32 from market_change) else 0 end
      from me cross join held h left join pool p on p.budget_id = h.budget_id and p.month is not distinct from h.month
      """, .int8(number.rawValue))
    return rows.reduce(into: [:]) { sources, row in
      sources[Campaign.ID(row.int64(0)), default: []].append(
        Source(
          budget: row.int64(1), pool: row.optionalInt64(2), scope: PauseScope(rawValue: row.int16(3)) ?? .campaign,
          month: row.optionalDate(4), currency: row.optionalText(5), lanes: max(1, Int(row.int32(6))),
          billed: row.text(7), zone: row.text(8), rates: row.int64(9)))
    }
  }

  /// Opens a budget's pool for a month; the same one when it is open already.
  public static func open(_ source: Source, on connection: Connection) async throws(DatabaseError) -> Int64 {
    let month: Value = source.month.map { .date($0) } ?? .null
    let rows = try await connection.batch([
      Statement(
        "insert into pool (budget_id, month) values ($1, $2::date) on conflict do nothing", [.int8(source.budget), month]),
      Statement(
        "select pool_id from pool where budget_id = $1 and month is not distinct from $2::date",
        [.int8(source.budget), month]),
    ])
    return rows[1][0].int64(0)
  }

  /// Draws a block of whole messages of `price`; zero when not even one is left. Fenced: an error of an older epoch.
  public static func draw(
    _ pool: Int64, number: Number.ID, epoch: Int32, lanes: Int, price: Amount, on connection: Connection
  ) async throws(DatabaseError) -> Amount {
    try await connection.run(
      "select draw_allotment($1, $2, $3, $4, $5)", .int8(pool), .int8(number.rawValue), .int4(epoch), .int4(Int32(lanes)),
      .numeric(price))[0].amount(0)
  }

  /// Answers what went back. The amount stands first: as the fourth of an asynchronous function its 128 bits lie half in
  /// a register and half on the stack, and Swift 6.3's debug code then returns to nowhere.
  public static func giveBack(
    _ amount: Amount, to pool: Int64, number: Number.ID, epoch: Int32, on connection: Connection
  ) async throws(DatabaseError) -> Amount {
    try await connection.run(
      "select return_allotment($1, $2, $3, $4)", .int8(pool), .int8(number.rawValue), .int4(epoch), .numeric(amount)
    )[0].amount(0)
  }

  /// What is left by the record, after a draw or a return whose commit is in doubt.
  public static func left(_ pool: Int64, number: Number.ID, epoch: Int32, on connection: Connection)
    async throws(DatabaseError) -> Amount
  {
    try await connection.run(
      "select unspent_allotment($1, $2, $3)", .int8(pool), .int8(number.rawValue), .int4(epoch))[0].amount(0)
  }
}
