import CMicroHTTPD
import Glibc
import Reactor

/// An HTTP/1.1 server on a reactor: libmicrohttpd parses, a guard of ours refuses what it should not have let pass, and
/// the reactor keeps the deadlines. Each request is one task on `reactor.tasks`.
///
/// Routing, 404 and 405 are the handler's work; TLS towards the outside is a proxy's.
public final class HTTPServer: @unchecked Sendable {
  // @unchecked: the constants never change; everything marked "loop" is touched on the reactor's thread only.

  let settings: HTTPServerSettings
  let reactor: Reactor
  let handler: @Sendable (HTTPServerRequest) async -> HTTPResponse

  /// MHD's daemon; only `MHD_start_daemon` runs off the reactor's thread.
  private struct Daemon: @unchecked Sendable { let raw: OpaquePointer }
  private let daemon = Lock(Daemon?.none)

  // Loop:
  private var epoll: Int32 = -1
  private var guardian = HeadGuard()
  private var links: [ObjectIdentifier: Link] = [:]
  private(set) var isDraining = false
  private var isRunning = false
  private var runIsDue = false
  private var ticker: Reactor.TimerID?
  private var drained: CheckedContinuation<Void, Never>?

  public init(
    _ settings: HTTPServerSettings, on reactor: Reactor,
    handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPResponse
  ) {
    precondition(settings.maxHeaderBytes <= 61_440, "a head of \(settings.maxHeaderBytes) bytes is not supported")
    self.settings = settings
    self.reactor = reactor
    self.handler = handler
  }

  deinit { precondition(daemon.with { $0 } == nil, "an HTTPServer was dropped without shutdown") }

  /// Listens, and tells the port.
  ///
  /// Throws `HTTPServerError`. The reactor may be started before or after.
  public func start() throws -> UInt16 {
    let (listener, port) = try Listener.open(settings.address, settings.port)
    let me = Unmanaged.passUnretained(self).toOpaque()
    // The pool holds the head, the parsed fields and, after the head, the body's and the answer's pieces.
    let memory = settings.maxHeaderBytes * 2
    let started = cmhd_start(
      listener, UInt32(settings.maxConnections), memory, settings.identity?.certificate, settings.identity?.key,
      { server, connection, url, method, version, data, size, context in
        let server = Unmanaged<HTTPServer>.fromOpaque(server!).takeUnretainedValue()
        let goesOn = server.access(connection!, url!, method!, version!, data, size!, context!)
        return cmhd_result(goesOn ? 1 : 0)
      },
      { server, connection, context, code in
        let server = Unmanaged<HTTPServer>.fromOpaque(server!).takeUnretainedValue()
        server.completed(context!, code)
      },
      { server, connection, context, code in
        let server = Unmanaged<HTTPServer>.fromOpaque(server!).takeUnretainedValue()
        if cmhd_is_start(code) == 1 {
          server.opened(connection!, context!)
        } else {
          server.closed(context!)
        }
      }, me)
    guard let started else {
      close(listener)
      throw HTTPServerError.refused(call: "MHD_start_daemon", errno: errno)
    }
    let made = Daemon(raw: started)
    daemon.with { $0 = made }
    reactor.submit { [self] in
      epoll = cmhd_epoll_descriptor(made.raw)
      // The first run puts the listening socket into MHD's epoll set.
      reactor.watch(epoll, .read) { [self] _ in run() }
      run()
      tick()
    }
    return port
  }

