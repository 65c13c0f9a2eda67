import Domain
import JSON
import Postgres
import Reactor
import Schedule
import Store

/// A campaign as users see it: the stored life, and what stands over it now.
struct CampaignView: Sendable {
  let entry: Campaigns.Entry
  let numbers: [Numbers.Entry]
  /// Every open pause of the business.
  let pauses: [Pauses.Entry]
  let spec: CampaignSpec?
  /// Of the runs; empty before the freeze.
  let zones: [String]
  let language: Language
  /// What its launch froze; nil for a draft, and in lists.
  var frozen: [UInt8]?
  /// The business's calendars as they are now.
  var calendars: [BlackoutCalendar] = []
  /// The pace that holds; nil in lists.
  var pace: CampaignSpec.Pace?
  /// Each number's limits of people; empty where nothing is being sent.
  var people: [Number.ID: PeopleView] = [:]
  /// Of a campaign that goes out over days: the people of days to come.
  var drip: (opensAt: Instant, people: Int)?
  /// Its steps, when it tries a sample first.
  var pilot: Pilots.Standing?
  /// How its budget stands; nil without one, before the launch and in lists.
  var budget: Budgets.Entry?
  /// Who is meant, as a sentence.
  var audienceText: String?

  /// Meta drops a message after 30 days; a week later nothing can come any more.
  static let settling: Duration = .seconds(37 * 86_400)

  /// The pauses that stop this campaign: over itself or something above it, or over all of its numbers.
  var stopping: [Pauses.Entry] {
    let above = pauses.filter { pause in
      switch pause.scope {
      case .business: true
      case .portfolio: pause.scopeID == entry.portfolio.rawValue
      case .account: pause.scopeID == entry.account.rawValue
      case .template: pause.scopeID == entry.template.rawValue
      case .campaign: pause.scopeID == entry.id.rawValue
      case .number, .token: false
      }
    }
    let lanes = numbers.filter { entry.numbers.contains($0.id) }.map { number in
      pauses.filter { [.number, .token].contains($0.scope) && NumberView.covers($0, number) }
    }
    return above + (lanes.isEmpty || lanes.contains { $0.isEmpty } ? [] : lanes.flatMap { $0 })
  }

  /// When the campaign goes on by itself and why it waits; nil while its hours are open somewhere.
  func closed(at now: Instant) -> (until: Instant, because: Opening.Closure)? {
    guard let schedule = spec?.schedule, schedule.isTimed, !zones.isEmpty else { return nil }
    var memory = OpeningMemory(schedule.opening(calendars))
    var first: (until: Instant, because: Opening.Closure)?
    for list in zones {
      switch memory.state(of: list, at: now, { Zones.named($0) }) {
      case .open: return nil
      case .closed(let until, let because): if first.map({ until < $0.until }) ?? true { first = (until, because) }
      }
    }
    return first
  }

  /// Until when none of its numbers may write to somebody more, and which limit says so.
  private func crowded(_ snapshot: CountsCache.Snapshot?) -> (until: Instant, limit: PeopleView.Limit, evidence: JSONValue)? {
    // Whoever is left to write to: only counts can tell.
    if let states = snapshot?.counts.states, (states[.queued] ?? 0) + (states[.held] ?? 0) == 0 { return nil }
    var first: (until: Instant, limit: PeopleView.Limit, evidence: JSONValue)?
    for number in entry.numbers {
      guard let view = people[number], let full = view.full else { return nil }
      if first.map({ full.until < $0.until }) ?? true { first = (full.until, full.limit, view.evidence) }
    }
    return first
  }

  /// Everybody who is due has been written to; the next become due later. Only counts can tell.
  private func isDripping(_ snapshot: CountsCache.Snapshot?) -> Bool {
    guard let drip, let states = snapshot?.counts.states else { return false }
    return (states[.queued] ?? 0) + (states[.held] ?? 0) <= drip.people
  }

  func state(at now: Instant, _ snapshot: CountsCache.Snapshot? = nil) -> CampaignState {
    switch entry.state {
    case .scheduled, .preparing: stopping.isEmpty ? entry.state : .paused
    case .sending:
      !stopping.isEmpty ? .paused
        : closed(at: now) == nil && !isDripping(snapshot) && crowded(snapshot) == nil && pilot?.waitsUntil == nil
          ? .sending : .waiting
    default: entry.state
    }
  }

