import CLibPQ
import Reactor

// Sending and answering. All of it runs on the loop, and each entry does check, change of state and send in one
// synchronous region.

extension Connection {
  func submit(_ flight: Flight) {
    if flight.cancelRequested { return flight.finish(.failure(.cancelled)) }
    flight.submitted = .now
    if let turn = flight.turn {
      precondition(holder === turn, "a transaction was used after its end")
      if turn.isBroken { return flight.finish(.failure(.interrupted)) }
      front.append(flight)
    } else {
      if isClosed { return flight.finish(.failure(.unreachable(detail: "the connection was closed"))) }
      waiting.append(.flight(flight))
    }
    pump()
  }

  /// Sends whatever may be sent now.
  func pump() {
    guard phase == .ready else { return connect() }
    guard solo == nil, !isCancelling else { return }
    while phase == .ready, inFlight.count < Connection.window {
      if let flight = front.popFirst() {
        if !flight.isDone { send(flight) }
        continue
      }
      if holder != nil { return }
      switch waiting.first {
      case nil: return finishClosing()
      case .flight(let flight):
        _ = waiting.popFirst()
        if !flight.isDone { send(flight) }
      case .turn(let turn):
        // Alone means alone: nothing before it may still be sent again in the midst of its transaction.
        guard turn.isDone || inFlight.isEmpty else { return }
        _ = waiting.popFirst()
        if turn.isDone { continue }
        holder = turn
        turn.grant()
      }
    }
  }

  private func send(_ flight: Flight) {
    guard let link else { preconditionFailure("sending without a link") }
    var sent = true
    if let turn = flight.turn, let opening = turn.opening, !turn.hasBegun {
      turn.hasBegun = true
      sent = command(opening, on: link)
      flight.steps.append(.discard)
    }
    switch flight.content {
    case .statements(let statements):
      for statement in statements where sent { sent = send(statement, of: flight, on: link) }
    case .command(let sql):
      sent = sent && command(sql, on: link)
      flight.steps.append(.statement(nil))
    }
    sent = sent && PQpipelineSync(link.raw) == 1
    inFlight.append(flight)
    guard sent else { return lose() }
    flush(link)
  }

  private func command(_ sql: String, on link: Link) -> Bool {
    PQsendQueryParams(link.raw, sql, 0, nil, nil, nil, nil, 1) == 1
  }

  private func send(_ statement: Statement, of flight: Flight, on link: Link) -> Bool {
    let raw = link.raw
    parameters.encode(statement.values)
    let count = Int32(statement.values.count)
    var entry: PreparedStatements.Entry?
    if flight.isResent {
      // Under no name, so that it depends on nothing that others prepare or fail to.
      guard PQsendPrepare(raw, "", statement.sql, count, statement.values.map(\.type)) == 1 else { return false }
      flight.steps.append(.discard)
    } else {
      switch prepared.entry(for: statement) {
      case .known(let known): entry = known
      case .new(let new, let evicted):
        entry = new
        if let evicted {
          guard command("deallocate " + evicted, on: link) else { return false }
          flight.steps.append(.discard)
        }
        guard PQsendPrepare(raw, new.name, statement.sql, count, new.types) == 1 else { return false }
        flight.steps.append(.prepare(new))
      }
    }
    flight.steps.append(.statement(entry))
    let name = entry?.name ?? ""
    return parameters.withPointers { values, lengths, formats in
      PQsendQueryPrepared(raw, name, count, values, lengths, formats, 1) == 1
    }
  }

  /// Gives libpq's output to the socket, and asks for writability only while some is left.
  func flush(_ link: Link) {
    let left = PQflush(link.raw)
    if left < 0 || link.isBroken { return lose() }
    let reading: Reactor.Interest = solo?.isPaused == true ? [] : .read
    want(left == 1 ? [reading, .write] : reading, on: link)
  }

  private func want(_ wanted: Reactor.Interest, on link: Link) {
    if wanted == interest { return }
    interest = wanted
    link.rearm(on: reactor, wanted)
  }

  // MARK: Answers

  func ready(_ event: Reactor.Interest) {
    guard let link, phase == .ready else { return }
    let alive = PQconsumeInput(link.raw) == 1
    if let solo { solo.event() } else { drain(link) }
    // Dropping the link may have happened while answering.
    guard self.link === link else { return }
    if !alive || link.isBroken { return lose() }
    flush(link)
    if self.link === link { pump() }
  }