  /// Refuses new connections, closes idle ones, lets the requests in hand be answered for at most `grace`, then cuts.
  public func shutdown(grace: Duration) async {
    guard let daemon = daemon.with({ $0 }) else { return }
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit { [self] in
        guard !isDraining else { return done.resume() }
        isDraining = true
        drained = done
        let listener = MHD_quiesce_daemon(daemon.raw)
        if listener >= 0 { close(listener) }
        for link in links.values {
          if let exchange = link.exchange { exchange.drain() } else { link.shut() }
        }
        reactor.schedule(at: .now + grace) { [self] in cut() }
        run()
      }
    }
    // MHD_stop_daemon panics on suspended connections; there are no connections left.
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit { [self] in
        if let ticker { reactor.cancel(ticker) }
        reactor.unwatch(epoll)
        if let daemon = self.daemon.with({ d in
          defer { d = nil }
          return d
        }) {
          MHD_stop_daemon(daemon.raw)
        }
        done.resume()
      }
    }
  }

  // MARK: Driving MHD (loop)

  /// Runs MHD at the end of this turn, for connections resumed in it.
  func runSoon() {
    guard !runIsDue else { return }
    runIsDue = true
    reactor.submit { [self] in
      if runIsDue { run() }
    }
  }

  private func run() {
    guard !isRunning, let daemon = daemon.with({ $0 }) else { return }
    isRunning = true
    runIsDue = false
    // MHD puts off part of the work to its next call, which it wants at once: a few rounds here, the rest after the
    // others' turn.
    var rounds = 0
    repeat {
      MHD_run(daemon.raw)
      rounds += 1
    } while cmhd_must_run(daemon.raw) == 1 && rounds < 8
    isRunning = false
    if rounds == 8 { runSoon() }
    if isDraining, links.isEmpty, let done = drained {
      drained = nil
      done.resume()
    }
  }

  private func tick() {
    let now = BootInstant.now
    for link in links.values {
      if let exchange = link.exchange {
        exchange.tick(now)
      } else if now > link.headDeadline, !link.isShut {
        if link.requests == 0 {
          link.answerDirectly(.problem(408, "Request timeout", "The head came too slowly."))
        }
        link.shut()
      }
    }
    ticker = reactor.schedule(at: now + settings.tick) { [self] in tick() }
  }

  private func cut() {
    guard drained != nil else { return }
    for link in links.values {
      if let exchange = link.exchange { exchange.disconnect() } else { link.shut() }
    }
    run()
    // Whatever MHD has not closed by now it closes when it sees the sockets' end.
    if drained != nil { reactor.schedule(at: .now + .milliseconds(10)) { [self] in cut() } }
  }

  // MARK: MHD's callbacks (loop)

  private func opened(_ connection: OpaquePointer, _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
    let link = Link(
      socket: cmhd_socket(connection), isSealed: settings.identity != nil, headDeadline: .now + settings.headTimeout)
    links[ObjectIdentifier(link)] = link
    context.pointee = Unmanaged.passUnretained(link).toOpaque()
    if isDraining { link.shut() }
  }

  private func closed(_ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
    guard let raw = context.pointee else { return }
    let link = Unmanaged<Link>.fromOpaque(raw).takeUnretainedValue()
    links[ObjectIdentifier(link)] = nil
    context.pointee = nil
  }

  private func access(
    _ connection: OpaquePointer, _ url: UnsafePointer<CChar>, _ method: UnsafePointer<CChar>,
    _ version: UnsafePointer<CChar>, _ data: UnsafePointer<CChar>?, _ size: UnsafeMutablePointer<Int>,
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) -> Bool {
    if let known = context.pointee {
      return Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue().access(data, size)
    }
    let link = Unmanaged<Link>.fromOpaque(cmhd_socket_context(connection)!).takeUnretainedValue()
    link.requests += 1
    let verdict = guardian.head(of: connection, url: url, method: method, version: version, settings: settings)
    switch verdict {
    case .success(let head):
      let exchange = Exchange(self, link, connection, head)
      link.exchange = exchange
      context.pointee = Unmanaged.passRetained(exchange).toOpaque()
      // Without a body, or with a small one, the handler starts at the end of the request.
      return exchange.stage == .reading ? true : exchange.access(nil, size)
    case .failure(let refusal):
      let head = Head(method: "", path: "", framing: .chunked, block: [], fields: [], arguments: [])
      let exchange = Exchange(self, link, connection, head)
      link.exchange = exchange
      context.pointee = Unmanaged.passRetained(exchange).toOpaque()
      exchange.refuse(refusal)
      return true
    }
  }

  private func completed(
    _ context: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ code: MHD_RequestTerminationCode
  ) {
    guard let known = context.pointee else { return }
    context.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue()
    let link = exchange.link
    exchange.completed(well: cmhd_ended_well(code) == 1)
    link.exchange = nil
    link.headDeadline = .now + settings.keepAliveTimeout
    if isDraining { link.shut() }
  }
}
