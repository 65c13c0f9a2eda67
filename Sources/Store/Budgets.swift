import Domain
import JSON
import Money
import Postgres

/// Budgets as people set and see them, and what a scheduler does about them: thresholds, exhaustion, what comes back.
public enum Budgets {
  /// Shares of a budget, in percent, that are recorded once each.
  public static let thresholds = [80, 100]
  /// Lanes must get nothing for so long before the campaign stops.
  public static let patience: Duration = .seconds(1)

  /// A budget with its pool: a campaign's, or this month's.
  public struct Entry: Sendable {
    public let scope: PauseScope
    public let scopeID: Int64
    /// Meta's id of the number or the portfolio; the campaign's.
    public let subject: String
    public let limit: Budget
    public let month: CivilDate?
    /// In amounts or messages, as the limit: reserved for messages, what came back already taken off.
    public let used: Amount
    public let overrun: Amount
    /// Of what is used, what urgent messages and confirmations were charged: they reserve nothing and no budget stops them.
    public let urgent: Amount
    public let by: String
    public let at: Instant

    public var left: Amount { limit.limit.amount - used }

    /// Money, or messages without decimals.
    public var json: JSONObject {
      func text(_ amount: Amount) -> JSONValue {
        if case .messages = limit { return .number(String(amount.billionths / 1_000_000_000)) }
        return .string(amount.text(minimumDecimals: 2))
      }
      var object = JSONObject()
      for field in limit.json.objectValue ?? [] { object.append(field.0, field.1) }
      object.append("reserved", text(used))
      object.append("left", text(max(.zero, left)))
      if overrun > .zero { object.append("overrun", text(overrun)) }
      if urgent > .zero { object.append("urgent", text(urgent)) }
      if let month { object.append("month", .string(String(month.description.prefix(7)))) }
      return object
    }
  }

  /// Sets a budget, with its event; what was reserved under the old one stays. A campaign or a scope that the old one had
  /// stopped goes on when the new one has room.
  public static func set(
    _ budget: Budget, over scope: PauseScope, _ id: Int64, of business: Business.ID, by actor: String, reason: String,
    on pool: Pool
  ) async throws {
    let limit = budget.limit
    let currency: Value = limit.currency.map { .text($0) } ?? .null
    try await pool.transaction { tx in
      let known = try await tx.run(
        "select budget_id, currency from budget where scope = $1 and scope_id = $2 for update", .int2(scope.rawValue),
        .int8(id))
      // Money and messages are counted apart: what lanes hold of one is nothing of the other.
      if let row = known.first, row.optionalText(1) != limit.currency {
        throw Problem(
          422, "budget_kind", "A budget stays what it is.",
          detail: "It counts \(row.optionalText(1) ?? "messages").", field: limit.currency == nil ? "messages" : "currency",
          remedy: "Write the new limit in \(row.optionalText(1) ?? "messages").")
      }
      _ = try await tx.run(
        """
        insert into budget (business_id, scope, scope_id, currency, amount, by) values ($1, $2, $3, $4::text, $5, $6)
        on conflict (scope, scope_id) do update set amount = excluded.amount, by = excluded.by, at = now()
        """, .int8(business.rawValue), .int2(scope.rawValue), .int8(id), currency, .numeric(limit.amount), .text(actor))
      _ = try await tx.run(
        """
        with p as (
          select p.pool_id, coalesce(p.used, 0) < b.amount as free, p.used * 100 < b.amount * 80 as calm
          from budget b left join pool p using (budget_id) where b.scope = $1 and b.scope_id = $2
          order by p.month desc nulls last limit 1
        ), w as (
          update pool set warned = case when p.calm then 0 else least(pool.warned, 80) end,
            short_since = case when p.free then null else short_since end
          from p where pool.pool_id = p.pool_id and p.free
        ), e as (
          insert into pause_end (pause_id, reason, actor)
          select o.pause_id, $3, $4 from open_pause o
          where o.cause = 'budget' and o.evidence->>'scope' = $5 and o.evidence->>'id' = $2::text
            and exists (select from p where free)
          on conflict do nothing returning pause_id
        )
        insert into campaign_event (campaign_id, event, actor, reason)
        select scope_id, 'resumed', $4, $3 from pause join e using (pause_id) where scope = 7
        """, .int2(scope.rawValue), .int8(id), .text(reason.isEmpty ? "the budget was raised" : reason), .text(actor),
        .text(scope.word))
      _ = try await tx.batch([
        Audit.entry(
          business: business, actor: actor, action: "budget_set", subject: "\(scope.word) \(id)",
          detail: ["budget": budget.json])
      ])
      if scope == .campaign {
        _ = try await tx.batch([
          Campaigns.event(Campaign.ID(id), "budget_changed", actor: actor, reason: reason, evidence: budget.json)
        ])
      }
    }
  }

