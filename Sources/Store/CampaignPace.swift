import Domain
import Governor
import JSON
import Postgres

/// A campaign's pace: what was asked for, changed while it runs, and how it is divided over the numbers.
public enum CampaignPace {
  /// How long a lane may go on by what it read before: its longest claim, its horizon, its look at the campaigns.
  static let hearing = 12

  /// The pace that holds: the newest setting, else what was launched. Nil when it can't be read.
  public static func current(_ campaign: Campaign.ID, on pool: Pool) async throws -> CampaignSpec.Pace? {
    let rows = try await pool.run(
      """
      select coalesce((select setting->'pace' from campaign_setting s where s.campaign_id = c.campaign_id
          and setting ? 'pace' order by version desc limit 1),
        coalesce(frozen, jsonb_build_object('spec', spec))->'spec'->'pace')
      from campaign c where campaign_id = $1
      """, .int8(campaign.rawValue))
    guard let json = rows.first?.optionalJsonb(0) else { return nil }
    return try CampaignSpec.Pace(json: try JSONValue(parsing: json), at: "pace")
  }

  /// Changes the pace of a campaign that was launched, with its event; holds from the next look of its lanes.
  public static func change(
    _ campaign: Campaign.ID, to pace: CampaignSpec.Pace, of business: Business.ID, by actor: String, reason: String,
    on pool: Pool
  ) async throws {
    _ = try await pool.batch(changing(campaign, to: pace, of: business, by: actor, reason: reason))
    try await divide(campaign, on: pool)
  }

  /// For the caller's transaction; `divide` follows it, or the scheduler's next look does.
  static func changing(
    _ campaign: Campaign.ID, to pace: CampaignSpec.Pace, of business: Business.ID, by actor: String, reason: String
  ) -> [Statement] {
    guard let json = pace.json else { return [] }
    return [
      Statement(
        """
        insert into campaign_setting (campaign_id, version, setting, by)
        select $1, coalesce(max(version), 0) + 1, $2, $3 from campaign_setting where campaign_id = $1
        """, [.int8(campaign.rawValue), .jsonb(JSONValue.object(["pace": json]).rendered()), .text(actor)]),
      Campaigns.event(campaign, "pace_changed", actor: actor, reason: reason, evidence: json),
      Audit.entry(
        business: business, actor: actor, action: "campaign_pace_changed", subject: campaign.description,
        detail: ["pace": json]),
    ]
  }

  /// Divides the pace anew when it, or which numbers can be used, differs from the last time. A number under a pause of
  /// its own or of its token gets nothing: its people go on to the others.
  /// `spread`: what a campaign that is spread over a time needs now.
  public static func divide(_ campaign: Campaign.ID, spread: SpreadPace? = nil, on pool: Pool) async throws {
    guard let pace = try await current(campaign, on: pool),
      let (limit, seconds) = pace.limit.map({ ($0, pace.unit.seconds) }) ?? spread.map({ ($0.limit, $0.seconds) })
    else { return }
    let rows = try await pool.run(
      """
      select n.number_id, greatest(1, least(n.per_second, coalesce(n.per_second_own, n.per_second))
          * (100 - n.reserve_percent) / 100)
        * (not exists (select from open_pause p where (p.scope = 5 and p.scope_id = n.number_id)
          or (p.scope = 4 and p.scope_id = n.token_id)))::int
      from campaign c cross join lateral unnest(c.numbers) with ordinality u (number_id, i) join number n using (number_id)
      where c.campaign_id = $1 order by u.i
      """, .int8(campaign.rawValue))
    let shares = PaceShares.divide(limit, over: rows.map { Int($0.int32(1)) })
    // Two that divide at the same time: the key lets one through, and the next look finds what is left to change.
    _ = try await pool.run(
      """
      insert into pace_share (campaign_id, version, pace, seconds, numbers, shares)
      select $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5 from pace_share where campaign_id = $1
      having not exists (select from pace_share l where l.campaign_id = $1 and l.version = (select max(version)
          from pace_share where campaign_id = $1)
        and l.pace = $2 and l.seconds = $3 and l.numbers = $4 and l.shares = $5)
      on conflict do nothing
      """, .int8(campaign.rawValue), .int4(Int32(clamping: limit)), .int4(Int32(seconds)),
      .int8s(rows.map { $0.int64(0) }), .int4s(shares.map { Int32($0) }))
  }

  /// The pace as it was divided the last time; nil before the first.
  static func divided(_ campaign: Campaign.ID, on pool: Pool) async throws(DatabaseError)
    -> (limit: Int, unit: CampaignSpec.Pace.Unit)?
  {
    let rows = try await pool.run(
      "select pace, seconds from pace_share where campaign_id = $1 order by version desc limit 1", .int8(campaign.rawValue))
    guard let row = rows.first, let unit = CampaignSpec.Pace.Unit.allCases.first(where: { $0.seconds == Int(row.int32(1)) })
    else { return nil }
    return (Int(row.int32(0)), unit)
  }

  /// For `LiveCampaigns`: the versions in force of campaign `c`, the newest first, as JSON; null before the first.
  static let inForce = """
    (select jsonb_agg(jsonb_build_object('pace', s.pace, 'seconds', s.seconds, 'numbers', s.numbers, 'shares', s.shares)
        order by s.version desc)
      from pace_share s where s.campaign_id = c.campaign_id and not exists (
        select from pace_share n where n.campaign_id = s.campaign_id and n.version = s.version + 1
          and n.at < now() - make_interval(secs => greatest(n.seconds, s.seconds) + \(hearing))))
    """

  /// What a number may send of a campaign: so many in each window. Nil when nothing was divided yet.
  static func share(of number: Number.ID, _ json: [UInt8]?) -> (limit: Int, seconds: Int)? {
    guard let json else { return nil }
    let list: [JSONValue]
    do throws(JSONError) {
      list = try JSONValue(parsing: json).arrayValue ?? []
    } catch { preconditionFailure("the database aggregated what is not JSON: \(error)") }
    guard let newest = list.first else { return nil }
    let versions = list.map { version in
      let numbers = (version["numbers"]?.arrayValue ?? []).map { $0.int64Value ?? 0 }
      let shares = (version["shares"]?.arrayValue ?? []).map { Int($0.int64Value ?? 0) }
      return PaceShares.Version(
        pace: Int(version["pace"]?.int64Value ?? 0), shares: Dictionary(zip(numbers, shares)) { first, _ in first })
    }
    return (PaceShares.share(of: number.rawValue, in: versions), Int(newest["seconds"]?.int64Value ?? 1))
  }
}
