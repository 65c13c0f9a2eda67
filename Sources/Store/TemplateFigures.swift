import Domain
import JSON
import Money
import Postgres

/// What Meta counts of templates (sent, delivered, read, clicked, cost) beside what receipts told of the same days.
/// Links that people open are known from here alone: no webhook tells them.
public enum TemplateFigures {
  /// Of one template on one day in UTC.
  public struct Day: Sendable {
    public let metaID: String
    public let day: CivilDate
    public let sent: Int64
    public let delivered: Int64
    public let read: Int64
    public let cost: Amount?
    /// A JSON array of type, button and count.
    public let clicks: JSONValue

    public init(
      metaID: String, day: CivilDate, sent: Int64, delivered: Int64, read: Int64, cost: Amount?, clicks: JSONValue
    ) {
      (self.metaID, self.day, self.sent, self.delivered) = (metaID, day, sent, delivered)
      (self.read, self.cost, self.clicks) = (read, cost, clicks)
    }
  }

  /// More templates than this in one account are not asked for: the newest are.
  static let mostTemplates = 500

  /// Meta's ids of the templates that an account's messages used since `day`.
  public static func used(by account: Account.ID, since day: CivilDate, on pool: Pool) async throws(DatabaseError)
    -> [String]
  {
    try await pool.run(
      """
      select t.meta_id from template t where t.account_id = $1 and t.status <> 'DELETED' and exists (
        select from campaign c where c.template_id = t.template_id and c.launched_at is not null
          and (c.sent_at is null or c.sent_at > $2::date - 38))
      order by t.template_id desc limit $3
      """, .int8(account.rawValue), .date(day), .int4(Int32(mostTemplates))
    ).map { $0.text(0) }
  }

  public static func setInsights(_ account: Account.ID, _ isOn: Bool, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      "update account set insights = $2 where account_id = $1 and insights is distinct from $2", .int8(account.rawValue),
      .bool(isOn))
  }

  /// Keeps Meta's days with ours beside them; a day that is known is written anew.
  public static func keep(_ days: [Day], of account: Account.ID, from: CivilDate, to: CivilDate, on pool: Pool)
    async throws(DatabaseError)
  {
    _ = try await pool.run(
      """
      with meta as (
        select * from unnest($4::text[], $5::date[], $6::int8[], $7::int8[], $8::int8[], $9::numeric[], $10::jsonb[])
          x (meta_id, day, sent, delivered, read, cost, clicks)
      ), ours as (
        select t.meta_id, (coalesce(s.delivered_at, s.read_at) at time zone 'UTC')::date as day, count(*) as delivered,
          count(s.read_at) as read, coalesce(sum(r.amount) filter (where s.charge = 1), 0) as cost
        from campaign c join template t using (template_id) join standing s on s.campaign_id = c.campaign_id
        left join rate r on r.rate_id = s.rate_id
        where c.account_id = $1 and (c.sent_at is null or c.sent_at > $2::date - 38)
          and coalesce(s.delivered_at, s.read_at) >= $2::date at time zone 'UTC'
          and coalesce(s.delivered_at, s.read_at) < ($3::date + 1) at time zone 'UTC'
        group by 1, 2
      )
      insert into template_figure (account_id, meta_id, day, sent, delivered, read, cost, clicks, our_delivered, our_read,
        our_cost)
      select $1, coalesce(m.meta_id, o.meta_id), coalesce(m.day, o.day), coalesce(m.sent, 0), coalesce(m.delivered, 0),
        coalesce(m.read, 0), m.cost, coalesce(m.clicks, '[]'), coalesce(o.delivered, 0), coalesce(o.read, 0),
        coalesce(o.cost, 0)
      from meta m full join ours o on o.meta_id = m.meta_id and o.day = m.day
      on conflict (account_id, meta_id, day) do update set sent = excluded.sent, delivered = excluded.delivered,
        read = excluded.read, cost = excluded.cost, clicks = excluded.clicks, our_delivered = excluded.our_delivered,
        our_read = excluded.our_read, our_cost = excluded.our_cost, seen_at = now()
      """, .int8(account.rawValue), .date(from), .date(to), .texts(days.map(\.metaID)), .dates(days.map(\.day)),
      .int8s(days.map(\.sent)), .int8s(days.map(\.delivered)), .int8s(days.map(\.read)),
      .optionalNumerics(days.map(\.cost)), .jsonbs(days.map { $0.clicks.rendered() }))
  }

  public struct Line: Sendable {
    public let wabaID: String
    public let currency: String
    public let name: String
    public let language: String
    public let sent: Int64
    public let delivered: Int64
    public let read: Int64
    public let cost: Amount?
    public let clicks: [(type: String, button: String, count: Int64)]
    public let ourDelivered: Int64
    public let ourRead: Int64
    public let ourCost: Amount
    public let seenAt: Instant
  }

  /// By template, over days in UTC; bounds that are nil are open.
  public static func lines(of business: Business.ID, from: CivilDate?, to: CivilDate?, on pool: Pool)
    async throws(DatabaseError) -> [Line]
  {
    let rows = try await pool.run(
      """
      with chosen as (
        select f.*, a.waba_id, a.currency from template_figure f join account a using (account_id)
        where a.business_id = $1 and ($2::date is null or f.day >= $2) and ($3::date is null or f.day <= $3)
      ), clicked as (
        select account_id, meta_id, c->>'type' as type, c->>'button' as button, sum((c->>'count')::int8)::int8 as count
        from chosen, jsonb_array_elements(clicks) c group by 1, 2, 3, 4
      )
      select s.waba_id, s.currency, coalesce(min(t.name), s.meta_id), coalesce(min(t.language), ''), sum(s.sent)::int8,
        sum(s.delivered)::int8, sum(s.read)::int8, sum(s.cost), sum(s.our_delivered)::int8, sum(s.our_read)::int8,
        sum(s.our_cost), max(s.seen_at),
        array(select type from clicked k where (k.account_id, k.meta_id) = (s.account_id, s.meta_id) order by type, button),
        array(select button from clicked k where (k.account_id, k.meta_id) = (s.account_id, s.meta_id) order by type, button),
        array(select count from clicked k where (k.account_id, k.meta_id) = (s.account_id, s.meta_id) order by type, button)
      from chosen s left join template t on t.account_id = s.account_id and t.meta_id = s.meta_id
      group by s.account_id, s.meta_id, s.waba_id, s.currency order by 3, 4
      """, .int8(business.rawValue), from.map { .date($0) } ?? .null, to.map { .date($0) } ?? .null)
    return rows.map { row in
      let (types, buttons, counts) = (row.texts(12), row.texts(13), row.int64s(14))
      return Line(
        wabaID: row.text(0), currency: row.text(1), name: row.text(2), language: row.text(3), sent: row.int64(4),
        delivered: row.int64(5), read: row.int64(6), cost: row.optionalAmount(7),
        clicks: types.indices.map { (types[$0], buttons[$0], counts[$0]) }, ourDelivered: row.int64(8),
        ourRead: row.int64(9), ourCost: row.amount(10), seenAt: row.instant(11))
    }
  }
}
