import CloudAPI
import Domain
import JSON
import Postgres
import Reactor
import Store

/// Stops campaigns before Meta does: looks at numbers, judges outcomes, and opens pauses that say why. Any number of nodes
/// may run one: looks are taken one by one, and a pause is opened once.
public actor Guard {
  public struct Settings: Sendable {
    /// Between two looks at a number that sends, and at one that does not.
    public var lookWhileSending: Duration = .seconds(30)
    public var lookIdle: Duration = .seconds(600)
    /// Likewise at the templates of an account.
    public var templatesWhileSending: Duration = .seconds(600)
    public var templatesIdle: Duration = .seconds(6 * 3600)
    public var judgeEvery: Duration = .seconds(1)
    /// Receipts may be missing this long, after so many messages, before sending stops.
    public var receiptPatience: Duration = .seconds(600)
    public var receiptEvidence = 100
    /// Above this share of Meta's budget of management calls (percent) a look is put off.
    public var callBudgetPercent: Int64 = 80
    /// How often a campaign's readers are counted.
    public var readsEvery: Duration = .seconds(300)
    /// Deltas of a campaign that are put together.
    public var tallyRows = 500
    public init() {}
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  let settings: Settings
  let pool: Pool
  let graph: GraphClient
  let tokens: Tokens
  let log: @Sendable (String, [(String, String)]) -> Void
  /// Pilots whose count took long: not looked at again before.
  private var restUntil: [Campaign.ID: BootInstant] = [:]
  private var readsKnown: [Campaign.ID: (reads: GuardRules.Reads, until: BootInstant)] = [:]

  public init(
    settings: Settings = Settings(), pool: Pool, graph: GraphClient, tokens: Tokens, on reactor: Reactor,
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    (self.settings, self.pool, self.graph, self.tokens) = (settings, pool, graph, tokens)
    (self.reactor, self.log) = (reactor, log)
  }

  public func run() async throws {
    // A look may wait for Meta's answer: the judging does not wait with it.
    let looking = Task(executorPreference: reactor.tasks) {
      await self.repeating("guard_look_waits") {
        try await self.look()
        try await self.lookAtTemplates()
      }
    }
    await repeating("guard_waits") { try await self.judge() }
    looking.cancel()
    await looking.value
  }

  private func repeating(_ event: String, _ step: () async throws -> Void) async {
    while !Task.isCancelled {
      do {
        try await step()
        try await reactor.sleep(for: settings.judgeEvery)
      } catch is CancellationError {
        return
      } catch {
        log(event, [("error", "\(error)")])
        do { try await reactor.sleep(for: settings.judgeEvery) } catch { return }
      }
    }
  }

  // MARK: Numbers

  /// Looks at every number whose look is due.
  func look() async throws {
    try await NumberWatch.hasten(within: settings.lookWhileSending, on: pool)
    while let due = try await NumberWatch.take(
      whileSending: settings.lookWhileSending, idle: settings.lookIdle, on: pool)
    {
      guard let token = tokens.open(due.sealedToken) else {
        log("token_unreadable", [("number", due.phoneNumberID)])
        continue
      }
      do {
        let (node, usage) = try await graph.watchedNumber(due.phoneNumberID, token: token)
        let stops = Guard.stops(node)
        let seen = Numbers.Observation(
          display: node.display, verifiedName: node.verifiedName, status: node.status, quality: node.quality.word,
          tier: node.tier.word, perSecond: node.messagesPerSecond)
        try await NumberWatch.record(seen, of: due.number, stops: stops, on: pool)
        if stops == nil { try await NumberWatch.lift(due.number, on: pool) }
        if usage >= settings.callBudgetPercent {
          log("guard_looks_seldom", [("number", due.phoneNumberID), ("budget_percent", String(usage))])
          try await NumberWatch.postpone(due.number, by: settings.lookIdle, on: pool)
        }
      } catch let error as GraphError {
        // The number keeps what was last seen of it; its own refusals pause it on the lane.
        log("guard_look_failed", [("number", due.phoneNumberID), ("error", "\(error)")])
      }
    }
  }

  /// Whether Meta itself would refuse what the number sends. A status that we don't know is left to its health.
  static func stops(_ node: PhoneNode) -> GuardRule? {
    switch node.status {
    case "FLAGGED": .numberFlagged
    case "RESTRICTED", "RATE_LIMITED", "BANNED", "DELETED", "DISCONNECTED", "MIGRATED": .numberStopped
    default: node.health?.canSend == .blocked ? .numberStopped : nil
    }
  }

  // MARK: Outcomes

  /// Judges every campaign that is sending.
  func judge() async throws {
    for campaign in try await GuardEvidence.campaigns(on: pool) {
      let outcomes = GuardRules.Outcomes(
        accepted: campaign.accepted, delivered: campaign.delivered, optedOut: campaign.optedOut,
        failures: campaign.failures, held: campaign.held, reads: try await reads(of: campaign.campaign))
      let rules = GuardRules(campaign.guarding)
      // Once: whoever lets it go on has seen the figures.
      for finding in rules.judge(outcomes) where !campaign.rules.contains(finding.rule.rawValue) {
        try await pause(campaign.campaign, campaign.business, finding.rule, finding.evidence)
      }
      for finding in rules.judge(outcomes, .suspected)
      where !campaign.rules.contains(finding.rule.rawValue) && !campaign.slowed.contains(finding.rule.rawValue) {
        if try await GuardEvidence.slow(
          campaign.campaign, business: campaign.business, rule: finding.rule, evidence: finding.evidence, on: pool)
        {
          log("guard_slowed", [("campaign", campaign.campaign.description), ("rule", finding.rule.rawValue)])
        }
      }
      if campaign.rows > settings.tallyRows { try await GuardEvidence.fold(campaign.campaign, on: pool) }
    }
    try await judgePilots()
    try await judgeReturns()
    for silent in try await GuardEvidence.silentNumbers(
      messages: settings.receiptEvidence, patience: settings.receiptPatience, on: pool)
    {
      try await pause(
        silent.campaign, silent.business, .receiptsMissing, ["since": .string(silent.since.rfc3339())])
    }
  }

  /// How many read it, beside what is usual: looked at seldom, for it moves slowly.
  private func reads(of campaign: Campaign.ID) async throws -> GuardRules.Reads? {
    if let known = readsKnown[campaign], known.until > .now { return known.reads }
    let found = try await GuardEvidence.reads(of: campaign, on: pool)
    let reads = GuardRules.Reads(
      delivered: found.delivered, read: found.read, usualDelivered: found.usualDelivered, usualRead: found.usualRead)
    if readsKnown.count > 10_000 { readsKnown = [:] }
    readsKnown[campaign] = (reads, .now + settings.readsEvery)
    return reads
  }

  private func pause(_ campaign: Campaign.ID, _ business: Business.ID, _ rule: GuardRule, _ evidence: JSONValue)
    async throws
  {
    if try await GuardEvidence.pause(campaign, business: business, rule: rule, evidence: evidence, on: pool) {
      log("guard_paused", [("campaign", campaign.description), ("rule", rule.rawValue)])
    }
  }

  // MARK: Pilots

  /// Judges every pilot's step whose time has come.
  func judgePilots() async throws {
    for due in try await Pilots.due(on: pool) {
      if let until = restUntil[due.campaign], until > .now { continue }
      let started = BootInstant.now
      if let overruled = due.overruled {
        try await open(
          after: due, ["overruled": .string(overruled.reason), "step": .number(String(due.step))], by: overruled.by,
          reason: overruled.reason)
        continue
      }
      let progress = try await Pilots.progress(of: due, on: pool)
      let (outcomes, read) = try await GuardEvidence.outcomes(of: due.campaign, on: pool)
      let isSent = progress.done >= due.people
      let evidence = PilotRule.Evidence(
        step: due.step, people: due.people, done: progress.done, outcomes: GuardRules.Outcomes(outcomes), read: read,
        held: progress.held, sentAt: isSent ? progress.lastAt ?? .now : nil)
      switch PilotRule(due.guarding, due.pilot).judge(evidence, at: .now) {
      case .sending: break
      case .waits(let until):
        if let sentAt = evidence.sentAt { try await Pilots.wait(due, sentAt: sentAt, until: until, on: pool) }
      case .passed(let figures):
        try await open(
          after: due, figures, by: "qafila", reason: "Step \(due.step) of the pilot shows that the campaign is welcome.")
      case .failed(let figures):
        if try await Pilots.fail(due, evidence: figures, on: pool) {
          log("pilot_failed", [("campaign", due.campaign.description), ("step", String(due.step))])
        }
      }
      restUntil[due.campaign] = .now + (BootInstant.now - started) * 20
    }
  }

  private func open(after due: Pilots.Due, _ figures: JSONValue, by actor: String, reason: String) async throws {
    if try await Pilots.openNext(after: due, evidence: figures, by: actor, reason: reason, on: pool) {
      log("pilot_step_opened", [("campaign", due.campaign.description), ("step", String(due.step + 1))])
    }
  }
}
