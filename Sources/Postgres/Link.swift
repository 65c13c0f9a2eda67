import CLibPQ
import Glibc
import Reactor

/// Owns a `PGconn`; finished at the end. Touched by one thread at a time: the reactor's, or for the first blocking step
/// of a connection the helper that makes it.
final class Link: @unchecked Sendable {
  let raw: OpaquePointer
  /// The descriptor the reactor watches for it, -1 for none. libpq closes its socket by itself when it breaks, and then
  /// no longer knows the number.
  private var watched: Int32 = -1

  /// Starts connecting. Nil when memory is out. Blocks while a host name is resolved.
  init?(starting candidate: Candidate) {
    var strings: [UnsafeMutablePointer<CChar>?] = []
    defer { for string in strings { free(string) } }
    func pointers(_ texts: [String]) -> [UnsafePointer<CChar>?] {
      let copies = texts.map { strdup($0) }
      strings += copies
      return copies.map { UnsafePointer($0) } + [nil]
    }
    let keywords = pointers(candidate.parameters.map(\.0))
    let values = pointers(candidate.parameters.map(\.1))
    guard let raw = PQconnectStartParams(keywords, values, 0) else { return nil }
    // Notices may quote rows, and libpq's own receiver prints them to standard error.
    PQsetNoticeReceiver(raw, { _, _ in }, nil)
    self.raw = raw
  }

  deinit { PQfinish(raw) }

  func watch(on reactor: Reactor, _ interest: Reactor.Interest, _ handler: @escaping (Reactor.Interest) -> Void) {
    watched = PQsocket(raw)
    reactor.watch(watched, interest, handler)
  }

  func rearm(on reactor: Reactor, _ interest: Reactor.Interest) { if watched >= 0 { reactor.rearm(watched, interest) } }

  /// To be called before the link goes and before libpq may change its socket: the number may come back as another's.
  func unwatch(on reactor: Reactor) {
    if watched >= 0 { reactor.unwatch(watched) }
    watched = -1
  }

  var isBroken: Bool { PQstatus(raw) == CONNECTION_BAD }

  /// Why it could not be established: libpq's text, which names hosts, databases and users but no password.
  var reason: String {
    let lines = String(cString: PQerrorMessage(raw)).split(whereSeparator: \.isNewline)
    return lines.joined(separator: " ")
  }
}

/// Runs `body` on a thread of its own, for the few libpq calls that block. Without a thread to give, the answer is
/// false.
func runAside(_ body: @escaping @Sendable () -> Void) -> Bool {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  let box = Unmanaged.passRetained(Box(body))
  var thread = pthread_t()
  let failed = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, box.toOpaque())
  guard failed == 0 else {
    box.release()
    return false
  }
  pthread_detach(thread)
  return true
}
