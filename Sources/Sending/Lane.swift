import CloudAPI
import Domain
import Governor
import HTTPClient
import Postgres
import Reactor
import Schedule
import Store

/// What the lanes of a node share: its name, the line's connections, the client to the Graph API.
struct Line: Sendable {
  let node: Int64
  let installation: String
  let settings: SenderSettings
  let limits: LaneQueue.Limits
  let reactor: Reactor
  let claims: Connection
  let gates: Connection
  let facts: Connection
  let zones: ZoneCache
  let counters: SenderCounters
  let log: @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
}

/// A number's ordered way out, while this node owns it: claims ahead, asks the gate, hands each message over at its slot,
/// records the fact. It lives on the line's thread; everything it decides is decided by `LaneQueue` and `Tenure`.
actor Lane {
  nonisolated let line: Line
  nonisolated let number: LiveCampaigns.LiveNumber
  nonisolated var unownedExecutor: UnownedSerialExecutor { line.reactor.asUnownedSerialExecutor() }

  var queue: LaneQueue
  private var tenure: Tenure
  private let answers = SendAnswerReader()
  /// The lane's own: libcurl looks for a free connection, and for a request's own, one after the other.
  private let http: HTTPClient
  private let headers: HeaderList
  private let url: String
  private var epoch: Int32 = 0
  /// The log's newest row, which is ours while we own the lane.
  private var k: Int64 = 0
  /// Messages of each claim that have no fact, skip or due row yet; those at the front that reach zero move `doneK`.
  private var open: [(k: Int64, left: Int)] = []
  private var doneK: Int64 = 0
  var ended: [Ended] = []
  private var pacing: Reactor.TimerID?
  private var failures = 0
  private var restsUntil: Int64 = 0
  var ourFaults = 0
  private var isOwning = false

  /// A message that this lane is done with, and what must be committed before it may be forgotten.
  struct Ended {
    let claim: Int64
    var fact: Facts.Fact?
    var back: Facts.Return?
    var skip: Facts.Skip?
    var halt: Facts.Halt?
    /// Meta surely did not take it.
    var refused: Facts.Refused?
    var hold: MarketingHolds.Hold?
    var word: Consents.Word?
  }

  init(_ number: LiveCampaigns.LiveNumber, token: String, line: Line) {
    self.number = number
    self.line = line
    queue = LaneQueue(
      perSecond: number.perSecond, limits: line.limits, seed: UInt64(bitPattern: line.node ^ number.lane.number.rawValue))
    tenure = Tenure(
      me: line.node, nodeTimeout: line.settings.nodeTimeout.nanoseconds,
      quarantine: line.settings.quarantine.nanoseconds)
    var http = HTTPClientSettings()
    http.maxConnections = line.settings.inFlight + 24
    http.caFile = line.settings.caFile
    self.http = HTTPClient(on: line.reactor, settings: http)
    headers = HeaderList([("Authorization", "Bearer " + token), ("Content-Type", "application/json")])
    url = "\(line.settings.graphURL)/\(line.settings.graphVersion)/\(number.phoneNumberID)/messages"
  }

  var now: Int64 { BootInstant.now.nanoseconds }
  var numberID: Number.ID { number.lane.number }

  // MARK: Ownership

  /// Waits for the lane, sends while it is ours, and hands it over at the end. Returns when the task is cancelled, with
  /// everything recorded that was handed over.
  func run() async {
    // Facts outlive ownership: a fenced lane still records what it handed over.
    let recording = Task(executorPreference: line.reactor.tasks) { await self.factLoop() }
    while !Task.isCancelled {
      do {
        guard try await own() else {
          try await line.reactor.sleep(for: line.settings.pollEvery)
          continue
        }
        isOwning = true
        try await send()
      } catch is CancellationError {
        break
      } catch {
        await lost(error)
      }
    }
    recording.cancel()
    await recording.value
    await finish()
  }

  /// One step towards ownership; true when it is reached.
  private func own() async throws -> Bool {
    let head = try await LaneLog.head(of: numberID, on: line.claims)
    let beats = try await LaneLog.beats(on: line.claims)
    switch tenure.observed(head: head, beat: head.flatMap { beats[$0.node] }, at: now) {
    case .none: break
    case .takeOver(let after):
      do {
        let mine = try await LaneLog.takeover(numberID, after: after, node: line.node, on: line.claims)
        tenure.tookOver(mine, after: after, at: now)
        line.log("lane_taken", [("number", number.phoneNumberID), ("epoch", String(mine.epoch))])
      } catch {
        guard LaneLog.isFenced(error) else { throw error }
        tenure.fenced()
      }
    case .sweep(let head):
      let swept = try await LaneLog.sweep(numberID, k: head.k, doneK: head.doneK, on: line.claims)
      if swept.unknown + swept.returned > 0 {
        line.log(
          "lane_swept",
          [("number", number.phoneNumberID), ("unknown", String(swept.unknown)), ("returned", String(swept.returned))])
      }
      tenure.swept()
      (k, epoch, doneK, open) = (head.k, head.epoch, head.k, [])
      return true
    }
    if case .sweep = tenure.due(at: now) { return try await own() }
    return false
  }

  /// Fenced or cut off: what was claimed and not handed over is the next owner's. Facts stay and are still delivered.
  private func lost(_ error: any Error) async {
    line.log("lane_lost", [("number", number.phoneNumberID), ("error", "\(error)")])
    if let pacing { line.reactor.cancel(pacing) }
    pacing = nil
    isOwning = false
    tenure.fenced()
    queue = LaneQueue(
      perSecond: number.perSecond, limits: line.limits, seed: UInt64(truncatingIfNeeded: now))
    open = []
    do { try await line.reactor.sleep(for: line.settings.pollEvery) } catch {
      // Cancelled while resting: `run` sees it.
    }
  }

  /// The end of a tenure in good order: answers awaited, facts committed, the lane released, so that the next owner need
  /// not wait. Bounded by the answer timeout.
  private func finish() async {
    if let pacing { line.reactor.cancel(pacing) }
    pacing = nil
    let wasOwning = isOwning
    isOwning = false
    // Cancelled tasks can't sleep: the goodbye runs in one of its own.
    await Task(executorPreference: line.reactor.tasks) {
      await self.settleAndRelease(wasOwning)
    }.value
    http.close()
  }

  private func settleAndRelease(_ wasOwning: Bool) async {
    let deadline = now + line.settings.answerTimeout.nanoseconds
    do {
      while inFlightTotal > 0 || !ended.isEmpty, now < deadline {
        if !ended.isEmpty { try await flush() }
        try await line.reactor.sleep(for: .milliseconds(10))
      }
      if wasOwning {
        advanceDone()
        try await LaneLog.release(numberID, k: k + 1, epoch: epoch, node: line.node, doneK: doneK, on: line.claims)
        line.log("lane_released", [("number", number.phoneNumberID)])
      }
    } catch {
      // Not released in order: the next owner waits for our silence and sweeps.
      line.log("lane_not_released", [("number", number.phoneNumberID), ("error", "\(error)")])
    }
  }

  private var inFlightTotal = 0
  private var second = FullestSecond()

  // MARK: Sending

  private func send() async throws {
    try await restore()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: line.reactor.tasks) { try await self.claimLoop() }
      group.addTask(executorPreference: line.reactor.tasks) { try await self.gateLoop() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Takes up the runs this number held before.
  private func restore() async throws {
    try await refresh()
    let wall = Instant.now.nanoseconds - now
    for touch in try await LaneLog.recentTouches(numberID, within: PairLimit.memory, on: line.claims) {
      queue.learn(touch.contact, handedOverAt: touch.at.nanoseconds - wall)
    }
    let slow = plans.compactMap { $0.ownPace.map { Int($0.window.nanoseconds / 1_000_000_000) } }.max() ?? 0
    for campaign in try await LaneLog.claimedLately(numberID, within: max(1, slow), on: line.claims) {
      queue.keepDistance(campaign, at: now)
    }
    parked = [:]
    for take in try await LaneLog.openTakes(numberID, on: line.claims) {
      if plans.contains(where: { $0.campaign == take.campaign && $0.ownPace?.limit == 0 }) {
        try await giveBack(take)
      } else {
        parked[take.campaign, default: []].append(take)
      }
    }
  }

  private func refresh() async throws {
    let live = try await LiveCampaigns.campaigns(from: numberID, on: line.claims)
    if let stamp = live.first?.calendarStamp, stamp != calendars.stamp {
      let isFirst = calendars.stamp < 0
      calendars = (stamp, try await Calendars.blackouts(of: number.lane.business, on: line.claims))
      openings = [:]
      // What is claimed was claimed by the old calendars: it goes back and is claimed by the new ones.
      if !isFirst {
        for campaign in queue.streams.keys {
          for message in queue.withdraw(campaign) { finished(message, back: .returned, after: 0) }
        }
      }
    }
    let at = (wall: Instant.now, boot: now)
    var plans: [CampaignPlan] = []
    for campaign in live {
      let known = queue.streams[campaign.campaign]?.plan.message
      do {
        plans.append(
          try CampaignPlan(campaign, message: known, reservePercent: number.reservePercent,
            calendars: calendars.loaded, wall: at.wall, boot: at.boot))
      } catch {
        line.log("campaign_unreadable", [("campaign", campaign.campaign.description), ("error", "\(error)")])
      }
    }
    queue.adopt(plans.filter { !$0.isCancelled }, perSecond: number.perSecond)
    for plan in plans where plan.isCancelled || plan.isOver(at: now) {
      for message in queue.withdraw(plan.campaign) {
        ended.append(
          Ended(
            claim: message.claim,
            skip: .init(
              campaign: message.campaign, seq: message.recipient.seq, reason: plan.isCancelled ? .cancelled : .expired)))
      }
    }
    for plan in plans where plan.ownPace?.limit == 0 { try await handOn(plan.campaign) }
    self.plans = plans
    openings = openings.filter { queue.streams[$0.key] != nil }
    // Other lanes took runs, people came back, zones opened: everything may be asked about again.
    (dueTaken, exhausted) = ([], [])
  }

  /// This number has no part in a campaign any more: who waits here goes back to everybody's queue, the rest of the run to
  /// whichever number takes it. Nobody who was handed over is touched.
  private func handOn(_ campaign: Campaign.ID) async throws {
    for message in queue.withdraw(campaign) { finished(message, back: .returned, after: 0) }
    for take in parked.removeValue(forKey: campaign) ?? [] where take.cursor <= take.hi { try await giveBack(take) }
    guard let take = queue.streams[campaign]?.take else { return }
    if take.cursor <= take.hi { try await giveBack(take) }
    queue.setTake(nil, of: campaign)
  }

  private func giveBack(_ take: LaneLog.Take) async throws {
    try await LaneLog.giveBack(
      take, numberID, k: k + 1, epoch: epoch, node: line.node, doneK: doneK, on: line.claims)
    k += 1
    advanceDone()
    line.log("run_given_back", [("number", number.phoneNumberID), ("campaign", take.campaign.description)])
  }

  private var plans: [CampaignPlan] = []
  private var calendars: (stamp: Int64, loaded: [BlackoutCalendar]) = (-1, [])
  private var openings: [Campaign.ID: OpeningMemory] = [:]

  /// Which of `zones` may be written to now, and until when by the boot clock: until the first of them closes.
  private func openZones(_ zones: [String], of plan: CampaignPlan) -> (zones: [String], until: Int64) {
    if plan.opening.isAlwaysOpen { return (zones, .max) }
    let wall = Instant.now
    let offset = now - wall.nanoseconds
    var memory = openings.removeValue(forKey: plan.campaign) ?? OpeningMemory(plan.opening)
    var (open, closes): ([String], Int64) = ([], .max)
    for zone in zones {
      guard case .open(let until) = memory.state(of: zone, at: wall, { line.zones.zone($0) }) else { continue }
      open.append(zone)
      closes = min(closes, until.nanoseconds)
    }
    openings[plan.campaign] = memory
    return (open, closes == .max ? .max : closes + offset)
  }

  private func claimLoop() async throws {
    var nextRefresh = now + line.settings.pollEvery.nanoseconds
    while true {
      try Task.checkCancellation()
      if now >= nextRefresh {
        try await refresh()
        nextRefresh = now + line.settings.pollEvery.nanoseconds
      }
      var claimed = false
      for message in queue.closed(at: now) { finished(message, back: .returned, after: 0) }
      if ended.count < line.settings.factsBound, now >= restsUntil {
        for plan in plans where !plan.isCancelled {
          claimed = try await claim(for: plan) || claimed
        }
      }
      // With little claimed ahead (short runs, an unpaced number) the next claim follows at once.
      if !claimed { try await line.reactor.sleep(for: .milliseconds(20)) }
    }
  }

  /// Claims what the horizon ahead asks for; true when it did.
  private func claim(for plan: CampaignPlan) async throws -> Bool {
    let campaign = plan.campaign
    guard let want = queue.want(campaign, at: now) else { return false }
    let wall = Instant.now.nanoseconds - now
    if plan.hasDue, !dueTaken.contains(campaign) {
      let open = openZones(plan.zones, of: plan)
      let next = k + 1
      let recipients = try await surely(next) {
        try await LaneLog.claimDue(
          numberID, k: next, epoch: epoch, node: line.node, doneK: doneK, campaign: campaign,
          zones: open.zones.count == plan.zones.count ? nil : open.zones,
          limit: want.count(before: open.until), slot0: want.slot0 + wall, step: want.step, on: line.claims)
      }
      if !recipients.isEmpty {
        take(recipients, claim: next, campaign: campaign, until: open.until)
        return true
      }
      dueTaken.insert(campaign)
    }
    try await takeUp(campaign, plan)
    guard var take = queue.streams[campaign]?.take else { return false }
    let open = openZones([take.zone], of: plan)
    guard !open.zones.isEmpty else { return false }
    let hi = min(take.hi, take.cursor + Int32(want.count(before: open.until)) - 1)
    let next = k + 1
    let recipients = try await surely(next) {
      try await LaneLog.claim(
        numberID, k: next, epoch: epoch, node: line.node, doneK: doneK, take: take, hi: hi, slot0: want.slot0 + wall,
        step: want.step, on: line.claims)
    }
    take.cursor = hi + 1
    queue.setTake(take.cursor > take.hi ? nil : take, of: campaign)
    self.take(recipients, claim: next, campaign: campaign, until: open.until)
    return true
  }

  /// Who said stop since the freeze gives up their slot when their run is opened. It is the gate that keeps the promise:
  /// when the look takes too long it is left out.
  private func lookThrough(_ take: LaneLog.Take, _ plan: CampaignPlan) async throws {
    do {
      let count = try await LaneLog.skipStopped(
        take, business: number.lane.business, marketing: plan.marketing, on: line.claims)
      if count > 0 {
        line.log("run_opened", [("campaign", take.campaign.description), ("opted_out", String(count))])
      }
    } catch DatabaseError.rejected(.queryCanceled, _) {
      line.log("run_not_looked_through", [("campaign", take.campaign.description), ("run", String(take.run))])
    }
  }

  /// Holds a run whose hours are open: the one at hand, one that was laid aside when its hours closed, or a free one. A
  /// closed run must not keep the lane from those of zones where it is still day.
  private func takeUp(_ campaign: Campaign.ID, _ plan: CampaignPlan) async throws {
    if let take = queue.streams[campaign]?.take {
      guard openZones([take.zone], of: plan).zones.isEmpty else { return }
      parked[campaign, default: []].append(take)
      queue.setTake(nil, of: campaign)
    }
    if let laid = parked[campaign], let index = laid.firstIndex(where: { !openZones([$0.zone], of: plan).zones.isEmpty }) {
      queue.setTake(parked[campaign]?.remove(at: index), of: campaign)
      return
    }
    let open = openZones(plan.freeZones, of: plan).zones
    guard !open.isEmpty, !exhausted.contains(campaign) else { return }
    let take = try await LaneLog.takeRun(campaign, zones: open, number: numberID, on: line.claims)
    queue.setTake(take, of: campaign)
    if let take { try await lookThrough(take, plan) } else { exhausted.insert(campaign) }
  }

  /// Runs this number holds and whose hours are closed, or that it has not gone on with yet.
  private var parked: [Campaign.ID: [LaneLog.Take]] = [:]

  /// Asked about due rows, or free runs, since the last look at the campaigns, and found none.
  private var dueTaken: Set<Campaign.ID> = []
  private var exhausted: Set<Campaign.ID> = []

  private func take(_ recipients: [LaneLog.Recipient], claim: Int64, campaign: Campaign.ID, until: Int64) {
    k = claim
    open.append((claim, recipients.count))
    queue.claimed(recipients, claim: claim, campaign: campaign, until: until, at: now)
    line.counters.claimed(recipients.count)
  }

  /// A claim whose commit is in doubt is looked up until it is known: our own row is adopted, none means try again.
  private func surely(_ k: Int64, _ body: () async throws -> [LaneLog.Recipient]) async throws -> [LaneLog.Recipient] {
    while true {
      do {
        return try await body()
      } catch let error as DatabaseError {
        switch error {
        case .interrupted, .unreachable, .cancelled:
          if let mine = try await committed(k) { return mine }
        // A statement that ran out of its time did not commit.
        case .rejected(.queryCanceled, _): try await line.reactor.sleep(for: .milliseconds(20))
        case .rejected: throw error
        }
      }
    }
  }

  /// What our row `k` claimed, nil when it is not there; asked until the database says which.
  private func committed(_ k: Int64) async throws -> [LaneLog.Recipient]? {
    while true {
      try await line.reactor.sleep(for: .milliseconds(100))
      do throws(DatabaseError) {
        return try await LaneLog.adopted(numberID, k: k, node: line.node, on: line.claims)
      } catch {
        switch error {
        case .interrupted, .unreachable, .cancelled, .rejected(.queryCanceled, _): continue
        case .rejected: throw error
        }
      }
    }
  }

  // MARK: The gate

  private func gateLoop() async throws {
    while true {
      try Task.checkCancellation()
      let asked = queue.toAsk(at: now)
      guard !asked.isEmpty else {
        try await line.reactor.sleep(for: .milliseconds(10))
        continue
      }
      let askedAt = now
      let plansOf = Dictionary(uniqueKeysWithValues: plans.map { ($0.campaign, $0) })
      let questions = asked.map { message in
        let plan = plansOf[message.campaign] ?? queue.streams[message.campaign]!.plan
        return Gate.Asked(
          campaign: message.campaign, template: plan.template, seq: message.recipient.seq,
          attempt: message.recipient.attempt, contact: message.recipient.contact, person: message.recipient.person,
          marketing: plan.marketing, counts: plan.counts, cap: plan.frequencyCap, endAt: plan.endsAt)
      }
      do {
        guard let verdicts = try await Gate.ask(questions, lane: number.lane, epoch: epoch, on: line.gates) else {
          throw LaneFenced()
        }
        line.counters.gated(asked.count, took: now - askedAt)
        for message in queue.judged(asked, verdicts, askedAt: askedAt) { settled(message.claim) }
        pace()
      } catch let error as DatabaseError {
        if LaneLog.isFenced(error) { throw error }
        // No answer, nothing leaves: the messages stay ungated and are asked about again.
        line.counters.gateFailed()
        line.log("gate_failed", [("number", number.phoneNumberID), ("error", "\(error)")])
        try await line.reactor.sleep(for: .milliseconds(50))
      }
      let rest = line.settings.gateEvery.nanoseconds - (now - askedAt)
      if rest > 0 { try await line.reactor.sleep(for: .nanoseconds(rest)) }
    }
  }

  // MARK: The pacer

  /// Hands over everything whose time has come and sets the alarm for the next. A few at a time, so that a frozen process
  /// that wakes up can't write a burst.
  private func pace() {
    if let pacing { line.reactor.cancel(pacing) }
    pacing = nil
    guard isOwning else { return }
    var budget = 8
    while true {
      let at = now
      if ended.count >= line.settings.factsBound || at < restsUntil { return alarm(at + 20_000_000) }
      switch queue.next(at: at) {
      case .idle: return
      case .wait(let until): return alarm(until)
      case .hold(let message, let until):
        finished(message, back: .pair, after: until - at)
      case .handOver(let message, let plan):
        if budget == 0 { return alarm(at) }
        budget -= 1
        handOver(message, plan, at)
      }
    }
  }

  private func alarm(_ at: Int64) {
    pacing = line.reactor.schedule(at: BootInstant(nanoseconds: at)) { [weak self] in
      guard let self else { return }
      self.assumeIsolated { lane in
        lane.pacing = nil
        lane.pace()
      }
    }
  }

  private func handOver(_ message: LaneQueue.Message, _ plan: CampaignPlan, _ at: Int64) {
    let tenure = epoch
    queue.left(message, at: at)
    if second.note(at: at) { line.counters.filled(second: second.highest) }
    inFlightTotal += 1
    line.counters.handedOver(late: at - message.sendAt)
    let recipient = message.recipient
    let body = plan.message.render(
      to: recipient.phone, values: recipient.values, key: message.key, installation: line.installation)
    let request = HTTPRequest(
      "POST", url, headers: headers, body: body, timeout: line.settings.answerTimeout,
      writeBy: BootInstant(nanoseconds: at + 500_000_000))
    http.send(request) { [self] result in
      assumeIsolated { $0.answered(message, handedOver: at, isOurs: $0.isOwning && $0.epoch == tenure, result) }
    }
  }

  /// What came of a hand-over, told on the line's thread.
  private func answered(
    _ message: LaneQueue.Message, handedOver: Int64, isOurs: Bool, _ result: Result<HTTPAnswer, HTTPFailure>
  ) {
    inFlightTotal -= 1
    if isOurs {
      // An answer of whatever kind; a lost or unsent one says nothing of the path.
      let answered: Int64? = if case .success = result { handedOver } else { nil }
      queue.answered(handedOver: answered, at: now)
    }
    switch HandOver.ending(of: answers.read(result)) {
    case .notSent(let reason):
      // Surely never left: the same attempt goes again, after a rest that grows while Meta can't be reached.
      failures += 1
      line.counters.notSent()
      restsUntil = now + min(5_000_000_000, 100_000_000 << Int64(min(failures, 6)))
      line.log("not_written", [("number", number.phoneNumberID), ("reason", reason)])
      if !isOurs || !queue.cameBack(message) { finished(message, back: .returned, after: 0) }
    case .known(let ending):
      failures = 0
      settle(message, ending, handedOver)
    }
    pace()
  }

  // MARK: Facts

  private func factLoop() async {
    while !Task.isCancelled {
      var rest = line.settings.factsEvery
      if !ended.isEmpty {
        do {
          try await flush()
          if ended.count >= line.settings.factsBatch { continue }
        } catch {
          // Facts stay in memory until a commit covers them; recording them twice changes nothing.
          line.log("facts_not_recorded", [("number", number.phoneNumberID), ("error", "\(error)")])
          rest = .milliseconds(100)
        }
      }
      do { try await line.reactor.sleep(for: rest) } catch { return }
    }
  }

  private func flush() async throws {
    let count = min(ended.count, line.settings.factsBatch)
    let batch = ended[..<count]
    var halts: [Facts.Halt] = []
    for item in batch { if let halt = item.halt, !halts.contains(halt) { halts.append(halt) } }
    var words: [Consents.Word] = []
    for item in batch {
      if let word = item.word, !words.contains(where: { $0.person == word.person }) { words.append(word) }
    }
    try await Facts.record(
      batch.compactMap(\.fact), returns: batch.compactMap(\.back), skips: batch.compactMap(\.skip), halts: halts,
      refused: batch.compactMap(\.refused), holds: batch.compactMap(\.hold), retries: line.settings.marketingRetries,
      words: words, business: number.lane.business, number: numberID, on: line.facts)
    for item in batch { settled(item.claim) }
    // Only the front was taken, and only this loop removes.
    ended.removeFirst(count)
    line.counters.recorded(count)
    pace()
  }

  private func settled(_ claim: Int64) {
    guard let index = open.firstIndex(where: { $0.k == claim }) else { return }
    open[index].left -= 1
    advanceDone()
  }

  private func advanceDone() {
    while let first = open.first, first.left <= 0 {
      doneK = first.k
      open.removeFirst()
    }
    if open.isEmpty { doneK = k }
  }
}

/// The lane's log shows another owner.
struct LaneFenced: Error {}
