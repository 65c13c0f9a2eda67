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
  private var lanes: [Number.ID: (number: LiveCampaigns.LiveNumber, task: Task<Void, Never>)] = [:]

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
      zones: ZoneCache(), counters: counters, log: log)
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
    for lane in lanes.values { lane.task.cancel() }
    for lane in lanes.values { await lane.task.value }
    beating.cancel()
    await beating.value
    for connection in [line.claims, line.gates, line.facts, control] { await connection.close() }
  }

  private func look() async throws {
    let live = try await LiveCampaigns.numbers(on: control)
    for number in live {
      let id = number.lane.number
      if let known = lanes[id] {
        if known.number.perSecond == number.perSecond, known.number.sealedToken == number.sealedToken { continue }
        // A new token or rate: the lane ends in good order and begins again with it.
        known.task.cancel()
        await known.task.value
      }
      guard let token = tokens.open(number.sealedToken) else {
        log("token_unreadable", [("number", number.phoneNumberID)])
        continue
      }
      let lane = Lane(number, token: token, line: line)
      lanes[id] = (number, Task(executorPreference: reactor.tasks) { await lane.run() })
    }
    let working = Set(live.map(\.lane.number))
    for (id, lane) in lanes where !working.contains(id) {
      lane.task.cancel()
      await lane.task.value
      lanes[id] = nil
    }
  }

  private func beat() async {
    var seq: Int64 = 0
    while !Task.isCancelled {
      seq += 1
      do {
        try await LaneLog.beat(node: line.node, seq: seq, on: control)
      } catch {
        log("beat_failed", [("error", "\(error)")])
      }
      do { try await reactor.sleep(for: line.settings.beatEvery) } catch { return }
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
