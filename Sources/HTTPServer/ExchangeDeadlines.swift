import Reactor

/// What every tick looks at.
extension Exchange {
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
      let allowed =
        settings.bodyIdleTimeout + .nanoseconds(Int64(received) * 1_000_000_000 / Int64(settings.minBodyRate))
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

  func watchForRequestTime(_ now: BootInstant) {
    guard let limit = server.settings.maxRequestTime, response == nil, now - lastProgress > limit else { return }
    task?.cancel()
    respond(.problem(503, "Too slow", "The answer took longer than this server allows."))
  }
}
