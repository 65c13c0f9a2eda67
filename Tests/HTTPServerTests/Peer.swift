import Domain
import Glibc
import Reactor

/// A client that sends exactly the bytes it is told to and shows exactly the bytes it got: what an HTTP library would
/// never send is what these tests are about.
actor Peer {
  struct Answer: Equatable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
  }

  nonisolated let reactor: Reactor
  nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  private let socket: Int32
  private var inbox: [UInt8] = []
  private(set) var isClosed = false
  private(set) var wasReset = false

  init(_ port: UInt16, on reactor: Reactor, receiveBuffer: Int32? = nil) {
    self.reactor = reactor
    (socket, isClosed) = Peer.connect(to: port, receiveBuffer)
  }

  private static func connect(to port: UInt16, _ receiveBuffer: Int32?) -> (Int32, Bool) {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    _ = fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK)
    return (socket, connected != 0)
  }

  deinit { close(socket) }

  func send(_ text: String) async { _ = await send(Array(text.utf8)) }

  /// How many bytes the kernel took before the peer closed or `deadline` passed.
  func send(_ bytes: [UInt8], until deadline: BootInstant = .now + .seconds(20)) async -> Int {
    var offset = 0
    while offset < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
      }
      if sent > 0 {
        offset += sent
      } else if errno == EAGAIN {
        guard await ready(.write, deadline) else { return offset }
      } else {
        return offset
      }
    }
    return offset
  }

  func finishSending() { shutdown(socket, Int32(SHUT_WR)) }
  /// Ends both directions; the kernel keeps the connection until the server notices.
  func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

  /// Waits for a whole answer by its own framing. Nil when the connection ended or `seconds` passed before one was
  /// there.
  func answer(within seconds: Int = 20, head: Bool = false) async -> Answer? {
    let deadline = BootInstant.now + .seconds(seconds)
    while true {
      if let answer = takeAnswer(head) { return answer }
      if isClosed { return nil }
      guard await more(deadline) else { return nil }
    }
  }

  /// All bytes until the connection's end; nil when it is still open after `seconds`.
  func rest(within seconds: Int = 20) async -> [UInt8]? {
    let deadline = BootInstant.now + .seconds(seconds)
    while !isClosed { guard await more(deadline) else { return nil } }
    defer { inbox = [] }
    return inbox
  }

  func bytes(_ count: Int, within seconds: Int = 20) async -> [UInt8]? {
    let deadline = BootInstant.now + .seconds(seconds)
    while inbox.count < count { guard !isClosed, await more(deadline) else { return nil } }
    defer { inbox.removeFirst(count) }
    return Array(inbox.prefix(count))
  }

  private func more(_ deadline: BootInstant) async -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let got = recv(socket, &buffer, buffer.count, 0)
      if got > 0 {
        inbox += buffer[0..<got]
        return true
      }
      if got == 0 || errno != EAGAIN {
        wasReset = got < 0
        isClosed = true
        return true
      }
      guard await ready(.read, deadline) else { return false }
    }
  }

  private func ready(_ interest: Reactor.Interest, _ deadline: BootInstant) async -> Bool {
    await withCheckedContinuation { (done: CheckedContinuation<Bool, Never>) in
      var timer: Reactor.TimerID?
      let socket = socket
      let reactor = reactor
      timer = reactor.schedule(at: deadline) {
        reactor.unwatch(socket)
        done.resume(returning: false)
      }
      reactor.watch(socket, interest) { _ in
        reactor.unwatch(socket)
        if let timer { reactor.cancel(timer) }
        done.resume(returning: true)
      }
    }
  }

  private func takeAnswer(_ isHead: Bool) -> Answer? {
    guard let end = Peer.find([13, 10, 13, 10], in: inbox, from: 0) else { return nil }
    let lines = String(decoding: inbox[..<end], as: UTF8.self).split(separator: "\r\n").map(String.init)
    let status = Int(lines[0].split(separator: " ")[1])!
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    var position = end + 4
    var body: [UInt8] = []
    if status == 100 || status == 204 || isHead {
    } else if let length = headers["content-length"].flatMap(Int.init) {
      guard inbox.count >= position + length else { return nil }
      body = Array(inbox[position..<(position + length)])
      position += length
    } else if headers["transfer-encoding"] == "chunked" {
      while true {
        guard let line = Peer.find([13, 10], in: inbox, from: position) else { return nil }
        let size = Int(String(decoding: inbox[position..<line], as: UTF8.self), radix: 16)!
        guard inbox.count >= line + 2 + size + 2 else { return nil }
        body += inbox[(line + 2)..<(line + 2 + size)]
        position = line + 2 + size + 2
        if size == 0 { break }
      }
    } else {
      guard isClosed else { return nil }
      body = Array(inbox[position...])
      position = inbox.count
    }
    inbox.removeFirst(position)
    return Answer(status: status, headers: headers, body: body)
  }

  private static func find(_ needle: [UInt8], in hay: [UInt8], from start: Int) -> Int? {
    guard hay.count >= start + needle.count else { return nil }
    for index in start...(hay.count - needle.count) where hay[index..<(index + needle.count)].elementsEqual(needle) {
      return index
    }
    return nil
  }
}
