import CLibPQ
import Domain
import Reactor

/// One session on a reactor: non-blocking libpq in pipeline mode. Statements run in the order given, several in
/// flight, and are prepared at their first use in the same flight.
///
/// It connects at the first call and, when the link is lost, again at the next one: statements in flight fail with
/// `.interrupted`, waiting ones wait, each at most `connectTimeout`, and then fail as `.unreachable`. A task that is
/// cancelled while it waits cancels its statement on the server and still gets the true answer; a statement of
/// somebody else that the cancel request hits by accident is sent again, behind those already in flight.
public actor Connection {
  public nonisolated let settings: ConnectionSettings
  public nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  /// Flights sent and not answered, at most. Bounds libpq's buffers and what a lost link leaves in doubt.
  static let window = 256
  /// A cancel request that shows no effect for so long costs the link.
  static let cancelPatience: Duration = .seconds(5)

  enum Phase { case idle, connecting, ready }
  enum Waiting {
    case flight(Flight)
    case turn(Turn)
  }

  var phase = Phase.idle
  var link: Link?
  var interest: Reactor.Interest = []
  var prepared = PreparedStatements()
  var parameters = ParameterBuffer()

  /// Before all that waits: flights of the turn's holder, and flights that are sent again.
  var front = FIFO<Flight>()
  var waiting = FIFO<Waiting>()
  var inFlight = FIFO<Flight>()
  var holder: Turn?
  /// What the holder does outside pipeline mode.
  var solo: Solo?
  /// A cancel request is under way; nothing is sent meanwhile.
  var isCancelling = false
  /// Counts the links, so that what is late knows its own from the next.
  var epoch: UInt64 = 0
  var isClosed = false
  var closers: [CheckedContinuation<Void, Never>] = []

  var connecting = Connecting()

  /// Does not connect yet.
  public init(_ settings: ConnectionSettings, on reactor: Reactor) {
    self.settings = settings
    self.reactor = reactor
  }

  deinit {
    // The reactor must forget a descriptor before its number is used again.
    for link in [link, connecting.link].compactMap({ $0 }) {
      reactor.submit { [reactor] in link.unwatch(on: reactor) }
    }
  }

  /// Runs one statement in a transaction of its own.
  public nonisolated(nonsending) func run(_ statement: Statement) async throws(DatabaseError) -> Rows {
    try await fly([statement], turn: nil)[0]
  }

  public nonisolated(nonsending) func run(_ sql: String, _ values: Value...) async throws(DatabaseError) -> Rows {
    try await run(Statement(sql, values))
  }

  /// Runs all statements in one implicit transaction and one round trip: all or nothing.
  public nonisolated(nonsending) func batch(_ statements: [Statement]) async throws(DatabaseError) -> [Rows] {
    statements.isEmpty ? [] : try await fly(statements, turn: nil)
  }

  /// Lets what is in flight end, refuses what waits and ends the session. Later calls fail as unreachable.
  public func close() async {
    isClosed = true
    refuseAll(.unreachable(detail: "the connection was closed"))
    // Check and wait in one region: what ends in between would not be waited for any more, but wait for.
    await withCheckedContinuation { closer in
      closers.append(closer)
      finishClosing()
    }
  }

  // MARK: From callers to the loop

  /// Runs `body` on the loop: at once when the caller is there, which is the fast way.
  nonisolated func enter(_ body: @escaping @Sendable (isolated Connection) -> Void) {
    if reactor.isOnLoop { assumeIsolated(body) } else { later(body) }
  }

  nonisolated func later(_ body: @escaping @Sendable (isolated Connection) -> Void) {
    reactor.submit { self.assumeIsolated(body) }
  }

  /// Hands statements over and waits for their answers.
  nonisolated(nonsending) func fly(_ statements: [Statement], turn: Turn?) async throws(DatabaseError) -> [Rows] {
    let flight = Flight(.statements(statements), turn: turn)
    return try await withTaskCancellationHandler {
      await land(flight)
    } onCancel: {
      // Never at once: whoever cancels may be in the middle of a turn of this very loop.
      later { $0.cancel(flight) }
    }.get()
  }

  /// Not cancellable: a rollback must run although, and because, its task is cancelled.
  nonisolated(nonsending) func land(_ flight: Flight) async -> Result<[Rows], DatabaseError> {
    await withCheckedContinuation { waiter in
      flight.finished = { waiter.resume(returning: $0) }
      enter { $0.submit(flight) }
    }
  }
}
