import Crypto
import Glibc
import Reactor

/// Posts signed webhooks over kept-alive connections with bare sockets, because a client that costs as much as the
/// server would be half of what is measured. One post a connection at a time.
final class WebhookLoad: @unchecked Sendable {
  // @unchecked: everything is touched on the load's own thread.
  struct Outcome: Sendable {
    var posts = 0
    var stored = 0
    var refused = 0
    var seconds = 0.0
    /// From when a post was due to its whole answer, milliseconds, in order.
    var latencies: [Float] = []

    func quantile(_ share: Double) -> Double {
      latencies.isEmpty ? 0 : Double(latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))])
    }
  }

  private struct Connection {
    let socket: Int32
    var dueAt: Int64 = 0
    var isWaiting = false
    var answer: [UInt8] = []
  }

  private let key: MACKey
  private let head: [UInt8]
  private let body: (Int) -> [UInt8]
  private var connections: [Connection] = []

  private init(port: UInt16, count: Int, secret: String, body: @escaping (Int) -> [UInt8]) throws {
    key = MACKey(Array(secret.utf8))
    self.body = body
    head = Array(
      """
      POST /webhooks/whatsapp HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Type: application/json\r\n\
      User-Agent: facebookexternalua\r\nX-Hub-Signature-256: sha256=
      """.utf8)
    for _ in 0..<count { connections.append(Connection(socket: try WebhookLoad.connect(port))) }
  }

  /// Posts for `seconds`: `perSecond` of them when given, else as many as are answered. `body` is asked with the post's
  /// number, from 0.
  static func run(
    port: UInt16, secret: String, seconds: Double, perSecond: Double? = nil, connections: Int = 64,
    body: @escaping @Sendable (Int) -> [UInt8]
  ) async throws -> Outcome {
    let reactor = Reactor(name: "load")
    reactor.start()
    defer { reactor.stop() }
    return try await withCheckedThrowingContinuation { done in
      reactor.submit {
        done.resume(
          with: Result {
            let load = try WebhookLoad(port: port, count: connections, secret: secret, body: body)
            return try load.run(seconds, perSecond)
          })
      }
    }
  }

  private func run(_ seconds: Double, _ perSecond: Double?) throws -> Outcome {
    defer { for connection in connections { close(connection.socket) } }
    var outcome = Outcome()
    var free = Array(connections.indices)
    var polls = connections.map { pollfd(fd: $0.socket, events: Int16(POLLIN), revents: 0) }
    let started = BootInstant.now.nanoseconds
    let end = started + Int64(seconds * 1e9)
    var room = [UInt8](repeating: 0, count: 4096)
    while true {
      var now = BootInstant.now.nanoseconds
      while now < end, let index = free.first {
        let due = perSecond.map { started + Int64(Double(outcome.posts) / $0 * 1e9) } ?? now
        guard due <= now else { break }
        // In turn: a connection that never speaks is closed by the server.
        free.removeFirst()
        try send(outcome.posts, on: index, due: due)
        outcome.posts += 1
        now = BootInstant.now.nanoseconds
      }
      if now >= end, free.count == connections.count { break }
      if now > end + 15_000_000_000 { throw BenchError("posts are not answered") }
      let count = poll(&polls, nfds_t(polls.count), free.isEmpty ? 100 : 1)
      guard count > 0 else { continue }
      for index in polls.indices where polls[index].revents != 0 {
        let read = recv(polls[index].fd, &room, room.count, 0)
        guard read > 0 else { throw BenchError("the server closed a connection") }
        connections[index].answer += room[..<read]
        guard let status = WebhookLoad.status(connections[index].answer) else { continue }
        let took = BootInstant.now.nanoseconds - connections[index].dueAt
        outcome.latencies.append(Float(took) / 1e6)
        if status == 200 { outcome.stored += 1 } else { outcome.refused += 1 }
        connections[index].answer = []
        connections[index].isWaiting = false
        free.append(index)
      }
    }
    outcome.seconds = Double(BootInstant.now.nanoseconds - started) / 1e9
    outcome.latencies.sort()
    return outcome
  }

  private func send(_ number: Int, on index: Int, due: Int64) throws {
    let body = body(number)
    var request = head
    request.reserveCapacity(head.count + body.count + 128)
    request += Array(Crypto.hex(key.hmacSHA256(body)).utf8)
    request += Array("\r\nContent-Length: \(body.count)\r\n\r\n".utf8)
    request += body
    connections[index].dueAt = due
    connections[index].isWaiting = true
    var sent = 0
    while sent < request.count {
      let count = request[sent...].withUnsafeBytes {
        Glibc.send(connections[index].socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw BenchError("the server takes no more: errno \(errno)") }
      sent += count
    }
  }

  /// The status of a whole answer; nil while it is not whole. Our server says how long a body is, or that it is empty.
  private static func status(_ answer: [UInt8]) -> Int? {
    let text = String(decoding: answer, as: UTF8.self).lowercased()
    let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    for line in parts[0].split(separator: "\r\n") where line.hasPrefix("content-length:") {
      guard parts[1].utf8.count >= Int(line.dropFirst(15).filter(\.isNumber)) ?? 0 else { return nil }
    }
    return Int(text.dropFirst(9).prefix(3))
  }

  private static func connect(_ port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let failed = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
      }
    }
    if failed { throw BenchError("no connection to port \(port)") }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }
}
