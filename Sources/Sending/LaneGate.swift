import Domain
import Postgres
import Reactor
import Store

/// The gate knows people: who lies just ahead is asked about, and again when the answer grows old.
extension Lane {
  func gateLoop() async throws {
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
        let people = peopleAllowed()
        guard
          let verdicts = try await Gate.ask(questions, lane: number.lane, epoch: epoch, people: people, on: line.gates)
        else { throw LaneFenced() }
        line.counters.gated(asked.count, took: now - askedAt)
        let judged = queue.judged(asked, verdicts, askedAt: askedAt)
        for message in judged.finished { settled(message.claim) }
        line.counters.crowded(judged.crowded.count)
        hold(judged.crowded)
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
}
