import Domain
import JSON
import Money
import Postgres

/// Statements: what an account was charged in a month of its zone. A closed one is kept line by line and never changes.
public enum Statements {
  public struct Line: Sendable, Equatable {
    public let campaign: Campaign.ID
    public let campaignName: String
    public let number: String
    /// Delivered; of an adjustment in an earlier month.
    public let day: CivilDate
    public let market: Market
    public let category: Category?
    public let type: PricingType
    public let charge: Int16
    public let reason: PostingReason
    public let rate: Amount?
    public let card: CivilDate?
    public let count: Int64
    public let amount: Amount
  }

  public struct Account: Sendable {
    public let id: Domain.Account.ID
    public let business: Business.ID
    public let portfolio: Portfolio.ID
    public let wabaID: String
    public let name: String
    public let currency: Currency
    public let zone: String
  }

  /// A month of an account as it stands: with a number when it is closed.
  public struct Statement: Sendable {
    public let account: Account
    public let month: BillingMonth
    public let number: Int64?
    public let closedAt: Instant?
    public let parties: Parties
    public let totals: StatementTotals
    public let lines: [Line]
  }

  /// Who sells and who buys, as text, and the tax that is added.
  public struct Parties: Sendable, Equatable {
    public struct Party: Sendable, Equatable {
      public var name = ""
      public var taxNumber = ""
      public var address = ""
      public init() {}
    }
    public var seller = Party()
    public var buyer = Party()
    /// Nil: no line of VAT.
    public var vatPercent: Amount?
    public init() {}
  }

  // MARK: Accounts and months

  public static func accounts(of business: Business.ID?, on pool: Pool) async throws(DatabaseError) -> [Account] {
    let rows = try await pool.run(
      """
      select account_id, business_id, portfolio_id, waba_id, name, currency, zone from account
      where $1::int8 is null or business_id = $1 order by account_id
      """, business.map { .int8($0.rawValue) } ?? .null)
    return rows.compactMap { row in
      Currency(row.text(5)).map {
        Account(
          id: Domain.Account.ID(row.int64(0)), business: Business.ID(row.int64(1)),
          portfolio: Portfolio.ID(row.int64(2)), wabaID: row.text(3), name: row.text(4), currency: $0, zone: row.text(6))
      }
    }
  }

  public struct MonthEntry: Sendable {
    public let month: BillingMonth
    /// Nil while it is open.
    public let number: Int64?
    /// Exact; of an open month as it stands.
    public let net: Amount
    public let unpriced: Int64
  }

  /// Every month of an account with a statement or with postings, the newest first.
  public static func months(of account: Domain.Account.ID, on pool: Pool) async throws(DatabaseError) -> [MonthEntry] {
    let rows = try await pool.run(
      """
      select m.month, s.statement_no, m.net, m.unpriced from (
        select month, sum(amount) as net, coalesce(sum(count) filter (where charge = 3), 0)::int8 as unpriced
        from posting where account_id = $1 group by month
      ) m left join statement s on s.account_id = $1 and s.month = m.month order by m.month desc
      """, .int8(account.rawValue))
    return rows.map { row in
      MonthEntry(
        month: BillingMonth(of: row.date(0)), number: row.optionalInt64(1), net: row.amount(2), unpriced: row.int64(3))
    }
  }

  // MARK: Reading

