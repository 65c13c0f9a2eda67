import CLibPQ
import Reactor

/// What a turn's holder does outside pipeline mode: a script or a COPY. It is resumed whenever the socket has
/// something.
final class Solo: @unchecked Sendable {
  // @unchecked: as Flight.
  private var waiter: CheckedContinuation<Void, Never>?
  private var hasEvent = false
  private(set) var isBroken = false
  var cancelRequested = false
  /// Nobody takes what the server sends, so it is left in the socket.
  var isPaused = false

  /// An event that nobody waited for is kept: between a look at libpq and the wait others may run.
  func wait(_ waiter: CheckedContinuation<Void, Never>) {
    precondition(self.waiter == nil, "two wait for one event")
    if isBroken || hasEvent {
      hasEvent = false
      waiter.resume()
    } else {
      self.waiter = waiter
    }
  }

  func event() {
    if let waiter = waiter.take() { waiter.resume() } else { hasEvent = true }
  }

  func broke() {
    isBroken = true
    event()
  }
}

extension Connection {
  enum SoloAnswer {
    case result(ResultHandle)
    case end
    case broken
  }

  /// Waits in line for the connection to itself. Whoever gets a turn must `release` it.
  nonisolated(nonsending) func acquire(opening: String? = nil) async throws(DatabaseError) -> Turn {
    let turn = Turn(opening: opening)
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: CheckedContinuation<Result<Turn, DatabaseError>, Never>) in
        turn.answered = { waiter.resume(returning: $0) }
        enter { $0.submit(turn) }
      }
    } onCancel: {
      later { $0.cancel(turn) }
    }.get()
  }

  func submit(_ turn: Turn) {
    if turn.cancelRequested { return turn.refuse(.cancelled) }
    if isClosed { return turn.refuse(.unreachable(detail: "the connection was closed")) }
    turn.submitted = .now
    waiting.append(.turn(turn))
    pump()
  }

  private func cancel(_ turn: Turn) {
    turn.cancelRequested = true
    // Granted already: its owner sees the cancellation at its next statement.
    if turn.submitted != nil, !turn.isDone { turn.refuse(.cancelled) }
  }

  func release(_ turn: Turn) {
    precondition(holder === turn, "a turn was released twice")
    holder = nil
    pump()
    finishClosing()
  }

  /// Leaves pipeline mode and sends `sql` by the simple protocol.
  func beginSolo(_ sql: String, _ turn: Turn) throws(DatabaseError) -> (Link, Solo) {
    if turn.cancelRequested { throw .cancelled }
    precondition(holder === turn, "a transaction was used after its end")
    guard !turn.isBroken, let link, phase == .ready else { throw .interrupted }
    precondition(inFlight.isEmpty && solo == nil, "a transaction's COPY must be awaited before its next statement")
    guard PQexitPipelineMode(link.raw) == 1, PQsendQuery(link.raw, sql) == 1 else {
      lose()
      throw .interrupted
    }
    let solo = Solo()
    self.solo = solo
    flush(link)
    return (link, solo)
  }

  func endSolo(_ link: Link, _ solo: Solo) {
    guard self.solo === solo else { return }
    self.solo = nil
    guard !solo.isBroken, PQenterPipelineMode(link.raw) == 1 else { return lose() }
    pump()
  }

  /// Reads the results to their end and goes back to pipeline mode. How many rows were affected by the last.
  func finishSolo(_ link: Link, _ solo: Solo) async throws(DatabaseError) -> Int {
    pause(link, solo, false)
    var failure: DatabaseError?
    var affected = 0
    while true {
      switch await answer(link, solo) {
      case .broken: throw .interrupted
      case .result(let result):
        switch PQresultStatus(result.raw) {
        case PGRES_FATAL_ERROR: failure = failure ?? DatabaseError(result)
        // Only a script gets here with a COPY of its own. libpq would hand out this result for ever.
        case PGRES_COPY_IN: _ = PQputCopyEnd(link.raw, "a script has no data for COPY")
        case PGRES_COPY_OUT, PGRES_COPY_BOTH:
          lose()
          throw .rejected(.featureNotSupported, detail: "a script cannot copy to the client")
        default: affected = Rows.affected(result.raw)
        }
      case .end:
        endSolo(link, solo)
        guard let failure else { return affected }
        if case .rejected(.queryCanceled, _) = failure, solo.cancelRequested { throw .cancelled }
        throw failure
      }
    }
  }

  /// The next result outside pipeline mode.
  func answer(_ link: Link, _ solo: Solo) async -> SoloAnswer {
    while !solo.isBroken {
      if PQisBusy(link.raw) == 0 { return PQgetResult(link.raw).map { .result(ResultHandle(adopting: $0)) } ?? .end }
      await withCheckedContinuation { solo.wait($0) }
    }
    return .broken
  }

  /// While paused, what the server sends stays in the socket: nobody is there to take it.
  func pause(_ link: Link, _ solo: Solo, _ isPaused: Bool) {
    guard !solo.isBroken, self.solo === solo else { return }
    solo.isPaused = isPaused
    flush(link)
  }

  func cancelSolo(_ turn: Turn) {
    turn.cancelRequested = true
    guard holder === turn, let solo, !solo.cancelRequested, !isCancelling else { return }
    solo.cancelRequested = true
    requestCancel()
    giveUp { $0.solo !== solo }
  }
}
