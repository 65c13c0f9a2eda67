import CloudAPI
import Consent
import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store

/// Reads words of consent out of webhooks: a campaign's stop button, a label or text that means one, WhatsApp's own
/// control, a failure 131050; and notices of accounts, and whose service window a message opens, beside them. Belongs to the intake's actor and uses its connection; not Sendable.
///
/// A text is judged by the grammar and the business's own words; of what was written only the matched words are kept.
final class ConsentReader {
  struct Counts: Sendable {
    var stops = 0
    var strayStops = 0
    var questions = 0
  }

  let installation: String
  let business: Business.ID
  let keys: PersonKeys
  let connection: Connection
  let log: @Sendable (String, [(String, String)]) -> Void
  private(set) var counts = Counts()

  private let reader = WebhookReader()
  private var stopWords = StopWords.shipped
  private var stopWordsUntil = BootInstant(nanoseconds: 0)
  /// A change of a business's own words holds after this long, in every intake.
  static let stopWordsAge: Duration = .seconds(1)

  init(
    installation: Installation, connection: Connection, log: @escaping @Sendable (String, [(String, String)]) -> Void
  ) {
    (self.installation, business, keys) = (installation.name, installation.business, installation.personKeys)
    (self.connection, self.log) = (connection, log)
  }

  /// Every word of consent in a body. Throws `DatabaseError` when the database is needed and away.
  func read(_ body: [UInt8]) async throws -> Heard {
    var found = Heard()
    for event in try reader.read(body, onlyFailures: true) {
      switch event {
      case .inbound(let message):
        if message.opensWindow, let phone = message.from, let number = message.phoneNumberID {
          found.windows.append(
            ServiceWindows.Opened(person: keys.key(of: phone), phoneNumberID: number, at: message.timestamp))
        }
        try await read(message, into: &found)
      case .preference(let preference):
        guard let person = try await person(preference.phone, preference.userID, callback: nil) else {
          counts.strayStops += 1
          continue
        }
        if preference.choice == .stop { note(preference.phone, nil, in: &found) }
        found.words.append(
          word(
            person, preference.choice == .stop ? .stop : .start, .nativePreference, at: preference.timestamp,
            ["control": .string(preference.choice.rawValue)]))
      case .status(let receipt):
        guard receipt.standing == .failed, receipt.error?.code == 131_050 else { continue }
        guard
          let person = try await person(receipt.recipient, receipt.recipientUserID, callback: receipt.callback)
        else { continue }
        found.words.append(
          word(person, .stop, .metaFailure, at: receipt.timestamp, ["message": .string(receipt.wamid)]))
      case .account(let change):
        if let notice = Notices.Notice(change) { found.notices.append(notice) }
      case .failure, .ignored, .unreadable: continue
      }
    }
    let digests = found.notices.compactMap(\.digest)
    if !digests.isEmpty {
      let known = try await Notices.known(digests, on: connection)
      found.notices.removeAll { $0.digest.map { known.contains($0) } ?? false }
    }
    return found
  }

  private func read(_ message: InboundMessage, into found: inout Heard) async throws {
    let said = try await said(by: message)
    if said?.event != .stop, let response = message.response { found.responses.append(response) }
    let callback = message.stopCallback ?? message.keepCallback
    // Who writes by two names is known by both from now on, whatever they say.
    guard let said else {
      if message.fromUserID != nil || message.newPhone != nil || message.newUserID != nil {
        _ = try await person(message.from, message.fromUserID, callback: callback, later: message)
      }
      return
    }
    guard let person = try await person(message.from, message.fromUserID, callback: callback, later: message) else {
      counts.strayStops += 1
      log("stop_without_person", [("message", message.id)])
      return
    }
    var evidence: JSONObject = ["message": .string(message.id), "matched": .string(said.matched)]
    if let language = said.language { evidence.append("language", .string(language.rawValue)) }
    found.words.append(word(person, said.event, said.source, at: message.timestamp, evidence))
    if said.event != .start, try await !isKnown(message, callback) {
      // It holds for the name they wrote by; whose it is, the message that they answered may tell.
      counts.strayStops += 1
      log("stop_of_nobody_known", [("message", message.id)])
      if let context = message.contextID { evidence.append("context", .string(context)) }
      found.tasks.append(ConsentTasks.New(.stopUnmatched, person: person, evidence: .object(evidence)))
    }
    var owed: ReplyKind?
    switch said.event {
    case .stop:
      counts.stops += 1
      note(message.from, message.stopCallback, in: &found)
      owed = .confirmation
    case .hold:
      counts.questions += 1
      owed = .question
    case .start:
      if let person = Person(phone: message.from, userID: message.fromUserID.flatMap { UserID($0) }) {
        found.optIns.append((person, message.timestamp))
      }
    }
    if let owed, let phone = message.from, let number = message.phoneNumberID {
      found.owed.append(
        Replies.Owed(
          person: person, phone: phone, phoneNumberID: number, kind: owed, language: said.language ?? .arabic,
          saidAt: message.timestamp))
    }
    if said.wantsErasure {
      found.tasks.append(ConsentTasks.New(.erasure, person: person, evidence: .object(evidence)))
    }
  }

