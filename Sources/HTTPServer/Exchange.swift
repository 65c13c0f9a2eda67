import CMicroHTTPD
import Glibc
import Reactor

/// One request and its answer, between MHD's callbacks on one side and the handler's task on the other.
///
/// MHD asks (`access`, `fill`) and is told to wait by suspending its connection; the handler's calls resume it. Suspended
/// connections are out of MHD's epoll set: that is the back-pressure, and it is why `watchForHangUp` exists.
final class Exchange: @unchecked Sendable {
  // @unchecked: `head`, `ordinal` and `peer` never change; the rest is touched on the reactor's thread only. The public
  // types above come from anywhere: they hop with `submit` when they are not there.

  /// atHead → reading → whole → replying → over; each may end in over, and closing is entered from the first three.
  enum Stage {
    /// A body is announced and nobody asked for it: not read, not even `100 Continue` is sent.
    case atHead
    case reading
    /// The request is complete; the answer is awaited.
    case whole
    case replying
    /// Answered past MHD: what still arrives is read and forgotten for a while, because closing a socket with unread
    /// bytes makes the kernel send a reset, which can destroy the answer before the peer reads it.
    case closing
    case over
  }

  static let highWater = 256 * 1024
  /// A declared body up to this size is read whole before the handler starts: one suspension less per small request.
  static let smallBody = 64 * 1024
  static let forgottenBytes = 1 << 20
  static let closingTime: Duration = .seconds(2)

  let head: Head
  let ordinal: Int
  let peer: String
  let server: HTTPServer
  let link: Link
  private(set) var stage: Stage
  private var connection: OpaquePointer?
  private var isSuspended = false
  private var isWatched = false
  private var task: Task<Void, Never>?

  // The request's body.
  private var limit: Int
  private var inbox: [UInt8] = []
  private var received = 0
  private var forgotten = 0
  private var failure: HTTPBodyError?
  private typealias Reader = UnsafeContinuation<Result<[UInt8]?, HTTPBodyError>, Never>
  private var reader: Reader?

  // The answer.
  private var response: HTTPResponse?
  private var outbox: [UInt8] = []
  private var taken = 0
  private enum Ending { case open, finished, failed }
  private var ending = Ending.open
  private var writers: [UnsafeContinuation<Bool, Never>] = []

  // Deadlines.
  private var lastProgress: BootInstant
  private var waitedForPeer: Duration = .zero
  private var lastTick: BootInstant

  init(_ server: HTTPServer, _ link: Link, _ connection: OpaquePointer, _ head: Head) {
    self.server = server
    self.link = link
    self.connection = connection
    self.head = head
    ordinal = link.requests
    peer = link.peer
    limit = server.settings.maxBodyBytes
    let now = BootInstant.now
    (lastProgress, lastTick) = (now, now)
    switch head.framing {
    case .none: stage = .reading
    case .length(let length) where length <= min(Exchange.smallBody, limit):
      stage = .reading
      inbox.reserveCapacity(length)
    case .length, .chunked: stage = .atHead
    }
  }

  private var reactor: Reactor { server.reactor }
  var isStreaming: Bool { if case .stream = response?.body { stage == .replying } else { false } }
  private var isDead: Bool { stage == .over || connection == nil }

  // MARK: MHD asks

  /// MHD's access handler, after the first call made this object. False closes the connection.
  func access(_ data: UnsafePointer<CChar>?, _ size: UnsafeMutablePointer<Int>) -> Bool {
    if let data, size.pointee > 0 { return take(data, size) }
    switch stage {
    case .atHead:
      startHandler()
      guard stage == .atHead else { return true }
      if reader != nil {
        stage = .reading
        return true
      }
      suspend()
      return true
    case .reading:
      stage = .whole
      lastProgress = .now
      if let reader {
        self.reader = nil
        reader.resume(returning: .success(inbox.isEmpty ? nil : takeInbox()))
      }
      startHandler()
      return answerOrWait()
    case .whole: return answerOrWait()
    case .closing, .over, .replying: return false
    }
  }

