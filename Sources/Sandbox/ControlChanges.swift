import Domain
import JSON
import Population
import Reactor

/// The changes `/sandbox/…` makes to the world.
extension World {
  private func refuse(_ detail: String, _ status: Int = 422) -> Control.Refusal { Control.Refusal(status, detail) }

  private func only(_ names: [String], in change: JSONValue) throws {
    for (key, _) in change.objectValue ?? [] where !names.contains(key) {
      throw refuse("\(key) is not known here; \(names.joined(separator: ", ")) are")
    }
  }

  // MARK: Faults

  func clearFaults() {
    faults.global = Faults.Set()
    faults.byLine = [:]
    faults.receiptsLostRate = 0
    setSilence(false)
  }

  private func setSilence(_ silence: Bool) {
    faults.silence = silence
    guard !silence else { return }
    // What was kept back comes now, as after an outage of Meta's.
    let now = BootInstant.now.nanoseconds
    for event in post.takeSilenced() { wheel.add(event.kind, event.index, at: now) }
  }

  /// A rate is a number, or true, or `{"rate": 0.5, "next": 5}`; null, 0 and false end a fault.
  func setFaults(_ change: JSONValue) throws {
    let names = Faults.Kind.allCases.flatMap { [$0.rawValue, $0.rawValue + "_rate"] }
    try only(names + ["number", "next", "latency_ms", "hang_ms", "silence", "receipts_lost_rate"], in: change)
    var place: Int?
    if let id = change["number"]?.stringValue {
      guard let line = line(id) else { throw refuse("no number has the id \(id)", 404) }
      place = line.index
    }
    var set = place.map { faults.byLine[$0] ?? Faults.Set() } ?? faults.global
    let next = change["next"]?.int64Value.map(Int.init)
    for kind in Faults.Kind.allCases {
      guard let value = change[kind.rawValue] ?? change[kind.rawValue + "_rate"] else { continue }
      set.rules[kind] = try rule(value, next, kind.rawValue)
      if kind == .refuse, let code = value["code"]?.int64Value {
        let http = Int(value["http"]?.int64Value ?? (code == 131000 ? 500 : 400))
        let message = value["message"]?.stringValue ?? "(#\(code)) As ordered"
        set.refusal = GraphFault(
          Int(code), http, message, value["details"]?.stringValue ?? "Ordered by POST /sandbox/faults.")
      } else if kind == .refuse, set.rules[kind] != nil, set.refusal == nil {
        throw refuse("refuse needs a code")
      }
    }
    if let latency = change["latency_ms"] { set.latency = latency.int64Value.map { .milliseconds($0) } }
    if let hang = change["hang_ms"]?.int64Value { set.hang = .milliseconds(hang) }
    if let place { faults.byLine[place] = set } else { faults.global = set }
    if let rate = change["receipts_lost_rate"] { faults.receiptsLostRate = rate.doubleValue ?? 0 }
    if let silence = change["silence"] { setSilence(silence.boolValue ?? false) }
  }

  private func rule(_ value: JSONValue, _ next: Int?, _ name: String) throws -> Faults.Rule? {
    if value.isNull || value.boolValue == false { return nil }
    let rate =
      value.boolValue == true
      ? 1 : value.doubleValue ?? value["rate"]?.doubleValue ?? (value.objectValue == nil ? -1 : 1)
    guard (0...1).contains(rate) else { throw refuse("\(name) is a rate from 0 to 1, or true, or {rate, next}") }
    let left = value["next"]?.int64Value.map(Int.init) ?? next
    return rate == 0 || left == 0 ? nil : Faults.Rule(rate: rate, left: left)
  }

  // MARK: Time

  func changeCalendar(_ change: JSONValue) throws -> JSONValue {
    try only(["days_ahead"], in: change)
    guard let days = change["days_ahead"]?.int64Value, (0...366).contains(days), days >= calendar.daysAhead else {
      throw refuse("days_ahead is required: a number of days up to 366, and never back")
    }
    calendar.daysAhead = Int(days)
    return ["days_ahead": .number(String(days))]
  }

  // MARK: People

