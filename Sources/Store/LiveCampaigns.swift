import Domain
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
  }

  public struct LiveCampaign: Sendable {
    public let campaign: Campaign.ID
    public let template: Template.ID
    public let category: Category
    /// What the launch froze: template, parameters, pace, window.
    public let frozen: [UInt8]
    public let endAt: Instant?
    /// Which of the campaign's numbers this one is, and how many there are.
    public let place: (index: Int, count: Int)
    public let isPaused: Bool
    public let isCancelled: Bool
    public let hasDue: Bool
    /// Zones of the runs that nobody holds yet.
    public let freeZones: [String]
    /// Zones of all its runs.
    public let zones: [String]
    /// Changes whenever a calendar of the business is replaced.
    public let calendarStamp: Int64
  }

  /// Numbers with a campaign that is sending.
  public static func numbers(on connection: Connection) async throws(DatabaseError) -> [LiveNumber] {
    let rows = try await connection.run(
      """
      select n.business_id, a.portfolio_id, n.account_id, n.token_id, n.number_id, n.phone_number_id,
        least(n.per_second, coalesce(n.per_second_own, n.per_second)), n.reserve_percent, t.sealed
      from number n join account a using (account_id) join token t using (token_id)
      where n.number_id in (select unnest(numbers) from campaign where state = 5)
      order by n.number_id
      """)
    return rows.map { row in
      LiveNumber(
        lane: Gate.Lane(
          business: Business.ID(row.int64(0)), portfolio: Portfolio.ID(row.int64(1)), account: Account.ID(row.int64(2)),
          token: Token.ID(row.int64(3)), number: Number.ID(row.int64(4))), phoneNumberID: row.text(5),
        perSecond: Int(row.int32(6)), reservePercent: Int(row.int16(7)), sealedToken: row.bytes(8))
    }
  }

  /// The campaigns sending from this number, and those cancelled in the last minutes, whose messages must leave the lane.
  public static func campaigns(from number: Number.ID, on connection: Connection) async throws(DatabaseError)
    -> [LiveCampaign]
  {
    let rows = try await connection.run(
      """
      select c.campaign_id, c.template_id, c.category, c.frozen, c.end_at, array_position(c.numbers, $1) - 1,
        cardinality(c.numbers),
        exists (select from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id), c.state = 10,
        exists (select from due d where d.campaign_id = c.campaign_id and d.due_at <= now()),
        array(select distinct r.zone from run r where r.campaign_id = c.campaign_id
          and (r.number_id is null or r.number_id = $1)
          and not exists (select from run_take t where t.campaign_id = r.campaign_id and t.run_no = r.run_no)),
        array(select distinct r.zone from run r where r.campaign_id = c.campaign_id),
        (select count(*) from calendar k where k.business_id = c.business_id)
      from campaign c
      where $1 = any(c.numbers) and c.frozen is not null
        and (c.state = 5 or (c.state = 10 and c.ended_at > now() - interval '10 minutes'))
      order by c.campaign_id
      """, .int8(number.rawValue))
    return rows.map { row in
      LiveCampaign(
        campaign: Campaign.ID(row.int64(0)), template: Template.ID(row.int64(1)),
        category: Category(rawValue: row.int16(2)) ?? .marketing, frozen: row.jsonb(3), endAt: row.optionalInstant(4),
        place: (Int(row.int32(5)), Int(row.int32(6))), isPaused: row.bool(7), isCancelled: row.bool(8),
        hasDue: row.bool(9), freeZones: row.texts(10), zones: row.texts(11), calendarStamp: row.int64(12))
    }
  }
}