  /// The reason of the state, with its sentence.
  func reason(_ snapshot: CountsCache.Snapshot?, at now: Instant) -> JSONObject {
    let state = state(at: now, snapshot)
    let zone = entry.zone
    func clock(_ instant: Instant?) -> String { instant.map { CampaignView.clock($0, in: zone) } ?? "" }
    let counts = snapshot?.counts
    let sent = counts?.handedOver ?? 0
    let never = (counts?.recipients ?? 0) - sent
    var object: JSONObject = ["code": .string(state.word)]
    var (since, until): (Instant?, Instant?) = (nil, nil)
    let text: String
    switch state {
    case .paused:
      let first = stopping[0]
      object["code"] = .string(first.cause)
      text = Sentences.campaign(
        .paused, language, who: first.actor, reason: CampaignView.words(first, language), waiting: max(0, never))
      object.append("by", .string(first.actor))
      since = first.at
      object.append("evidence", .stored(first.evidence))
      object.append("pauses", .array(stopping.map(PauseView.json)))
    case .waiting:
      let closed = closed(at: now)
      until = closed?.until
      object.append("by", "schedule")
      let words: String
      if let pilot, let looksAt = pilot.waitsUntil, let step = pilot.steps.last {
        until = looksAt
        object["code"] = "pilot"
        words = Sentences.reason("pilot", language)
        object["by"] = "guard"
        object.append(
          "evidence", ["step": .count(step.step), "people": .count(step.people), "sent_at": .time(step.sentAt)])
      } else if case .blackout(let kind, let calendar)? = closed?.because {
        object["code"] = "blackout"
        words = Sentences.reason(kind, language)
        object.append("evidence", ["calendar": .string(calendar), "kind": .string(kind)])
      } else if closed == nil, let crowded = crowded(snapshot) {
        until = crowded.until
        object["code"] = .string(crowded.limit.rawValue)
        words = Sentences.reason(crowded.limit.rawValue, language)
        object.append("evidence", crowded.evidence)
      } else if closed == nil, let drip {
        until = drip.opensAt
        object["code"] = "daily_limit"
        words = Sentences.reason("daily_limit", language)
        object.append("evidence", ["people_later": .count(drip.people)])
      } else {
        object["code"] = "quiet_hours"
        words = Sentences.reason("quiet_hours", language)
        if let window = spec?.schedule.window { object.append("evidence", ["window": window.json]) }
      }
      text = Sentences.campaign(.waiting, language, time: clock(until), reason: words)
    case .scheduled:
      until = entry.dueAt ?? entry.startAt
      text = Sentences.campaign(.scheduled, language, time: clock(until), zone: zone)
    case .settling:
      since = entry.sentAt
      until = entry.sentAt.map { $0 + CampaignView.settling }
      text = Sentences.campaign(.settling, language, time: String(clock(until).prefix(10)))
    case .sending:
      since = entry.preparedAt
      text = Sentences.campaign(.sending, language, rate: snapshot?.rate.map(CampaignView.rate) ?? "")
    case .cancelled:
      since = entry.endedAt
      let last = pauses.last { $0.scope == .campaign && $0.scopeID == entry.id.rawValue && $0.cause == "cancelled" }
      if let last { object.append("by", .string(last.actor)) }
      text = Sentences.campaign(.cancelled, language, who: last?.actor ?? "", sent: sent, never: max(0, never))
    case .failed:
      let failure = entry.failure.map { JSONValue.stored($0) }
      if let code = failure?["code"]?.stringValue { object["code"] = .string(code) }
      text = Sentences.campaign(.failed, language, reason: failure?["text"]?.stringValue ?? "")
      since = entry.endedAt
      if let failure { object.append("evidence", failure) }
    case .draft, .awaitingApproval, .preparing, .completed:
      since = state == .completed ? entry.endedAt : entry.createdAt
      text = Sentences.campaign(state, language)
    }
    object.append("text", .string(text))
    if let since { object.append("since", .time(since)) }
    if let until { object.append("until", .time(until)) }
    return object
  }

  func json(_ snapshot: CountsCache.Snapshot?, at now: Instant, full: Bool) -> JSONObject {
    var object: JSONObject = [
      "id": .id(entry.id), "name": .string(entry.name), "kind": .string(entry.kind.word),
      "state": .string(state(at: now, snapshot).word), "state_reason": .object(reason(snapshot, at: now)),
      "category": .string(entry.category.word), "currency": .string(entry.currency), "zone": .string(entry.zone),
      "from": .array(numbers.filter { entry.numbers.contains($0.id) }.map { .string($0.phoneNumberID) }),
      "created_by": .string(entry.createdBy), "created_at": .time(entry.createdAt),
      "launched_by": .text(entry.launchedBy),
      "launched_at": .time(entry.launchedAt), "start_at": .time(entry.startAt), "end_at": .time(entry.endAt),
      "sent_at": .time(entry.sentAt), "ended_at": .time(entry.endedAt),
      "recipients": entry.recipients.map { .count($0) } ?? .null,
      "excluded": entry.excluded.map { .count($0) } ?? .null,
    ]
    if let parent = entry.parent { object.append("parent", .id(parent)) }
    guard full else { return object }
    object.append("spec", .stored(entry.spec))
    // What holds now: it may have been changed since the launch.
    if let pace = pace?.json { object.append("pace", pace) }
    if let budget { object.append("budget", .object(budget.json)) }
    if let pilot { object.append("pilot", CampaignView.pilot(pilot)) }
    object.append("template", FrozenText(frozen)?.json ?? .null)
    object.append("audience_text", .text(audienceText))
    if let snapshot {
      object.append("counts", .object(CampaignView.counts(snapshot.counts, asOf: snapshot.asOf)))
      object.append("progress", .object(progress(snapshot)))
      object.append("cost", .array(snapshot.counts.costs.map(CampaignView.cost)))
    }
    return object
  }

