import Domain
import JSON
import Postgres

/// What a campaign's guard could see, moment by moment, as the record has it: to judge a past campaign by other rules.
public struct GuardHistory: Sendable {
  /// What came within one step of time.
  public struct Moment: Sendable, Equatable {
    public var at: Instant
    /// Messages that left: taken by Meta, or handed over without an answer.
    public var left = 0
    public var accepted = 0
    public var delivered = 0
    public var optedOut = 0
    public var failures: [Int32: Int] = [:]
    /// Of one of its numbers, as a look found it.
    public var colour: String?

    public init(at: Instant) { self.at = at }
  }

  public struct Pause: Sendable, Equatable {
    public let rule: String
    public let at: Instant
    public init(rule: String, at: Instant) { (self.rule, self.at) = (rule, at) }
  }

  public var moments: [Moment]
  /// The guard's own pauses of it, as they were.
  public var pauses: [Pause]
  /// The moments are so far apart.
  public var step: Duration
  /// Stops that were counted before their times were kept: no rule can see them here.
  public var untimedStops: Int

  public init(moments: [Moment], pauses: [Pause], step: Duration, untimedStops: Int) {
    (self.moments, self.pauses, self.step, self.untimedStops) = (moments, pauses, step, untimedStops)
  }

  /// A history has at most about so many moments, each at least a second: the guard judges once a second.
  static let most = 20_000

  /// From the first message that left to the last; empty when none did. Reads every fact and standing of the campaign.
  public static func read(_ campaign: Campaign.ID, on pool: Pool) async throws(DatabaseError) -> GuardHistory {
    let id = Value.int8(campaign.rawValue)
    let span = try await pool.run(
      """
      select min(at), max(at), greatest(1, ceil(extract(epoch from max(at) - min(at)) / \(most)))::int8 from fact
      where campaign_id = $1 and outcome <> 3
      """, id)[0]
    guard let first = span.optionalInstant(0), let last = span.optionalInstant(1) else {
      return GuardHistory(moments: [], pauses: [], step: .seconds(1), untimedStops: 0)
    }
    let step = span.int64(2)
    let limits: [Value] = [id, .timestamptz(last), .int8(step)]
    let rows = try await pool.run(
      Statement(
        """
        select floor(extract(epoch from at) / $3)::int8, kind, code, sum(n)::int8 from (
          select case when outcome = 3 then 4 when outcome in (4, 5) then 6 else 0 end, case when outcome = 3 then code else 0 end,
            at, 1 from fact where campaign_id = $1
          union all
          select 1, 0, coalesce(delivered_at, read_at), 1 from standing where campaign_id = $1 and standing >= 30
          union all
          select 3, code, failed_at, 1 from standing where campaign_id = $1 and standing = 20
          union all
          select 5, 0, at, count from campaign_stop where campaign_id = $1
        ) e (kind, code, at, n) where at <= $2 group by 1, 2, 3 order by 1
        """, limits))
    var moments: [Moment] = []
    for row in rows {
      // The guard saw it at the end of its second.
      let at = Instant(seconds: (row.int64(0) + 1) * step)
      if moments.last?.at != at { moments.append(Moment(at: at)) }
      let count = Int(row.int64(3))
      switch row.int32(1) {
      case 0: moments[moments.count - 1].left += count
      case 6:
        moments[moments.count - 1].left += count
        moments[moments.count - 1].accepted += count
      case 1: moments[moments.count - 1].delivered += count
      case 5: moments[moments.count - 1].optedOut += count
      default: moments[moments.count - 1].failures[row.int32(2), default: 0] += count
      }
    }
    // The last look before the first message is the colour it began with.
    let looks = try await pool.run(
      """
      select greatest(o.at, $2), upper(o.observation ->> 'quality') from campaign c
      join number_observation o on o.number_id = any(c.numbers)
      where c.campaign_id = $1 and o.observation ->> 'quality' is not null and o.at <= $3
        and (o.at > $2 or o.at = (select max(b.at) from number_observation b
          where b.number_id = o.number_id and b.at <= $2 and b.observation ->> 'quality' is not null))
      order by 1 limit \(most)
      """, id, .timestamptz(first), .timestamptz(last))
    for look in looks {
      var moment = Moment(at: look.instant(0))
      moment.colour = look.text(1)
      moments.append(moment)
    }
    let rest = try await pool.run(
      """
      select coalesce((select sum(count) from outcome_tally where campaign_id = $1 and kind = 5), 0)::int8
        - coalesce((select sum(count) from campaign_stop where campaign_id = $1), 0)::int8
      """, id)[0]
    let pauses = try await pool.run(
      "select rule, at from pause where scope = 7 and scope_id = $1 and cause = 'guard' order by at limit 100", id)
    return GuardHistory(
      moments: moments.sorted { $0.at < $1.at }, pauses: pauses.map { Pause(rule: $0.text(0), at: $0.instant(1)) },
      step: .seconds(step), untimedStops: max(0, Int(rest.int64(0))))
  }

  // MARK: Judged again

  /// What other rules would have made of it.
  public struct Replay: Sendable, Equatable {
    public struct Stop: Sendable, Equatable {
      public let rule: GuardRule
      public let at: Instant
      /// The figures it stands on.
      public let evidence: JSONValue
      /// Messages that had left by then.
      public let left: Int

      public init(rule: GuardRule, at: Instant, evidence: JSONValue, left: Int) {
        (self.rule, self.at, self.evidence, self.left) = (rule, at, evidence, left)
      }
    }

    /// The first that would have halved its pace, and the first that would have paused it.
    public var slow: Stop?
    public var pause: Stop?
    /// Messages that left in all, and before the guard's first pause as it was; the latter nil when there was none.
    public var left = 0
    public var leftBeforePause: Int?

    public init() {}

    /// So many messages earlier than it stopped, by its guard or at its end; negative: later.
    public var messagesEarlier: Int? { pause.map { (leftBeforePause ?? left) - $0.left } }
  }
}

extension CampaignSpec.Guarding {
  /// The rules with those that `json` names in place of its own. What no past can show (a pilot that was not sent) is
  /// refused.
  public func changed(by json: JSONValue) throws(Problem) -> CampaignSpec.Guarding {
    let fields = try Fields(json, known: ["pause_at", "max_opt_out", "max_undeliverable"])
    let given = try CampaignSpec.Guarding(json: json, at: "")
    var rules = self
    if fields["pause_at"] != nil { rules.pauseAt = given.pauseAt }
    if fields["max_opt_out"] != nil { rules.maxOptOut = given.maxOptOut }
    if fields["max_undeliverable"] != nil { rules.maxUndeliverable = given.maxUndeliverable }
    return rules
  }

  /// The rules that a replay judges by.
  public var replayed: JSONValue {
    [
      "pause_at": .string(pauseAt.rawValue), "max_opt_out": .number(maxOptOut.text(minimumDecimals: 2)),
      "max_undeliverable": .number(maxUndeliverable.text(minimumDecimals: 2)),
    ]
  }
}
