import Domain
import JSON
import Postgres

/// One message to one person, ahead of every campaign: a recipient of a standing campaign of its number, month and
/// template's version, due at once. From there on it is like every other: claim, gate, touch, fact, receipts, charge.
public enum Urgent {
  public struct Message: Sendable {
    public let number: Numbers.Entry
    /// Nil for plain text inside the service window.
    public let template: Templates.Entry?
    public let phone: PhoneNumber
    public let person: PersonKey
    public let country: String
    /// In the order of the template's places (`TemplateFill(placesOf:)`); of plain text the text itself.
    public let values: [String]

    public init(
      number: Numbers.Entry, template: Templates.Entry?, phone: PhoneNumber, person: PersonKey, country: String,
      values: [String]
    ) {
      (self.number, self.template, self.phone, self.person) = (number, template, phone, person)
      (self.country, self.values) = (country, values)
    }
  }

  public struct ID: Hashable, Sendable, CustomStringConvertible {
    public let campaign: Campaign.ID
    public let seq: Int32

    public init(campaign: Campaign.ID, seq: Int32) { (self.campaign, self.seq) = (campaign, seq) }

    /// `campaign-seq`, as every report names a recipient; an attempt behind it is left aside.
    public init?(_ text: String) {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard (2...3).contains(parts.count), let campaign = Int64(parts[0]), let seq = Int32(parts[1]), campaign > 0, seq > 0,
        parts.count == 2 || Int16(parts[2]) != nil
      else { return nil }
      self.init(campaign: Campaign.ID(campaign), seq: seq)
    }

    public var description: String { "\(campaign)-\(seq)" }
  }

  /// This month's, as campaign ids are cut.
  static let month = """
    (extract(year from now() at time zone 'UTC')::int * 12 + extract(month from now() at time zone 'UTC')::int - 1)
    """

  /// Puts it in line: on the record with the commit. Nil in the moment in which somebody cancels the standing campaign.
  public static func send(_ message: Message, business: Business.ID, by actor: String, on pool: Pool) async throws -> ID? {
    if let id = try await add(message, business: business, on: pool) { return id }
    try await open(message, business: business, by: actor, on: pool)
    return try await add(message, business: business, on: pool)
  }

  /// The campaign that it would belong to; nil before the first of its month.
  public static func standing(_ number: Number.ID, template: Templates.Entry?, on pool: Pool) async throws(DatabaseError)
    -> Campaign.ID?
  {
    try await pool.run(
      """
      select campaign_id from campaign where kind = 3 and state = 5 and numbers = array[$1::int8]
        and campaign_id >> 32 = \(month) and coalesce(template_id, 0) = $2
        and coalesce(frozen->'template'->>'version', '') = $3
      """, .int8(number.rawValue), .int8(template?.id.rawValue ?? 0), .text(template.map { String($0.version) } ?? "")
    ).first.map { Campaign.ID($0.int64(0)) }
  }

  private static func add(_ message: Message, business: Business.ID, on pool: Pool) async throws -> ID? {
    let rows = try await pool.batch([
      // Who is not a contact yet becomes one, without consent: marketing never reaches them by that. A statement of its
      // own, so that the next one sees whoever was first.
      Statement(
        """
        insert into contact (business_id, phone, person_key, country) values ($1, $2, $3, $4) on conflict do nothing
        """,
        [.int8(business.rawValue), .int8(message.phone.digits), .uuid(message.person), .text(message.country)]),
      Statement(
        """
        with c as (
          update campaign set recipients = recipients + 1
          where kind = 3 and state = 5 and business_id = $1 and numbers = array[$2::int8] and campaign_id >> 32 = \(month)
            and coalesce(template_id, 0) = $3 and coalesce(frozen->'template'->>'version', '') = $4
          returning campaign_id, recipients::int4 as seq
        ), r as (
          insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
          select c.campaign_id, p.contact_id, p.phone, c.seq, 0, p.person_key, $6
          from c, contact p where p.business_id = $1 and p.phone = $5
        ), d as (
          insert into due (campaign_id, seq, attempt, due_at, reason, times) select campaign_id, seq, 1, now(), 1, 0 from c
        )
        select campaign_id, seq from c
        """,
        [
          .int8(business.rawValue), .int8(message.number.id.rawValue), .int8(message.template?.id.rawValue ?? 0),
          .text(message.template.map { String($0.version) } ?? ""), .int8(message.phone.digits), .texts(message.values),
        ]),
    ])
    return rows[1].first.map { ID(campaign: Campaign.ID($0.int64(0)), seq: $0.int32(1)) }
  }

  /// Opens the standing campaign. Two at once: the index lets one through.
  private static func open(_ message: Message, business: Business.ID, by actor: String, on pool: Pool) async throws {
    var frozen: JSONObject = ["urgent": true]
    if let template = message.template { frozen.append("template", try FrozenCampaign.text(template)) }
    let name = message.template.map { "Urgent: \($0.seen.name) (\($0.seen.language))" } ?? "Urgent: text"
    _ = try await pool.run(
      """
      insert into campaign (campaign_id, business_id, kind, name, state, spec, frozen, account_id, template_id, category,
        numbers, start_at, recipients, excluded, created_by, launched_by, launched_at, prepared_at)
      values (next_campaign_id(), $1, 3, $2, 5, '{}', $3, $4, $5, $6, array[$7::int8], now(), 0, 0, $8, $8, now(), now())
      on conflict do nothing
      """, .int8(business.rawValue), .text(name), .jsonb(JSONValue.object(frozen).rendered()),
      .int8(message.number.account.rawValue), message.template.map { .int8($0.id.rawValue) } ?? .null,
      .int2((message.template?.seen.category ?? .service).rawValue), .int8(message.number.id.rawValue), .text(actor))
  }

  /// Whether the person said stop to everything: not even a code may be sent.
  public static func isForbidden(_ person: PersonKey, business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> Bool
  {
    try await pool.run(
      "select exists (select from suppression where business_id = $1 and person_key = $2 and scope = 2 and active)",
      .int8(business.rawValue), .uuid(person))[0].bool(0)
  }

  /// A message of whatever kind, for those who ask what somebody was sent.
  public struct Sent: Sendable {
    public let person: Recipients.Entry
    public let kind: CampaignKind
    public let campaignName: String
    public let category: Category
    public let numbers: [Number.ID]
    public let currency: String
    public let frozen: [UInt8]?
    public let values: [String]
    public let wamid: String?
  }

  public static func read(_ id: ID, of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Sent? {
    let rows = try await pool.run(
      """
      select c.kind, c.name, c.category, c.numbers, a.currency, c.frozen, r.vars,
        (select wamid from fact f where f.campaign_id = c.campaign_id and f.seq = r.seq order by attempt desc limit 1)
      from campaign c join account a using (account_id) join recipient r on r.campaign_id = c.campaign_id and r.seq = $2
      where c.campaign_id = $1 and c.business_id = $3
      """, .int8(id.campaign.rawValue), .int4(id.seq), .int8(business.rawValue))
    guard let row = rows.first, let person = try await Recipients.one(of: id.campaign, seq: id.seq, on: pool) else {
      return nil
    }
    return Sent(
      person: person, kind: CampaignKind(rawValue: row.int16(0)) ?? .campaign, campaignName: row.text(1),
      category: Category(rawValue: row.int16(2)) ?? .marketing, numbers: row.int64s(3).map { Number.ID($0) },
      currency: row.text(4), frozen: row.optionalJsonb(5), values: row.texts(6), wamid: row.optionalText(7))
  }
}
