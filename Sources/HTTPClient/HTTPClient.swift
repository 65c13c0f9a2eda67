internal import CCurl
import Domain
import Glibc
import Reactor
import Synchronization

/// HTTP/1.1 over libcurl's multi interface, driven by a Reactor: many requests at once, connections kept open, one
/// thread.
///
/// Each request's bytes leave at most once, and every failure says whether they may have left (`HTTPFailure`). A small
/// POST on a kept-alive connection costs about 40 µs of CPU, a tenth of it ours, the rest libcurl's and the kernel's.
public final class HTTPClient: @unchecked Sendable {
  // @unchecked: `inFlightCount` is atomic; everything else is touched on the reactor's thread alone, which `send`,
  // `cancel` and `close` check, and in `deinit`, when nobody else is left.

  public let reactor: Reactor
  public let settings: HTTPClientSettings

  private let multi: UnsafeMutableRawPointer
  private var transfers: [Transfer] = []
  private var idle: [Int] = []
  private var isClosed = false
  private let inFlightCount = Atomic<Int>(0)

  /// What libcurl's timer callback asked for last.
  private var deadline: BootInstant?
  private var armed: (id: Reactor.TimerID, at: BootInstant)?
  private var isDraining = false

  /// > curl_global_init: must be called at least once within a program before the program calls any other function in
  /// > libcurl.
  ///
  /// With NOSIGNAL libcurl leaves SIGPIPE to us: writing to a closed connection is an error to handle, not a reason to
  /// die.
  private static let library: Void = {
    let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    precondition(code == CURLE_OK, "libcurl did not start: \(code.rawValue)")
    signal(SIGPIPE, SIG_IGN)
  }()