  /// Who stopped, so that the campaign which caused it is known.
  private func note(_ phone: PhoneNumber?, _ callback: String?, in found: inout Heard) {
    if let callback, let key = MessageKey(callbackData: callback, installation: installation) {
      found.stoppers.append(.message(key))
    } else if let phone {
      found.stoppers.append(.phone(phone))
    }
  }

  private struct Said {
    let event: ConsentEvent
    let source: ConsentSource
    let matched: String
    var language: StopLanguage?
    var wantsErasure = false
  }

  /// What a message says: by the button that was pressed, or by its words.
  private func said(by message: InboundMessage) async throws -> Said? {
    if message.stopCallback != nil { return Said(event: .stop, source: .button, matched: "stop_button") }
    if message.keepCallback != nil { return Said(event: .start, source: .button, matched: "keep_button") }
    guard let text = message.text else { return nil }
    switch message.kind {
    case .text, .button, .interactive, .other: break
    case .reaction, .system, .unsupported: return nil
    }
    try await refreshStopWords()
    let reading = stopWords.read(text, answering: nil)
    var verdict = reading.verdict
    if reading.isLoneCancel, let phone = message.from {
      // Of an offer it is a stop; of an order it may mean the order.
      let category = try await ReceiptLog.categoryAnswered(
        by: phone, context: message.contextID, business: business, on: connection)
      verdict = stopWords.read(text, answering: category).verdict
    }
    let source: ConsentSource = message.kind == .button || message.kind == .interactive ? .button : .text
    func said(_ event: ConsentEvent) -> Said {
      Said(
        event: event, source: source, matched: reading.matched, language: reading.language,
        wantsErasure: verdict == .stopPlus)
    }
    switch verdict {
    case .stop, .stopPlus: return said(.stop)
    case .ask: return said(.hold)
    case .start: return said(.start)
    case .none: return nil
    }
  }

  private func refreshStopWords() async throws {
    guard BootInstant.now >= stopWordsUntil else { return }
    let own = try await StopWordTable.list(of: business, on: connection)
    stopWords = StopWords.shipped.adding(own.map { ($0.written, $0.verdict) })
    stopWordsUntil = .now + ConsentReader.stopWordsAge
  }

  private func word(
    _ person: PersonKey, _ event: ConsentEvent, _ source: ConsentSource, at: Instant, _ evidence: JSONObject
  ) -> Consents.Word {
    Consents.Word(person: person, scope: .marketing, event: event, source: source, evidence: .object(evidence), at: at)
  }

  /// Who it is: the recipient of the message that is named, else who has the phone, else who has the id. That these names
  /// are one person's is learnt on the way, before the word is recorded.
  private func person(
    _ phone: PhoneNumber?, _ userID: String?, callback: String?, later message: InboundMessage? = nil
  ) async throws -> PersonKey? {
    var names: [PersonKey] = []
    if let callback, let key = MessageKey(callbackData: callback, installation: installation),
      let person = try await ReceiptLog.person(of: key, on: connection)
    {
      names.append(person)
    }
    names += [phone, message?.newPhone].compactMap { $0 }.map { keys.key(of: $0) }
    if phone == nil, let userID, let person = try await Aliases.person(ofUser: userID, business: business, on: connection) {
      names.append(person)
    }
    names += [userID, message?.newUserID].compactMap { $0.flatMap { UserID($0) } }.map { keys.key(of: $0) }
    guard let first = names.first else { return nil }
    if names.count > 1 {
      try await Aliases.learn(names.dropFirst().map { Aliases.Pair($0, of: first) }, business: business, on: connection)
    }
    return first
  }

  private func isKnown(_ message: InboundMessage, _ callback: String?) async throws -> Bool {
    if let callback, MessageKey(callbackData: callback, installation: installation) != nil { return true }
    let names =
      [message.from.map { keys.key(of: $0) }, message.fromUserID.flatMap { UserID($0) }.map { keys.key(of: $0) }]
    return try await Aliases.isKnown(
      phone: message.from, userID: message.fromUserID, keys: names.compactMap { $0 }, business: business, on: connection)
  }
}

extension InboundMessage {
  /// What a marketer counts: something written, or a button of the message pressed.
  fileprivate var response: Responses.Response? {
    guard let from else { return nil }
    switch kind {
    case .text, .other: return Responses.Response(phone: from, context: contextID, isClick: false)
    case .button, .interactive:
      // The button of our own question is no campaign's.
      return keepCallback == nil ? Responses.Response(phone: from, context: contextID, isClick: true) : nil
    case .reaction, .system, .unsupported: return nil
    }
  }

  /// The key of our question, when its button "keep sending" was pressed.
  fileprivate var keepCallback: String? {
    guard let payload, payload.hasPrefix(ReplyAnswer.keep.prefix) else { return nil }
    return String(payload.dropFirst(ReplyAnswer.keep.prefix.count))
  }
}
