import Domain
import Postgres
import Reactor
import Store

/// The claim knows pace: the horizon ahead is reserved, one row of the lane's log for many positions.
extension Lane {
  func claimLoop() async throws {
    var nextRefresh = now + line.settings.pollEvery.nanoseconds
    while true {
      try Task.checkCancellation()
      if now >= nextRefresh {
        try await refresh()
        nextRefresh = now + line.settings.pollEvery.nanoseconds
      }
      var claimed = false
      for message in queue.closed(at: now) { finished(message, back: .returned, after: 0) }
      if now >= urgentLookAt { try await lookForUrgent() }
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
  func claim(for plan: CampaignPlan) async throws -> Bool {
    let campaign = plan.campaign
    guard let want = queue.want(campaign, at: now) else { return false }
    let wall = Instant.now.nanoseconds - now
    if plan.isUrgent ? urgentDue.contains(campaign) : plan.hasDue && !dueTaken.contains(campaign) {
      let open = openZones(plan.zones, of: plan)
      let next = k + 1
      let recipients = try await surely(next) {
        try await LaneLog.claimDue(
          numberID, k: next, epoch: epoch, node: line.node, doneK: doneK, campaign: campaign,
          zones: open.zones.count == plan.zones.count ? nil : open.zones, staying: plan.hasStaying,
          limit: want.count(before: open.until), slot0: want.slot0 + wall, step: want.step, on: line.claims)
      }
      if !recipients.isEmpty {
        take(recipients, claim: next, campaign: campaign, until: open.until)
        return true
      }
      dueTaken.insert(campaign)
      urgentDue.remove(campaign)
    }
    guard try await maySpend(plan) else {
      queue.tried(campaign, found: false)
      return false
    }
    try await takeUp(campaign, plan)
    let zone = queue.streams[campaign]?.take?.zone
    let open = openZones(zone.map { [$0] } ?? [], of: plan)
    guard var take = queue.streams[campaign]?.take, !open.zones.isEmpty else {
      queue.tried(campaign, found: false)
      return false
    }
    let wanted = min(take.hi, take.cursor + Int32(want.count(before: open.until)) - 1)
    guard let (hi, reservation) = try await reserve(take, upTo: wanted, plan) else {
      queue.tried(campaign, found: false)
      return false
    }
    let next = k + 1
    let recipients = try await surely(next) {
      try await LaneLog.claim(
        numberID, k: next, epoch: epoch, node: line.node, doneK: doneK, take: take, hi: hi, slot0: want.slot0 + wall,
        step: want.step, reserving: reservation, on: line.claims)
    }
    if let reservation { spending.spend(reservation, at: now) }
    take.cursor = hi + 1
    queue.setTake(take.cursor > take.hi ? nil : take, of: campaign)
    self.take(recipients, claim: next, campaign: campaign, until: open.until)
    return true
  }

  /// Urgent messages do not wait for the next look at the campaigns.
  private func lookForUrgent() async throws {
    let urgent = plans.filter { $0.isUrgent && !$0.isCancelled }.map(\.campaign)
    urgentDue = urgent.isEmpty ? [] : try await LiveCampaigns.due(among: urgent, on: line.claims)
    urgentLookAt = now + line.settings.urgentEvery.nanoseconds
  }

  /// Who said stop since the freeze gives up their slot when their run is opened. It is the gate that keeps the promise:
  /// when the look takes too long it is left out.
  func lookThrough(_ take: LaneLog.Take, _ plan: CampaignPlan) async throws {
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
  func takeUp(_ campaign: Campaign.ID, _ plan: CampaignPlan) async throws {
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

  func take(_ recipients: [LaneLog.Recipient], claim: Int64, campaign: Campaign.ID, until: Int64) {
    k = claim
    open.append((claim, recipients.count))
    queue.claimed(recipients, claim: claim, campaign: campaign, until: until, at: now)
    line.counters.claimed(recipients.count)
  }

  /// A claim whose commit is in doubt is looked up until it is known: our own row is adopted, none means try again.
  func surely(_ k: Int64, _ body: () async throws -> [LaneLog.Recipient]) async throws -> [LaneLog.Recipient] {
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
  func committed(_ k: Int64) async throws -> [LaneLog.Recipient]? {
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
}
