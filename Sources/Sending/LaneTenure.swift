import Domain
import Governor
import HTTPClient
import Reactor
import Store

/// Who owns the lane: getting it, taking up what was held before, losing it, giving it over in good order.
extension Lane {
  /// One step towards ownership; true when it is reached.
  func own() async throws -> Bool {
    let head = try await LaneLog.head(of: numberID, on: line.claims)
    let beats = try await LaneLog.beats(on: line.claims)
    let at = now
    // Whoever owns it and is silent has no say; who released it may be about to take it again.
    let gone = head.flatMap { $0.kind == LaneLog.Kind.release.rawValue ? nil : $0.node }
    let rightful = line.peers.with { peers in
      peers.observed(beats, at: at)
      return peers.owner(of: numberID.rawValue, without: gone, at: at)
    }
    let beat = beats.first { $0.node == head?.node }?.seq
    switch tenure.observed(head: head, beat: beat, isMine: rightful == line.node, at: at) {
    case .none: break
    case .takeOver(let after):
      do {
        let mine = try await LaneLog.takeover(numberID, after: after, node: line.node, on: line.claims)
        tenure.tookOver(mine, after: after, at: now)
        cameBack = after?.node == line.node
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

  /// Takes up the runs this number held before.
  func restore() async throws {
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

  /// Fenced or cut off: what was claimed and not handed over is the next owner's. Facts stay and are still delivered.
  func lost(_ error: any Error) async {
    line.log("lane_lost", [("number", number.phoneNumberID), ("error", "\(error)")])
    if let pacing { line.reactor.cancel(pacing) }
    pacing = nil
    isOwning = false
    tenure.fenced()
    queue = LaneQueue(
      perSecond: number.perSecond, limits: line.limits, seed: UInt64(truncatingIfNeeded: now))
    (open, spending) = ([], Spending())
    do { try await line.reactor.sleep(for: line.settings.pollEvery) } catch {
      // Cancelled while resting: `run` sees it.
    }
  }

  /// The end of a tenure in good order: what was claimed and has not left goes back, answers are awaited for a moment,
  /// facts committed, the lane released, so that the next owner need not wait. What Meta answers later, up to the answer
  /// timeout, is recorded all the same; the next owner has doubted it meanwhile.
  func finish() async {
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

  func settleAndRelease(_ wasOwning: Bool) async {
    let deadline = now + line.settings.answerTimeout.nanoseconds
    let patience = now + line.settings.handOverPatience.nanoseconds
    var releases = wasOwning
    if wasOwning { giveBackClaimed() }
    do {
      while inFlightTotal > 0 || !ended.isEmpty, now < deadline {
        if !ended.isEmpty { try await flush() }
        if releases, now >= patience, ended.isEmpty {
          try await release()
          releases = false
        }
        try await line.reactor.sleep(for: .milliseconds(10))
      }
      if releases { try await release() }
    } catch {
      // Not released in order: the next owner waits for our silence and sweeps.
      line.log("lane_not_released", [("number", number.phoneNumberID), ("error", "\(error)")])
    }
  }

  /// Nothing of it left, and nothing of it will: only this lane could hand it over. Those that the gate let pass would else
  /// be doubted by the next owner and never be written to.
  private func giveBackClaimed() {
    for campaign in queue.streams.keys {
      for message in queue.withdraw(campaign) { finished(message, back: .returned, after: 0) }
    }
  }

  private func release() async throws {
    advanceDone()
    try await LaneLog.release(numberID, k: k + 1, epoch: epoch, node: line.node, doneK: doneK, on: line.claims)
    line.log("lane_released", [("number", number.phoneNumberID)])
  }
}
