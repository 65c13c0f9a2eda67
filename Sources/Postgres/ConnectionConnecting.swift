import CLibPQ
import Domain
import Reactor

/// What the way to a session needs to remember.
struct Connecting {
  var candidates: [Candidate]?
  var candidate = 0
  /// Distinguishes this attempt from one whose callback is late.
  var attempt: UInt64 = 0
  var link: Link?
  /// Failed rounds over all hosts, and the end of the last.
  var failures = 0
  var failed = BootInstant(nanoseconds: 0)
  var reason = Connecting.silence
  static let silence = "no answer in time"
  /// Waiting time counts from here, not from before the link was lost.
  var since = BootInstant(nanoseconds: 0)
  var attemptTimer: Reactor.TimerID?
  var expiryTimer: Reactor.TimerID?
  var pauseTimer: Reactor.TimerID?
}

extension Connection {
  /// Starts a round over the hosts when something waits for a session and none is being made.
  func connect() {
    guard phase == .idle, !front.isEmpty || !waiting.isEmpty else { return }
    if connecting.candidates == nil { connecting.candidates = settings.candidates() }
    guard connecting.candidates != nil else {
      return refuseAll(.unreachable(detail: "the connection string is malformed"))
    }
    phase = .connecting
    connecting.candidate = 0
    scheduleExpiry()
    let earliest = connecting.failed + Connection.pause(after: connecting.failures)
    if earliest <= .now { return attempt() }
    connecting.pauseTimer = reactor.schedule(at: earliest) { [weak self] in
      self?.assumeIsolated { $0.attempt() }
    }
  }

  /// 50 ms, doubling up to 2 s, counted from the last failure.
  private static func pause(after failures: Int) -> Duration {
    failures == 0 ? .zero : .milliseconds(min(2000, 25 << min(failures, 10)))
  }

  private func attempt() {
    guard phase == .connecting, let candidates = connecting.candidates else { return }
    connecting.attempt += 1
    let (number, candidate) = (connecting.attempt, candidates[connecting.candidate])
    let limit = candidates.count == 1 ? settings.connectTimeout : min(settings.connectTimeout, .seconds(3))
    connecting.attemptTimer = reactor.schedule(at: .now + limit) { [weak self] in
      self?.assumeIsolated { $0.attemptFailed(Connecting.silence) }
    }
    guard candidate.resolves else { return started(Link(starting: candidate), number) }
    let began = runAside { [weak self] in
      let link = Link(starting: candidate)
      self?.later { $0.started(link, number) }
    }
    if !began { attemptFailed("no thread to resolve the host's name") }
  }

  private func started(_ link: Link?, _ number: UInt64) {
    // Too late: the link ends here, unseen.
    guard phase == .connecting, connecting.attempt == number, connecting.link == nil else { return }
    guard let link else { return attemptFailed("out of memory") }
    if link.isBroken { return attemptFailed(link.reason) }
    connecting.link = link
    // As if the last poll had asked for writability (libpq's manual, PQconnectStart).
    watch(link, .write)
  }

  private func watch(_ link: Link, _ interest: Reactor.Interest) {
    link.watch(on: reactor, interest) { [weak self] _ in self?.assumeIsolated { $0.poll() } }
  }

  private func poll() {
    guard phase == .connecting, let link = connecting.link else { return }
    // libpq may close this descriptor and open another under the same number.
    link.unwatch(on: reactor)
    switch PQconnectPoll(link.raw) {
    case PGRES_POLLING_READING: watch(link, .read)
    case PGRES_POLLING_WRITING: watch(link, .write)
    case PGRES_POLLING_OK: connected(link)
    default: attemptFailed(link.reason)
    }
  }

  private func connected(_ link: Link) {
    guard PQsetnonblocking(link.raw, 1) == 0, PQenterPipelineMode(link.raw) == 1 else {
      return attemptFailed("libpq refused the pipeline mode")
    }
    stopTimers()
    connecting.link = nil
    connecting.failures = 0
    self.link = link
    phase = .ready
    prepared = PreparedStatements()
    interest = .read
    link.watch(on: reactor, .read) { [weak self] event in self?.assumeIsolated { $0.ready(event) } }
    pump()
  }

