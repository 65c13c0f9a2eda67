import CloudAPI
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
/// Two lanes store, each on a connection and in a stream of its own: while one waits for the disk the other gathers, so
/// that a person of 64 connections waits for one commit and not for the end of the one before as well.
///
/// Words of consent are read before the commit (`ConsentReader`) and written in it, so a stop holds from the moment of the
/// 200, however many receipts wait to be folded.
public actor Intake {
  public struct Settings: Sendable {
    /// How long the first bodies wait for others. Those that come while both lanes are storing are the next batch at once:
    /// the slower the disk, the larger the batches.
    public var gatherFor: Duration = .milliseconds(1)
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
    public var questions = 0
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let signature: WebhookSignature
  private let verifyToken: String
  private let business: Business.ID
  private let consent: ConsentReader
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let lanes: [Lane]
  /// Bodies that wait for a lane; those with words of consent apart: they go by the first lane alone, so that a person's
  /// words are committed in the order they came, and two commits never lock the same people.
  private var waiting: [Waiting] = []
  private var spoken: [Waiting] = []
  private var waitingBytes = 0
  private var isGathering = false
  private var counted = Counts()

  /// Belongs to the actor.
  private final class Lane {
    let isFirst: Bool
    let connection: Connection
    let stream = Crypto.randomBytes(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & Int64.max
    var k: Int64 = 0
    var day: CivilDate?
    var isOpen = false
    var isBusy = false

    init(isFirst: Bool, _ connection: Connection) { (self.isFirst, self.connection) = (isFirst, connection) }
  }

  private struct Waiting {
    let body: [UInt8]
    let heard: Heard
    let done: CheckedContinuation<Bool, Never>
  }

  public init(
    settings: Settings = Settings(), appSecrets: [String], verifyToken: String, installation: Installation,
    database: ConnectionSettings, on reactor: Reactor, log: @escaping @Sendable (String, [(String, String)]) -> Void
  ) {
    (self.settings, self.verifyToken, self.reactor, self.log) = (settings, verifyToken, reactor, log)
    signature = WebhookSignature(appSecrets: appSecrets)
    business = installation.business
    var own = database
    own.applicationName = "qafila-intake"
    own.statementTimeout = .seconds(5)
    lanes = [true, false].map { Lane(isFirst: $0, Connection(own, on: reactor)) }
    consent = ConsentReader(installation: installation, connection: lanes[0].connection, log: log)
  }

  public var counts: Counts {
    var counts = counted
    (counts.stops, counts.strayStops) = (consent.counts.stops, consent.counts.strayStops)
    counts.questions = consent.counts.questions
    return counts
  }
  /// Bodies received and not yet on their way to the database.
  public var waitingBodies: Int { waiting.count + spoken.count }

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
    guard waitingBodies < settings.waitingBodies, waitingBytes < settings.waitingBytes else {
      counted.refused += 1
      return 503
    }
    var found = Heard()
    do {
      found = try await consent.read(body)
    } catch {
      // Signed, so it is Meta's; what it means is for the folder or for a later version. Only the database's absence is
      // a reason not to take it.
      if error is DatabaseError { return 503 }
      counted.unreadable += 1
    }
    let stored = await withCheckedContinuation { done in
      let item = Waiting(body: body, heard: found, done: done)
      if found.isEmpty { waiting.append(item) } else { spoken.append(item) }
      waitingBytes += body.count
      startLane()
    }
    return stored ? 200 : 503
  }

  // MARK: Storing

  /// Lets an idle lane gather, unless one does so already.
  private func startLane() {
    guard !isGathering, let index = lanes.firstIndex(where: { !$0.isBusy && hasWork(for: $0) }) else { return }
    (lanes[index].isBusy, isGathering) = (true, true)
    Task(executorPreference: reactor.tasks) { await self.flush(index) }
  }

  private func hasWork(for lane: Lane) -> Bool { !waiting.isEmpty || (lane.isFirst && !spoken.isEmpty) }

  private func flush(_ index: Int) async {
    let lane = lanes[index]
    do { try await reactor.sleep(for: settings.gatherFor) } catch {
      // A task of nobody's is never cancelled; if it were, storing now is right too.
    }
    isGathering = false
    while hasWork(for: lane) {
      let batch = take(for: lane)
      // What this lane leaves, or may not take, need not wait for its commit.
      startLane()
      var stored = false
      do {
        try await store(batch, by: lane)
        stored = true
        counted.stored += batch.count
      } catch {
        counted.refused += batch.count
        log("receipts_not_stored", [("count", String(batch.count)), ("error", "\(error)")])
      }
      for item in batch { item.done.resume(returning: stored) }
      // The other lane gathers what comes now; words are for this one.
      if isGathering, !lane.isFirst || spoken.isEmpty { break }
    }
    lane.isBusy = false
    startLane()
  }

  /// Words first; within the bounds of one commit.
  private func take(for lane: Lane) -> [Waiting] {
    var batch: [Waiting] = []
    var bytes = 0
    func take(_ queue: inout [Waiting]) {
      var count = 0
      while count < queue.count, batch.count + count < settings.flushBodies,
        batch.count + count == 0 || bytes < settings.flushBytes
      {
        bytes += queue[count].body.count
        count += 1
      }
      batch += queue.prefix(count)
      queue.removeFirst(count)
    }
    if lane.isFirst { take(&spoken) }
    take(&waiting)
    waitingBytes -= bytes
    return batch
  }

  private func store(_ batch: [Waiting], by lane: Lane) async throws {
    let now = Instant.now
    let today = CivilDate(daysSince1970: Int(now.seconds / 86_400))
    if !lane.isOpen {
      try await ReceiptLog.open(stream: lane.stream, today: today, on: lane.connection)
      (lane.isOpen, lane.day) = (true, today)
    } else if lane.day != today {
      try await ReceiptLog.ensureDays(today, on: lane.connection)
      lane.day = today
    }
    // A number is used once, even when its commit is in doubt: positions only have to grow.
    lane.k += 1
    var found = Heard()
    for item in batch { found.add(item.heard) }
    // Ahead of any receipt backlog: a stop holds from the commit that stored it.
    try await ReceiptLog.append(
      batch.map(\.body), with: found.statements(business: business), stream: lane.stream, k: lane.k, day: today, at: now,
      on: lane.connection)
  }

  public func close() async { for lane in lanes { await lane.connection.close() } }
}
