import Domain
import Reactor
import Schedule
import Store

/// How the campaigns stand now, and whose hours are open: read anew a few times a second.
extension Lane {
  func refresh() async throws {
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
    // A standing campaign that is new here need not wait.
    urgentLookAt = 0
    try await lookAtBudgets()
    try await lookAtPeople()
  }

  /// This number has no part in a campaign any more: who waits here goes back to everybody's queue, the rest of the run to
  /// whichever number takes it. Nobody who was handed over is touched.
  func handOn(_ campaign: Campaign.ID) async throws {
    for message in queue.withdraw(campaign) { finished(message, back: .returned, after: 0) }
    for take in parked.removeValue(forKey: campaign) ?? [] where take.cursor <= take.hi { try await giveBack(take) }
    guard let take = queue.streams[campaign]?.take else { return }
    if take.cursor <= take.hi { try await giveBack(take) }
    queue.setTake(nil, of: campaign)
  }

  func giveBack(_ take: LaneLog.Take) async throws {
    try await LaneLog.giveBack(
      take, numberID, k: k + 1, epoch: epoch, node: line.node, doneK: doneK, on: line.claims)
    k += 1
    advanceDone()
    line.log("run_given_back", [("number", number.phoneNumberID), ("campaign", take.campaign.description)])
  }

  /// Which of `zones` may be written to now, and until when by the boot clock: until the first of them closes.
  func openZones(_ zones: [String], of plan: CampaignPlan) -> (zones: [String], until: Int64) {
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
}
