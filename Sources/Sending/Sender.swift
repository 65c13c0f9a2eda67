import Crypto
import Domain
import HTTPClient
import Postgres
import Reactor
import Schedule
import Store

/// Owns this node's lanes: finds the numbers that have work, takes each lane that nobody holds, and beats so that others
/// can tell it is alive. Its reactor is the line's: nothing else runs there.
public actor Sender {
  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  public nonisolated let counters = SenderCounters()

  private let line: Line
  private let control: Connection
  private let tokens: Tokens
  private let log: @Sendable (String, [(String, String)]) -> Void
  private var lanes: [Number.ID: Held] = [:]
  private var moves: Moves
  private var beats: Int64 = 0
  private var isLeaving = false

  private struct Held {
    let number: LiveCampaigns.LiveNumber
    let lane: Lane
    let task: Task<Void, Never>
  }

  /// `log` gets constant event names and fields without phones or secrets.
  public init(
    settings: SenderSettings, database: ConnectionSettings, tokens: Tokens, installation: Installation, on reactor: Reactor,
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    self.reactor = reactor
    self.tokens = tokens
    self.log = log
    func connection(_ name: String, timeout: Duration) -> Connection {
      var own = database
      own.applicationName = "qafila-" + name
      own.statementTimeout = timeout
      // A plan made while a table is tiny keeps its sequential scan as the table grows.
      own.options += [("enable_seqscan", "off"), ("jit", "off")]
      return Connection(own, on: reactor)
    }
    control = connection("line", timeout: .seconds(5))
    var limits = LaneQueue.Limits()
    limits.inFlight = settings.inFlight
    limits.pathAllowance = settings.pathAllowance
    let node = Crypto.randomBytes(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & Int64.max
    line = Line(
      node: node, installation: installation.name, keys: installation.personKeys, settings: settings, limits: limits, reactor: reactor,
      claims: connection("claim", timeout: .seconds(5)), gates: connection("gate", timeout: .milliseconds(300)),
      facts: connection("fact", timeout: .seconds(10)),
      zones: ZoneCache(), peers: Lock(Peers(me: node, nodeTimeout: settings.nodeTimeout.nanoseconds)), counters: counters,
      log: log)
    moves = Moves(every: settings.moveEvery.nanoseconds, stay: settings.stayFor.nanoseconds)
  }

  /// Sends until the task is cancelled; then records what was handed over, releases the lanes and returns.
  public func run() async throws {
    let beating = Task(executorPreference: reactor.tasks) { await self.beat() }
    while !Task.isCancelled {
      do {
        try await look()
        try await reactor.sleep(for: line.settings.pollEvery)
      } catch is CancellationError {
        break
      } catch {
        log("sender_waits", [("error", "\(error)")])
        do { try await reactor.sleep(for: .seconds(1)) } catch { break }
      }
    }
    isLeaving = true
    // A task of its own: this one is cancelled. What is released a moment later finds its next owner at once.
    let goodbye = Task(executorPreference: reactor.tasks) { await self.beatOnce() }
    for held in lanes.values { held.task.cancel() }
    for held in lanes.values { await held.task.value }
    await goodbye.value
    beating.cancel()
    await beating.value
    for connection in [line.claims, line.gates, line.facts, control] { await connection.close() }
  }

  private func look() async throws {
    let live = try await LiveCampaigns.numbers(on: control)
    for number in live {
      let id = number.lane.number
      if let known = lanes[id] {
        if known.number.perSecond == number.perSecond, known.number.sealedToken == number.sealedToken {
          await known.lane.learn(number)
          continue
        }
        // A new token or rate: the lane ends in good order and begins again with it.
        known.task.cancel()
        await known.task.value
      }
      begin(number)
    }
    let working = Set(live.map(\.lane.number))
    for (id, held) in lanes where !working.contains(id) {
      held.task.cancel()
      await held.task.value
      lanes[id] = nil
    }
    await share()
  }

  /// Waits for the lane of `number` and sends on it, after the one before has ended.
  private func begin(_ number: LiveCampaigns.LiveNumber, after before: Held? = nil) {
    let id = number.lane.number
    guard let token = tokens.open(number.sealedToken) else {
      log("token_unreadable", [("number", number.phoneNumberID)])
      return
    }
    let lane = Lane(number, token: token, line: line)
    lanes[id] = Held(
      number: number, lane: lane,
      task: Task(executorPreference: reactor.tasks) {
        await before?.task.value
        await lane.run()
      })
  }

  /// Gives over a lane that should be another node's, in good order, and waits in line for it again.
  private func share() async {
    var owned: [Int64: Bool] = [:]
    for (id, held) in lanes where await held.lane.isOwning { owned[id.rawValue] = await held.lane.cameBack }
    let (now, settled) = (BootInstant.now.nanoseconds, line.settings.moveTo.nanoseconds)
    let peers = line.peers.with { $0 }
    let next = moves.next(owned, at: now) { peers.owner(of: $0, livingFor: settled, at: now) != line.node }
    guard let next, let held = lanes[Number.ID(next)] else { return }
    log("lane_given_over", [("number", held.number.phoneNumberID)])
    held.task.cancel()
    begin(held.number, after: held)
  }

  private func beat() async {
    while !Task.isCancelled {
      await beatOnce()
      do { try await reactor.sleep(for: line.settings.beatEvery) } catch { return }
    }
  }

  private func beatOnce() async {
    beats += 1
    do {
      try await LaneLog.beat(LaneLog.Beat(node: line.node, seq: beats, leaves: isLeaving), on: control)
      // Who owns all its lanes reads no beats otherwise.
      let all = try await LaneLog.beats(on: control)
      line.peers.with { $0.observed(all, at: BootInstant.now.nanoseconds) }
    } catch {
      log("beat_failed", [("error", "\(error)")])
    }
  }
}

/// Zones by name, read once each. A name the system does not know stays unknown until a restart.
final class ZoneCache: Sendable {
  private let zones = Lock([String: Zone?]())

  func zone(_ name: String) -> Zone? {
    if let known = zones.with({ $0[name] }) { return known }
    let read: Zone?
    do { read = try Zone(named: name) } catch { read = nil }
    zones.with { $0[name] = .some(read) }
    return read
  }
}
