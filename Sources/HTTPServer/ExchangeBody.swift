import Reactor

/// What the handler asks: the body's next piece, room for the answer's next one.
extension Exchange {
  func allow(_ limit: Int) {
    onLoop { $0.limit = limit }
  }

  func nextChunk() async -> Result<[UInt8]?, HTTPBodyError> {
    if reactor.isOnLoop, let ready = readyChunk() { return ready }
    return await withUnsafeContinuation { reader in onLoop { $0.wait(reader) } }
  }

  func readyChunk() -> Result<[UInt8]?, HTTPBodyError>? {
    if let failure { return .failure(failure) }
    if case .length(let length) = head.framing, length > limit { return .failure(.tooLarge(limit: limit)) }
    if !inbox.isEmpty { return .success(takeInbox()) }
    switch stage {
    case .whole, .replying: return .success(nil)
    case .closing, .over: return .failure(.disconnected)
    case .atHead, .reading: return nil
    }
  }

  func wait(_ reader: Reader) {
    if let ready = readyChunk() { return reader.resume(returning: ready) }
    precondition(self.reader == nil, "two tasks read one request body")
    self.reader = reader
    resume()
  }

  func takeInbox() -> [UInt8] {
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
    // Between here and the continuation's body the task may be queued once more, although it stays on its thread:
    // whatever was true above may have changed, so the body looks again.
    let wasAppended = isAppended
    let isOpen = await withUnsafeContinuation { (writer: UnsafeContinuation<Bool, Never>) in
      onLoop { exchange in
        let hasRoom =
          wasAppended ? exchange.outbox.count - exchange.taken <= Exchange.highWater : exchange.append(bytes)
        if exchange.isDead || exchange.ending != .open { return writer.resume(returning: false) }
        if hasRoom { return writer.resume(returning: true) }
        exchange.writers.append(writer)
      }
    }
    if !isOpen || Task.isCancelled { throw HTTPDisconnected() }
  }

  /// True when there is room for more at once.
  func append(_ bytes: [UInt8]) -> Bool {
    guard !isDead, ending == .open else { return false }
    outbox += bytes
    if stage == .replying { resume() }
    return outbox.count - taken <= Exchange.highWater
  }

  func wakeWriters(_ isOpen: Bool) {
    guard !writers.isEmpty else { return }
    let waking = writers
    writers = []
    for writer in waking { writer.resume(returning: isOpen) }
  }

  func onLoop(_ body: @escaping @Sendable (Exchange) -> Void) {
    if reactor.isOnLoop { body(self) } else { reactor.submit { [self] in body(self) } }
  }
}
