import Domain
import Glibc
import JSON
import Population
import Reactor

/// A WABA of the double.
final class Account {
  let id: String
  let index: Int
  let settings: SandboxSettings.Account
  var isSubscribed: Bool
  /// POST subscribed_apps may name another address.
  var webhookOverride: String?
  var isPaid = true
  var isTokenValid = true
  /// Irreversible, by POST is_enabled_for_insights.
  var hasInsights = false
  var calls = (hour: 0, count: 0)
  var bill = Bill()

  init(_ settings: SandboxSettings.Account, index: Int) {
    (id, self.index, self.settings, isSubscribed) = (settings.id, index, settings, settings.isSubscribed)
  }
}

/// A business phone number of the double.
final class Line {
  let id: String
  let index: Int
  let account: Account
  let display: String
  let digits: Int64
  let verifiedName: String
  var throughput: Int
  var tier: String
  var quality: String
  var status: String
  /// Set by POST /sandbox/numbers: the people's treatment no longer changes the quality.
  var isQualityPinned = false
  var restrictedUntil: Int64 = 0
  var score = Score()
  /// What was accepted, which the throughput limits; and everything that arrived.
  var acceptedSecond = SlidingSecond()
  var arrivedSecond = SlidingSecond()
  var serviceMonth = (month: 0, count: 0)
  /// Phone → pair limit and service window.
  var pairs = Sharded<Pair>()

  init(_ settings: SandboxSettings.Number, index: Int, account: Account) {
    (id, self.index, self.account) = (settings.id, index, account)
    display = settings.displayNumber
    digits = Int64(settings.displayNumber.filter { $0.isASCII && $0.isNumber }) ?? 0
    (verifiedName, throughput, tier) = (settings.verifiedName, settings.throughput, settings.tier)
    (quality, status) = (settings.quality, settings.status)
  }
}

/// What holds between one number and one person.
struct Pair {
  /// Meta's pair limit: one message per 6 s, up to 45 borrowed from the future.
  static let interval: Int64 = 6_000_000_000
  static let burst: Int64 = 45
  /// When the debt is paid, on the boot clock.
  var paidAt: Int64 = 0
  /// The customer service window, on the boot clock; likewise the free entry point.
  var windowUntil: Int64 = 0
  var freeUntil: Int64 = 0
}

/// What the double remembers of a person.
struct PersonState {
  var received: UInt32 = 0
  /// Offers within the last (scaled) day.
  var offers: UInt16 = 0
  var isBlocking = false
  var stoppedNatively = false
  var offersFrom: Int64 = 0
  /// The journal's index of the last delivered message, plus one.
  var lastMessage: UInt32 = 0
  /// When the person said stop, and when our webhook about it was answered 200; 0: never.
  var stoppedAt: Int64 = 0
  var stopAcknowledgedAt: Int64 = 0
}

/// Everything the double knows. It lives on one reactor's thread and is touched there only.
final class World: @unchecked Sendable {
  // @unchecked: every entry is `preconditionOnLoop` or runs in a handler's task, which prefers the same thread.

  let settings: SandboxSettings
  let reactor: Reactor
  let accounts: [Account]
  let lines: [Line]
  private(set) var templates: [Template] = []
  private let lineByID: [String: Line]
  private var templateByName: [String: Template] = [:]
  let journal = Journal()
  let calendar = Calendar()
  /// Charged messages of the portfolio, by month, market and category: what volume tiers go by.
  var tierCounts: [Bill.Tiered: Int64] = [:]
  var templateSums: [TemplateDay: TemplateSum] = [:]
  var people = Sharded<PersonState>()
  let faults = Faults()
  let wheel: Wheel
  let post: WebhookPost
  private let check = MessageCheck()
  var trace: UInt64 = 0
  var lastInbound = 0

  // Promise 2, seen from outside: offers that arrived after the stop was known to the business.
  var offersAfterStop = 0
  var offersAfterStopAcknowledged = 0
  var worstAfterStopAcknowledged: Int64 = 0
  /// What the portfolio's tier counts.
  var reached = Reached(startedAt: BootInstant.now.nanoseconds)
  /// Whether a tier that is used up refuses.
  var enforcesTier: Bool