  public static func of(_ campaign: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(select + " where b.scope = 7 and b.scope_id = $1", .int8(campaign.rawValue)).first.map(entry)
  }

  /// Those over numbers and portfolios, as this month stands.
  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(
      select + " where b.business_id = $1 and b.scope <> 7 order by b.scope, b.budget_id", .int8(business.rawValue)
    ).map(entry)
  }

  /// By Meta's id; an account that was registered without a portfolio stands under its own.
  public static func portfolio(_ meta: String, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> Portfolio.ID?
  {
    try await pool.run(
      "select portfolio_id from portfolio where business_id = $1 and meta_id = $2", .int8(business.rawValue), .text(meta)
    ).first.map { Portfolio.ID($0.int64(0)) }
  }

  private static let select = """
    select b.scope, b.scope_id, coalesce(n.phone_number_id, f.meta_id, b.scope_id::text), b.amount, b.currency, m.month,
      coalesce(p.used, 0), coalesce((select sum(r.overrun) from pool_return r where r.pool_id = p.pool_id), 0),
      coalesce((select sum(r.charged) from pool_return r where r.pool_id = p.pool_id), 0), b.by, b.at
    from budget b
    left join number n on b.scope = 5 and n.number_id = b.scope_id
    left join portfolio f on b.scope = 2 and f.portfolio_id = b.scope_id
    left join lateral (
      select date_trunc('month', now() at time zone a.zone)::date as month from account a
      where b.scope <> 7 and (a.account_id = n.account_id or a.portfolio_id = f.portfolio_id) limit 1
    ) m on true
    left join pool p on p.budget_id = b.budget_id and p.month is not distinct from m.month
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(
      scope: PauseScope(rawValue: row.int16(0)) ?? .campaign, scopeID: row.int64(1), subject: row.text(2),
      limit: Budget(limit: row.amount(3), currency: row.optionalText(4)), month: row.optionalDate(5), used: row.amount(6),
      overrun: row.amount(7), urgent: row.amount(8), by: row.text(9), at: row.instant(10))
  }

  // MARK: Tending

  /// What owners that are gone held comes back; thresholds are recorded.
  public static func tend(on pool: Pool) async throws {
    _ = try await pool.run("select reclaim_allotments()")
    for threshold in thresholds {
      _ = try await pool.run(
        """
        with due as (
          update pool p set warned = $1 from budget b
          where b.budget_id = p.budget_id and p.warned < $1 and p.used * 100 >= b.amount * $1
          returning b.business_id, b.scope, b.scope_id, b.amount, b.currency, p.used, p.month
        ), a as (
          insert into audit (business_id, actor, action, subject, detail)
          select business_id, 'qafila', 'budget_threshold',
            case scope when 7 then 'campaign ' when 5 then 'number ' else 'portfolio ' end || scope_id,
            jsonb_build_object('percent', $1::int, 'reserved', used, 'limit', amount, 'currency', currency)
          from due
        )
        insert into campaign_event (campaign_id, event, actor, reason, evidence)
        select c.campaign_id, 'budget_threshold', 'qafila', '',
          jsonb_build_object('percent', $1::int, 'scope', case d.scope when 7 then 'campaign' when 5 then 'number' else
            'portfolio' end, 'reserved', d.used, 'limit', d.amount, 'currency', d.currency)
        from due d join campaign c on c.state = 5 and c.business_id = d.business_id and c.kind = 1 and (
          (d.scope = 7 and c.campaign_id = d.scope_id) or (d.scope = 5 and d.scope_id = any(c.numbers))
          or (d.scope = 2 and exists (select from account y where y.account_id = c.account_id
            and y.portfolio_id = d.scope_id)))
        """, .int2(Int16(threshold)))
    }
  }

  /// A campaign that a month's budget had stopped goes on in the next month. Answers which.
  public static func beginMonth(on pool: Pool) async throws(DatabaseError) -> [Campaign.ID] {
    try await pool.run(
      """
      with over as (
        select o.pause_id, o.scope_id from open_pause o
        join campaign c on c.campaign_id = o.scope_id join account a using (account_id)
        where o.cause = 'budget' and o.scope = 7
          and o.evidence->>'month' < to_char(now() at time zone a.zone, 'YYYY-MM')
      ), e as (
        insert into pause_end (pause_id, reason, actor) select pause_id, $1, 'qafila' from over
        on conflict do nothing returning pause_id
      )
      insert into campaign_event (campaign_id, event, actor, reason)
      select scope_id, 'resumed', 'qafila', $1 from over join e using (pause_id) returning campaign_id
      """, .text("a new month has begun")
    ).map { Campaign.ID($0.int64(0)) }
  }

  /// Counts what messages that no budget stops were charged this month.
  public static func countUnreserved(on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("select charge_unreserved()")
  }

  /// Whether this campaign ever reserved, so that its messages' ends give something back.
  public static func reserves(_ campaign: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> Bool {
    try await pool.run(
      "select exists (select from lane_log where campaign_id = $1 and kind = 1 and pools is not null)",
      .int8(campaign.rawValue))[0].bool(0)
  }

  /// Books what a campaign's ended messages leave of their reservations.
  public static func settle(_ campaign: Campaign.ID, on pool: Pool) async throws {
    try await pool.transaction { tx in
      _ = try await tx.batch(CampaignCounts.joining)
      _ = try await tx.run("select settle_reservations($1)", .int8(campaign.rawValue))
    }
  }

  /// Stops a campaign whose budget has no message left: lanes got nothing for a while, nobody holds a block that they
  /// could use, and whoever was reserved for has been written to. Answers whether it did.
  ///
  /// A number's budget stops the campaign when every one of its numbers has run out: until then the others go on.
  public static func stopExhausted(_ campaign: Campaign.ID, on pool: Pool) async throws -> Bool {
    let patience = Value.numeric(Amount(billionths: Int128(Budgets.patience.nanoseconds)))
    let short = try await pool.run(
      """
      with c as (
        select campaign_id, numbers, portfolio_id from campaign join account using (account_id) where campaign_id = $1
      ), short as (
        select b.scope, b.scope_id, b.amount, b.currency, p.used, p.month from c
        join budget b on (b.scope = 7 and b.scope_id = c.campaign_id) or (b.scope = 5 and b.scope_id = any(c.numbers))
          or (b.scope = 2 and b.scope_id = c.portfolio_id)
        join pool p using (budget_id)
        where p.short_since < clock_timestamp() - make_interval(secs => $2)
          and b.amount - p.used < p.short_of
          and (p.month is null or p.month = (select date_trunc('month', now() at time zone a.zone)::date
            from account a join campaign g using (account_id) where g.campaign_id = $1))
          and p.short_of > coalesce((select max(unspent_allotment(p.pool_id, h.number_id, h.epoch))
            from (select distinct number_id, epoch from allotment where pool_id = p.pool_id and not closed) h), 0)
      )
      select s.scope, s.scope_id, s.amount, s.currency, s.used, s.month from short s, c
      where s.scope <> 5 or cardinality(c.numbers) = (select count(*) from short n where n.scope = 5)
      order by s.scope desc limit 1
      """, .int8(campaign.rawValue), patience)
    guard let row = short.first else { return false }
    let scope = PauseScope(rawValue: row.int16(0)) ?? .campaign
    let open = try await pool.run(
      """
      select exists (select from due where campaign_id = $1) or exists (
        select from lane_log l join recipient r on r.campaign_id = $1 and r.seq between l.lo and l.hi
        where l.campaign_id = $1 and l.kind = 1 and l.pools is not null
          and not exists (select from fact f where f.campaign_id = $1 and f.seq = r.seq)
          and not exists (select from skip s where s.campaign_id = $1 and s.seq = r.seq))
      """, .int8(campaign.rawValue))
    if open[0].bool(0) { return false }
    let evidence: JSONValue = [
      "scope": .string(scope.word), "id": .string(String(row.int64(1))), "limit": .string(row.amount(2).text()),
      "reserved": .string(row.amount(4).text()), "currency": row.optionalText(3).map { .string($0) } ?? "messages",
      "month": row.optionalDate(5).map { .string(String($0.description.prefix(7))) } ?? .null,
    ]
    return try await pause(campaign, .budgetExhausted, evidence, on: pool)
  }

  /// Stops a campaign by one of the budget's rules, once; with its event.
  public static func pause(_ campaign: Campaign.ID, _ rule: GuardRule, _ evidence: JSONValue, on pool: Pool) async throws
    -> Bool
  { try await pool.withConnection { try await pause(campaign, rule, evidence, on: $0) } }

  public static func pause(_ campaign: Campaign.ID, _ rule: GuardRule, _ evidence: JSONValue, on connection: Connection)
    async throws(DatabaseError) -> Bool
  {
    try await connection.run(
      """
      with p as (
        insert into pause (business_id, scope, scope_id, cause, rule, reason, evidence, actor)
        select business_id, 7, $1, 'budget', $2, $3, $4, 'qafila' from campaign where campaign_id = $1 and state = 5
          and not exists (select from open_pause where scope = 7 and scope_id = $1 and cause = 'budget')
        returning scope_id
      ), e as (
        insert into campaign_event (campaign_id, event, actor, reason, evidence)
        select scope_id, 'paused', 'qafila', $3, $4 || jsonb_build_object('rule', $2::text) from p
      )
      select count(*) from p
      """, .int8(campaign.rawValue), .text(rule.rawValue), .text(rule.sentence), .jsonb(evidence.rendered())
    )[0].int64(0) == 1
  }
}
