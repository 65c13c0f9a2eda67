import Domain
import Governor
import Postgres
import Schedule

/// The pace of a campaign that is spread over a time, from the people left and the time in which they may be written to.
public enum CampaignSpread {
  /// What its people need now; nil when it has a pace of another kind, or nobody is left.
  public static func plan(_ campaign: Campaign.ID, now: Instant, on pool: Pool) async throws -> SpreadPace? {
    guard let pace = try await CampaignPace.current(campaign, on: pool), let until = pace.spreadUntil else { return nil }
    let rows = try await pool.run(
      """
      select c.business_id, c.frozen, c.recipients - (select count(*) from skip s where s.campaign_id = c.campaign_id)
          - coalesce((select sum(count) from outcome_tally t
            where t.campaign_id = c.campaign_id and t.kind in ($2, $3)), 0)::int8,
        array(select distinct r.zone from run r where r.campaign_id = c.campaign_id),
        (select coalesce(sum(greatest(1, least(n.per_second, coalesce(n.per_second_own, n.per_second))
            * (100 - n.reserve_percent) / 100)), 0)
          from number n where n.number_id = any(c.numbers))::int8
      from campaign c where c.campaign_id = $1 and c.frozen is not null and c.recipients is not null
      """, .int8(campaign.rawValue), .int2(Tallies.Kind.accepted.rawValue), .int2(Tallies.Kind.refused.rawValue))
    guard let row = rows.first else { return nil }
    let spec = try FrozenCampaign.read(row.jsonb(1)).spec
    let calendars = try await Calendars.blackouts(of: Business.ID(row.int64(0)), on: pool)
    let runs = row.texts(3)
    var zones: [String: Zone] = [:]
    for name in Set(runs.flatMap { $0.split(separator: ",") }.map(String.init)) {
      // One that the system does not know stays closed, here as in the lane.
      zones[name] = try? Zone(named: name)
    }
    var memory = OpeningMemory(spec.schedule.opening(calendars))
    let open = memory.openTime(of: runs, from: now, until: until) { zones[$0] }
    // At a number's very limit `human` has no room.
    let most = max(1, Int(row.int64(4)) * (pace.jitter == .human ? 8 : 10) / 10)
    return SpreadPace(people: Int(row.int64(2)), open: open, most: most)
  }
}