  private func drain(_ link: Link) {
    var ended = false
    while let flight = inFlight.first, PQisBusy(link.raw) == 0 {
      guard let raw = PQgetResult(link.raw) else {
        // The end of one statement's results. Twice in a row: libpq has nothing yet for what we wait for.
        if ended { return }
        ended = true
        flight.step += 1
        continue
      }
      ended = false
      let result = ResultHandle(adopting: raw)
      switch PQresultStatus(raw) {
      case PGRES_PIPELINE_SYNC:
        _ = inFlight.popFirst()
        settle(flight)
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
        if case .statement = flight.steps[flight.step] { flight.rows.append(Rows(result)) }
      case PGRES_PIPELINE_ABORTED:
        if case .prepare(let entry) = flight.steps[flight.step] { prepared.forget(entry) }
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        preconditionFailure("COPY goes through copyIn and copyOut")
      default:
        let failure = DatabaseError(result)
        if flight.failure == nil { flight.failure = failure }
        guard flight.step < flight.steps.count else { continue }
        switch flight.steps[flight.step] {
        case .prepare(let entry): prepared.forget(entry)
        case .statement(let entry?) where failure.isStaleStatement: prepared.forget(entry)
        case .statement, .discard: break
        }
      }
    }
  }

  private func settle(_ flight: Flight) {
    if let next = inFlight.first, next.cancelRequested { later { $0.cancel(next) } }
    guard let failure = flight.failure else { return flight.finish(.success(flight.rows)) }
    // Both answers mean that nothing of the flight took effect; inside a transaction that is for its owner to see.
    if case .rejected(let state, _) = failure, flight.turn == nil, !flight.isResent, !flight.cancelRequested {
      let hitByAccident = state == .queryCanceled && flight.exposed
      if hitByAccident || failure.isStaleStatement {
        flight.rewind()
        front.append(flight)
        return
      }
    }
    if flight.cancelRequested, case .rejected(.queryCanceled, _) = failure {
      return flight.finish(.failure(.cancelled))
    }
    flight.finish(.failure(failure))
  }

  // MARK: Cancelling

  func cancel(_ flight: Flight) {
    if flight.isDone { return }
    flight.cancelRequested = true
    if flight.submitted == nil { return }
    let isSent = inFlight.all.contains { $0 === flight }
    // Its place in the queue stays, and is passed over.
    if !isSent { return flight.finish(.failure(.cancelled)) }
    // The server works on the first; the request names a session, not a statement. The others' time comes in `settle`.
    guard inFlight.first === flight, !isCancelling else { return }
    for other in inFlight.all where other !== flight { other.exposed = true }
    requestCancel()
    giveUp { _ in flight.isDone }
  }

  /// Costs the link when nothing has come of a cancel request in time.
  func giveUp(unless isOver: @escaping @Sendable (isolated Connection) -> Bool) {
    let now = epoch
    reactor.schedule(at: .now + Connection.cancelPatience) { [weak self] in
      self?.assumeIsolated { if $0.epoch == now, !isOver($0) { $0.lose() } }
    }
  }

  /// Asks the server to cancel what this session runs. Until it has taken the request and raised the signal, nothing
  /// else is sent, which it might hit.
  func requestCancel() {
    final class Request: @unchecked Sendable {
      // Made for use from another thread (libpq's manual, PQcancel); only one uses it.
      let raw: OpaquePointer?
      init(_ raw: OpaquePointer?) { self.raw = raw }
      deinit { PQfreeCancel(raw) }
    }
    guard let link else { return }
    isCancelling = true
    let (request, now) = (Request(PQgetCancel(link.raw)), epoch)
    let started = runAside { [weak self] in
      var text = [CChar](repeating: 0, count: 256)
      // It connects and waits, so it has a thread of its own. That it failed is noticed when the patience runs out.
      _ = PQcancel(request.raw, &text, Int32(text.count))
      self?.later { if $0.epoch == now { $0.cancelArrived() } }
    }
    if !started { lose() }
  }

  private func cancelArrived() {
    isCancelling = false
    if solo == nil, let next = inFlight.first, next.cancelRequested { cancel(next) }
    pump()
  }
}

extension DatabaseError {
  /// The session does not know the statement, or its tables changed their shape since.
  var isStaleStatement: Bool {
    if case .rejected(let state, _) = self {
      return state == .undefinedPreparedStatement || state == .featureNotSupported
    }
    return false
  }

  /// From a failed result. What the server says is cut to what cannot quote a row.
  init(_ result: ResultHandle) {
    func field(_ code: Character) -> String? {
      PQresultErrorField(result.raw, Int32(code.asciiValue!)).map { String(cString: $0) }
    }
    // Without a state the result is libpq's own: the link broke.
    guard let code = field("C") else {
      self = .interrupted
      return
    }
    let state = SQLState(code)
    if state.endsTheLink && state != .queryCanceled {
      self = .interrupted
      return
    }
    var parts: [String] = []
    if state.messageIsSafe, let message = field("M") { parts.append(message) }
    for (code, word) in [("n", "constraint"), ("t", "table"), ("c", "column"), ("d", "type")] as [(Character, String)] {
      if let name = field(code) { parts.append(word + " " + name) }
    }
    if let position = field("P") { parts.append("at character " + position) }
    self = .rejected(state, detail: parts.joined(separator: ", "))
  }
}