  init(_ settings: SandboxSettings, on reactor: Reactor) throws(SandboxSettingsError) {
    self.settings = settings
    self.reactor = reactor
    enforcesTier = settings.enforcesTier
    var accounts: [Account] = []
    var lines: [Line] = []
    for (index, account) in settings.accounts.enumerated() {
      accounts.append(Account(account, index: index))
      for number in account.numbers { lines.append(Line(number, index: lines.count, account: accounts[index])) }
    }
    (self.accounts, self.lines) = (accounts, lines)
    lineByID = Dictionary(lines.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    wheel = Wheel(on: reactor)
    post = WebhookPost(settings, accounts, calendar, on: reactor)
    guard lineByID.count == lines.count, Set(accounts.map(\.id)).count == accounts.count else {
      throw SandboxSettingsError(path: "accounts", reason: "two accounts or two numbers have the same id")
    }
    for account in accounts {
      for (place, json) in account.settings.templates.enumerated() {
        let path = "accounts[\(account.index)].templates[\(place)]"
        let template = try Template(json, index: templates.count, account: account.index, path: path)
        templates.append(template)
        guard templateByName.updateValue(template, forKey: World.key(account, template.name, template.language)) == nil
        else {
          throw SandboxSettingsError(path: path, reason: "the same name and language twice")
        }
      }
    }
    wheel.handler = { [unowned self] event in happen(event) }
    post.acknowledged = { [unowned self] phones in
      let now = BootInstant.now.nanoseconds
      for phone in phones { people[phone, default: PersonState()].stopAcknowledgedAt = now }
    }
  }

  private static func key(_ account: Account, _ name: String, _ language: String) -> String {
    "\(account.index)|\(name)|\(language)"
  }

  func line(_ id: String) -> Line? { lineByID[id] }
  func account(_ id: String) -> Account? { accounts.first { $0.id == id } }
  func template(_ account: Account, _ name: String, _ language: String) -> Template? {
    templateByName[World.key(account, name, language)]
  }

  var seed: UInt64 { settings.seed }
  func nextTrace() -> UInt64 {
    trace += 1
    return Draw.mix(seed &+ trace)
  }
  func scaled(milliseconds: Double) -> Int64 { Int64(milliseconds * settings.receipts.delayScale * 1_000_000) }
  func scaled(_ duration: Duration) -> Int64 { Int64(Double(duration.nanoseconds) * settings.receipts.delayScale) }

  // MARK: Acceptance

  enum Outcome {
    case accepted(index: Int, answer: [UInt8])
    case refused(GraphFault)
  }

  /// Checks one message in Meta's order (what is written before how fast it came), and takes it or not.
  func receive(_ body: [UInt8], on line: Line, at boot: BootInstant) -> Outcome {
    let now = boot.nanoseconds
    line.arrivedSecond.note(now)
    if let fault = standing(of: line, now) { return refuse(fault, line, nil, now) }
    let candidate: Candidate
    switch check.check(body, sender: line.digits, template: { template(line.account, $0, $1) }) {
    case .success(let checked): candidate = checked
    case .failure(let fault): return refuse(fault, line, nil, now)
    }
    var pair = line.pairs[candidate.to, default: Pair()]
    if case .session = candidate.content, pair.windowUntil <= now, pair.freeUntil <= now {
      return refuse(.reengagement, line, candidate, now)
    }
    guard line.acceptedSecond.count(at: now) < line.throughput else { return refuse(.throughput, line, candidate, now) }
    guard pair.paidAt - now < Pair.burst * Pair.interval else { return refuse(.pair, line, candidate, now) }
    if case .template = candidate.content, pair.windowUntil <= now,
      reached.isFull(enforcesTier ? Reached.people(ofTier: line.tier) : nil, for: candidate.to, at: now)
    {
      return refuse(.people, line, candidate, now)
    }
    pair.paidAt = max(pair.paidAt, now) + Pair.interval
    line.pairs[candidate.to, default: Pair()] = pair
    line.acceptedSecond.note(now)
    return accept(candidate, line, pair, now)
  }

  private func standing(of line: Line, _ now: Int64) -> GraphFault? {
    guard line.account.isPaid else { return .unpaid }
    switch line.status {
    case "CONNECTED", "FLAGGED": return line.restrictedUntil > now ? .restricted : nil
    case "RESTRICTED", "RATE_LIMITED": return .restricted
    case "BANNED": return .locked
    case "DELETED": return .deletedNumber
    default: return .notRegistered
    }
  }

  private func refuse(_ fault: GraphFault, _ line: Line, _ candidate: Candidate?, _ now: Int64) -> Outcome {
    var template = UInt16.max
    if case .template(let found)? = candidate?.content { template = found.index }
    let entry = Entry(
      boot: now, wall: Instant.now.nanoseconds, to: candidate?.to ?? 0, number: UInt16(line.index), template: template,
      verdict: .refused, category: 0, pricingType: 0, code: Int32(fault.code))
    _ = journal.append(entry, callback: candidate?.callback ?? [])
    return .refused(fault)
  }

  private func accept(_ candidate: Candidate, _ line: Line, _ pair: Pair, _ now: Int64) -> Outcome {
    let inWindow = pair.windowUntil > now
    let isFree = pair.freeUntil > now
    var category = Category.service
    var template: Template?
    var verdict = Verdict.accepted
    if case .template(let found) = candidate.content {
      template = found
      category = found.category
      found.accepted += 1
      if let pacing = found.pacing, found.accepted > pacing.after { verdict = .held }
    }
    let wall = Instant.now
    let type = line.account.bill.type(category, line, inWindow: inWindow, isFree: isFree, at: calendar.now)
    let entry = Entry(
      boot: now, wall: wall.nanoseconds, to: candidate.to, number: UInt16(line.index),
      template: template?.index ?? .max, verdict: verdict, category: UInt8(category.rawValue),
      pricingType: UInt8(type.rawValue))
    let index = journal.append(entry, callback: candidate.callback, payload: candidate.payload)
    if template != nil, !inWindow { reached.note(candidate.to, at: now) }
    if category == .marketing { noteOffer(to: candidate.to, now) }
    if verdict == .held, let pacing = template?.pacing {
      wheel.add(.release, index, at: now + scaled(pacing.hold))
    } else {
      plan(index, entry, at: now)
    }
    return .accepted(index: index, answer: answer(entry, index))
  }

  private func noteOffer(to phone: Int64, _ now: Int64) {
    guard let person = people[phone], person.stoppedAt > 0 else { return }
    offersAfterStop += 1
    if person.stopAcknowledgedAt > 0 {
      offersAfterStopAcknowledged += 1
      worstAfterStopAcknowledged = max(worstAfterStopAcknowledged, now - person.stopAcknowledgedAt)
    }
  }

  private func answer(_ entry: Entry, _ index: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(256)
    bytes.append(#"{"messaging_product":"whatsapp","contacts":[{"input":"+"#)
    bytes.append(decimal: entry.to)
    bytes.append(#"","wa_id":""#)
    bytes.append(decimal: waID(entry.to))
    bytes.append(#""}],"messages":[{"id":""#)
    MessageID.append(phone: entry.to, index: index, seed: seed, to: &bytes)
    if entry.template == .max {
      bytes.append(#""}]}"#)
    } else if entry.verdict == .held {
      bytes.append(#"","message_status":"held_for_quality_assessment"}]}"#)
    } else {
      bytes.append(#"","message_status":"accepted"}]}"#)
    }
    return bytes
  }

  /// Meta knows Brazilian mobiles of some regions without their ninth digit, so that input and `wa_id` differ.
  func waID(_ phone: Int64) -> Int64 {
    guard phone / 100_000_000_000 == 55, phone / 100_000_000 % 10 == 9, phone / 1_000_000_000 % 100 >= 31 else {
      return phone
    }
    return phone / 1_000_000_000 * 100_000_000 + phone % 100_000_000
  }
}