  public init(on reactor: Reactor, settings: HTTPClientSettings = .init()) {
    HTTPClient.library
    guard let multi = curl_multi_init() else { fatalError("no memory for an HTTP client") }
    (self.reactor, self.settings, self.multi) = (reactor, settings, multi)
    set(ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maxConnections))
    let context = Unmanaged.passUnretained(self).toOpaque()
    set(
      ccurl_multi_set_socket(
        multi,
        { _, socket, what, context, _ in
          HTTPClient.of(context).socketChanged(socket, what)
          return 0
        }, context))
    set(
      ccurl_multi_set_timer(
        multi,
        { _, milliseconds, context in
          HTTPClient.of(context).timerChanged(milliseconds)
          return 0
        }, context))
  }

  deinit { if !isClosed { freeHandles() } }

  /// Closes the idle connections too. The reactor watches none of them, so any thread may do it.
  private func freeHandles() {
    set(ccurl_multi_set_socket(multi, nil, nil))
    set(ccurl_multi_set_timer(multi, nil, nil))
    transfers = []
    set(curl_multi_cleanup(multi))
  }

  /// Requests begun and not ended. From any thread.
  public var inFlight: Int { inFlightCount.load(ordering: .relaxed) }

  // MARK: Sending

  /// Begins a request on the reactor's thread; on a warm connection its bytes leave before this returns.
  ///
  /// `completion` is called exactly once, on the reactor's thread, never before this returns.
  @discardableResult
  public func send(
    _ request: HTTPRequest, _ completion: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
  ) -> HTTPTransferID? {
    reactor.preconditionOnLoop()
    if isClosed { return refuse(.neverWritten(reason: "closed"), completion) }
    let slot: Int
    if let free = idle.popLast() {
      slot = free
    } else {
      guard transfers.count < settings.maxConnections else { return refuse(.neverWritten(reason: "busy"), completion) }
      slot = transfers.count
      transfers.append(Transfer(slot: slot, settings: settings))
    }
    let transfer = transfers[slot]
    if let failure = transfer.begin(request, self, completion) {
      idle.append(slot)
      return refuse(failure, completion)
    }
    inFlightCount.add(1, ordering: .relaxed)
    set(curl_multi_add_handle(multi, transfer.easy))
    // Adding asks for a timer of 0 ms; driving it here instead writes at once.
    let running = drive(CURL_SOCKET_TIMEOUT, 0)
    // Something ended already, this one or another: told from a turn of its own.
    if running < inFlight, !isDraining { reactor.schedule(at: .now) { [self] in drain() } }
    return HTTPTransferID(slot: slot, generation: transfer.generation)
  }

  /// Sends from anywhere. Cancelling the task ends the request.
  public func send(_ request: HTTPRequest) async -> Result<HTTPAnswer, HTTPFailure> {
    /// Touched on the reactor's thread alone.
    final class Ticket: @unchecked Sendable {
      var id: HTTPTransferID?
      var isCancelled = false
    }
    let ticket = Ticket()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        reactor.submit { [self] in
          // The cancellation may have overtaken us.
          if ticket.isCancelled { return continuation.resume(returning: .failure(.neverWritten(reason: "cancelled"))) }
          ticket.id = send(request) { continuation.resume(returning: $0) }
        }
      }
    } onCancel: {
      reactor.submit { [self] in
        ticket.isCancelled = true
        if let id = ticket.id { cancel(id) }
      }
    }
  }

  /// Ends a request under way; without effect when it has ended. Its connection is closed. (loop)
  public func cancel(_ id: HTTPTransferID) {
    reactor.preconditionOnLoop()
    guard !isClosed, transfers[id.slot].generation == id.generation, !transfers[id.slot].isIdle else { return }
    finish(transfers[id.slot], nil)
  }

  /// Cancels what is under way and closes all connections; later requests end as `neverWritten("closed")`. From
  /// anywhere.
  public func close() {
    guard reactor.isOnLoop else { return reactor.submit { [self] in close() } }
    guard !isClosed else { return }
    // First, so that a completion finds it closed: it may neither send nor cancel from here on.
    isClosed = true
    for transfer in transfers where !transfer.isIdle { finish(transfer, nil) }
    if let armed { reactor.cancel(armed.id) }
    (armed, deadline) = (nil, nil)
    freeHandles()
  }

  private func refuse(
    _ failure: HTTPFailure, _ completion: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
  ) -> HTTPTransferID? {
    reactor.schedule(at: .now) { completion(.failure(failure)) }
    return nil
  }

  // MARK: Driving

  /// Lets libcurl act and returns how many transfers it still runs.
  @discardableResult
  private func drive(_ socket: curl_socket_t, _ events: Int32) -> Int {
    if socket == CURL_SOCKET_TIMEOUT { deadline = nil }
    var running: Int32 = 0
    set(curl_multi_socket_action(multi, socket, events, &running))
    arm()
    return Int(running)
  }

  /// Ends what libcurl has finished with. A completion may send again: the loop sees that too.
  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    defer { isDraining = false }
    var left: Int32 = 0
    // A completion may close the client, which frees `multi`.
    while !isClosed, let message = curl_multi_info_read(multi, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
      // > The data the returned pointer points to will not survive calling curl_multi_remove_handle.
      let code = message.pointee.data.result
      var context: UnsafeMutableRawPointer?
      let found = ccurl_get_private(easy, &context)
      precondition(found == CURLE_OK, "a transfer lost its owner: \(found.rawValue)")
      finish(Transfer.of(context), code)
    }
  }

  private func finish(_ transfer: Transfer, _ code: CURLcode?) {
    set(curl_multi_remove_handle(multi, transfer.easy))
    inFlightCount.subtract(1, ordering: .relaxed)
    let (completion, result) = transfer.end(code)
    idle.append(transfer.slot)
    completion(result)
  }

  private func set(_ code: CURLMcode) {
    precondition(code == CURLM_OK, "libcurl's multi interface: \(code.rawValue)")
  }

  // MARK: Callbacks of libcurl. They note and watch; they never call libcurl.

  private static func of(_ context: UnsafeMutableRawPointer?) -> HTTPClient {
    Unmanaged<HTTPClient>.fromOpaque(context!).takeUnretainedValue()
  }

  /// libcurl says REMOVE before it closes a socket, so the number is never watched for two connections.
  private func socketChanged(_ socket: curl_socket_t, _ what: Int32) {
    var interest: Reactor.Interest = []
    if what == CURL_POLL_IN || what == CURL_POLL_INOUT { interest.insert(.read) }
    if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { interest.insert(.write) }
    if interest.isEmpty { return reactor.unwatch(socket) }
    reactor.watch(socket, interest) { [self] ready in
      var events: Int32 = 0
      if !ready.isDisjoint(with: [.read, .hangUp]) { events |= CURL_CSELECT_IN }
      if ready.contains(.write) { events |= CURL_CSELECT_OUT }
      if ready.contains(.error) { events |= CURL_CSELECT_ERR }
      drive(socket, events)
      drain()
    }
  }

  /// > CURLMOPT_TIMERFUNCTION: a timeout_ms value of -1 passed to this callback means you should delete the timer.
  private func timerChanged(_ milliseconds: Int) {
    deadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
  }

  // MARK: The timer

  /// Keeps an earlier timer in place: firing early only looks again, and most deadlines are overtaken by answers.
  private func arm() {
    guard let deadline else { return }
    if let armed {
      if armed.at <= deadline { return }
      reactor.cancel(armed.id)
    }
    // Weak: a timer long overtaken does not keep a client that nobody uses. Requests under way keep it.
    armed = (reactor.schedule(at: deadline) { [weak self] in self?.timerFired() }, deadline)
  }

  private func timerFired() {
    armed = nil
    guard let deadline else { return }
    if deadline > .now { return arm() }
    drive(CURL_SOCKET_TIMEOUT, 0)
    drain()
  }
}
