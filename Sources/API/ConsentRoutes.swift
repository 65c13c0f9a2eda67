import Crypto
import Domain
import HTTPServer
import JSON
import Phone
import Postgres
import Reactor
import Store

/// Opt-outs and consents. A phone never stands in a URL, so looking one up is a POST.
struct ConsentRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  static let most = 1000

  func add(to router: inout Router) {
    router.add("POST", "/v1/opt-outs", .key(.recordOptOuts), addOptOuts)
    router.add("GET", "/v1/opt-outs", .key(.readConsents), list)
    router.add("POST", "/v1/opt-outs/search", .key(.readConsents), replay: .unkept, search)
    router.add("POST", "/v1/consents", .key(.recordConsents), record)
  }

  /// `{"phones": ["+20…"], "scope": "marketing", "reason": "…", "source": "cli"}`, or one `phone`. All or none.
  private func addOptOuts(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(
      try call.json(), known: ["phone", "phones", "user_id", "scope", "reason", "source", "at", "default_region"],
      later: ["until"])
    let people = try people(fields)
    let scope = try ConsentRoutes.word(fields, "scope", ConsentScope.self) ?? .marketing
    let at = try ConsentRoutes.past(fields)
    let source = try ConsentRoutes.source(fields, call.caller.role)
    var evidence: JSONObject = ["by": .string(call.caller.actor)]
    if let reason = try fields.text("reason", limit: 500) { evidence.append("reason", .string(reason)) }
    let words = people.map {
      Consents.Word(
        person: $0.key, scope: scope, event: .stop, source: source, evidence: .object(evidence), at: at)
    }
    _ = try await services.pool.batch([
      Consents.recording(words, business: call.caller.business),
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "opt_outs_added",
        detail: ["count": .count(words.count)]),
    ])
    return .json(201, ["recorded": .count(words.count), "scope": .string(scope.word)])
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let page = try await Consents.optOuts(
      of: call.caller.business, before: try call.cursor(), limit: limit, withPhones: call.may(.seePhones),
      on: services.pool)
    return .page(
      page.map { entry in
        [
          "person": .string(ConsentRoutes.reference(entry.person)), "phone": call.shown(entry.phone),
          "scope": .string(entry.scope.word), "since": .time(entry.since), "source": .string(entry.source.word),
          "recorded_at": .time(entry.recordedAt),
        ]
      }, next: page.count == limit ? page.last.map { String($0.consent) } : nil)
  }

  private func search(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["phone", "user_id", "default_region"])
    let (key, subject) = try person(fields)
    let person = try await Consents.person(key, of: call.caller.business, on: services.pool)
    return .json(
      200,
      [
        "person": .string(ConsentRoutes.reference(key)), "phone": call.shown(subject.phone),
        "opted_out": .array(person.suppressed.map { ["scope": .string($0.scope.word), "since": .time($0.since)] }),
        "history": .array(person.history.map(ConsentRoutes.json)),
      ])
  }

  static func json(_ entry: Consents.Entry) -> JSONValue {
    [
      "event": .string(entry.event.word), "scope": .string(entry.scope.word), "source": .string(entry.source.word),
      "at": .time(entry.at), "recorded_at": .time(entry.recordedAt), "evidence": .stored(entry.evidence),
    ]
  }

  /// `{"phone","event","scope","source","evidence","at"}`.
  private func record(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(
      try call.json(), known: ["phone", "user_id", "event", "scope", "source", "evidence", "at", "default_region"])
    let (key, subject) = try person(fields)
    // A hold is ours to make, out of a doubt.
    guard let event = try ConsentRoutes.word(fields, "event", ConsentEvent.self), event != .hold else {
      throw Problem.missing("event", remedy: "Write \"stop\" or \"start\".")
    }
    let scope = try ConsentRoutes.word(fields, "scope", ConsentScope.self) ?? .marketing
    let source = try fields.requiredText(
      "source", limit: 200, remedy: "Say where the person said it, e.g. \"branch form 12\".")
    let at = try ConsentRoutes.past(fields)
    var evidence: JSONObject = ["by": .string(call.caller.actor), "source": .string(source)]
    if let given = fields["evidence"] { evidence.append("evidence", given) }
    let word = Consents.Word(
      person: key, scope: scope, event: event, source: .api,
      evidence: .object(evidence), at: at)
    var statements = [Consents.recording([word], business: call.caller.business)]
    if event == .start {
      statements.append(Consents.optIn(subject, source: source, at: at, business: call.caller.business))
    }
    statements.append(Audit.entry(business: call.caller.business, actor: call.caller.actor, action: "consent_recorded"))
    _ = try await services.pool.batch(statements)
    return .json(201, ["recorded": 1, "event": .string(event.word), "scope": .string(scope.word)])
  }

  // MARK: Fields

  /// A stable word for a person that tells nobody the phone.
  static func reference(_ key: PersonKey) -> String { Crypto.hex(Array(key.bytes.prefix(8))) }

  static func word<W: Word>(_ fields: Fields, _ name: String, _: W.Type) throws(Problem) -> W? {
    guard let text = try fields.text(name, limit: 40) else { return nil }
    guard let word = W(word: text) else {
      throw Problem.invalid(
        fields.path(to: name), "This word is not known here.",
        remedy: "Write one of: \(W.allCases.map(\.word).joined(separator: ", ")).")
    }
    return word
  }

  /// By which way it came to us: unless said, what the key is for.
  private static func source(_ fields: Fields, _ role: Role) throws(Problem) -> ConsentSource {
    guard let word = try fields.text("source", limit: 20) else { return role == .operate ? .operator : .api }
    guard let source = ConsentSource(word: word), [.api, .cli, .operator].contains(source) else {
      throw Problem.invalid(
        fields.path(to: "source"), "This is no source of opt-outs by this route.",
        remedy: "Write api, cli or operator, or leave it out.")
    }
    return source
  }

  /// When it was said: now, or earlier. A word from the future would outlive every later one.
  private static func past(_ fields: Fields) throws(Problem) -> Instant {
    let now = Instant.now
    guard let at = try fields.instant("at") else { return now }
    guard at <= now + .seconds(60) else {
      throw Problem.invalid(
        fields.path(to: "at"), "This time is in the future.", remedy: "Write when the person said it.")
    }
    return min(at, now)
  }

  /// Whoever is named, each once: by phones, or by Meta's id of somebody who hides theirs.
  private func people(_ fields: Fields) throws(Problem) -> [(key: PersonKey, subject: Person)] {
    let keys = services.installation.personKeys
    var subjects: [Person] = []
    if let user = try ConsentRoutes.userID(fields) { subjects += [Person(phone: nil, userID: user)].compactMap { $0 } }
    if subjects.isEmpty || fields["phone"] != nil || fields["phones"] != nil {
      subjects += try ConsentRoutes.phones(fields).compactMap { Person(phone: $0, userID: nil) }
    }
    return subjects.map { ($0.key(keys), $0) }
  }

  /// Exactly one.
  private func person(_ fields: Fields) throws(Problem) -> (key: PersonKey, subject: Person) {
    let people = try people(fields)
    guard people.count == 1 else {
      throw Problem.invalid(
        fields.path(to: "user_id"), "One person is asked for here.", remedy: "Write the phone or Meta's user_id, not both.")
    }
    return people[0]
  }

  /// Meta's id of a person.
  static func userID(_ fields: Fields) throws(Problem) -> UserID? {
    guard let text = try fields.text("user_id", limit: 200) else { return nil }
    guard let id = UserID(text) else {
      throw Problem.invalid(
        "user_id", "This is no id of a person at Meta.", remedy: "Write it as Meta does, e.g. EG.13491208655302741918.")
    }
    return id
  }

  private static func phones(_ fields: Fields) throws(Problem) -> [PhoneNumber] {
    var texts: [(String, JSONValue)] = []
    if let one = fields["phone"] { texts.append((fields.path(to: "phone"), one)) }
    if let many = fields["phones"] {
      guard let list = many.arrayValue, (1...most).contains(list.count) else {
        throw Problem.invalid(
          fields.path(to: "phones"), "Here a list of phones is expected.", remedy: "Write from 1 to \(most) phones.")
      }
      texts += list.enumerated().map { ("phones[\($0.offset)]", $0.element) }
    }
    guard !texts.isEmpty else { throw Problem.missing("phone", remedy: "Write the phone with + and country code.") }
    let region = try fields.text("default_region", limit: 2)
    var phones: [PhoneNumber] = []
    for (path, value) in texts {
      guard let text = value.stringValue else {
        throw Problem.invalid(
          path, "A phone is a text.", remedy: "Write it in quotation marks, with + and country code.")
      }
      let phone = try read(text, region: region, at: path)
      if !phones.contains(phone) { phones.append(phone) }
    }
    return phones
  }

  /// A phone as somebody wrote it. The problem never quotes it.
  static func read(_ text: String, region: String?, at path: String) throws(Problem) -> PhoneNumber {
    // Landlines too: whoever says STOP is heard, whatever was written.
    var options = PhoneOptions()
    (options.acceptsLandlines, options.acceptsServiceNumbers) = (true, true)
    switch PhoneReader.read(text, region: region.flatMap { PhoneRegion($0) }, options: options).verdict {
    case .accepted(let phone, _, _), .suspect(let phone, _): return phone
    case .rejected(let rejection):
      throw Problem(
        422, "phone_invalid", "This is not a phone that can be written to.",
        detail: "The phone was refused: \(rejection.word).",
        field: path, remedy: rejection.remedy.english)
    }
  }
}