  func act(_ action: String, _ order: JSONValue) throws -> JSONValue {
    try only(["phone", "number", "text", "means_stop", "message"], in: order)
    guard let phone = order["phone"]?.stringValue.flatMap({ PhoneNumber(e164: $0) })?.digits else {
      throw refuse("phone is required, in E.164")
    }
    let person = people[phone, default: PersonState()]
    let last = person.lastMessage == 0 ? nil : Int(person.lastMessage) - 1
    let line: Line
    if let id = order["number"]?.stringValue {
      guard let found = self.line(id) else { throw refuse("no number has the id \(id)", 404) }
      line = found
    } else {
      line = last.map { lines[Int(journal[$0].number)] } ?? lines[0]
    }
    switch action {
    case "press_stop":
      let named = order["message"]?.stringValue.flatMap { MessageID.index(in: $0, seed: seed) }
      guard let index = named ?? last, index < journal.count else {
        throw refuse("nothing was delivered to this person", 409)
      }
      pressStop(phone, on: line, message: index)
    case "open_link":
      guard let last else { throw refuse("nothing was delivered to this person", 409) }
      note(journal[last]) { $0.links += 1 }
    case "text":
      guard let text = order["text"]?.stringValue else { throw refuse("text is required") }
      write(text, from: phone, to: line, isStop: order["means_stop"]?.boolValue ?? false)
    case "opt_out": prefer(phone, line, stop: true)
    case "opt_in": prefer(phone, line, stop: false)
    case "block": block(phone, on: line, template: last.map { Int(journal[$0].template) } ?? Int.max)
    case "click_ad":
      openWindow(phone, line)
      line.pairs[phone, default: Pair()].freeUntil = BootInstant.now.nanoseconds + 72 * 3_600_000_000_000
      inbound(.text("أهلا"), from: phone, to: line, isStop: false)
    case "show": return show(phone, person)
    default: throw refuse("press_stop, open_link, text, opt_out, opt_in, block, click_ad and show are known", 404)
    }
    return ["success": true]
  }

  private func show(_ phone: Int64, _ person: PersonState) -> JSONValue {
    let nature = Nature(of: phone, seed: seed, settings.people)
    return [
      "name": .string(Nature.name(of: phone, seed: seed)), "user_id": .string(Nature.userID(of: phone, seed: seed)),
      "country": .string(Calling.country(of: phone)), "is_on_whatsapp": .bool(nature.isOnWhatsApp),
      "is_reachable": .bool(nature.isReachable), "is_reader": .bool(nature.isReader),
      "is_held_out": .bool(nature.isHeldOut), "is_blocking": .bool(person.isBlocking),
      "has_stopped": .bool(person.stoppedAt > 0), "stop_acknowledged": .bool(person.stopAcknowledgedAt > 0),
      "messages_received": .number(String(person.received)),
    ]
  }

  // MARK: Numbers, templates, accounts

  func changeNumber(_ id: String, _ change: JSONValue) throws -> JSONValue {
    guard let line = line(id) else { throw refuse("no number has the id \(id)", 404) }
    try only(["quality", "status", "throughput", "tier", "restricted_ms"], in: change)
    if let quality = change["quality"]?.stringValue {
      guard ["GREEN", "YELLOW", "RED", "UNKNOWN"].contains(quality) else {
        throw refuse("quality is GREEN, YELLOW, RED or UNKNOWN")
      }
      line.quality = quality
      line.isQualityPinned = true
    }
    if let status = change["status"]?.stringValue {
      let was = line.status
      line.status = status
      if status == "FLAGGED" { numberUpdate(line, event: "FLAGGED") }
      if status == "CONNECTED", was == "FLAGGED" { numberUpdate(line, event: "UNFLAGGED") }
    }
    if let throughput = change["throughput"]?.int64Value {
      guard throughput > 0 else { throw refuse("throughput is above 0") }
      let rises = throughput >= 1000 && line.throughput < 1000
      line.throughput = Int(throughput)
      if rises { numberUpdate(line, event: "THROUGHPUT_UPGRADE") }
    }
    if let tier = change["tier"]?.stringValue {
      for line in lines { line.tier = tier }
      rawChange(
        line.account, field: "business_capability_update",
        value: JSONValue.object([
          "max_daily_conversations_per_business": .string(tier), "max_phone_numbers_per_waba": 25,
        ]).rendered())
    }
    if let restricted = change["restricted_ms"]?.int64Value {
      line.restrictedUntil = BootInstant.now.nanoseconds + restricted * 1_000_000
    }
    do { return try number(line, nil) } catch { throw refuse(error.message) }
  }