  public static func read(_ account: Account, _ month: BillingMonth, on pool: Pool) async throws -> Statement {
    try await pool.transaction(.repeatableReadOnly) { tx in
      let found = try await tx.run(
        "select statement_no, closed_at, parties from statement where account_id = $1 and month = $2",
        .int8(account.id.rawValue), .date(month.firstDay))
      guard let row = found.first else {
        let parties = try await parties(of: account.business, tx)
        let lines = try await openLines(account.id, month, tx)
        return Statement(
          account: account, month: month, number: nil, closedAt: nil, parties: parties,
          totals: totals(account, lines, parties), lines: lines)
      }
      let lines = try await tx.run(
        """
        select l.campaign_id, coalesce(c.name, ''), coalesce(n.phone_number_id, ''), l.day, l.market, l.category,
          l.pricing_type, l.charge, l.reason, l.rate, l.card, l.count, l.amount
        from statement_line l left join campaign c using (campaign_id) left join number n using (number_id)
        where l.account_id = $1 and l.month = $2 order by l.line
        """, .int8(account.id.rawValue), .date(month.firstDay)
      ).map(line)
      let parties = Parties(json: try JSONValue(parsing: row.jsonb(2)))
      return Statement(
        account: account, month: month, number: row.int64(0), closedAt: row.instant(1), parties: parties,
        totals: totals(account, lines, parties), lines: lines)
    }
  }

  private static func totals(_ account: Account, _ lines: [Line], _ parties: Parties) -> StatementTotals {
    StatementTotals(
      currency: account.currency, net: lines.reduce(.zero) { $0 + $1.amount }, vatPercent: parties.vatPercent,
      unpriced: Int(lines.reduce(0) { $0 + ($1.charge == 3 ? $1.count : 0) }))
  }

  /// The month's postings, summed to lines: what was taken back and posted again in the month shows once, corrections of
  /// earlier months keep their reason.
  private static let grouped = """
    select p.campaign_id, p.number_id, p.day, p.market, p.category, p.pricing_type, p.charge,
      (case when p.reason = 5 or p.day < p.month then p.reason else 1 end)::int2 as reason, r.amount as rate,
      k.effective_from as card, sum(p.count)::int8 as count, sum(p.amount) as amount
    from posting p left join rate r on r.rate_id = p.rate_id left join rate_card k on k.rate_card_id = r.rate_card_id
    where p.account_id = $1 and p.month = $2
    group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 having sum(p.count) <> 0 or sum(p.amount) <> 0
    """

  private static let order = "(day < $2), reason = 5, day, campaign_id, number_id, market, category, pricing_type, charge, rate"

  private static func openLines(_ account: Domain.Account.ID, _ month: BillingMonth, _ tx: Transaction)
    async throws(DatabaseError) -> [Line]
  {
    try await tx.run(
      """
      select g.campaign_id, coalesce(c.name, ''), coalesce(n.phone_number_id, ''), g.day, g.market, g.category,
        g.pricing_type, g.charge, g.reason, g.rate, g.card, g.count, g.amount
      from (\(grouped)) g left join campaign c using (campaign_id) left join number n using (number_id)
      order by \(order)
      """, .int8(account.rawValue), .date(month.firstDay)
    ).map(line)
  }

  private static func line(_ row: Row) -> Line {
    Line(
      campaign: Campaign.ID(row.int64(0)), campaignName: row.text(1), number: row.text(2), day: row.date(3),
      market: Market(rawValue: row.int16(4)) ?? .other, category: row.optionalInt16(5).flatMap(Category.init(rawValue:)),
      type: PricingType(rawValue: row.int16(6)) ?? .regular, charge: row.int16(7),
      reason: PostingReason(rawValue: row.int16(8)) ?? .charge, rate: row.optionalAmount(9), card: row.optionalDate(10),
      count: row.int64(11), amount: row.amount(12))
  }

  // MARK: Closing

