import Domain
import Postgres

/// What a day came to, for the digest: over all businesses of the installation.
public struct DigestFigures: Sendable {
  public var sent: Int64 = 0
  public var delivered: Int64 = 0
  public var failed: Int64 = 0
  public var optOuts: Int64 = 0
  /// By currency, as charged that day in each account's zone.
  public var costs: [(currency: String, amount: Amount)] = []
  /// Of numbers and portfolios, this month.
  public var budgets: [(scope: PauseScope, name: String, reserved: Amount, limit: Amount, currency: String?)] = []
  public var numbers: [(id: String, label: String, quality: String, tier: String)] = []
  /// What sends, or starts before the next digest.
  public var plan: [(name: String, startAt: Instant?, recipients: Int64?)] = []
  /// Pauses that stand over campaigns, numbers, or more.
  public var pauses: [(scope: PauseScope, name: String, reason: String, at: Instant)] = []
  /// People whose stop or erasure a person must look at.
  public var tasks: Int64 = 0
  /// What endpoints have not taken.
  public var undelivered: Int64 = 0

  public init() {}

  /// Of `day`, which is from `from` to `to`; the plan is until `until`. Reads the messages of campaigns that were live then.
  public static func read(
    _ day: CivilDate, from: Instant, to: Instant, until: Instant, on pool: Pool
  ) async throws -> DigestFigures {
    var figures = DigestFigures()
    let span: [Value] = [.timestamptz(from), .timestamptz(to)]
    let live = """
      select campaign_id from campaign where launched_at < $2 and (ended_at is null or ended_at >= $1) and kind <> 2
      """
    let sums = try await pool.run(
      Statement(
        """
        select (select count(*) from fact where campaign_id in (\(live)) and at >= $1 and at < $2 and outcome in (4, 5)),
          (select count(*) from standing where campaign_id in (\(live)) and delivered_at >= $1 and delivered_at < $2),
          (select count(*) from standing where campaign_id in (\(live)) and failed_at >= $1 and failed_at < $2
            and standing = 20),
          (select count(distinct person_key) from consent where recorded_at >= $1 and recorded_at < $2 and event = 1)
        """, span))[0]
    (figures.sent, figures.delivered, figures.failed, figures.optOuts) = (
      sums.int64(0), sums.int64(1), sums.int64(2), sums.int64(3)
    )
    figures.costs = try await pool.run(
      "select currency, sum(amount) from posting where day = $1 group by 1 having sum(amount) <> 0 order by 1", .date(day)
    ).map { ($0.text(0), $0.amount(1)) }
    for business in try await pool.run("select business_id from business order by 1").map({ Business.ID($0.int64(0)) }) {
      figures.budgets += try await Budgets.list(of: business, on: pool).map {
        ($0.scope, $0.subject, $0.used, $0.limit.limit.amount, $0.limit.limit.currency)
      }
    }
    figures.numbers = try await pool.run("select phone_number_id, label, quality, tier from number order by number_id").map {
      ($0.text(0), $0.text(1), $0.text(2), $0.text(3))
    }
    figures.plan = try await pool.run(
      """
      select name, start_at, recipients from campaign
      where kind = 1 and (state in (4, 5) or (state = 3 and start_at < $1)) order by start_at nulls first limit 20
      """, .timestamptz(until)
    ).map { ($0.text(0), $0.optionalInstant(1), $0.optionalInt64(2)) }
    figures.pauses = try await pool.run(
      """
      select p.scope, coalesce(c.name, n.phone_number_id, p.scope_id::text), p.reason, p.at from open_pause p
      left join campaign c on p.scope = 7 and c.campaign_id = p.scope_id
      left join number n on p.scope = 5 and n.number_id = p.scope_id
      where p.cause <> 'cancelled' and (p.scope <> 7 or c.state in (3, 4, 5)) order by p.at desc limit 20
      """
    ).map { (PauseScope(rawValue: $0.int16(0)) ?? .business, $0.text(1), $0.text(2), $0.instant(3)) }
    let rest = try await pool.run(
      """
      select (select count(*) from consent_task where done_at is null),
        (select count(*) from delivery where state = 3) + (select count(*) from forward_failed)
      """)[0]
    (figures.tasks, figures.undelivered) = (rest.int64(0), rest.int64(1))
    return figures
  }
}
