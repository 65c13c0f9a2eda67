import Domain
import JSON
import Money
import Postgres

/// The ledger's side of a reconciliation, and what came of comparing it with Meta's.
public enum Reconciliations {
  public struct Key: Hashable, Sendable, Comparable {
    public let day: CivilDate
    /// The number's phone; 0 where it is not known.
    public let number: Int64
    public let country: String
    public let category: Category?
    public let type: PricingType

    public init(day: CivilDate, number: Int64, country: String, category: Category?, type: PricingType) {
      (self.day, self.number, self.country, self.category, self.type) = (day, number, country, category, type)
    }

    public static func < (a: Key, b: Key) -> Bool {
      if (a.day, a.number, a.country) != (b.day, b.number, b.country) {
        return (a.day, a.number, a.country) < (b.day, b.number, b.country)
      }
      return (a.category?.rawValue ?? 0, a.type.rawValue) < (b.category?.rawValue ?? 0, b.type.rawValue)
    }
  }

  public struct Delivered: Sendable {
    public let volume: Int64
    public let cost: Amount
    public let unpriced: Int64
    /// Of the volume, those that no receipt of delivery came for.
    public let byRead: Int64
    /// The calling code's market on that day.
    public let market: Market?
  }

  /// Messages without a final receipt, by who they went to.
  public struct Waiting: Hashable, Sendable {
    public let number: Int64
    public let country: String
    public let category: Category

    public init(number: Int64, country: String, category: Category) {
      (self.number, self.country, self.category) = (number, country, category)
    }
  }

  /// A message whose receipts named no category (those that carry it were lost) stands under its campaign's.
  public static func delivered(
    of account: Account.ID, from: CivilDate, to: CivilDate, on pool: Pool
  ) async throws -> [Key: Delivered] {
    let rows = try await pool.run(
      """
      select s.charge_day, coalesce(n.phone, 0), coalesce(p.country, ''), coalesce(s.category, c.category),
        coalesce(s.pricing_type, 1::int2), count(*), coalesce(sum(t.amount) filter (where s.charge = 1), 0), count(*) filter (where s.charge = 3),
        min(s.market), count(*) filter (where s.delivered_at is null)
      from campaign c join standing s on s.campaign_id = c.campaign_id
      join recipient r on r.campaign_id = s.campaign_id and r.seq = s.seq
      left join contact p on p.contact_id = r.contact_id left join number n on n.number_id = s.number_id
      left join rate t on t.rate_id = s.rate_id
      where c.account_id = $1 and s.charge <> 0 and s.charge_day between $2 and $3 group by 1, 2, 3, 4, 5
      """, .int8(account.rawValue), .date(from), .date(to))
    var all: [Key: Delivered] = [:]
    for row in rows {
      let key = Key(
        day: row.date(0), number: row.int64(1), country: row.text(2),
        category: row.optionalInt16(3).flatMap(Category.init(rawValue:)),
        type: PricingType(rawValue: row.int16(4)) ?? .regular)
      all[key] = Delivered(
        volume: row.int64(5), cost: row.amount(6), unpriced: row.int64(7), byRead: row.int64(9),
        market: row.optionalInt16(8).flatMap(Market.init(rawValue:)))
    }
    return all
  }

  /// The days on which messages without a final receipt were handed over, the oldest first. Receipts come for at most 37
  /// days.
  public static func waiting(
    of account: Account.ID, zone: String, from: CivilDate, to: CivilDate, on pool: Pool
  ) async throws -> (days: [Waiting: [(day: CivilDate, count: Int64)]], phones: [String: PhoneNumber]) {
    let rows = try await pool.run(
      """
      select coalesce(n.phone, 0), coalesce(p.country, ''), c.category, (f.at at time zone $2)::date, count(*),
        min(r.phone)
      from campaign c join fact f on f.campaign_id = c.campaign_id
      join recipient r on r.campaign_id = f.campaign_id and r.seq = f.seq
      left join contact p on p.contact_id = r.contact_id left join number n on n.number_id = f.number_id
      left join standing s on s.campaign_id = f.campaign_id and s.seq = f.seq and s.attempt = f.attempt
      where c.account_id = $1 and f.outcome in (1, 2, 4, 5) and coalesce(s.standing, 0) < 20
        and f.at >= ($3::date - 38) and f.at < ($4::date + 2)
      group by 1, 2, 3, 4 order by 1, 2, 3, 4
      """, .int8(account.rawValue), .text(zone), .date(from), .date(to))
    var all: [Waiting: [(day: CivilDate, count: Int64)]] = [:]
    // One of each country: its calling code tells the market.
    var phones: [String: PhoneNumber] = [:]
    for row in rows {
      guard let category = Category(rawValue: row.int16(2)) else { continue }
      phones[row.text(1)] = PhoneNumber(digits: row.int64(5))
      let key = Waiting(number: row.int64(0), country: row.text(1), category: category)
      all[key, default: []].append((row.date(3), row.int64(4)))
    }
    return (all, phones)
  }

  // MARK: Results

  public struct Line: Sendable {
    public let key: Key
    public let meta: Reconciliation.Meta
    public let volume: Int64
    public let cost: Amount
    public let parts: [Reconciliation.Part]

    public init(
      key: Key, meta: Reconciliation.Meta, volume: Int64, cost: Amount, parts: [Reconciliation.Part]
    ) {
      (self.key, self.meta, self.volume, self.cost, self.parts) = (key, meta, volume, cost, parts)
    }
  }