  private func attemptFailed(_ reason: String) {
    guard phase == .connecting else { return }
    stopTimers()
    connecting.link?.unwatch(on: reactor)
    connecting.link = nil
    connecting.attempt += 1
    connecting.reason = reason
    connecting.candidate += 1
    if connecting.candidate < connecting.candidates?.count ?? 0 {
      scheduleExpiry()
      return attempt()
    }
    connecting.failures += 1
    connecting.failed = .now
    phase = .idle
    if Connection.isFinal(reason) { refuseAll(.unreachable(detail: reason)) } else { expire() }
    connect()
  }

  /// Waiting would not help. The server's words depend on its language; in another one the time limit decides.
  private static func isFinal(_ reason: String) -> Bool {
    let signs = [
      "authentication failed", "no pg_hba.conf entry", "no password supplied", "is not permitted to log in",
      "permission denied for database",
    ]
    return signs.contains { reason.contains($0) }
      || reason.contains("does not exist") && (reason.contains("database \"") || reason.contains("role \""))
  }

  // MARK: Waiting no longer than promised

  private func deadline(_ submitted: BootInstant?) -> BootInstant {
    max(submitted ?? connecting.since, connecting.since) + settings.connectTimeout
  }

  private func scheduleExpiry() {
    if let timer = connecting.expiryTimer { reactor.cancel(timer) }
    var first: BootInstant?
    for flight in front.all where !flight.isDone {
      first = min(first ?? deadline(flight.submitted), deadline(flight.submitted))
    }
    for item in waiting.all {
      let submitted: BootInstant? =
        switch item {
        case .flight(let flight): flight.submitted
        case .turn(let turn): turn.submitted
        }
      first = min(first ?? deadline(submitted), deadline(submitted))
    }
    connecting.expiryTimer = first.map { deadline in
      reactor.schedule(at: deadline) { [weak self] in
        self?.assumeIsolated { connection in
          connection.expire()
          if connection.phase == .connecting { connection.scheduleExpiry() }
        }
      }
    }
  }

  private func expire() {
    let now = BootInstant.now
    refuseAll(.unreachable(detail: connecting.reason)) { self.deadline($0) <= now }
  }

  /// Fails all that waits for a session and was submitted at such a time.
  func refuseAll(_ failure: DatabaseError, _ isMeant: (BootInstant?) -> Bool = { _ in true }) {
    for flight in front.all where !flight.isDone && flight.turn == nil && isMeant(flight.submitted) {
      flight.finish(.failure(failure))
    }
    for item in waiting.all {
      switch item {
      case .flight(let flight): if !flight.isDone, isMeant(flight.submitted) { flight.finish(.failure(failure)) }
      case .turn(let turn): if !turn.isDone, isMeant(turn.submitted) { turn.refuse(failure) }
      }
    }
    front.removeAll { $0.isDone }
    waiting.removeAll {
      switch $0 {
      case .flight(let flight): flight.isDone
      case .turn(let turn): turn.isDone
      }
    }
  }

  private func stopTimers() {
    for timer in [connecting.attemptTimer, connecting.expiryTimer, connecting.pauseTimer] {
      if let timer { reactor.cancel(timer) }
    }
    (connecting.attemptTimer, connecting.expiryTimer, connecting.pauseTimer) = (nil, nil, nil)
  }

  // MARK: Losing it

  /// Ends the link: what is in flight is in doubt, what waits waits for the next one.
  func lose() {
    let doubtful = inFlight.all
    drop()
    for flight in doubtful { flight.finish(.failure(.interrupted)) }
    let own = front.all.filter { $0.turn != nil && !$0.isDone }
    front.removeAll { $0.turn != nil }
    for flight in own { flight.finish(.failure(.interrupted)) }
    connect()
    finishClosing()
  }

  /// Ends the link without a word to those in flight.
  func drop() {
    stopTimers()
    link?.unwatch(on: reactor)
    connecting.link?.unwatch(on: reactor)
    link = nil
    connecting.link = nil
    connecting.attempt += 1
    connecting.since = .now
    phase = .idle
    isCancelling = false
    epoch += 1
    inFlight = FIFO()
    holder?.isBroken = true
    solo?.broke()
    solo = nil
  }

  func finishClosing() {
    guard isClosed, !closers.isEmpty, inFlight.isEmpty, holder == nil else { return }
    drop()
    let resumed = closers
    closers = []
    for closer in resumed { closer.resume() }
  }
}