  private func take(_ data: UnsafePointer<CChar>, _ size: UnsafeMutablePointer<Int>) -> Bool {
    let count = size.pointee
    size.pointee = 0
    lastProgress = .now
    guard stage == .reading, failure == nil, response == nil else {
      forgotten += count
      guard !link.isShut, stage != .over, forgotten <= Exchange.forgottenBytes else { return false }
      // The body failed and the handler has not said yet what to answer.
      if stage == .reading, response == nil { suspend() }
      return true
    }
    received += count
    guard received <= limit else {
      fail(.tooLarge(limit: limit))
      return true
    }
    inbox += UnsafeRawBufferPointer(start: data, count: count)
    if let reader {
      self.reader = nil
      reader.resume(returning: .success(takeInbox()))
    } else if task != nil, inbox.count >= Exchange.smallBody {
      suspend()
    }
    return true
  }

  private func answerOrWait() -> Bool {
    guard response != nil else {
      suspend()
      return true
    }
    return queueAnswer()
  }

  private func queueAnswer() -> Bool {
    guard let connection, let response else { return false }
    let raw: OpaquePointer?
    switch response.body {
    case .abort:
      link.shut()
      return false
    case .bytes(let bytes):
      raw = bytes.withUnsafeBytes { cmhd_bytes($0.baseAddress, $0.count) }
    case .stream:
      raw = cmhd_stream(
        32 * 1024,
        { exchange, _, buffer, count in
          Unmanaged<Exchange>.fromOpaque(exchange!).takeUnretainedValue().fill(buffer!, count)
        }, Unmanaged.passRetained(self).toOpaque(),
        { exchange in Unmanaged<Exchange>.fromOpaque(exchange!).release() })
    }
    guard let raw else { return false }
    // MHD_queue_response takes its own reference: ours is always dropped.
    defer { MHD_destroy_response(raw) }
    for (name, value) in response.headers {
      // MHD refuses names and values with line ends and the like. Part of a header is worse than none of the answer.
      guard cmhd_add_header(raw, name, value) == 1 else { return false }
    }
    if server.isDraining { _ = cmhd_add_header(raw, "Connection", "close") }
    stage = .replying
    lastProgress = .now
    return cmhd_queue(connection, UInt32(response.status), raw) == 1
  }

