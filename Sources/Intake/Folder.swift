import CloudAPI
import Crypto
import Domain
import JSON
import Money
import Postgres
import Reactor
import Store

/// Folds stored receipts into the standings of messages and posts what they cost. Many nodes may run one; the folds' own
/// key lets one of them through, the others read again.
public actor Folder {
  /// The bounds of one fold.
  public struct Settings: Sendable {
    /// Receipts gather for so long: those of one message that come close together are written once.
    public var every: Duration = .milliseconds(250)
    /// Of each stream. A fold that reached one of the two is followed by the next at once.
    public var batches = 64
    /// Of all streams together.
    public var bytes = 8 << 20
    /// Receipts without a message that one fold keeps apart: all that its bytes can hold. Their bodies stay anyway.
    public var strays = 20_000
    public init() {}
  }

  public struct Counts: Sendable {
    public var batches = 0
    public var receipts = 0
    public var strays = 0
    /// How long the last fold took, and how old its oldest batch was; nanoseconds.
    public var lastFold: Int64 = 0
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let installation: String
  /// How often a person is tried again whom Meta held for a day.
  private let retries: Int
  private let business: Business.ID
  private let keys: PersonKeys
  private let connection: Connection
  private let now: @Sendable () -> Instant
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let reader = WebhookReader()
  private var counted = Counts()

  private var cursors: [Int64: Int64] = [:]
  private var k: Int64 = 0
  private var isLoaded = false
  /// Some portfolio or number has a limit of people.
  private var countsPeople = false
  private var bases: [Campaign.ID: Standings.Basis] = [:]
  private var numbers: [String: Number.ID] = [:]
  private var pricer = Pricer()
  private var refreshAt = BootInstant(nanoseconds: 0)

  /// `now` decides which month bears a charge; Meta's own times decide what it costs.
  public init(
    settings: Settings = Settings(), installation: Installation, database: ConnectionSettings, marketingRetries: Int = 2,
    on reactor: Reactor, now: @escaping @Sendable () -> Instant = { .now },
    log: @escaping @Sendable (String, [(String, String)]) -> Void
  ) {
    (self.settings, self.reactor, self.now, self.log, retries) = (settings, reactor, now, log, marketingRetries)
    (self.installation, business, keys) = (installation.name, installation.business, installation.personKeys)
    var own = database
    own.applicationName = "qafila-fold"
    own.statementTimeout = .seconds(30)
    // Lost folds are folded again: their cursor goes with them. So the flush may be left to the server.
    own.options += [("enable_seqscan", "off"), ("jit", "off"), ("synchronous_commit", "off")]
    connection = Connection(own, on: reactor)
  }

  public var counts: Counts { counted }

  public func run() async throws {
    while !Task.isCancelled {
      do {
        let began = BootInstant.now
        if try await !foldOnce().hasMore { try await reactor.sleep(until: began + settings.every) }
      } catch is CancellationError {
        break
      } catch {
        forget()
        if let error = error as? DatabaseError, case .rejected(.uniqueViolation, _) = error {
          // Another folder was first.
        } else {
          log("fold_waits", [("error", "\(error)")])
        }
        do { try await reactor.sleep(for: .milliseconds(500)) } catch { break }
      }
    }
    await connection.close()
  }

  /// Folds the next batches; how many they were, and whether there may be more already.
  @discardableResult
  public func foldOnce() async throws -> (batches: Int, hasMore: Bool) {
    do { return try await fold() } catch is Pricer.Outdated {
      // Priced again under a card that came after ours was read.
      forget()
      return try await fold()
    }
  }

  private func fold() async throws -> (batches: Int, hasMore: Bool) {
    if !isLoaded || BootInstant.now >= refreshAt { try await load() }
    let batches = try await ReceiptLog.next(
      after: cursors, limit: settings.batches, bytes: settings.bytes, on: connection)
    guard !batches.isEmpty else { return (0, false) }
    let started = BootInstant.now
    var upto: [Int64: (Int64, CivilDate)] = [:]
    for batch in batches { upto[batch.stream] = (batch.k, batch.day) }
    let folds = upto.keys.sorted().map { ReceiptLog.Fold(stream: $0, k: upto[$0]!.0, day: upto[$0]!.1) }
    let outcome = try await fold(batches, upto: folds, keepsStrays: true)
    for fold in folds { cursors[fold.stream] = fold.k }
    counted.batches += batches.count
    counted.receipts += outcome.receipts
    counted.strays += outcome.strays
    counted.lastFold = (BootInstant.now - started).nanoseconds
    // Of any stream: a second look costs little.
    let bytes = batches.reduce(0) { $0 + $1.bodies.reduce(0) { $0 + $1.count } }
    return (batches.count, batches.count >= settings.batches || bytes >= settings.bytes)
  }

  /// Takes what batches say into the states of messages, in one commit under the next of the folds' keys.
  private func fold(
    _ batches: [ReceiptLog.Batch], upto folds: [ReceiptLog.Fold], keepsStrays: Bool
  ) async throws -> Replayed {
    // What the batches say, by message; the rest is kept apart.
    var said: [MessageKey: [StatusReceipt]] = [:]
    var strays: [(reason: String, receipt: [UInt8])] = []
    var flow: Set<Number.ID> = []
    for batch in batches {
      for body in batch.bodies { read(body, &said, &strays, &flow) }
    }
    var byCampaign: [Campaign.ID: [MessageKey]] = [:]
    for key in said.keys { byCampaign[key.campaign, default: []].append(key) }

    var changed: [Campaign.ID: [(MessageKey, Standings.State)]] = [:]
    var postings: [Standings.Booked] = []
    var holds: [MarketingHolds.Hold] = []
    var tally = Tallies.Batch()
    var names: Set<Aliases.Named> = []
    var ended: [PeopleCounts.Ended] = []
    let now = now()
    for (campaign, keys) in byCampaign {
      guard let basis = try await basis(of: campaign) else {
        strays.append(contentsOf: keys.map { ("unknown_campaign", stray(said[$0]![0])) })
        continue
      }
      let known = try await Standings.known(keys.sorted(), in: campaign, on: connection)
      if known.count < keys.count {
        let found = Set(known.map(\.key))
        for key in keys where !found.contains(key) { strays.append(("unknown_recipient", stray(said[key]![0]))) }
      }
      var batch = PostingBatch()
      for message in known {
        var state = message.state
        for receipt in said[message.key]! {
          StandingMerge.merge(receipt, into: &state)
          if let alias = otherName(in: receipt, of: message.phone) {
            names.insert(Aliases.Named(campaign: campaign, seq: Int32(clamping: message.key.seq), alias: alias))
          }
          if let number = receipt.phoneNumberID.flatMap({ numbers[$0] }), state.number.map({ number < $0 }) ?? true {
            state.number = number
          }
        }
        try pricer.price(&state, message, basis, &batch)
        guard state != message.state else { continue }
        tally.moved(message.state, to: state, of: campaign, from: state.number ?? Number.ID(0))
        changed[campaign, default: []].append((message.key, state))
        if countsPeople, let end = Folder.end(message.key, message.state, state) { ended.append(end) }
        if state.standing == .failed, message.state.standing != .failed, let hold = Folder.hold(message.key, state) {
          holds.append(hold)
        }
      }
      let day = pricer.day(of: now, in: basis.zone)
      postings += batch.postings.map { Standings.Booked($0, on: basis, booked: day) }
    }

    // Before the fold's own commit: what is lost of it is folded again.
    try await PeopleCounts.settle(ended, on: connection)
    if !names.isEmpty { try await Aliases.learn(Array(names), business: business, on: connection) }
    try await Standings.fold(
      k: k + 1, upto: folds, changed: changed, postings: postings, tally: tally, business: business,
      strays: keepsStrays ? Array(strays.prefix(settings.strays)) : [], flow: keepsStrays ? flow.sorted() : [], holds: holds,
      retries: retries, on: connection)
    k += Int64(folds.count)
    return Replayed(
      receipts: said.values.reduce(0) { $0 + $1.count }, strays: strays.count,
      corrected: changed.values.reduce(0) { $0 + $1.count }, postings: postings.count)
  }

  /// By which other name Meta knows the person we wrote to: another number, or an id alone because they hide their phone.
  /// An id beside the phone is learnt when they write to us: here it would cost each message.
  private func otherName(in receipt: StatusReceipt, of phone: PhoneNumber) -> PersonKey? {
    if let known = receipt.recipient { return known == phone ? nil : keys.key(of: known) }
    return receipt.recipientUserID.flatMap { UserID($0) }.map { keys.key(of: $0) }
  }

  /// What a receipt changes for the limit of people: whoever was not reached is given back, whoever is reached counts.
  private static func end(_ key: MessageKey, _ old: Standings.State, _ new: Standings.State) -> PeopleCounts.Ended? {
    func isReached(_ state: Standings.State) -> Bool { state.deliveredAt != nil || state.readAt != nil }
    let hasFailed = new.standing == .failed && old.standing != .failed
    guard hasFailed || (isReached(new) && !isReached(old)) else { return nil }
    return PeopleCounts.Ended(
      campaign: key.campaign, seq: Int32(clamping: key.seq), attempt: key.attempt,
      deliveredAt: hasFailed ? nil : new.deliveredAt ?? new.readAt)
  }

  /// A failure that lasts a day and concerns one person: the message may be tried again after it.
  private static func hold(_ key: MessageKey, _ state: Standings.State) -> MarketingHolds.Hold? {
    let entry = ErrorTable.entry(Int(state.code))
    guard entry.errorClass == .holdPerson, let wait = entry.wait, let failed = state.failedAt else { return nil }
    return MarketingHolds.Hold(
      campaign: key.campaign, seq: Int32(clamping: key.seq), attempt: key.attempt, dueAt: failed + wait)
  }

  // MARK: Once more

  /// What a replay found.
  public struct Replayed: Sendable, Equatable {
    public var batches = 0
    public var receipts = 0
    /// Of messages that are not ours or not known.
    public var strays = 0
    /// Messages whose state was not what their receipts say, and postings that followed.
    public var corrected = 0
    public var postings = 0
  }

  /// Folds what was received in a time once more, from the raw bodies. Folding is deaf to repetition, so nothing
  /// changes but what was missed, for instance a charge that had no price then. Live folders go on meanwhile: the
  /// folds' key decides between them and this.
  public func replay(from: Instant, to: Instant, _ progress: (Replayed) -> Void = { _ in }) async throws -> Replayed {
    var total = Replayed()
    var place: (stream: Int64, k: Int64) = (.min, .min)
    while true {
      let batches = try await ReceiptLog.received(from: from, to: to, after: place, limit: 4, on: connection)
      guard let last = batches.last else { return total }
      let outcome = try await foldAgain(batches, isFirst: total.batches == 0)
      total.batches += batches.count
      total.receipts += outcome.receipts
      total.strays += outcome.strays
      total.corrected += outcome.corrected
      total.postings += outcome.postings
      place = (last.stream, last.k)
      progress(total)
    }
  }

  private func foldAgain(_ batches: [ReceiptLog.Batch], isFirst: Bool) async throws -> Replayed {
    var tries = 0
    while true {
      let before = k
      try await load()
      // Somebody else folds: it has its turn, or it would lose every race against a loop that never waits.
      if tries > 0 || (!isFirst && k > before) { try await reactor.sleep(for: .milliseconds(700)) }
      do {
        // No stream's cursor moves: not back, and not past what no live folder has read.
        let fence = ReceiptLog.Fold(stream: 0, k: k + 1, day: batches[0].day)
        return try await fold(batches, upto: [fence], keepsStrays: false)
      } catch DatabaseError.rejected(.uniqueViolation, _) where tries < 100 {
        tries += 1
      } catch is Pricer.Outdated where tries < 100 {
        tries += 1
      }
    }
  }

  public func close() async { await connection.close() }

  /// After an error: somebody else may have written, so everything is read again.
  public func forget() { isLoaded = false }

  private func load() async throws {
    let (k, folded) = try await ReceiptLog.cursors(on: connection)
    (self.k, cursors) = (k, folded)
    numbers = try await Standings.numbers(on: connection)
    pricer = Pricer(try await RateCards.prices(on: connection))
    bases = [:]
    countsPeople = try await PeopleCounts.isKept(on: connection)
    if isLoaded { try await Standings.tidy(keepingFrom: k - 1000, on: connection) }
    isLoaded = true
    refreshAt = .now + .seconds(10)
  }

  private func read(
    _ body: [UInt8], _ said: inout [MessageKey: [StatusReceipt]], _ strays: inout [(reason: String, receipt: [UInt8])],
    _ flow: inout Set<Number.ID>
  ) {
    do {
      for event in try reader.read(body) {
        guard case .status(let receipt) = event else { continue }
        if let number = receipt.phoneNumberID.flatMap({ numbers[$0] }) { flow.insert(number) }
        guard let callback = receipt.callback, let key = MessageKey(callbackData: callback, installation: installation) else {
          strays.append((receipt.callback == nil ? "no_key" : "foreign_key", stray(receipt)))
          continue
        }
        said[key, default: []].append(receipt)
      }
    } catch {
      strays.append(("unreadable", Array("{}".utf8)))
    }
  }

  /// What is kept of a receipt that finds no message: never the phone.
  private func stray(_ receipt: StatusReceipt) -> [UInt8] {
    JSONValue.object([
      "wamid": .string(receipt.wamid), "status": .string(receipt.standing.word),
      "callback": receipt.callback.map { .string($0) } ?? .null, "timestamp": .string(receipt.timestamp.description),
    ]).rendered()
  }

  private func basis(of campaign: Campaign.ID) async throws -> Standings.Basis? {
    if let known = bases[campaign] { return known }
    let basis = try await Standings.basis(of: campaign, on: connection)
    if let basis { bases[campaign] = basis }
    return basis
  }
}
