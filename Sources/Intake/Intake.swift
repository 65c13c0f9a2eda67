import CloudAPI
import Consent
import Crypto
import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Store

/// Takes Meta's webhooks: verifies the signature over the raw bytes, stores them in batches, then answers 200. What can't
/// be stored is answered 503, and Meta tries again for up to seven days; nothing is accepted that is not on disk.
///
/// Words of consent (a stop button, an exact stop word, WhatsApp's own control, a failure 131050) are read before the commit
/// and written in it, so a stop holds from the moment of the 200, however many receipts wait to be folded.
public actor Intake {
  public struct Settings: Sendable {
    /// How long the first bodies after a silence wait for others. Those that come while a batch is being stored are the
    /// next batch at once: the slower the disk, the larger the batches.
    public var gatherFor: Duration = .milliseconds(2)
    public var flushBodies = 500
    public var flushBytes = 8 << 20
    /// Bodies received and not yet stored; above it 503.
    public var waitingBodies = 4000
    public var waitingBytes = 64 << 20
    /// Meta: at most 3 MB a body.
    public var bodyBytes = 3 << 20
    public init() {}
  }

  /// What came in and what became of it, for `/metrics`.
  public struct Counts: Sendable {
    public var stored = 0
    public var forged = 0
    public var unreadable = 0
    public var refused = 0
    public var stops = 0
    public var strayStops = 0
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let signature: WebhookSignature
  private let verifyToken: String
  private let installation: String
  private let business: Business.ID
  private let keys: PersonKeys
  private let connection: Connection
  private let reader = WebhookReader()
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let stream = Crypto.randomBytes(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & Int64.max
  private var k: Int64 = 0
  private var day: CivilDate?
  private var isOpen = false
  private var waiting: [Waiting] = []
  private var waitingBytes = 0
  private var flushing = false
  private var counted = Counts()

  private struct Waiting {
    let body: [UInt8]
    let said: Said
    let done: CheckedContinuation<Bool, Never>
  }

  /// What a body says that must hold from its commit on.
  private struct Said {
    var words: [Consents.Word] = []
    var stoppers: [Tallies.Stopper] = []
    var notices: [Notices.Notice] = []
  }

  public init(
    settings: Settings = Settings(), appSecrets: [String], verifyToken: String, installation: Installation,
    database: ConnectionSettings, on reactor: Reactor, log: @escaping @Sendable (String, [(String, String)]) -> Void
  ) {
    (self.settings, self.verifyToken, self.reactor, self.log) = (settings, verifyToken, reactor, log)
    signature = WebhookSignature(appSecrets: appSecrets)
    (self.installation, business, keys) = (installation.name, installation.business, installation.personKeys)
    var own = database
    own.applicationName = "qafila-intake"
    own.statementTimeout = .seconds(5)
    connection = Connection(own, on: reactor)
  }

  public var counts: Counts { counted }
  /// Bodies received and not yet on their way to the database.
  public var waitingBodies: Int { waiting.count }

  /// `GET` is Meta's handshake, `POST` a delivery.
  public nonisolated func handle(_ request: HTTPServerRequest) async -> HTTPResponse {
    switch request.method {
    case "GET":
      if let challenge = WebhookHandshake.challenge(request.query, verifyToken: verifyToken) {
        return HTTPResponse(status: 200, headers: [("content-type", "text/plain")], body: .bytes(Array(challenge.utf8)))
      }
      return HTTPResponse(status: 403, headers: [], body: .bytes([]))
    case "POST":
      do {
        let body = try await request.body(upTo: settings.bodyBytes)
        return HTTPResponse(
          status: await receive(body, signature: request.header("x-hub-signature-256")), headers: [], body: .bytes([]))
      } catch {
        if case .tooLarge = error { return HTTPResponse(status: 413, headers: [], body: .bytes([])) }
        return HTTPResponse(status: 408, headers: [], body: .bytes([]))
      }
    default: return HTTPResponse(status: 405, headers: [("allow", "GET, POST")], body: .bytes([]))
    }
  }

  /// The status to answer: 200 once the body is stored, 401 when it is not Meta's, 503 when it can't be stored now.
  public func receive(_ body: [UInt8], signature header: String?) async -> Int {
    guard signature.isValid(header, body: body) else {
      counted.forged += 1
      return 401
    }
    guard waiting.count < settings.waitingBodies, waitingBytes < settings.waitingBytes else {
      counted.refused += 1
      return 503
    }
    let said: Said
    do { said = try await heard(in: body) } catch {
      // Signed, so it is Meta's; what it means is for the folder or for a later version. Only the database's absence is
      // a reason not to take it.
      if error is DatabaseError { return 503 }
      counted.unreadable += 1
      said = Said()
    }
    let stored = await withCheckedContinuation { done in
      waiting.append(Waiting(body: body, said: said, done: done))
      waitingBytes += body.count
      if !flushing {
        flushing = true
        Task(executorPreference: reactor.tasks) { await self.flush() }
      }
    }
    return stored ? 200 : 503
  }

  // MARK: Storing

  private func flush() async {
    defer { flushing = false }
    do { try await reactor.sleep(for: settings.gatherFor) } catch {
      // A task of nobody's is never cancelled; if it were, storing now is right too.
    }
    while !waiting.isEmpty {
      var (count, bytes) = (0, 0)
      while count < min(waiting.count, settings.flushBodies), count == 0 || bytes < settings.flushBytes {
        bytes += waiting[count].body.count
        count += 1
      }
      let batch = Array(waiting.prefix(count))
      waiting.removeFirst(count)
      waitingBytes -= bytes
      var stored = false
      do {
        try await store(batch)
        stored = true
        counted.stored += batch.count
      } catch {
        counted.refused += batch.count
        log("receipts_not_stored", [("count", String(batch.count)), ("error", "\(error)")])
      }
      for item in batch { item.done.resume(returning: stored) }
    }
  }

  private func store(_ batch: [Waiting]) async throws {
    let now = Instant.now
    let today = CivilDate(daysSince1970: Int(now.seconds / 86_400))
    if !isOpen {
      try await ReceiptLog.open(stream: stream, today: today, on: connection)
      (isOpen, day) = (true, today)
    } else if day != today {
      try await ReceiptLog.ensureDays(today, on: connection)
      day = today
    }
    // A number is used once, even when its commit is in doubt: positions only have to grow.
    k += 1
    try await ReceiptLog.append(
      batch.map(\.body), words: batch.flatMap(\.said.words), stoppers: batch.flatMap(\.said.stoppers),
      notices: batch.flatMap(\.said.notices), business: business, stream: stream, k: k, day: today, at: now,
      on: connection)
  }

  // MARK: Consent

  /// Every word of consent in a body, and what it says of accounts. A stop that names no phone is looked up by the key in
  /// its button.
  private func heard(in body: [UInt8]) async throws -> Said {
    var said = Said()
    for event in try reader.read(body) {
      switch event {
      case .inbound(let message):
        guard let verdict = verdict(of: message) else { continue }
        guard let person = try await person(message.from, callback: message.stopCallback) else {
          counted.strayStops += 1
          log("stop_without_person", [("message", message.id)])
          continue
        }
        if verdict.event == .stop {
          counted.stops += 1
          note(message.from, message.stopCallback, in: &said)
        }
        said.words.append(
          word(
            person, verdict.event, verdict.source, at: message.timestamp,
            evidence: ["message": .string(message.id), "matched": .string(verdict.matched)]))
      case .preference(let preference):
        guard let person = try await person(preference.phone, callback: nil) else {
          counted.strayStops += 1
          continue
        }
        if preference.choice == .stop { note(preference.phone, nil, in: &said) }
        said.words.append(
          word(
            person, preference.choice == .stop ? .stop : .start, .nativePreference, at: preference.timestamp,
            evidence: ["control": .string(preference.choice.rawValue)]))
      case .status(let receipt):
        guard receipt.standing == .failed, receipt.error?.code == 131_050 else { continue }
        guard let person = try await person(receipt.recipient, callback: receipt.callback) else { continue }
        said.words.append(
          word(person, .stop, .metaFailure, at: receipt.timestamp, evidence: ["message": .string(receipt.wamid)]))
      case .account(let change):
        if let notice = Notices.Notice(change) { said.notices.append(notice) }
      case .failure, .ignored, .unreadable: continue
      }
    }
    let digests = said.notices.compactMap(\.digest)
    if !digests.isEmpty {
      let known = try await Notices.known(digests, on: connection)
      said.notices.removeAll { $0.digest.map { known.contains($0) } ?? false }
    }
    return said
  }

  /// Who stopped, so that the campaign which caused it is known.
  private func note(_ phone: PhoneNumber?, _ callback: String?, in said: inout Said) {
    if let callback, let key = MessageKey(callbackData: callback, installation: installation) {
      said.stoppers.append(.message(key))
    } else if let phone {
      said.stoppers.append(.phone(phone))
    }
  }

  private struct Verdict {
    let event: ConsentEvent
    let source: ConsentSource
    let matched: String
  }

  /// Whether a message is a word of consent: the campaign's stop button, a button labelled like one, or an exact word.
  private func verdict(of message: InboundMessage) -> Verdict? {
    if message.stopCallback != nil { return Verdict(event: .stop, source: .button, matched: "stop_button") }
    guard let text = message.text, message.kind == .text || message.kind == .button || message.kind == .interactive else {
      return nil
    }
    // Without a context nobody knows what is answered; a bare word to a sender of campaigns is taken for those.
    let reading = StopWords.shipped.read(text, answering: message.contextID == nil ? nil : .marketing)
    let source: ConsentSource = message.kind == .text ? .text : .button
    switch reading.verdict {
    case .stop, .stopPlus: return Verdict(event: .stop, source: source, matched: reading.matched)
    case .start: return Verdict(event: .start, source: source, matched: reading.matched)
    case .ask, .none: return nil
    }
  }

  private func word(
    _ person: PersonKey, _ event: ConsentEvent, _ source: ConsentSource, at: Instant, evidence: JSONObject
  ) -> Consents.Word {
    Consents.Word(person: person, scope: .marketing, event: event, source: source, evidence: .object(evidence), at: at)
  }

  private func person(_ phone: PhoneNumber?, callback: String?) async throws -> PersonKey? {
    if let callback, let key = MessageKey(callbackData: callback, installation: installation),
      let person = try await ReceiptLog.person(of: key, on: connection)
    {
      return person
    }
    return phone.map { keys.key(of: $0) }
  }

  public func close() async { await connection.close() }
}
