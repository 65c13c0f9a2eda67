import CLibPQ
import Reactor

/// What a turn's holder does outside pipeline mode: a script or a COPY. It is resumed whenever the socket has something.
final class Solo: @unchecked Sendable {
  // @unchecked: as Flight.
  private var waiter: CheckedContinuation<Void, Never>?
  private var hasEvent = false
  private(set) var isBroken = false
  var cancelRequested = false

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
  nonisolated(nonsending) func acquire() async throws(DatabaseError) -> Turn {
    let slot = Lock((turn: Turn?.none, cancelled: false))
    let answer: Result<Turn, DatabaseError> = await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let turn = Turn { waiter.resume(returning: $0) }
        turn.cancelRequested = slot.with { s in
          s.turn = turn
          return s.cancelled
        }
        enter { $0.submit(turn) }
      }
    } onCancel: {
      let turn = slot.with { s in
        s.cancelled = true
        return s.turn
      }
      if let turn { later { $0.cancel(turn) } }
    }
    return try answer.get()
  }

  func submit(_ turn: Turn) {
    if turn.cancelRequested { return turn.refuse(.cancelled) }
    if isClosed { return turn.refuse(.unreachable(detail: "the connection was closed")) }
    waiting.append(.turn(turn))
    pump()
  }

  private func cancel(_ turn: Turn) {
    // Granted already: its owner sees the cancellation at its next statement.
    if !turn.isDone { turn.refuse(.cancelled) }
  }

  func release(_ turn: Turn) {
    precondition(holder === turn, "a turn was released twice")
    holder = nil
    pump()
    finishClosing()
  }

  /// Leaves pipeline mode and sends `sql` by the simple protocol. Nil when the link is gone.
  func beginSolo(_ sql: String, _ turn: Turn) -> (Link, Solo)? {
    guard !turn.isBroken, let link, phase == .ready else { return nil }
    precondition(holder === turn && inFlight.isEmpty && solo == nil, "the connection is not alone")
    guard PQexitPipelineMode(link.raw) == 1, PQsendQuery(link.raw, sql) == 1 else {
      lose()
      return nil
    }
    let solo = Solo()
    self.solo = solo
    flush(link)
    return solo.isBroken ? nil : (link, solo)
  }

  func endSolo(_ link: Link, _ solo: Solo) {
    guard self.solo === solo else { return }
    self.solo = nil
    guard !solo.isBroken, PQenterPipelineMode(link.raw) == 1 else { return lose() }
    pump()
  }

  /// The next result outside pipeline mode.
  func answer(_ link: Link, _ solo: Solo) async -> SoloAnswer {
    while !solo.isBroken {
      if PQisBusy(link.raw) == 0 { return PQgetResult(link.raw).map { .result(ResultHandle(adopting: $0)) } ?? .end }
      await withCheckedContinuation { solo.wait($0) }
    }
    return .broken
  }

  func cancelSolo(_ turn: Turn) {
    turn.cancelRequested = true
    guard holder === turn, let solo, !solo.cancelRequested, !isCancelling else { return }
    solo.cancelRequested = true
    requestCancel()
    giveUp { $0.solo !== solo }
  }
}