  func changeTemplate(_ name: String, _ change: JSONValue) throws -> JSONValue {
    try only(["status", "category", "quality", "language"], in: change)
    let language = change["language"]?.stringValue
    let found = templates.filter { ($0.id == name || $0.name == name) && (language == nil || $0.language == language) }
    guard !found.isEmpty else { throw refuse("no template has the id or name \(name)", 404) }
    for template in found {
      if let status = change["status"]?.stringValue { self.change(template, status: status) }
      if let word = change["category"]?.stringValue {
        guard let category = Category(word: word.lowercased()) else {
          throw refuse("category is MARKETING, UTILITY or AUTHENTICATION")
        }
        let was = template.category
        template.category = category
        categoryUpdate(template, from: was)
      }
      if let quality = change["quality"]?.stringValue {
        let was = template.quality
        template.quality = quality
        qualityUpdate(template, from: was)
      }
    }
    return ["changed": .number(String(found.count))]
  }

  func changeAccount(_ id: String, _ change: JSONValue) throws -> JSONValue {
    guard let account = account(id) else { throw refuse("no account has the id \(id)", 404) }
    try only(["paid", "token_valid", "subscribed"], in: change)
    if let paid = change["paid"]?.boolValue { account.isPaid = paid }
    if let valid = change["token_valid"]?.boolValue { account.isTokenValid = valid }
    if let subscribed = change["subscribed"]?.boolValue { account.isSubscribed = subscribed }
    return ["success": true]
  }

  func changePortfolio(_ change: JSONValue) throws -> JSONValue {
    try only(["enforce_tier"], in: change)
    guard let enforces = change["enforce_tier"]?.boolValue else { throw refuse("enforce_tier is true or false") }
    enforcesTier = enforces
    return ["enforce_tier": .bool(enforces)]
  }

  // MARK: Receipts

  /// Tells every receipt of journal lines `from` to `to` (from 1, both included) again, 2,000 a second, oldest first.
  func replay(_ order: JSONValue) throws -> JSONValue {
    try only(["from", "to"], in: order)
    let from = max(1, Int(order["from"]?.int64Value ?? 1))
    let to = min(journal.count, Int(order["to"]?.int64Value ?? Int64(journal.count)))
    var count = 0
    let now = BootInstant.now.nanoseconds
    for number in stride(from: from, through: to, by: 1) {
      let entry = journal[number - 1]
      var kinds: [Wheel.Kind] = []
      if entry.state & Entry.sent != 0 { kinds.append(.tellSent) }
      if entry.state & Entry.delivered != 0, entry.state & Entry.skipsDelivered == 0 { kinds.append(.tellDelivered) }
      if entry.state & Entry.read != 0 { kinds.append(.tellRead) }
      if entry.state & Entry.failed != 0 { kinds.append(.tellFailed) }
      for kind in kinds {
        wheel.add(kind, number - 1, at: now + Int64(count) * 500_000)
        count += 1
      }
    }
    return ["receipts": .number(String(count))]
  }
}

extension Faults {
  func shown(_ lines: [Line]) -> JSONValue {
    let show: (Faults.Set) -> JSONValue = { set in
      var object = JSONObject()
      for (kind, rule) in set.rules.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
        var value: JSONObject = ["rate": .number("\(rule.rate)")]
        if let left = rule.left { value.append("next", .number(String(left))) }
        object.append(kind.rawValue, .object(value))
      }
      if let latency = set.latency { object.append("latency_ms", .number(String(latency.nanoseconds / 1_000_000))) }
      return .object(object)
    }
    var numbers = JSONObject()
    for (index, set) in byLine.sorted(by: { $0.key < $1.key }) { numbers.append(lines[index].id, show(set)) }
    return [
      "all": show(global), "numbers": .object(numbers), "silence": .bool(silence),
      "receipts_lost_rate": .number("\(receiptsLostRate)"),
    ]
  }
}
