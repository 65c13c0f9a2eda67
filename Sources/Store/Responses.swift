import Domain
import Postgres

/// What people did about a campaign's message besides reading it: wrote something, or pressed one of its buttons. Each
/// counts once for the campaign, however much they write; a stop is counted as a stop and not here.
public enum Responses {
  public struct Response: Sendable {
    public let phone: PhoneNumber
    /// Meta's id of the message that is answered; nil: the newest.
    public let context: String?
    public let isClick: Bool

    public init(phone: PhoneNumber, context: String?, isClick: Bool) {
      (self.phone, self.context, self.isClick) = (phone, context, isClick)
    }
  }

  /// For the caller's batch. It answers the message of ours that it names, looked for among the person's last ten, else
  /// the newest of a week; one that was sent by no campaign is nobody's.
  public static func recording(_ responses: [Response], business: Business.ID) -> Statement {
    Statement(
      """
      with new as (
        insert into response (campaign_id, number_id, seq, kind)
        select distinct x.campaign_id, x.number_id, x.seq, u.kind
        from unnest($1::int8[], $2::text[], $3::int2[]) u (phone, context, kind)
        join contact p on p.business_id = $4 and p.phone = u.phone
        cross join lateral (
          select t.campaign_id, t.number_id, t.seq from (
            select * from touch where contact_id = p.contact_id and at > now() - interval '7 days' order by n desc limit 10
          ) t left join fact f on f.campaign_id = t.campaign_id and f.seq = t.seq and f.attempt = t.attempt
          order by (f.wamid = u.context) is true desc, t.n desc limit 1
        ) x join campaign c on c.campaign_id = x.campaign_id and c.kind = 1
        on conflict do nothing returning campaign_id, number_id, kind
      )
      insert into outcome_tally (campaign_id, number_id, count, kind)
      select campaign_id, number_id, count(*), kind from new group by 1, 2, 4
      """,
      [
        .int8s(responses.map(\.phone.digits)), .texts(responses.map { $0.context ?? "" }),
        .int2s(responses.map { $0.isClick ? Tallies.Kind.clicked.rawValue : Tallies.Kind.replied.rawValue }),
        .int8(business.rawValue),
      ])
  }

  /// What came of campaigns, in people.
  public struct Sums: Sendable, Equatable {
    public var replied: Int64 = 0
    public var clicked: Int64 = 0
    public var optedOut: Int64 = 0
    public init() {}
  }

  /// By campaign; nil: of all of the business.
  public static func sums(of business: Business.ID, campaign: Campaign.ID?, on pool: Pool) async throws(DatabaseError)
    -> [Campaign.ID: Sums]
  {
    let rows = try await pool.run(
      """
      select t.campaign_id, \(columns) from campaign c join outcome_tally t using (campaign_id)
      where c.business_id = $1 and ($2::int8 is null or c.campaign_id = $2) group by 1
      """, .int8(business.rawValue), campaign.map { .int8($0.rawValue) } ?? .null)
    return Dictionary(uniqueKeysWithValues: rows.map { (Campaign.ID($0.int64(0)), sums($0, at: 1)) })
  }

  static let columns = [7, 8, 5].map { "coalesce(sum(t.count) filter (where t.kind = \($0)), 0)::int8" }
    .joined(separator: ", ")

  static func sums(_ row: Row, at column: Int) -> Sums {
    var sums = Sums()
    (sums.replied, sums.clicked, sums.optedOut) = (row.int64(column), row.int64(column + 1), row.int64(column + 2))
    return sums
  }
}
