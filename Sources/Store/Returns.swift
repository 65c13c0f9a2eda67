import Domain
import JSON
import Postgres

/// Campaigns that a rating stopped and that may go on by their own rule, and those on their way back to their pace.
public enum Returns {
  /// What was seen of all of a campaign's numbers.
  public struct Colours: Sendable, Equatable {
    public var areGreen: Bool
    /// When the last of them became so.
    public var greenSince: Instant?
    /// When the longest unseen of them was looked at.
    public var lookedAt: Instant?

    public init(areGreen: Bool, greenSince: Instant?, lookedAt: Instant?) {
      (self.areGreen, self.greenSince, self.lookedAt) = (areGreen, greenSince, lookedAt)
    }
  }

  public struct Stopped: Sendable {
    public let campaign: Campaign.ID
    public let business: Business.ID
    public let rule: CampaignSpec.Guarding.Resume.Rule
    public let colours: Colours
    /// Those that a rating opened, and no other.
    public let pauses: [Pause.ID]
  }

  /// The rules that a colour of a number opens over a campaign; nothing else is ever ended by this rule.
  static let ratings = [GuardRule.qualityYellow, .qualityRed].map(\.rawValue)

  private static let colours = """
    (select coalesce(bool_and(n.quality = 'GREEN'), false) from number n where n.number_id = any(c.numbers)),
    (select max(n.quality_since) from number n where n.number_id = any(c.numbers)),
    (select min(n.observed_at) from number n where n.number_id = any(c.numbers))
    """

  public static func stopped(on pool: Pool) async throws -> [Stopped] {
    let rows = try await pool.run(
      """
      select c.campaign_id, c.business_id, c.spec->'guard', \(colours),
        array(select p.pause_id from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id and p.cause = 'guard'
          and p.rule = any($1))
      from campaign c where c.state in (3, 4, 5) and jsonb_typeof(c.spec->'guard'->'resume') = 'object'
        and exists (select from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id and p.cause = 'guard'
          and p.rule = any($1))
      """, .texts(ratings))
    return try rows.compactMap { row in
      guard let rule = try rule(row.jsonb(2)) else { return nil }
      return Stopped(
        campaign: Campaign.ID(row.int64(0)), business: Business.ID(row.int64(1)), rule: rule,
        colours: colours(row, 3), pauses: row.int64s(6).map { Pause.ID($0) })
    }
  }

  private static func rule(_ guarding: [UInt8]) throws -> CampaignSpec.Guarding.Resume.Rule? {
    guard case .byRule(let rule) = try CampaignSpec.Guarding(json: try JSONValue(parsing: guarding), at: "guard").resume
    else { return nil }
    return rule
  }

  private static func colours(_ row: Row, _ place: Int) -> Colours {
    Colours(
      areGreen: row.bool(place), greenSince: row.optionalInstant(place + 1), lookedAt: row.optionalInstant(place + 2))
  }

  /// Ends those pauses and begins at `limit`, in one commit; false when another node was first.
  public static func resume(
    _ stopped: Stopped, from pace: CampaignSpec.Pace?, at limit: Int?, evidence: JSONValue, reason: String, on pool: Pool
  ) async throws -> Bool {
    let done = try await pool.transaction { tx in
      _ = try await tx.run("select from campaign where campaign_id = $1 for update", .int8(stopped.campaign.rawValue))
      let ended = try await tx.run(
        """
        insert into pause_end (pause_id, reason, actor) select p, $2, 'qafila' from unnest($1::int8[]) p
        on conflict do nothing returning pause_id
        """, .int8s(stopped.pauses.map(\.rawValue)), .text(reason))
      guard ended.affected > 0 else { return false }
      _ = try await tx.batch([
        Campaigns.event(stopped.campaign, "resumed", actor: "qafila", reason: reason, evidence: evidence),
        Audit.entry(
          business: stopped.business, actor: "qafila", action: "campaign_resumed", subject: stopped.campaign.description),
      ])
      if var pace, let limit, let full = pace.json {
        pace.limit = limit
        _ = try await tx.batch(
          CampaignPace.changing(stopped.campaign, to: pace, of: stopped.business, by: "qafila", reason: reason))
        _ = try await tx.run(
          """
          insert into pace_return (campaign_id, business_id, pace, version)
          select $1, $2, $3, max(version) from campaign_setting where campaign_id = $1
          on conflict (campaign_id) do update set began_at = clock_timestamp(), version = excluded.version, done_at = null,
            -- Stopped again on its way back: what it goes back to is the pace of before.
            pace = case when pace_return.done_at is null then pace_return.pace else excluded.pace end
          """, .int8(stopped.campaign.rawValue), .int8(stopped.business.rawValue), .jsonb(full.rendered()))
      }
      return true
    }
    if done { try await CampaignPace.divide(stopped.campaign, on: pool) }
    return done
  }

