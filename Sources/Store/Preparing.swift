import Domain
import Postgres

/// What the preparation of a campaign reads and writes besides the freeze itself.
public enum Preparing {
  public struct Subject: Sendable {
    public let business: Business.ID
    public let state: CampaignState
    public let category: Category
    public let spec: [UInt8]
    public let startAt: Instant?
    public let launchedAt: Instant?
    public let template: (name: String, language: String, status: String, format: String, version: Int, components: [UInt8])
    public let senderPhones: [PhoneNumber]
    public let accountZone: String
  }

  public static func subject(_ campaign: Campaign.ID, on pool: Pool) async throws -> Subject? {
    let rows = try await pool.run(
      Statement(
        """
        select c.business_id, c.state, c.category, c.spec, c.start_at, c.launched_at, t.name, t.language, t.status,
          t.parameter_format, t.version, t.components,
          array(select n.phone from number n where n.business_id = c.business_id), a.zone
        from campaign c join template t using (template_id) join account a on a.account_id = c.account_id where c.campaign_id = $1
        """, [.int8(campaign.rawValue)]))
    return rows.first.map { row in
      Subject(
        business: Business.ID(row.int64(0)), state: CampaignState(rawValue: row.int16(1))!,
        category: Category(rawValue: row.int16(2)) ?? .marketing, spec: row.jsonb(3), startAt: row.optionalInstant(4),
        launchedAt: row.optionalInstant(5),
        template: (row.text(6), row.text(7), row.text(8), row.text(9), Int(row.int32(10)), row.jsonb(11)),
        senderPhones: row.int64s(12).compactMap { PhoneNumber(digits: $0) }, accountZone: row.text(13))
    }
  }

  /// From scheduled to preparing; also taken up again after a crash. False when it was cancelled meanwhile.
  public static func begin(_ campaign: Campaign.ID, on pool: Pool) async throws -> Bool {
    try await pool.run(
      Statement("update campaign set state = 4 where campaign_id = $1 and state in (3, 4)", [.int8(campaign.rawValue)])
    ).affected == 1
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
