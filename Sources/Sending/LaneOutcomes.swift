import CloudAPI
import Crypto
import Domain
import JSON
import Reactor
import Store

/// What a lane makes of Meta's answers: the fact, the wait, the pause that follow from each.
extension Lane {
  func settle(_ message: LaneQueue.Message, _ ending: HandOver.Known, _ handedOver: Int64) {
    let recipient = message.recipient
    func fact(_ outcome: Outcome, _ code: Int32 = 0, _ wamid: String? = nil) -> Facts.Fact {
      Facts.Fact(
        campaign: message.campaign, seq: recipient.seq, attempt: recipient.attempt, outcome: outcome, code: code,
        at: .now, wamid: wamid)
    }
    switch ending {
    case .accepted(let wamid, let waID):
      ourFaults = 0
      line.counters.accepted()
      queue.accepted(handedOver: handedOver)
      ended.append(Ended(claim: message.claim, fact: fact(.accepted, 0, wamid), name: otherName(message, waID)))
    case .heldByMeta(let wamid, let waID):
      queue.accepted(handedOver: handedOver)
      ended.append(Ended(claim: message.claim, fact: fact(.heldByMeta, 0, wamid), name: otherName(message, waID)))
    case .unknown(let code):
      line.counters.unknown()
      ended.append(Ended(claim: message.claim, fact: fact(.unknown, code)))
    case .refused(let code, let handling):
      line.counters.refused()
      refused(message, code, handling, fact(.rejected, code), handedOver)
    }
  }

  /// Meta knows some people by another number than the one they give (Brazil's ninth digit): what they say comes from there.
  private func otherName(_ message: LaneQueue.Message, _ waID: String?) -> Aliases.Named? {
    guard let waID else { return nil }
    // Each message is compared, nearly none differs: no array is made for it.
    var digits: Int64 = 0
    for byte in waID.utf8 {
      guard (0x30...0x39).contains(byte), digits < 1_000_000_000_000_000 else { return nil }
      digits = digits * 10 + Int64(byte - 0x30)
    }
    guard digits != message.recipient.phone.digits, let phone = PhoneNumber(digits: digits) else { return nil }
    return Aliases.Named(campaign: message.campaign, seq: message.recipient.seq, alias: line.keys.key(of: phone))
  }

  private func refused(
    _ message: LaneQueue.Message, _ code: Int32, _ handling: HandOver.Handling, _ rejected: Facts.Fact, _ handedOver: Int64
  ) {
    let recipient = message.recipient
    let next = recipient.times + 1
    switch handling {
    case .slowNumber(let wait):
      queue.throttled(handedOver: handedOver, at: now)
      finished(message, back: .throttled, after: wait.nanoseconds)
    case .holdPair:
      let until = queue.pairRefused(recipient.contact, times: Int(next), at: now)
      finished(message, back: .pair, after: until - now, times: next)
    case .retry(let wait):
      queue.troubled(handedOver: handedOver, at: now)
      // Each time twice as long, at most an hour: the person waits, nobody counts it as an attempt.
      let after = min(3_600_000_000_000, wait.nanoseconds << Int64(min(12, recipient.times)))
      finished(message, back: .transient, after: after, times: next)
    case .restNumber(let wait):
      queue.troubled(handedOver: handedOver, least: wait.nanoseconds, at: now)
      finished(message, back: .transient, after: wait.nanoseconds)
    case .restTemplate(let wait):
      if let plan = queue.streams[message.campaign]?.plan { queue.rest(plan.template, until: now + wait.nanoseconds) }
      finished(message, back: .transient, after: wait.nanoseconds)
    case .halts(let scope):
      // Nobody is lost to a refusal that concerns us: the person waits behind the pause.
      finished(message, back: .returned, after: 0, halt: halt(scope, message, code))
    case .holdPerson(let wait):
      ourFaults = 0
      var item = Ended(claim: message.claim, fact: rejected, refused: untouched(message))
      item.hold = MarketingHolds.Hold(
        campaign: message.campaign, seq: recipient.seq, attempt: recipient.attempt, dueAt: .now + wait)
      ended.append(item)
    case .final:
      ourFaults = 0
      ended.append(Ended(claim: message.claim, fact: rejected, refused: untouched(message)))
    case .optedOut:
      ourFaults = 0
      var item = Ended(claim: message.claim, fact: rejected, refused: untouched(message))
      item.word = Consents.Word(
        person: recipient.person, scope: .marketing, event: .stop, source: .metaFailure,
        evidence: ["code": .number(String(code))], at: .now)
      ended.append(item)
    case .ourFault:
      // Our own bad request: one person's data may be at fault; twenty in a row are the campaign's.
      ourFaults += 1
      let halt = ourFaults >= 20 ? self.halt(.campaign, message, code) : nil
      ended.append(Ended(claim: message.claim, fact: rejected, halt: halt, refused: untouched(message)))
    }
  }

  /// The same attempt goes again later. `times`: how often it was refused for a reason that makes it wait longer.
  func finished(
    _ message: LaneQueue.Message, back reason: HoldReason, after: Int64, times: Int16? = nil, halt: Facts.Halt? = nil
  ) {
    let recipient = message.recipient
    let back = Facts.Return(
      campaign: message.campaign, seq: recipient.seq, attempt: recipient.attempt,
      dueAt: Instant(nanoseconds: Instant.now.nanoseconds + after), reason: reason, times: times ?? recipient.times)
    ended.append(Ended(claim: message.claim, back: back, halt: halt, refused: untouched(message)))
  }

  private func untouched(_ message: LaneQueue.Message) -> Facts.Refused {
    let recipient = message.recipient
    return Facts.Refused(
      contact: recipient.contact, campaign: message.campaign, seq: recipient.seq, attempt: recipient.attempt)
  }

  private func halt(_ scope: PauseScope, _ message: LaneQueue.Message, _ code: Int32) -> Facts.Halt {
    let id =
      switch scope {
      case .business: number.lane.business.rawValue
      case .portfolio: number.lane.portfolio.rawValue
      case .account: number.lane.account.rawValue
      case .token: number.lane.token.rawValue
      case .number: numberID.rawValue
      case .template: (queue.streams[message.campaign]?.plan.template.rawValue ?? 0)
      case .campaign: message.campaign.rawValue
      }
    return Facts.Halt(
      business: number.lane.business, scope: scope, scopeID: id, rule: "meta_\(code)",
      reason: ErrorTable.entry(Int(code)).english, evidence: Array("{\"code\":\(code)}".utf8))
  }
}