  // MARK: The way back

  public struct Climbing: Sendable {
    public let campaign: Campaign.ID
    public let business: Business.ID
    public let rule: CampaignSpec.Guarding.Resume.Rule?
    public let colours: Colours
    public let elapsed: Duration
    /// As it was before the stop.
    public let full: CampaignSpec.Pace
    /// Nil: somebody else changed the pace, or the campaign is over. Theirs holds.
    public let current: CampaignSpec.Pace?
    /// Some pause stands over it: it waits where it is.
    public let isPaused: Bool
  }

  public static func climbing(on pool: Pool) async throws -> [Climbing] {
    let rows = try await pool.run(
      """
      select c.campaign_id, c.business_id, c.spec->'guard', \(colours),
        extract(epoch from now() - r.began_at)::int8, r.pace,
        (select s.setting->'pace' from campaign_setting s where s.campaign_id = c.campaign_id and s.version = r.version
          and c.state in (3, 4, 5) and not exists (select from campaign_setting n where n.campaign_id = c.campaign_id
            and n.version > r.version and n.setting ? 'pace')),
        exists (select from open_pause p where p.scope = 7 and p.scope_id = c.campaign_id)
      from pace_return r join campaign c using (campaign_id) where r.done_at is null
      """)
    return try rows.map { row in
      Climbing(
        campaign: Campaign.ID(row.int64(0)), business: Business.ID(row.int64(1)), rule: try rule(row.jsonb(2)),
        colours: colours(row, 3), elapsed: .seconds(row.int64(6)),
        full: try CampaignSpec.Pace(json: try JSONValue(parsing: row.jsonb(7)), at: "pace"),
        current: try row.optionalJsonb(8).map { try CampaignSpec.Pace(json: try JSONValue(parsing: $0), at: "pace") },
        isPaused: row.bool(9))
    }
  }

  /// Raises the pace by a step, or ends the way back (`limit` nil, or the full pace reached).
  public static func climb(_ climbing: Climbing, to limit: Int?, on pool: Pool) async throws {
    let isDone = limit == nil || limit == climbing.full.limit
    let raised = try await pool.transaction { tx in
      _ = try await tx.run("select from campaign where campaign_id = $1 for update", .int8(climbing.campaign.rawValue))
      // Whoever changed it since it was read is heeded at the next look.
      let mine = try await tx.run(
        """
        select from pace_return r where campaign_id = $1 and done_at is null and ($2 or not exists (
          select from campaign_setting n where n.campaign_id = $1 and n.version > r.version and n.setting ? 'pace'))
        """, .int8(climbing.campaign.rawValue), .bool(limit == nil)
      ).count == 1
      guard mine else { return false }
      if let limit, var pace = climbing.current {
        pace.limit = limit
        _ = try await tx.batch(
          CampaignPace.changing(
            climbing.campaign, to: pace, of: climbing.business, by: "qafila",
            reason: "The number's quality has stayed high: its pace comes back."))
      }
      _ = try await tx.run(
        """
        update pace_return set version = (select max(version) from campaign_setting where campaign_id = $1),
          done_at = case when $2 then now() end
        where campaign_id = $1
        """, .int8(climbing.campaign.rawValue), .bool(isDone))
      return limit != nil
    }
    if raised { try await CampaignPace.divide(climbing.campaign, on: pool) }
  }
}
