import CMicroHTTPD
import Glibc
import Reactor

/// One request and its answer, between MHD's callbacks on one side and the handler's task on the other.
///
/// MHD asks (`access`, `fill`) and is told to wait by suspending its connection; the handler's calls resume it.
/// Suspended connections are out of MHD's epoll set: that is the back-pressure, and it is why `watchForHangUp` exists.
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
  var stage: Stage
  var connection: OpaquePointer?
  var isSuspended = false
  var isWatched = false
  var task: Task<Void, Never>?

  // The request's body.
  var limit: Int
  var inbox: [UInt8] = []
  var received = 0
  var forgotten = 0
  var failure: HTTPBodyError?
  typealias Reader = UnsafeContinuation<Result<[UInt8]?, HTTPBodyError>, Never>
  var reader: Reader?

  // The answer.
  var response: HTTPResponse?
  var outbox: [UInt8] = []
  var taken = 0
  enum Ending { case open, finished, failed }
  var ending = Ending.open
  var writers: [UnsafeContinuation<Bool, Never>] = []

  // Deadlines.
  var lastProgress: BootInstant
  var waitedForPeer: Duration = .zero
  var lastTick: BootInstant

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

  var reactor: Reactor { server.reactor }
  var isStreaming: Bool { if case .stream = response?.body { stage == .replying } else { false } }
  var isDead: Bool { stage == .over || connection == nil }

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

  func take(_ data: UnsafePointer<CChar>, _ size: UnsafeMutablePointer<Int>) -> Bool {
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

  func answerOrWait() -> Bool {
    guard response != nil else {
      suspend()
      return true
    }
    return queueAnswer()
  }

  func queueAnswer() -> Bool {
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
  func fill(_ buffer: UnsafeMutablePointer<CChar>, _ space: Int) -> Int {
    let count = min(outbox.count - taken, space)
    if count > 0 {
      outbox.withUnsafeBytes {
        UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress! + taken, byteCount: count)
      }
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

  // MARK: Suspending

  func suspend() {
    guard let connection, !isSuspended else { return }
    isSuspended = true
    MHD_suspend_connection(connection)
  }

  func resume() {
    guard let connection, isSuspended else { return }
    stopWatching()
    isSuspended = false
    MHD_resume_connection(connection)
    server.runSoon()
  }

  /// A suspended connection is in nobody's epoll set, and one that waits for room to write learns of a reset only. When
  /// nothing moved for a tick, ours looks for the peer's end, once the whole request is here: before that a half-closed
  /// socket may still hold the rest of the body. A peer that half-closes and still wants its answer is taken for gone.
  func watchForHangUp(_ now: BootInstant) {
    guard !isWatched, now - lastProgress >= server.settings.tick else { return }
    isWatched = true
    let readHangUp = Reactor.Interest(rawValue: 0x2000)
    reactor.watch(link.socket, readHangUp) { [unowned self] _ in
      stopWatching()
      disconnect()
    }
  }

  func stopWatching() {
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
}