  /// Closes a month for good: books its volume discounts, gives it the next number and copies its lines. False when it
  /// was closed already, or when nothing stands in it.
  ///
  /// It holds the folds' fence: a fold that had meant to post into this month fails on it, reads that the month is
  /// closed, and posts into the next. Throws a unique violation when a fold was first: try again.
  public static func close(_ account: Account, _ month: BillingMonth, booked day: CivilDate, on pool: Pool) async throws
    -> Bool
  {
    try await pool.transaction { tx in
      let k = try await Ledger.fence(tx)
      let closed = try await tx.run(
        "select 1 from statement where account_id = $1 and month >= $2", .int8(account.id.rawValue), .date(month.firstDay))
      guard closed.isEmpty else { return false }
      try await VolumeDiscounts.post(account, bearing: month, booked: day, k: k, tx)
      let parties = try await parties(of: account.business, tx)
      let lines = try await openLines(account.id, month, tx)
      if lines.isEmpty { return false }
      let totals = totals(account, lines, parties)
      _ = try await tx.batch([
        Postgres.Statement(
          """
          insert into statement (business_id, account_id, month, statement_no, currency, zone, parties, totals)
          select $1, $2, $3, coalesce(max(statement_no), 0) + 1, $4, $5, $6, $7 from statement where business_id = $1
          """,
          [
            .int8(account.business.rawValue), .int8(account.id.rawValue), .date(month.firstDay),
            .text(account.currency.code), .text(account.zone), .jsonb(parties.json.rendered()),
            .jsonb(totals.json.rendered()),
          ]),
        Postgres.Statement(
          """
          insert into statement_line (account_id, month, line, campaign_id, number_id, day, market, category,
            pricing_type, charge, reason, rate, card, count, amount)
          select $1, $2, row_number() over (order by \(order)), campaign_id, number_id, day, market, category,
            pricing_type, charge, reason, rate, card, count, amount
          from (\(grouped)) g
          """, [.int8(account.id.rawValue), .date(month.firstDay)]),
        Audit.entry(
          business: account.business, actor: "qafila", action: "month_closed",
          subject: "\(account.wabaID) \(month)", detail: totals.json),
      ])
      return true
    }
  }

  // MARK: Parties

  public static func parties(of business: Business.ID, on pool: Pool) async throws -> Parties {
    try await pool.transaction(.repeatableReadOnly) { try await parties(of: business, $0) }
  }

  private static func parties(of business: Business.ID, _ tx: Transaction) async throws -> Parties {
    let rows = try await tx.run(
      "select parties from statement_party where business_id = $1 order by version desc limit 1",
      .int8(business.rawValue))
    return try rows.first.map { Parties(json: try JSONValue(parsing: $0.jsonb(0))) } ?? Parties()
  }

  /// From the next closing on; closed months keep theirs.
  public static func name(_ parties: Parties, of business: Business.ID, by actor: String, on pool: Pool) async throws {
    _ = try await pool.batch([
      Postgres.Statement(
        """
        insert into statement_party (business_id, version, parties, by)
        select $1, coalesce(max(version), 0) + 1, $2, $3 from statement_party where business_id = $1
        """, [.int8(business.rawValue), .jsonb(parties.json.rendered()), .text(actor)]),
      Audit.entry(business: business, actor: actor, action: "statement_parties_named", detail: parties.json),
    ])
  }
}

extension Statements.Parties {
  init(json: JSONValue) {
    func party(_ name: String) -> Party {
      var party = Party()
      party.name = json[name]?["name"]?.stringValue ?? ""
      party.taxNumber = json[name]?["tax_number"]?.stringValue ?? ""
      party.address = json[name]?["address"]?.stringValue ?? ""
      return party
    }
    (seller, buyer) = (party("seller"), party("buyer"))
    vatPercent = json["vat_percent"]?.stringValue.flatMap { Amount($0) }
  }

  public var json: JSONValue {
    func party(_ party: Party) -> JSONValue {
      ["name": .string(party.name), "tax_number": .string(party.taxNumber), "address": .string(party.address)]
    }
    return [
      "seller": party(seller), "buyer": party(buyer),
      "vat_percent": vatPercent.map { .string($0.text(minimumDecimals: 0)) } ?? .null,
    ]
  }
}

extension StatementTotals {
  public var json: JSONValue {
    [
      "currency": .string(currency.code), "exact_net": .string(exactNet.text()),
      "net": .string(net.text(minimumDecimals: 2)), "vat": vat.map { .string($0.text(minimumDecimals: 2)) } ?? .null,
      "gross": .string(gross.text(minimumDecimals: 2)), "unpriced": .number(String(unpriced)),
    ]
  }
}