  public struct Result: Sendable {
    public var from: CivilDate
    public var to: CivilDate
    public var meta: Reconciliation.Meta
    public var volume: Int64
    public var cost: Amount
    public var parts: [Reconciliation.Part]
    /// Where the two differ.
    public var lines: [Line]
    /// Nil before it is stored.
    public var ranAt: Instant?

    public init(
      from: CivilDate, to: CivilDate, meta: Reconciliation.Meta, volume: Int64, cost: Amount,
      parts: [Reconciliation.Part], lines: [Line], ranAt: Instant? = nil
    ) {
      (self.from, self.to, self.meta, self.volume, self.cost) = (from, to, meta, volume, cost)
      (self.parts, self.lines, self.ranAt) = (parts, lines, ranAt)
    }
  }

  /// `alerts`: it goes beyond what is let pass, so the record says so for people to see.
  public static func keep(_ result: Result, of account: Statements.Account, alerts: Bool, on pool: Pool) async throws {
    try await pool.transaction { tx in
      let id = try await tx.run(
        """
        insert into reconciliation (business_id, account_id, from_day, to_day, meta_volume, meta_cost, our_volume,
          our_cost, parts) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning reconciliation_id
        """, .int8(account.business.rawValue), .int8(account.id.rawValue), .date(result.from), .date(result.to),
        .int8(result.meta.volume), result.meta.cost.map { .numeric($0) } ?? .null, .int8(result.volume),
        .numeric(result.cost), .jsonb(json(result.parts).rendered()))[0].int64(0)
      let keys = result.lines.map(\.key)
      _ = try await tx.run(
        """
        insert into reconciliation_line (reconciliation_id, line, day, number, country, category, pricing_type,
          meta_volume, meta_cost, our_volume, our_cost, parts)
        select $1, row_number() over (), d, n, c, k, t, mv, mc, v, a, p
        from unnest($2::date[], $3::int8[], $4::text[], $5::int2[], $6::int2[], $7::int8[], $8::numeric[], $9::int8[],
          $10::numeric[], $11::jsonb[]) x (d, n, c, k, t, mv, mc, v, a, p)
        """, .int8(id), .dates(keys.map(\.day)), .int8s(keys.map(\.number)), .texts(keys.map(\.country)),
        .optionalInt2s(keys.map { $0.category?.rawValue }), .int2s(keys.map(\.type.rawValue)),
        .int8s(result.lines.map(\.meta.volume)), .optionalNumerics(result.lines.map(\.meta.cost)),
        .int8s(result.lines.map(\.volume)), .numerics(result.lines.map(\.cost)),
        .jsonbs(result.lines.map { json($0.parts).rendered() }))
      guard alerts else { return }
      _ = try await tx.batch([
        Audit.entry(
          business: account.business, actor: "qafila", action: "reconciliation_differs", subject: account.wabaID,
          detail: ["from": .string(result.from.description), "to": .string(result.to.description),
            "parts": json(result.parts)])
      ])
    }
  }

  /// The newest run over an account; nil before the first.
  public static func latest(of account: Account.ID, on pool: Pool) async throws -> Result? {
    let runs = try await pool.run(
      """
      select reconciliation_id, from_day, to_day, meta_volume, meta_cost, our_volume, our_cost, parts, ran_at
      from reconciliation where account_id = $1 order by reconciliation_id desc limit 1
      """, .int8(account.rawValue))
    guard let run = runs.first else { return nil }
    let rows = try await pool.run(
      """
      select day, number, country, category, pricing_type, meta_volume, meta_cost, our_volume, our_cost, parts
      from reconciliation_line where reconciliation_id = $1 order by line
      """, .int8(run.int64(0)))
    let lines = try rows.map { row in
      Line(
        key: Key(
          day: row.date(0), number: row.int64(1), country: row.text(2),
          category: row.optionalInt16(3).flatMap(Category.init(rawValue:)),
          type: PricingType(rawValue: row.int16(4)) ?? .regular),
        meta: Reconciliation.Meta(volume: row.int64(5), cost: row.optionalAmount(6)), volume: row.int64(7),
        cost: row.amount(8), parts: parts(try JSONValue(parsing: row.jsonb(9))))
    }
    return Result(
      from: run.date(1), to: run.date(2), meta: Reconciliation.Meta(volume: run.int64(3), cost: run.optionalAmount(4)),
      volume: run.int64(5), cost: run.amount(6), parts: parts(try JSONValue(parsing: run.jsonb(7))), lines: lines,
      ranAt: run.instant(8))
  }

  public static func json(_ parts: [Reconciliation.Part]) -> JSONValue {
    .array(
      parts.map {
        [
          "reason": .string($0.reason.rawValue), "volume": .number(String($0.volume)),
          "amount": $0.amount.map { .string($0.text()) } ?? .null,
        ]
      })
  }

  private static func parts(_ json: JSONValue) -> [Reconciliation.Part] {
    (json.arrayValue ?? []).compactMap { part in
      part["reason"]?.stringValue.flatMap { Reconciliation.Reason(rawValue: $0) }.map {
        Reconciliation.Part(
          $0, volume: part["volume"]?.int64Value ?? 0, amount: part["amount"]?.stringValue.flatMap { Amount($0) })
      }
    }
  }
}
