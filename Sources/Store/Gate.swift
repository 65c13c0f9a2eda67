import Domain
import Postgres

/// The last look before hand-over: suppressed? scope paused? raced? — for all messages whose slots lie just ahead, in one
/// statement. Those who pass get a touch row: the durable mark "may have been handed over". The others get their reason.
public enum Gate {
  public struct Asked: Sendable {
    public let campaign: Campaign.ID
    public let template: Template.ID
    public let seq: Int32
    public let attempt: Int16
    public let contact: Contact.ID
    public let person: PersonKey
    /// Marketing also heeds stops of marketing; everything else heeds only stops of everything.
    public let marketing: Bool
    /// Whether it counts for others' frequency caps: marketing that is no test.
    public let counts: Bool
    /// Its own campaign's cap.
    public let cap: ContactLimits.FrequencyCap?
    /// Who stays at the cap until then is skipped, the others are held until it clears.
    public let endAt: Instant?

    public init(
      campaign: Campaign.ID, template: Template.ID, seq: Int32, attempt: Int16, contact: Contact.ID, person: PersonKey,
      marketing: Bool, counts: Bool? = nil, cap: ContactLimits.FrequencyCap? = nil, endAt: Instant? = nil
    ) {
      (self.campaign, self.template, self.seq, self.attempt) = (campaign, template, seq, attempt)
      (self.contact, self.person, self.marketing) = (contact, person, marketing)
      (self.counts, self.cap, self.endAt) = (counts ?? marketing, cap, endAt)
    }
  }

  public enum Verdict: Int16, Sendable {
    case pass = 0
    /// Opted out: the skip row is written.
    case suppressed = 1
    /// A pause is open over one of its scopes: it goes back to its queue.
    case halted = 2
    /// Another lane touched this person in the same moment: ask again.
    case raced = 3
    /// At the frequency cap: the due row or the skip row is written.
    case capped = 4
    /// The portfolio may write to nobody more within 24 hours: it goes back to its queue and waits.
    case crowded = 5
    /// The number is warming up and may write to nobody more today: likewise.
    case crowdedToday = 6
  }

  /// How many people may be written to outside their service windows.
  public struct People: Sendable, Equatable {
    /// By the portfolio in 24 hours; nil: as many as you like.
    public let limit: Int?
    /// By the number until the end of its local day, when it is warming up.
    public let today: (people: Int, until: Instant)?

    public init(limit: Int?, today: (people: Int, until: Instant)? = nil) { (self.limit, self.today) = (limit, today) }

    public static func == (a: People, b: People) -> Bool {
      a.limit == b.limit && a.today?.people == b.today?.people && a.today?.until == b.today?.until
    }
  }

  /// Which lane asks, and the scopes its pauses may lie on.
  public struct Lane: Sendable {
    public let business: Business.ID
    public let portfolio: Portfolio.ID
    public let account: Account.ID
    public let token: Token.ID
    public let number: Number.ID

    public init(
      business: Business.ID, portfolio: Portfolio.ID, account: Account.ID, token: Token.ID, number: Number.ID
    ) {
      (self.business, self.portfolio, self.account) = (business, portfolio, account)
      (self.token, self.number) = (token, number)
    }
  }

  /// Answers a verdict for each message, in the order asked; nil when the lane is no longer of `epoch`. A message that was
  /// touched before under the same key passes without a second touch, if it still may. `people` nil: no limit is kept and
  /// nobody is counted.
  public static func ask(
    _ asked: [Asked], lane: Lane, epoch: Int32, people: People? = nil, on connection: Connection
  ) async throws(DatabaseError) -> [Verdict]? {
    var values: [Value] = [
      .int8(lane.number.rawValue), .int4(epoch), .int8s(asked.map(\.campaign.rawValue)),
      .int8s(asked.map(\.template.rawValue)), .int4s(asked.map(\.seq)), .int2s(asked.map(\.attempt)),
      .int8s(asked.map(\.contact.rawValue)), .uuids(asked.map(\.person)), .bools(asked.map(\.marketing)),
      .int8(lane.business.rawValue), .int8(lane.portfolio.rawValue), .int8(lane.account.rawValue),
      .int8(lane.token.rawValue), .bools(asked.map(\.counts)),
    ]
    // Without a cap nobody pays for one.
    let isCapped = asked.contains { $0.cap != nil }
    if isCapped {
      values += [
        .int2s(asked.map { $0.cap?.messages ?? 0 }), .int4s(asked.map { $0.cap?.days ?? 0 }),
        .optionalTimestamps(asked.map(\.endAt)),
      ]
    }
    if let people {
      values += [
        people.limit.map { .int4(Int32(clamping: $0)) } ?? .null, people.today.map { .int4(Int32(clamping: $0.people)) } ?? .null,
        people.today.map { .timestamptz($0.until) } ?? .null,
      ]
    }
    let sql =
      people == nil ? (isCapped ? withCaps : withoutCaps) : isCapped ? countingWithCaps : countingWithoutCaps
    let rows = try await connection.run(Statement(sql, values))
    guard let first = rows.first, first.optionalInt32(1) == epoch else { return nil }
    return rows.map { Verdict(rawValue: $0.int16(0))! }
  }

