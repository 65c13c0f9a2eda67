import Domain
import Governor
import Postgres

/// How many people portfolios and numbers wrote to within the last 24 hours, outside open service windows: what Meta's
/// limit and a warm-up go by. The gate books them (`PeopleSQL`); what comes back, and what is left, is here.
public enum PeopleCounts {
  /// A message that failed or was refused, or when it was delivered.
  public struct Ended: Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let attempt: Int16
    /// Nil: it never will be.
    public let deliveredAt: Instant?

    public init(campaign: Campaign.ID, seq: Int32, attempt: Int16, deliveredAt: Instant?) {
      (self.campaign, self.seq, self.attempt, self.deliveredAt) = (campaign, seq, attempt, deliveredAt)
    }
  }

  /// Gives back who was not reached, to the bucket they were counted in, and counts anew who is reached late. Saying it
  /// twice changes nothing. `now` is the database's unless given.
  public static func settle(_ ended: [Ended], now: Instant? = nil, on connection: Connection) async throws(DatabaseError) {
    guard !ended.isEmpty else { return }
    _ = try await connection.run(
      "select people_settle($1, $2, $3, $4, coalesce($5::timestamptz, clock_timestamp()))",
      .int8s(ended.map(\.campaign.rawValue)), .int4s(ended.map(\.seq)), .int2s(ended.map(\.attempt)),
      .optionalTimestamps(ended.map(\.deliveredAt)), now.map { .timestamptz($0) } ?? .null)
  }

  /// Whether anything is counted at all.
  public static func isKept(on connection: Connection) async throws(DatabaseError) -> Bool {
    try await connection.run(
      "select exists (select from number where warm_up is not null or tier_people(tier) is not null)")[0].bool(0)
  }

  /// What a lane asks when people are counted: whom nobody more may be added to, and when that changes; nil where there is
  /// room.
  public static func fullUntil(_ people: Gate.People, _ lane: Gate.Lane, on connection: Connection)
    async throws(DatabaseError) -> (portfolio: Instant?, number: Instant?)
  {
    let row = try await connection.run(
      """
      select people_free_at(2::smallint, $1, $2::int4),
        case when coalesce((select people from people_used where scope = 5 and scope_id = $3 and until = $5), 0) >= $4::int4
          then $5::timestamptz end
      """, .int8(lane.portfolio.rawValue), people.limit.map { .int4(Int32(clamping: $0)) } ?? .null,
      .int8(lane.number.rawValue), people.today.map { .int4(Int32(clamping: $0.people)) } ?? .null,
      people.today.map { .timestamptz($0.until) } ?? .null)[0]
    return (row.optionalInstant(0), row.optionalInstant(1))
  }

  /// Everything that is counted now, of a business.
  public struct Used: Sendable {
    public var portfolios: [Portfolio.ID: [PeopleLimit.Used]] = [:]
    /// Of numbers that warm up, by the end of their day.
    public var numbers: [Number.ID: [PeopleLimit.Used]] = [:]
    public init() {}
  }

  public static func used(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Used {
    let rows = try await pool.run(
      """
      select u.scope, u.scope_id, u.until, u.people from people_used u
      where u.until > clock_timestamp() and u.people > 0 and (
        (u.scope = 2 and u.scope_id in (select portfolio_id from portfolio where business_id = $1))
        or (u.scope = 5 and u.scope_id in (select number_id from number where business_id = $1)))
      order by u.until
      """, .int8(business.rawValue))
    var used = Used()
    for row in rows {
      let bucket = PeopleLimit.Used(until: row.instant(2).nanoseconds, people: Int(row.int32(3)))
      if row.int16(0) == PauseScope.portfolio.rawValue {
        used.portfolios[Portfolio.ID(row.int64(1)), default: []].append(bucket)
      } else {
        used.numbers[Number.ID(row.int64(1)), default: []].append(bucket)
      }
    }
    return used
  }

  /// For `/metrics`: each portfolio with a limit, by Meta's id, with the people of its last 24 hours.
  public static func standings(on pool: Pool) async throws(DatabaseError) -> [(portfolio: String, limit: Int, used: Int)] {
    try await pool.run(
      """
      select p.meta_id, max(tier_people(n.tier)), people_standing(2::smallint, p.portfolio_id)
      from portfolio p join account a using (portfolio_id) join number n using (account_id)
      where tier_people(n.tier) is not null group by p.portfolio_id, p.meta_id order by p.portfolio_id
      """
    ).map { ($0.text(0), Int($0.int32(1)), Int($0.int32(2))) }
  }

  /// Removes what is not counted any more.
  public static func forget(on pool: Pool) async throws(DatabaseError) { _ = try await pool.run("select forget_reach()") }

  /// Meta's word on the limit of a number's portfolio; for the caller's batch, before the number itself is changed.
  static func noting(_ tier: String, of number: Number.ID) -> Statement {
    Statement("select note_tier($1, $2)", [.int8(number.rawValue), .text(tier)])
  }
}
