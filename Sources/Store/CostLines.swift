import Domain
import Money
import Postgres

/// Sums of money and of outcomes, grouped by what finance asks for.
///
/// Money is the ledger's, outcomes are the messages': two sources under the same keys, so that a report shows when they
/// do not agree. In another zone than the accounts' the ledger's days do not serve; then both are the messages'.
public enum CostLines {
  public enum Group: String, CaseIterable, Sendable { case campaign, market, category, number, day, month }

  public struct Asked: Sendable {
    public var groups: [Group]
    public var business: Business.ID
    public var campaign: Campaign.ID?
    public var from: CivilDate?
    public var to: CivilDate?
    /// An IANA zone for days and months; nil: each account's own.
    public var zone: String?

    public init(groups: [Group], business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?) {
      (self.groups, self.business, self.campaign, self.from, self.to) = (groups, business, campaign, from, to)
    }
  }

  public struct Sums: Sendable, Equatable {
    /// Charges at list rates.
    public var charges = Amount.zero
    /// Volume discounts of whole months: of no campaign and no number.
    public var adjustments = Amount.zero
    public var charged: Int64 = 0
    public var free: Int64 = 0
    /// Delivered, and no card holds a rate: never zero, never guessed.
    public var unpriced: Int64 = 0
    public var delivered: Int64 = 0
    public var read: Int64 = 0

    public init() {}
    public var amount: Amount { charges + adjustments }
  }

  public struct Line: Sendable {
    /// In the order asked for; campaigns by id, empty for what belongs to none.
    public let keys: [String]
    public let currency: String
    public var sums: Sums
  }

  public static func read(_ asked: Asked, on pool: Pool) async throws -> [Line] {
    let statements = [
      Statement("set local jit = off"), Statement("set local work_mem = '64MB'"), ledger(asked), messages(asked),
    ]
    let rows = try await pool.transaction(.repeatableReadOnly) { try await $0.batch(statements) }
    var lines: [[String]: Line] = [:]
    let count = asked.groups.count
    func add(_ row: Row, _ change: (inout Sums) -> Void) {
      let keys = (0..<count).map { row.text($0) }
      let key = keys + [row.text(count)]
      var line = lines[key] ?? Line(keys: keys, currency: row.text(count), sums: Sums())
      change(&line.sums)
      lines[key] = line
    }
    for row in rows[2] {
      add(row) { sums in
        sums.adjustments += row.amount(count + 4)
        guard asked.zone == nil else { return }
        sums.charged += row.int64(count + 1)
        sums.free += row.int64(count + 2)
        sums.unpriced += row.int64(count + 3)
        sums.charges += row.amount(count + 5)
      }
    }
    for row in rows[3] {
      add(row) { sums in
        sums.delivered += row.int64(count + 1)
        sums.read += row.int64(count + 2)
        guard asked.zone != nil else { return }
        sums.charged += row.int64(count + 3)
        sums.free += row.int64(count + 4)
        sums.unpriced += row.int64(count + 5)
        sums.charges += row.amount(count + 6)
      }
    }
    return lines.values.filter { $0.sums != Sums() }
      .sorted { ($0.keys + [$0.currency]).lexicographicallyPrecedes($1.keys + [$1.currency]) }
  }

  private static func ledger(_ asked: Asked) -> Statement {
    let keys = keys(
      asked, campaign: "case when p.campaign_id > 0 then p.campaign_id::text else '' end", market: "p.market",
      category: "p.category", day: "p.day")
    return Statement(
      """
      select \(keys.columns)p.currency,
        coalesce(sum(p.count) filter (where p.charge = 1 and p.reason <> 5), 0)::int8,
        coalesce(sum(p.count) filter (where p.charge = 2), 0)::int8,
        coalesce(sum(p.count) filter (where p.charge = 3), 0)::int8,
        coalesce(sum(p.amount) filter (where p.reason = 5), 0), coalesce(sum(p.amount) filter (where p.reason <> 5), 0)
      from posting p left join number n on n.number_id = p.number_id
      where p.business_id = $1 and ($2::int8 is null or p.campaign_id = $2) and ($3::date is null or p.day >= $3)
        and ($4::date is null or p.day <= $4) and ($5::text is null or p.reason = 5)
      group by \(keys.places)
      """, values(asked))
  }

  private static func messages(_ asked: Asked) -> Statement {
    let day = "coalesce((least(s.delivered_at, s.read_at) at time zone $5::text)::date, s.charge_day)"
    let keys = keys(asked, campaign: "s.campaign_id::text", market: "s.market", category: "s.category", day: day)
    return Statement(
      """
      select \(keys.columns)a.currency, count(*), count(*) filter (where s.standing >= 40),
        count(*) filter (where s.charge = 1), count(*) filter (where s.charge = 2), count(*) filter (where s.charge = 3),
        coalesce(sum(r.amount) filter (where s.charge = 1), 0)
      from campaign c join account a using (account_id) join standing s on s.campaign_id = c.campaign_id
      left join number n on n.number_id = s.number_id left join rate r on r.rate_id = s.rate_id
      where c.business_id = $1 and ($2::int8 is null or s.campaign_id = $2) and s.charge <> 0
        and ($3::date is null or \(day) >= $3) and ($4::date is null or \(day) <= $4)
      group by \(keys.places)
      """, values(asked))
  }

  private static func keys(
    _ asked: Asked, campaign: String, market: String, category: String, day: String
  ) -> (columns: String, places: String) {
    let columns = asked.groups.map { group in
      switch group {
      case .campaign: campaign
      case .market: MessageLines.words(market, Market.self)
      case .category: "coalesce(\(MessageLines.words(category, Category.self)), 'unknown')"
      case .number: "coalesce(n.phone_number_id, '')"
      case .day: "(\(day))::text"
      case .month: "to_char(\(day), 'YYYY-MM')"
      }
    }
    return (
      columns.map { $0 + ", " }.joined(), (1...columns.count + 1).map(String.init).joined(separator: ", ")
    )
  }

  private static func values(_ asked: Asked) -> [Value] {
    [
      .int8(asked.business.rawValue), asked.campaign.map { .int8($0.rawValue) } ?? .null,
      asked.from.map { .date($0) } ?? .null, asked.to.map { .date($0) } ?? .null,
      asked.zone.map { .text($0) } ?? .null,
    ]
  }
}
