import CloudAPI
import Crypto
import Domain
import Governor
import HTTPClient
import Postgres
import Reactor
import Schedule
import Store

/// What the lanes of a node share: its name, the line's connections, the client to the Graph API.
struct Line: Sendable {
  let node: Int64
  let installation: String
  let keys: PersonKeys
  let settings: SenderSettings
  let limits: LaneQueue.Limits
  let reactor: Reactor
  let claims: Connection
  let gates: Connection
  let facts: Connection
  let zones: ZoneCache
  let peers: Lock<Peers>
  let counters: SenderCounters
  let log: @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
}

/// A number's ordered way out, while this node owns it: claims ahead, asks the gate, hands each message over at its slot,
/// records the fact. It lives on the line's thread; everything it decides is decided by `LaneQueue` and `Tenure`.
actor Lane {
  nonisolated let line: Line
  nonisolated let number: LiveCampaigns.LiveNumber
  nonisolated var unownedExecutor: UnownedSerialExecutor { line.reactor.asUnownedSerialExecutor() }

  var queue: LaneQueue
  var tenure: Tenure
  let answers = SendAnswerReader()
  /// The lane's own: libcurl looks for a free connection, and for a request's own, one after the other.
  let http: HTTPClient
  let headers: HeaderList
  let url: String
  var epoch: Int32 = 0
  /// The log's newest row, which is ours while we own the lane.
  var k: Int64 = 0
  /// Messages of each claim that have no fact, skip or due row yet; those at the front that reach zero move `doneK`.
  var open: [(k: Int64, left: Int)] = []
  var doneK: Int64 = 0
  var ended: [Ended] = []
  var pacing: Reactor.TimerID?
  var failures = 0
  var restsUntil: Int64 = 0
  var ourFaults = 0
  var isOwning = false
  /// Nobody else had it since this node gave it up.
  var cameBack = false
  /// The number as it was last seen: which limits of people hold. Until when they are used up; whether any ever held.
  var rules: LiveCampaigns.LiveNumber
  var crowdedUntil: Instant?
  var hasCounted = false
  /// What it holds of shared budgets.
  var spending = Spending()
  var inFlightTotal = 0
  var second = FullestSecond()

  var plans: [CampaignPlan] = []
  var calendars: (stamp: Int64, loaded: [BlackoutCalendar]) = (-1, [])
  var openings: [Campaign.ID: OpeningMemory] = [:]

  /// Runs this number holds and whose hours are closed, or that it has not gone on with yet.
  var parked: [Campaign.ID: [LaneLog.Take]] = [:]

  /// Asked about due rows, or free runs, since the last look at the campaigns, and found none.
  var dueTaken: Set<Campaign.ID> = []
  var exhausted: Set<Campaign.ID> = []
  /// Standing campaigns with urgent messages to claim, and when to ask again which have.
  var urgentDue: Set<Campaign.ID> = []
  var urgentLookAt: Int64 = 0

  /// A message that this lane is done with, and what must be committed before it may be forgotten.
  struct Ended {
    let claim: Int64
    var fact: Facts.Fact?
    var back: Facts.Return?
    var skip: Facts.Skip?
    var halt: Facts.Halt?
    /// Meta surely did not take it.
    var refused: Facts.Refused?
    var hold: MarketingHolds.Hold?
    var word: Consents.Word?
    var name: Aliases.Named?
  }

  init(_ number: LiveCampaigns.LiveNumber, token: String, line: Line) {
    (self.number, rules) = (number, number)
    self.line = line
    queue = LaneQueue(
      perSecond: number.perSecond, limits: line.limits, seed: UInt64(bitPattern: line.node ^ number.lane.number.rawValue))
    tenure = Tenure(
      me: line.node, nodeTimeout: line.settings.nodeTimeout.nanoseconds,
      quarantine: line.settings.quarantine.nanoseconds, yieldFor: line.settings.yieldFor.nanoseconds)
    var http = HTTPClientSettings()
    http.maxConnections = line.settings.inFlight + 24
    http.caFile = line.settings.caFile
    self.http = HTTPClient(on: line.reactor, settings: http)
    headers = HeaderList([("Authorization", "Bearer " + token), ("Content-Type", "application/json")])
    url = "\(line.settings.graphURL)/\(line.settings.graphVersion)/\(number.phoneNumberID)/messages"
  }

  var now: Int64 { BootInstant.now.nanoseconds }
  var numberID: Number.ID { number.lane.number }

  /// Waits for the lane, sends while it is ours, and hands it over at the end. Returns when the task is cancelled, with
  /// everything recorded that was handed over.
  func run() async {
    // Facts outlive ownership: a fenced lane still records what it handed over.
    let recording = Task(executorPreference: line.reactor.tasks) { await self.factLoop() }
    while !Task.isCancelled {
      do {
        guard try await own() else {
          try await line.reactor.sleep(for: line.settings.pollEvery)
          continue
        }
        isOwning = true
        try await send()
      } catch is CancellationError {
        break
      } catch {
        await lost(error)
      }
    }
    recording.cancel()
    await recording.value
    await finish()
  }

  private func send() async throws {
    try await restore()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: line.reactor.tasks) { try await self.claimLoop() }
      group.addTask(executorPreference: line.reactor.tasks) { try await self.gateLoop() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

/// The lane's log shows another owner.
struct LaneFenced: Error {}
