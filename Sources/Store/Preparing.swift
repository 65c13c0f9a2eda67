import Domain
import Postgres

/// What the preparation and the start of a campaign read and write besides the freeze itself.
public enum Preparing {
  public struct Subject: Sendable {
    public let business: Business.ID
    public let category: Category
    /// The text and the request as they were launched.
    public let frozen: [UInt8]
    public let senderPhones: [PhoneNumber]
    public let accountZone: String
    public let numbers: [Number.ID]
    /// A campaign with its template was sent before.
    public let isTemplateKnown: Bool
  }

  /// From scheduled to preparing, when its people are not frozen yet; also taken up again after a crash. Nil when that
  /// is done, or it was cancelled meanwhile.
  public static func begin(_ campaign: Campaign.ID, on pool: Pool) async throws -> Subject? {
    let rows = try await pool.run(
      Statement(
        """
        with c as (
          update campaign set state = 4 where campaign_id = $1 and state in (3, 4) and prepared_at is null returning *
        ), b as (
          -- Before anybody can be claimed. What was changed since the launch holds.
          insert into budget (business_id, scope, scope_id, currency, amount, by)
          select business_id, 7, campaign_id, x->>'currency', coalesce(x->>'amount', x->>'messages')::numeric, launched_by
          from (select c.*, frozen->'spec'->'budget' as x from c) c where x is not null and jsonb_typeof(x) = 'object'
          on conflict (scope, scope_id) do nothing
        )
        select c.business_id, c.category, c.frozen,
          array(select n.phone from number n where n.business_id = c.business_id), a.zone, c.numbers,
          \(Templates.wasSent("c.template_id", besides: "c.campaign_id"))
        from c join account a using (account_id)
        """, [.int8(campaign.rawValue)]))
    return rows.first.map { row in
      Subject(
        business: Business.ID(row.int64(0)), category: Category(rawValue: row.int16(1)) ?? .marketing,
        frozen: row.jsonb(2), senderPhones: row.int64s(3).compactMap { PhoneNumber(digits: $0) },
        accountZone: row.text(4), numbers: row.int64s(5).map { Number.ID($0) },
        isTemplateKnown: row.bool(6))
    }
  }

  /// How a campaign stands when its time has come.
  public struct Starter: Sendable {
    public let business: Business.ID
    public let isPrepared: Bool
    public let startAt: Instant?
    public let launchedAt: Instant?
    public let frozen: [UInt8]
    public let template: (name: String, status: String)
  }

  /// Nil when it is not waiting for its start: cancelled, failed, or started already.
  public static func starter(_ campaign: Campaign.ID, on pool: Pool) async throws -> Starter? {
    let rows = try await pool.run(
      Statement(
        """
        select c.business_id, c.prepared_at is not null, c.start_at, c.launched_at, c.frozen, t.name, t.status
        from campaign c join template t using (template_id) where c.campaign_id = $1 and c.state in (3, 4)
        """, [.int8(campaign.rawValue)]))
    return rows.first.map { row in
      Starter(
        business: Business.ID(row.int64(0)), isPrepared: row.bool(1), startAt: row.optionalInstant(2),
        launchedAt: row.optionalInstant(3), frozen: row.jsonb(4), template: (row.text(5), row.text(6)))
    }
  }

  /// From scheduled to sending. False when it was cancelled meanwhile.
  public static func start(_ campaign: Campaign.ID, on pool: Pool) async throws -> Bool {
    try await pool.batch([
      Statement(
        "update campaign set state = 5 where campaign_id = $1 and state = 3 and prepared_at is not null",
        [.int8(campaign.rawValue)]),
      NumberWatch.judgeColours(of: campaign),
    ])[0].affected == 1
  }

  /// It can't start; nothing was sent. The reason is a problem's code and sentence.
  public static func fail(_ campaign: Campaign.ID, code: String, text: String, on pool: Pool) async throws {
    _ = try await pool.batch([
      Statement(
        """
        update campaign set state = 11, ended_at = now(), failure = jsonb_build_object('code', $2::text, 'text', $3::text)
        where campaign_id = $1 and state in (3, 4)
        """, [.int8(campaign.rawValue), .text(code), .text(text)]),
      event(campaign, "failed", reason: text),
    ])
  }

  /// Holds a campaign whose start was missed, until an operator lets it go on.
  public static func holdLate(_ campaign: Campaign.ID, business: Business.ID, reason: String, on pool: Pool) async throws {
    _ = try await pool.batch([
      Statement(
        """
        insert into pause (business_id, scope, scope_id, cause, rule, reason, actor)
        select $1, 7, $2, 'guard', 'late_start', $3, 'qafila'
        where not exists (select from open_pause where scope = 7 and scope_id = $2 and rule = 'late_start')
        """, [.int8(business.rawValue), .int8(campaign.rawValue), .text(reason)]),
      event(campaign, "paused", reason: reason),
    ])
  }

  public static func event(_ campaign: Campaign.ID, _ event: String, reason: String = "") -> Statement {
    Statement(
      "insert into campaign_event (campaign_id, event, actor, reason) values ($1, $2, 'qafila', $3)",
      [.int8(campaign.rawValue), .text(event), .text(reason)])
  }
}