  private func progress(_ snapshot: CountsCache.Snapshot) -> JSONObject {
    let counts = snapshot.counts
    let waiting = (counts.states[.queued] ?? 0) + (counts.states[.held] ?? 0)
    var object: JSONObject = [
      "done": .count(counts.recipients - waiting), "total": .count(counts.recipients),
      "rate_per_second": snapshot.rate.map { .number(CampaignView.rate($0)) } ?? .null,
    ]
    if let rate = snapshot.rate, rate > 0.05, waiting > 0 {
      object.append("eta_seconds", .count(Int((Double(waiting) / rate).rounded(.up))))
    }
    return object
  }

  // MARK: Parts

  static func counts(_ counts: CampaignCounts, asOf: Instant) -> JSONObject {
    var states = JSONObject()
    for state in RecipientState.allCases where state != .excluded {
      states.append(state.word, .count(counts.states[state] ?? 0))
    }
    func list(_ pairs: [(String, Int)]) -> JSONValue {
      var object = JSONObject()
      for (name, count) in pairs.sorted(by: { $0.0 < $1.0 }) { object.append(name, .count(count)) }
      return .object(object)
    }
    return [
      "audience": .count(counts.recipients + counts.excluded), "excluded": .count(counts.excluded),
      "recipients": .count(counts.recipients), "handed_over": .count(counts.handedOver), "states": .object(states),
      "excluded_by_reason": list(counts.exclusions.map { ($0.key.word, $0.value) }),
      "skipped_by_reason": list(counts.skips.map { ($0.key.word, $0.value) }),
      "held_by_reason": list(counts.holds.map { ($0.key.word, $0.value) }),
      "failed_by_code": list(counts.failures.map { (String($0.key), $0.value) }),
      "replied": .count(Int(counts.responses.replied)), "clicked": .count(Int(counts.responses.clicked)),
      "opted_out": .count(Int(counts.responses.optedOut)), "as_of": .time(asOf),
    ]
  }

  /// Each step with the figures it was opened on.
  static func pilot(_ pilot: Pilots.Standing) -> JSONValue {
    [
      "steps": .count(pilot.count),
      "opened": .array(
        pilot.steps.map { step in
          [
            "step": .count(step.step), "people": .count(step.people), "opened_at": .time(step.openedAt),
            "opened_by": .string(step.openedBy), "sent_at": .time(step.sentAt), "judged_at": .time(step.looksAt),
            "evidence": .stored(step.evidence),
          ]
        }),
    ]
  }

  static func cost(_ cost: CampaignCounts.Cost) -> JSONValue {
    [
      "amount": .string(cost.amount.text()), "currency": .string(cost.currency), "charged": .count(cost.charged),
      "free": .count(cost.free), "unpriced": .count(cost.unpriced),
    ]
  }

  /// A pause's reason in words: a guard's rule in the reader's language, else what was written, else the cause.
  static func words(_ pause: Pauses.Entry, _ language: Language = .english) -> String {
    if let rule = GuardRule(rawValue: pause.rule) {
      return language == .arabic ? rule.arabicSentence : rule.sentence
    }
    return !pause.reason.isEmpty ? pause.reason : !pause.rule.isEmpty ? pause.rule : pause.cause
  }

  /// As a clock of the account shows it.
  static func clock(_ instant: Instant, in zone: String) -> String {
    let offset = Zones.named(zone)?.offset(at: instant) ?? 0
    return String(instant.rfc3339(offset: offset).replacing("T", with: " ").prefix(16))
  }

  /// One decimal below 10.
  static func rate(_ rate: Double) -> String {
    rate < 10 ? String((rate * 10).rounded() / 10) : String(Int(rate.rounded()))
  }
}

/// Zones of the system's files, read once each.
enum Zones {
  private static let known = Lock<[String: Zone]>([:])

  /// Nil when the system has no such zone.
  static func named(_ name: String) -> Zone? {
    if let zone = known.with({ $0[name] }) { return zone }
    do throws(ZoneError) {
      let zone = try Zone(named: name)
      known.with { $0[name] = zone }
      return zone
    } catch {
      return nil
    }
  }
}
