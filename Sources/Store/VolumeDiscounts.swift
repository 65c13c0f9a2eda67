import Domain
import Money
import Postgres

/// Meta's volume discounts as postings: one per month, market and category, from the counts of the whole portfolio.
///
/// What is posted is always the difference between what the counts of a month come to and what was posted of it before,
/// so a charge that comes after its month closed changes the discount too, in the month that bears the charge.
enum VolumeDiscounts {
  /// How many months back a late charge can still change a discount: receipts come for at most 37 days.
  static let monthsBack = 3

  /// Accounts of a portfolio that are billed in different currencies are counted apart.
  static func post(
    _ account: Statements.Account, bearing month: BillingMonth, booked day: CivilDate, k: Int64, _ tx: Transaction
  ) async throws(DatabaseError) {
    let first = BillingMonth(of: CivilDate(daysSince1970: month.firstDay.daysSince1970 - 28 * monthsBack)).firstDay
    let counts = try await tx.run(
      """
      with own as (
        select account_id from account where portfolio_id = $1 and currency = $2
      )
      select date_trunc('month', p.day)::date, p.market, p.category,
        coalesce(sum(p.count) filter (where p.reason <> 5), 0)::int8,
        coalesce(sum(p.amount) filter (where p.reason = 5), 0)
      from posting p join own using (account_id)
      where p.charge = 1 and p.category in (2, 3) and p.day >= $3 and p.day < ($4::date + interval '1 month')
      group by 1, 2, 3 order by 1, 2, 3
      """, .int8(account.portfolio.rawValue), .text(account.currency.code), .date(first), .date(month.firstDay))
    let rules = try await VolumeRules.read(account.currency, tx)
    if rules.isEmpty { return }
    for row in counts {
      guard let market = Market(rawValue: row.int16(1)), let category = Category(rawValue: row.int16(2)) else { continue }
      let start = row.date(0)
      guard let rule = rules.rule(market, category, in: BillingMonth(of: start)) else { continue }
      let difference = rule.adjustment(for: Int(row.int64(3))) - row.amount(4)
      if difference == .zero { continue }
      let last = CivilDate(daysSince1970: BillingMonth(of: start).next.firstDay.daysSince1970 - 1)
      _ = try await tx.run(
        """
        insert into posting (fold_k, business_id, campaign_id, number_id, day, market, category, pricing_type, charge,
          rate_id, count, amount, currency, account_id, booked_on, month, reason)
        values ($1, $2, 0, 0, $3, $4, $5, 1, 1, null, 0, $6, $7, $8, $9, $10, $11)
        """, .int8(k), .int8(account.business.rawValue), .date(last), .int2(market.rawValue), .int2(category.rawValue),
        .numeric(difference), .text(account.currency.code), .int8(account.id.rawValue), .date(day),
        .date(month.firstDay), .int2(PostingReason.volumeTier.rawValue))
    }
  }
}
