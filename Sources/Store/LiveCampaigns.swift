import Domain
import Governor
import Postgres

/// What a sender reads of the world between claims: which numbers have work, and how their campaigns stand.
public enum LiveCampaigns {
  public struct LiveNumber: Sendable {
    public let lane: Gate.Lane
    public let phoneNumberID: String
    /// Messages a second: Meta's limit or ours, when that is lower.
    public let perSecond: Int
    public let reservePercent: Int
    public let sealedToken: [UInt8]
    /// Meta's limit of people in 24 hours, as its word; the number's own ramp, by the days of `zone`.
    public let tier: String
    public let warmUp: (ramp: WarmUp, from: CivilDate)?
    public let zone: String
  }

  public struct LiveCampaign: Sendable {
    public let campaign: Campaign.ID
    public let kind: CampaignKind
    public let template: Template.ID
    public let category: Category
    /// What the launch froze: template, parameters, pace, window.
    public let frozen: [UInt8]
    public let endAt: Instant?
    /// What this number may send of it: so many in each window of `seconds`; none before the pace was divided.
    public let share: (limit: Int, seconds: Int)
    public let isPaused: Bool
    public let isCancelled: Bool
    public let hasDue: Bool
    /// Zones of the runs that nobody holds yet.
    public let freeZones: [String]
    /// Zones of all its runs.
    public let zones: [String]
    /// Changes whenever a calendar of the business is replaced.
    public let calendarStamp: Int64
    /// Of a pace that was changed since the launch.
    public let jitter: String?
    /// It has people who stay with the number that wrote to them before.
    public let hasStaying: Bool
  }

  /// Numbers with a campaign that is sending.
  public static func numbers(on connection: Connection) async throws(DatabaseError) -> [LiveNumber] {
    let rows = try await connection.run(
      """
      select n.business_id, a.portfolio_id, n.account_id, n.token_id, n.number_id, n.phone_number_id,
        least(n.per_second, coalesce(n.per_second_own, n.per_second)), n.reserve_percent, t.sealed, n.tier,
        n.warm_up, n.warm_up_from, a.zone
      from number n join account a using (account_id) join token t using (token_id)
      where n.number_id in (select unnest(numbers) from campaign where state = 5)
      order by n.number_id
      """)
    return rows.map { row in
      LiveNumber(
        lane: Gate.Lane(
          business: Business.ID(row.int64(0)), portfolio: Portfolio.ID(row.int64(1)), account: Account.ID(row.int64(2)),
          token: Token.ID(row.int64(3)), number: Number.ID(row.int64(4))), phoneNumberID: row.text(5),
        perSecond: Int(row.int32(6)), reservePercent: Int(row.int16(7)), sealedToken: row.bytes(8),
        tier: row.text(9), warmUp: WarmUp.stored(row.optionalJsonb(10), row.optionalDate(11)), zone: row.text(12))
    }
  }

  /// Those among `campaigns` in which somebody is due.
  public static func due(among campaigns: [Campaign.ID], on connection: Connection) async throws(DatabaseError)
    -> Set<Campaign.ID>
  {
    let rows = try await connection.run(
      """
      select c from unnest($1::int8[]) c
      where exists (select from due d where d.campaign_id = c and d.due_at <= now())
      """, .int8s(campaigns.map(\.rawValue)))
    return Set(rows.map { Campaign.ID($0.int64(0)) })
  }

  /// The campaigns sending from this number, and those cancelled in the last minutes, whose messages must leave the lane.
  public static func campaigns(from number: Number.ID, on connection: Connection) async throws(DatabaseError)
    -> [LiveCampaign]
  {
    let rows = try await connection.run(
      """
      select c.campaign_id, coalesce(c.template_id, 0), c.category, c.frozen, c.end_at, \(CampaignPace.inForce),
        exists (select from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id), c.state = 10,
        exists (select from due d where d.campaign_id = c.campaign_id and d.due_at <= now()),
        array(select distinct r.zone from run r where r.campaign_id = c.campaign_id
          and (r.number_id is null or r.number_id = $1 or r.number_id in (select number_id from lost_number))
          and (r.opens_at is null or r.opens_at <= now()) and \(Pilots.isOpen)
          and coalesce((select t.number_id from run_take t where t.campaign_id = r.campaign_id and t.run_no = r.run_no
            order by t.take desc limit 1), 0) = 0),
        array(select distinct r.zone from run r where r.campaign_id = c.campaign_id),
        (select count(*) from calendar k where k.business_id = c.business_id),
        (select setting->'pace'->>'jitter' from campaign_setting s where s.campaign_id = c.campaign_id and setting ? 'pace'
          order by version desc limit 1), c.kind,
        cardinality(c.numbers) > 1 and exists (select from run r where r.campaign_id = c.campaign_id
          and r.number_id is not null)
      from campaign c
      where $1 = any(c.numbers) and c.frozen is not null
        and (c.state = 5 or (c.state = 10 and c.ended_at > now() - interval '10 minutes'))
      order by c.campaign_id
      """, .int8(number.rawValue))
    return rows.map { row in
      LiveCampaign(
        campaign: Campaign.ID(row.int64(0)), kind: CampaignKind(rawValue: row.int16(13)) ?? .campaign,
        template: Template.ID(row.int64(1)),
        category: Category(rawValue: row.int16(2)) ?? .marketing, frozen: row.jsonb(3), endAt: row.optionalInstant(4),
        share: CampaignPace.share(of: number, row.optionalJsonb(5)) ?? (0, 1), isPaused: row.bool(6),
        isCancelled: row.bool(7), hasDue: row.bool(8), freeZones: row.texts(9), zones: row.texts(10),
        calendarStamp: row.int64(11), jitter: row.optionalText(12),
        hasStaying: row.bool(14))
    }
  }
}