  static let withoutCaps = sql(capped: false)
  static let withCaps = sql(capped: true)
  static let countingWithoutCaps = sql(capped: false, counting: true)
  private static let countingWithCaps = sql(capped: true, counting: true)

  /// The touch's key decides who is first: of two lanes that find the same newest row one inserts the next, the other
  /// raced and asks again, and then sees the first one's touch. So no two campaigns pass one cap in the same moment.
  private static func sql(capped: Bool, counting: Bool = false) -> String {
    let (caps, names) = capped ? (", $15::int2[], $16::int4[], $17::timestamptz[]", ", messages, days, end_at") : ("", "")
    let clears = FrequencyCapSQL.clears(
      contact: "a.contact_id", campaign: "a.campaign_id", seq: "a.seq", messages: "a.messages", days: "a.days")
    return """
      with fence as materialized (
        select (select epoch from lane_log where number_id = $1 order by k desc limit 1) as newest
      ), asked as materialized (
        select * from unnest($3::int8[], $4::int8[], $5::int4[], $6::int2[], $7::int8[], $8::uuid[], $9::bool[],
          $14::bool[]\(caps))
          with ordinality a (campaign_id, template_id, seq, attempt, contact_id, person_key, marketing, counts\(names), i)
      ), halted as materialized (
        select scope, scope_id from open_pause
        where (scope = 1 and scope_id = $10) or (scope = 2 and scope_id = $11) or (scope = 3 and scope_id = $12)
          or (scope = 4 and scope_id = $13) or (scope = 5 and scope_id = $1) or (scope = 6 and scope_id = any($4))
          or (scope = 7 and scope_id = any($3))
      ), \(counting ? "looked" : "judged") as materialized (
        select a.*, l.n, coalesce(l.campaign_id = a.campaign_id and l.seq = a.seq and l.attempt = a.attempt, false) as mine,
          case
            when exists (select from suppression s where s.business_id = $10 and s.person_key = a.person_key and s.active
              and (s.scope = 2 or (s.scope = 1 and a.marketing))) then 1
            when exists (select from halted h where h.scope <= 5 or (h.scope = 6 and h.scope_id = a.template_id)
              or (h.scope = 7 and h.scope_id = a.campaign_id)) then 2
            \(capped ? "when w.clears is not null then 4" : "")
            else 0
          end as \(counting ? "look" : "verdict")\(capped ? ", w.clears" : "")\(counting ? PeopleSQL.columns : "")
        from asked a left join lateral (
          select n, campaign_id, seq, attempt from touch t where t.contact_id = a.contact_id order by n desc limit 1
        ) l on true
        \(capped ? "left join lateral (select case when a.messages > 0 then \(clears) end as clears) w on true" : "")
        \(counting ? PeopleSQL.joins : "")
      )\(counting ? PeopleSQL.judging(capped: capped, parameters: capped ? 18 : 15) : ""), touched as (
        insert into touch (contact_id, campaign_id, number_id, at, n, seq, epoch, attempt, marketing)
        select contact_id, campaign_id, $1, clock_timestamp(), coalesce(n, 0) + 1, seq,
          (select newest from fence where newest = $2), attempt, counts
        from judged where verdict = 0 and not mine order by contact_id
        on conflict do nothing returning campaign_id, seq\(counting ? ", attempt, contact_id" : "")
      ), refused as (
        insert into skip (campaign_id, seq, reason) select campaign_id, seq, 1 from judged where verdict = 1
        order by campaign_id, seq on conflict do nothing
      )\(capped ? holding : "")\(counting ? PeopleSQL.booking(parameters: capped ? 18 : 15) : "")
      select case when j.verdict = 0 and not j.mine and t.seq is null then 3 else j.verdict end::int2,
        (select newest from fence)\(counting ? ", (select count from booked)" : "")
      from judged j left join touched t on t.campaign_id = j.campaign_id and t.seq = j.seq order by j.i
      """
  }

  /// Whoever is at the cap waits for it to clear, or is skipped where that is too late. A lane that is not of this epoch
  /// any more puts nobody back: its successor may be sending to them.
  private static let holding = """
    , held as (
      insert into due (campaign_id, seq, attempt, due_at, reason)
      select campaign_id, seq, attempt, clears, 7 from judged
      where verdict = 4 and (end_at is null or clears < end_at) and (select newest from fence) = $2
      order by campaign_id, seq on conflict do nothing
    ), over as (
      insert into skip (campaign_id, seq, reason)
      select campaign_id, seq, 6 from judged
      where verdict = 4 and clears >= end_at and (select newest from fence) = $2
      order by campaign_id, seq on conflict do nothing
    )
    """
}