  /// MHD's content reader: copies what waits, or suspends.
  private func fill(_ buffer: UnsafeMutablePointer<CChar>, _ space: Int) -> Int {
    let count = min(outbox.count - taken, space)
    if count > 0 {
      outbox.withUnsafeBytes { UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress! + taken, byteCount: count) }
      taken += count
      lastProgress = .now
      if taken == outbox.count {
        outbox.removeAll(keepingCapacity: outbox.count <= 2 * Exchange.highWater)
        taken = 0
      }
      if outbox.count - taken <= Exchange.highWater / 2 { wakeWriters(true) }
      return count
    }
    switch ending {
    case .finished: return cmhd_end_of_stream()
    case .failed: return cmhd_end_with_error()
    case .open:
      suspend()
      return 0
    }
  }

  /// MHD is done with this request, well or not; `connection` must not be used again.
  func completed(well: Bool) {
    stopWatching()
    connection = nil
    stage = .over
    if !well { task?.cancel() }
    if let reader {
      self.reader = nil
      reader.resume(returning: .failure(.disconnected))
    }
    wakeWriters(false)
    inbox = []
    outbox = []
    taken = 0
  }

  // MARK: The handler asks

  func allow(_ limit: Int) {
    onLoop { $0.limit = limit }
  }

  func nextChunk() async -> Result<[UInt8]?, HTTPBodyError> {
    if reactor.isOnLoop, let ready = readyChunk() { return ready }
    return await withUnsafeContinuation { reader in onLoop { $0.wait(reader) } }
  }

  private func readyChunk() -> Result<[UInt8]?, HTTPBodyError>? {
    if let failure { return .failure(failure) }
    if case .length(let length) = head.framing, length > limit { return .failure(.tooLarge(limit: limit)) }
    if !inbox.isEmpty { return .success(takeInbox()) }
    switch stage {
    case .whole, .replying: return .success(nil)
    case .closing, .over: return .failure(.disconnected)
    case .atHead, .reading: return nil
    }
  }

  private func wait(_ reader: Reader) {
    if let ready = readyChunk() { return reader.resume(returning: ready) }
    precondition(self.reader == nil, "two tasks read one request body")
    self.reader = reader
    resume()
  }

  private func takeInbox() -> [UInt8] {
    defer {
      inbox = []
      if stage == .reading { resume() }
    }
    return inbox
  }

  func write(_ bytes: [UInt8]) async throws {
    var isAppended = false
    if reactor.isOnLoop {
      if append(bytes) { return }
      if isDead || ending != .open { throw HTTPDisconnected() }
      isAppended = true
    }
    // Between here and the continuation's body the task may be queued once more, although it stays on its thread: whatever
    // was true above may have changed, so the body looks again.
    let wasAppended = isAppended
    let isOpen = await withUnsafeContinuation { (writer: UnsafeContinuation<Bool, Never>) in
      onLoop { exchange in
        let hasRoom = wasAppended ? exchange.outbox.count - exchange.taken <= Exchange.highWater : exchange.append(bytes)
        if exchange.isDead || exchange.ending != .open { return writer.resume(returning: false) }
        if hasRoom { return writer.resume(returning: true) }
        exchange.writers.append(writer)
      }
    }
    if !isOpen || Task.isCancelled { throw HTTPDisconnected() }
  }

  /// True when there is room for more at once.
  private func append(_ bytes: [UInt8]) -> Bool {
    guard !isDead, ending == .open else { return false }
    outbox += bytes
    if stage == .replying { resume() }
    return outbox.count - taken <= Exchange.highWater
  }

  private func wakeWriters(_ isOpen: Bool) {
    guard !writers.isEmpty else { return }
    let waking = writers
    writers = []
    for writer in waking { writer.resume(returning: isOpen) }
  }

  private func onLoop(_ body: @escaping @Sendable (Exchange) -> Void) {
    if reactor.isOnLoop { body(self) } else { reactor.submit { [self] in body(self) } }
  }

  // MARK: The handler's task

  /// The task starts inside this call: a handler that never suspends has its answer ready when it returns, and MHD's
  /// connection is never suspended for it.
  private func startHandler() {
    guard task == nil else { return }
    let handler = server.handler
    let request = HTTPServerRequest(self)
    task = Task.immediate(executorPreference: reactor.tasks) { [self] in
      let response = await handler(request)
      onLoop { $0.respond(response) }
      guard case .stream(let produce) = response.body else { return }
      do {
        try await produce(HTTPBodyWriter(self))
        onLoop { $0.end(.finished) }
      } catch {
        // The error reaches the peer as a cut connection; a stream that ends with the server is cancelled to end well.
        let endsWell = response.endsWithServer
        onLoop { $0.end(endsWell && $0.server.isDraining ? .finished : .failed) }
      }
    }
  }

  private func end(_ ending: Ending) {
    guard !isDead else { return }
    self.ending = ending
    resume()
  }

  private func respond(_ response: HTTPResponse) {
    guard !isDead, self.response == nil else { return }
    self.response = response
    switch stage {
    case .atHead, .reading: answerBeforeTheEnd(response)
    case .whole: resume()
    case .replying, .closing, .over: break
    }
  }

  /// An answer while the peer may still be sending. MHD takes no answer between head and end, so it goes past MHD.
  private func answerBeforeTheEnd(_ response: HTTPResponse) {
    switch response.body {
    case .abort:
      stage = .closing
      link.shut()
    case .bytes(let bytes) where bytes.count <= Link.directAnswerBytes:
      link.answerDirectly(response)
      stage = .closing
    case .bytes, .stream:
      // Too long to be sent past MHD: the rest of the body is read and forgotten first, within its deadlines.
      stage = .reading
    }
    lastProgress = .now
    resume()
  }

  /// Refuses a head: `access` is then called for what MHD thinks is the body.
  func refuse(_ refusal: Refusal) {
    link.answerDirectly(refusal.response)
    stage = .closing
  }

  private func fail(_ error: HTTPBodyError) {
    failure = error
    inbox = []
    if let reader {
      self.reader = nil
      reader.resume(returning: .failure(error))
    } else if task == nil {
      answerBeforeTheEnd(HTTPResponse(error))
    }
  }

  // MARK: Suspending

  private func suspend() {
    guard let connection, !isSuspended else { return }
    isSuspended = true
    MHD_suspend_connection(connection)
  }

  private func resume() {
    guard let connection, isSuspended else { return }
    stopWatching()
    isSuspended = false
    MHD_resume_connection(connection)
    server.runSoon()
  }

  /// A suspended connection is in nobody's epoll set, and one that waits for room to write learns of a reset only. When
  /// nothing moved for a tick, ours looks for the peer's end, once the whole request is here: before that a half-closed
  /// socket may still hold the rest of the body. A peer that half-closes and still wants its answer is taken for gone.
  private func watchForHangUp(_ now: BootInstant) {
    guard !isWatched, now - lastProgress >= server.settings.tick else { return }
    isWatched = true
    let readHangUp = Reactor.Interest(rawValue: 0x2000)
    reactor.watch(link.socket, readHangUp) { [unowned self] _ in
      stopWatching()
      disconnect()
    }
  }

  private func stopWatching() {
    guard isWatched else { return }
    isWatched = false
    reactor.unwatch(link.socket)
  }

  /// The peer left, or we give it up: the handler's task is cancelled and its calls throw.
  func disconnect() {
    guard !isDead else { return }
    link.shut()
    ending = .failed
    failure = failure ?? .disconnected
    task?.cancel()
    if let reader {
      self.reader = nil
      reader.resume(returning: .failure(.disconnected))
    }
    wakeWriters(false)
    stage = .over
    resume()
  }

  /// A graceful shutdown: answers that never end are ended.
  func drain() {
    if response?.endsWithServer == true {
      task?.cancel()
      wakeWriters(false)
    }
  }

  // MARK: Deadlines

  func tick(_ now: BootInstant) {
    let settings = server.settings
    let sinceTick = now - lastTick
    lastTick = now
    switch stage {
    case .atHead: watchForRequestTime(now)
    case .reading:
      // Time during which the handler does not ask is not the peer's.
      guard !isSuspended else { return watchForRequestTime(now) }
      waitedForPeer += sinceTick
      let allowed = settings.bodyIdleTimeout + .nanoseconds(Int64(received) * 1_000_000_000 / Int64(settings.minBodyRate))
      if failure == nil, now - lastProgress > settings.bodyIdleTimeout || waitedForPeer > allowed { fail(.timedOut) }
      if response != nil, waitedForPeer > allowed + Exchange.closingTime { disconnect() }
    case .whole:
      watchForHangUp(now)
      watchForRequestTime(now)
    case .replying:
      watchForHangUp(now)
      if isStreaming {
        if !isSuspended, now - lastProgress > settings.writeIdleTimeout { disconnect() }
      } else if case .bytes(let bytes) = response?.body {
        let allowed = settings.writeIdleTimeout + .seconds(bytes.count / max(1, settings.minBodyRate))
        if now - lastProgress > allowed { disconnect() }
      }
    case .closing:
      if now - lastProgress > Exchange.closingTime || waitedForPeer > Exchange.closingTime { link.shut() }
      waitedForPeer += sinceTick
    case .over: break
    }
  }

  private func watchForRequestTime(_ now: BootInstant) {
    guard let limit = server.settings.maxRequestTime, response == nil, now - lastProgress > limit else { return }
    task?.cancel()
    respond(.problem(503, "Too slow", "The answer took longer than this server allows."))
  }
}
