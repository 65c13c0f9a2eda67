import CloudAPI
import Crypto
import Domain
import Governor
import Postgres
import Reactor
import Store

/// Runs the job queue and tends live campaigns. Any number of nodes may run one: jobs are leased, and every step of a
/// campaign's life is a conditional update.
public actor Scheduler {
  public struct Settings: Sendable {
    /// How long a message may stay unknown before it ends as unresolved, given that receipts flow.
    public var unknownPatience: Duration = .seconds(3600)
    /// Meta drops a marketing message after 30 days; a week later nothing can come any more.
    public var settlePatience: Duration = .seconds(37 * 86_400)
    public var jobLease: Duration = .seconds(900)
    public var tendEvery: Duration = .seconds(1)
    /// How often the pace of a campaign that is spread over a time is planned anew.
    public var spreadEvery: Duration = .seconds(30)
    /// How often urgent messages' charges are counted into the budgets of the month.
    public var countUrgentEvery: Duration = .seconds(60)
    /// A start missed by more than this is late.
    public var lateAfter: Duration = .seconds(1800)
    public init() {}
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  /// A job of another module, by its kind; throwing lets it wait and try again.
  public typealias Handler = @Sendable (Jobs.Held) async throws -> Void

  private let settings: Settings
  private let pool: Pool
  private let handlers: [String: Handler]
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let node = Crypto.randomBytes(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & Int64.max
  /// Not looked at again before: a count that takes long is asked for seldom.
  private var restUntil: [Campaign.ID: BootInstant] = [:]
  private var nextUrgentCount = BootInstant.now
  private var spreads: [Campaign.ID: (pace: SpreadPace?, until: BootInstant)] = [:]

  public init(
    settings: Settings = Settings(), pool: Pool, on reactor: Reactor, handlers: [String: Handler] = [:],
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    (self.settings, self.pool, self.reactor, self.handlers, self.log) = (settings, pool, reactor, handlers, log)
  }

  public func run() async throws {
    var nextTending = BootInstant.now
    while !Task.isCancelled {
      do {
        if try await runJob() { continue }
        if BootInstant.now >= nextTending {
          try await tend()
          nextTending = .now + settings.tendEvery
        }
        try await reactor.sleep(for: .milliseconds(100))
      } catch is CancellationError {
        return
      } catch {
        log("scheduler_waits", [("error", "\(error)")])
        do { try await reactor.sleep(for: .seconds(1)) } catch { return }
      }
    }
  }

  private func runJob() async throws -> Bool {
    guard let job = try await Jobs.take(node: node, lease: settings.jobLease, on: pool) else { return false }
    do {
      switch job.kind {
      case "prepare":
        guard let id = Int64(job.key) else { throw UnknownJob(kind: job.kind) }
        try await Preparation.run(Campaign.ID(id), now: .now, pool: pool, log: log)
      case "start":
        guard let id = Int64(job.key) else { throw UnknownJob(kind: job.kind) }
        guard try await Start.run(Campaign.ID(id), lateAfter: settings.lateAfter, now: .now, pool: pool, log: log) else {
          try await Jobs.wait(job, for: .seconds(1), on: pool)
          return true
        }
      case "match_stop":
        guard let id = Int64(job.key) else { throw UnknownJob(kind: job.kind) }
        // Its fact may be on its way still.
        if try await !Aliases.match(id, on: pool), job.attempt == 1 {
          try await Jobs.postpone(job, error: "no message of that id yet", on: pool)
          return true
        }
      case "erase":
        guard let id = Int64(job.key) else { throw UnknownJob(kind: job.kind) }
        let done = try await Erasure.run(
          id, now: .now, redact: { PersonRedaction.redacted($0, phones: $1.phones, userIDs: $1.userIDs) }, on: pool)
        guard done else {
          try await Jobs.wait(job, for: .seconds(2), on: pool)
          return true
        }
        log("person_erased", [("erasure", job.key)])
      default:
        guard let handler = handlers[job.kind] else { throw UnknownJob(kind: job.kind) }
        try await handler(job)
      }
      try await Jobs.end(job, on: pool)
    } catch {
      log("job_failed", [("kind", job.kind), ("attempt", String(job.attempt)), ("error", "\(error)")])
      try await Jobs.postpone(job, error: "\(error)", on: pool)
    }
    return true
  }

  struct UnknownJob: Error { let kind: String }

  /// The pace of a campaign that is spread over a time. Planned now and then; what differs little is left as it is.
  private func spread(_ campaign: Campaign.ID) async throws -> SpreadPace? {
    if let known = spreads[campaign], known.until > .now { return known.pace }
    var next = try await CampaignSpread.plan(campaign, now: .now, on: pool)
    if let known = spreads[campaign]?.pace, let planned = next, known.isNear(planned) { next = known }
    spreads[campaign] = (next, .now + settings.spreadEvery)
    return next
  }

  /// What ended messages leave of their reservations, and whether the budget has a message left.
  private func spend(_ live: Tending.Live) async throws {
    guard try await Budgets.reserves(live.campaign, on: pool) else { return }
    try await Budgets.settle(live.campaign, on: pool)
    if live.state == .sending, try await Budgets.stopExhausted(live.campaign, on: pool) {
      log("budget_exhausted", [("campaign", live.campaign.description)])
    }
  }

  private func tendBudgets() async throws {
    try await Budgets.tend(on: pool)
    for campaign in try await Budgets.beginMonth(on: pool) {
      log("budget_month_begins", [("campaign", campaign.description)])
    }
    guard BootInstant.now >= nextUrgentCount else { return }
    try await Budgets.countUnreserved(on: pool)
    nextUrgentCount = .now + settings.countUrgentEvery
  }

  /// One look at each live campaign; a step that is not due costs little and is asked for again later.
  private func tend() async throws {
    while let launched = try await Recurrences.launchNext(on: pool) {
      log(
        launched.child == nil ? "occurrence_missed" : "occurrence_launched",
        [
          ("campaign", launched.parent.description), ("child", launched.child?.description ?? ""),
          ("planned", launched.planned.description),
        ])
    }
    try await tendBudgets()
    for live in try await Tending.live(on: pool) {
      // Cheap, and nothing of the campaign leaves before: never put off by what takes long.
      if live.state == .sending {
        try await CampaignPace.divide(live.campaign, spread: try await spread(live.campaign), on: pool)
      } else {
        spreads[live.campaign] = nil
      }
      if let until = restUntil[live.campaign], until > .now { continue }
      let started = BootInstant.now
      try await spend(live)
      switch live.state {
      case .cancelled:
        // The gate's last answers before the cancel have run out by then.
        if let ended = live.endedAt, Instant.now - ended > .seconds(2) {
          let count = try await Tending.skipRest(live.campaign, reason: .cancelled, on: pool)
          log("campaign_cancelled", [("campaign", live.campaign.description), ("skipped", String(count))])
        }
      case .sending:
        if let end = live.endAt, Instant.now - end > .seconds(2) {
          let count = try await Tending.skipRest(live.campaign, reason: .expired, on: pool)
          log("campaign_expired", [("campaign", live.campaign.description), ("skipped", String(count))])
        } else if try await Tending.endSending(live.campaign, on: pool) {
          log("campaign_sent", [("campaign", live.campaign.description)])
        }
        _ = try await Tending.resolve(live.campaign, patience: settings.unknownPatience, on: pool)
      default:
        let doubted = try await Tending.resolve(live.campaign, patience: settings.unknownPatience, on: pool)
        if doubted > 0 {
          log("messages_unresolved", [("campaign", live.campaign.description), ("count", String(doubted))])
        }
        if try await Tending.complete(live.campaign, patience: settings.settlePatience, on: pool) {
          log("campaign_completed", [("campaign", live.campaign.description)])
        }
      }
      restUntil[live.campaign] = .now + (BootInstant.now - started) * 20
    }
  }
}
