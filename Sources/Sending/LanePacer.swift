import CloudAPI
import Domain
import HTTPClient
import Reactor
import Store

/// The hand-over: each message at its slot, and what its answer asks for.
extension Lane {
  /// Hands over everything whose time has come and sets the alarm for the next. A few at a time, so that a frozen process
  /// that wakes up can't write a burst.
  func pace() {
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

  func alarm(_ at: Int64) {
    pacing = line.reactor.schedule(at: BootInstant(nanoseconds: at)) { [weak self] in
      guard let self else { return }
      self.assumeIsolated { lane in
        lane.pacing = nil
        lane.pace()
      }
    }
  }

  func handOver(_ message: LaneQueue.Message, _ plan: CampaignPlan, _ at: Int64) {
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
  func answered(
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
}
