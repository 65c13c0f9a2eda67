import Domain
import JSON
import Postgres

/// All that is stored about one person, for the screen and for their own request.
public struct PersonFile: Sendable {
  public struct Known: Sendable {
    public let contact: Contact.ID
    public let phone: PhoneNumber?
    public let userID: String?
    public let country: String
    public let isSuspect: Bool
    public let attributes: [UInt8]
    public let optInAt: Instant?
    public let optInSource: String?
    public let createdAt: Instant
    public let audiences: [String]
  }

  public struct Message: Sendable {
    public let campaign: Campaign.ID
    public let name: String
    public let kind: CampaignKind
    public let seq: Int64
    public let attempt: Int16?
    public let state: RecipientState
    /// A word of its state's list of reasons, or Meta's code.
    public let reason: String?
    public let handedAt: Instant?
    public let deliveredAt: Instant?
    public let readAt: Instant?
    public let dueAt: Instant?
    public let cost: Amount?
    public let currency: String
    /// What the launch froze, and the person's values: together the text.
    public let frozen: [UInt8]
    public let values: [String]
  }

  public struct Exclusion: Sendable {
    public let campaign: Campaign.ID
    public let name: String
    public let reason: ExclusionReason
    public let at: Instant?
  }

  public let contacts: [Known]
  public let messages: [Message]
  public let exclusions: [Exclusion]
  public let erasedAt: Instant?

  /// Whom the phone or Meta's id names; the two may be two contacts.
  public static func read(
    _ subject: Person, _ person: PersonKey, of business: Business.ID, campaigns: Int, on pool: Pool
  ) async throws -> PersonFile {
    let known = try await pool.run(
      """
      select c.contact_id, c.phone, c.user_id, c.country, c.suspect, c.attributes, c.opt_in_at, c.opt_in_source, c.created_at,
        array(select a.name from audience a where a.business_id = $1 and exists (
          select from audience_member m where m.audience_id = a.audience_id and m.contact_id = c.contact_id) order by 1)
      from contact c where c.business_id = $1 and (c.phone = $2 or c.user_id = $3)
      """, .int8(business.rawValue), subject.phone.map { .int8($0.digits) } ?? .null,
      subject.userID.map { .text($0.text) } ?? .null)
    let contacts = known.map { row in
      Known(
        contact: Contact.ID(row.int64(0)), phone: row.optionalInt64(1).flatMap { PhoneNumber(digits: $0) },
        userID: row.optionalText(2), country: row.text(3), isSuspect: row.bool(4), attributes: row.jsonb(5),
        optInAt: row.optionalInstant(6), optInSource: row.optionalText(7), createdAt: row.instant(8),
        audiences: row.texts(9))
    }
    let ids = contacts.map(\.contact)
    let erased = try await pool.run(
      "select max(at) from erasure where business_id = $1 and person_key = $2", .int8(business.rawValue), .uuid(person))
    return PersonFile(
      contacts: contacts, messages: try await messages(of: ids, business, campaigns, pool),
      exclusions: try await exclusions(of: ids, business, pool), erasedAt: erased[0].optionalInstant(0))
  }

  /// What was handed over is found by the person's own log. Who waits or was skipped is looked for in the newest
  /// `campaigns` that left no other trace of them: no index leads from a person to their places.
  private static func messages(of contacts: [Contact.ID], _ business: Business.ID, _ campaigns: Int, _ pool: Pool)
    async throws -> [Message]
  {
    let rows = try await pool.run(
      """
      with quiet as (
        select campaign_id from campaign c where business_id = $1 and prepared_at is not null
          and not exists (select from touch t where t.contact_id = any($2) and t.campaign_id = c.campaign_id)
          and not exists (select from exclusion x where x.campaign_id = c.campaign_id and x.contact_id = any($2))
        order by campaign_id desc limit $3
      ), place as (
        select distinct campaign_id, seq from touch where contact_id = any($2)
        union
        select r.campaign_id, r.seq from quiet q cross join lateral (
          select campaign_id, seq from recipient r where r.campaign_id = q.campaign_id and r.contact_id = any($2)
        ) r
      )
      select m.campaign_id, c.name, c.kind, m.seq, m.attempt, m.state, m.hold_reason, m.skip_reason,
        coalesce(nullif(m.failure, 0), m.refusal), m.handed_at, m.delivered_at, m.read_at, m.due_at,
        case when m.charge = 1 then r.amount end, a.currency, c.frozen, v.vars
      from place p
      join recipient v on v.campaign_id = p.campaign_id and v.seq = p.seq
      cross join lateral (select * from message m where m.campaign_id = p.campaign_id and m.seq = p.seq) m
      join campaign c on c.campaign_id = m.campaign_id and c.business_id = $1
      join account a on a.account_id = c.account_id left join rate r using (rate_id)
      order by m.campaign_id desc, m.seq, m.attempt
      """, .int8(business.rawValue), .int8s(contacts.map(\.rawValue)), .int4(Int32(campaigns)))
    return rows.map(message)
  }

  private static func exclusions(of contacts: [Contact.ID], _ business: Business.ID, _ pool: Pool) async throws
    -> [Exclusion]
  {
    try await pool.run(
      """
      select c.campaign_id, c.name, x.reason, c.prepared_at from campaign c cross join lateral (
        select reason from exclusion x where x.campaign_id = c.campaign_id and x.contact_id = any($2)
      ) x
      where c.business_id = $1 order by c.campaign_id desc, x.reason
      """, .int8(business.rawValue), .int8s(contacts.map(\.rawValue))
    ).map {
      Exclusion(
        campaign: Campaign.ID($0.int64(0)), name: $0.text(1), reason: ExclusionReason(rawValue: $0.int16(2)) ?? .duplicate,
        at: $0.optionalInstant(3))
    }
  }

  private static func message(_ row: Row) -> Message {
    let state = RecipientState(rawValue: row.int16(5)) ?? .queued
    let reason: String? =
      switch state {
      case .held: row.optionalInt16(6).flatMap { HoldReason(rawValue: $0)?.word }
      case .skipped: row.optionalInt16(7).flatMap { SkipReason(rawValue: $0)?.word }
      case .failed: row.optionalInt32(8).map { String($0) }
      default: nil
      }
    return Message(
      campaign: Campaign.ID(row.int64(0)), name: row.text(1), kind: CampaignKind(rawValue: row.int16(2)) ?? .campaign,
      seq: Int64(row.int32(3)), attempt: row.optionalInt16(4), state: state, reason: reason,
      handedAt: row.optionalInstant(9), deliveredAt: row.optionalInstant(10), readAt: row.optionalInstant(11),
      dueAt: state == .held ? row.optionalInstant(12) : nil, cost: row.optionalAmount(13), currency: row.text(14),
      frozen: row.jsonb(15), values: row.texts(16))
  }
}
