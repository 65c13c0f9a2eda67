import Domain
import Glibc
import Reactor

/// A raw-socket HTTP server that does what its script says, also what no honest server does. Records every whole
/// request.
final class ScriptedServer: @unchecked Sendable {
  // @unchecked: `seen` has a lock; the rest is the reactor thread's.

  struct Request: Sendable {
    /// From 1, in the order accepted.
    let connection: Int
    /// From 1, on that connection.
    let place: Int
    let method: String
    let path: String
    let head: String
    let body: [UInt8]
  }

  enum Act: Sendable {
    case answer(Int = 200, headers: [(String, String)] = [], body: String = "")
    case raw(String)
    /// Byte by byte, one per interval.
    case drip(String, every: Duration)
    case later(Duration, String)
    case hang
    case close
  }

  enum Welcome: Sendable {
    case read
    /// Accepts, then closes before reading.
    case close
  }

  private final class Connection {
    let descriptor: Int32
    let number: Int
    var received: [UInt8] = []
    var places = 0
    init(_ descriptor: Int32, _ number: Int) { (self.descriptor, self.number) = (descriptor, number) }
  }

  let reactor: Reactor
  let port: UInt16
  private let listener: Int32
  private let welcome: @Sendable (Int) -> Welcome
  private let script: @Sendable (Request) -> Act
  private let seen = Lock([Request]())
  private let accepted = Lock(0)
  private var isOpen = true
  private var connections: [Int32: Connection] = [:]

  var url: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { seen.with { $0 } }
  var acceptedConnections: Int { accepted.with { $0 } }

  init(
    _ reactor: Reactor, welcome: @escaping @Sendable (Int) -> Welcome = { _ in .read },
    script: @escaping @Sendable (Request) -> Act = { _ in .answer() }
  ) {
    (self.reactor, self.welcome, self.script) = (reactor, welcome, script)
    (listener, port) = ScriptedServer.listener()
    reactor.submit { [self] in reactor.watch(listener, .read) { [self] _ in accept() } }
  }

  /// A port on which nobody listens, taken for the life of the process so that no other test is given it.
  static func closedPort() -> UInt16 { listener(listening: false).1 }

  private static func listener(listening: Bool = true) -> (Int32, UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let failed = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) | (listening ? listen(descriptor, 1024) : 0) | getsockname(descriptor, $0, &length)
      }
    }
    precondition(failed == 0, "no listening socket: \(errno)")
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  func close() async {
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit { [self] in
        for connection in connections.values { drop(connection) }
        if isOpen {
          reactor.unwatch(listener)
          Glibc.close(listener)
          isOpen = false
        }
        done.resume()
      }
    }
  }

  private func accept() {
    while true {
      let descriptor = Glibc.accept(listener, nil, nil)
      guard descriptor >= 0 else { return }
      let number = accepted.with { count in
        count += 1
        return count
      }
      _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
      if welcome(number) == .close {
        Glibc.close(descriptor)
        continue
      }
      let connection = Connection(descriptor, number)
      connections[descriptor] = connection
      reactor.watch(descriptor, .read) { [self] _ in read(connection) }
    }
  }

  private func read(_ connection: Connection) {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(connection.descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return drop(connection) }
    connection.received.append(contentsOf: buffer[..<count])
    while let request = next(connection) {
      seen.with { $0.append(request) }
      perform(script(request), connection)
    }
  }

  private func next(_ connection: Connection) -> Request? {
    let text = String(decoding: connection.received, as: UTF8.self)
    guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8) else { return nil }
    let head = String(text[..<end.lowerBound])
    let lines = head.split(separator: "\r\n")
    let length = lines.first { $0.lowercased().hasPrefix("content-length:") }.flatMap {
      Int($0.split(separator: ":")[1].trimmed)
    }
    let start = text.utf8.distance(from: text.startIndex, to: end.upperBound)
    guard connection.received.count >= start + (length ?? 0) else { return nil }
    let words = lines[0].split(separator: " ")
    let body = Array(connection.received[start..<(start + (length ?? 0))])
    connection.received.removeFirst(start + body.count)
    connection.places += 1
    return Request(
      connection: connection.number, place: connection.places, method: String(words[0]), path: String(words[1]),
      head: head, body: body)
  }

  private func perform(_ act: Act, _ connection: Connection) {
    switch act {
    case .answer(let status, let headers, let body):
      var text = "HTTP/1.1 \(status) Word\r\n"
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      write(text + "Content-Length: \(body.utf8.count)\r\n\r\n" + body, connection)
    case .raw(let text): write(text, connection)
    case .drip(let text, let interval): drip(Array(text.utf8)[...], interval, connection)
    case .later(let delay, let text):
      reactor.schedule(at: .now + delay) { [self] in write(text, connection) }
    case .hang: break
    case .close: drop(connection)
    }
  }

  private func drip(_ bytes: ArraySlice<UInt8>, _ interval: Duration, _ connection: Connection) {
    guard let first = bytes.first else { return }
    write(String(decoding: [first], as: UTF8.self), connection)
    reactor.schedule(at: .now + interval) { [self] in drip(bytes.dropFirst(), interval, connection) }
  }

  /// Sends what fits into the socket's buffer; tests need no more.
  private func write(_ text: String, _ connection: Connection) {
    guard connections[connection.descriptor] === connection else { return }
    let bytes = Array(text.utf8)
    _ = Glibc.send(connection.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  private func drop(_ connection: Connection) {
    guard connections[connection.descriptor] === connection else { return }
    connections[connection.descriptor] = nil
    reactor.unwatch(connection.descriptor)
    Glibc.close(connection.descriptor)
  }
}

extension Substring {
  fileprivate var trimmed: Substring { drop { $0 == " " } }
}

extension Collection where Element: Equatable {
  fileprivate func firstRange(of other: some Collection<Element>) -> Range<Index>? {
    var start = startIndex
    while true {
      if self[start...].starts(with: other) { return start..<index(start, offsetBy: other.count) }
      if start == endIndex { return nil }
      formIndex(after: &start)
    }
  }
}
