import CMicroHTTPD
import Glibc
import Reactor

/// One TCP connection: its socket, lent by MHD from NOTIFY_CONNECTION started to closed, and the request in hand.
final class Link {
  let socket: Int32
  let peer: String
  /// Speaks TLS: nothing readable can be written past MHD.
  let isSealed: Bool
  /// When the next head must be complete.
  var headDeadline: BootInstant
  var exchange: Exchange?
  var requests = 0
  /// Set when the socket was shut by us: MHD notices and closes.
  var isShut = false

  init(socket: Int32, isSealed: Bool, headDeadline: BootInstant) {
    (self.socket, self.isSealed) = (socket, isSealed)
    peer = Link.peer(of: socket)
    self.headDeadline = headDeadline
  }

  /// Makes MHD see the end of this connection at its next look.
  func shut() {
    isShut = true
    shutdown(socket, Int32(SHUT_RDWR))
  }

  /// Writes a whole answer past MHD, which answers only before a body or after its end, and half-closes. Used for small
  /// answers that end the connection; what the socket's buffer does not take at once is lost.
  func answerDirectly(_ response: HTTPResponse) {
    guard case .bytes(let body) = response.body else { return }
    if isSealed { return shut() }
    var text = "HTTP/1.1 \(response.status) \(Link.reason(response.status))\r\n"
    for (name, value) in response.headers where !(name + value).utf8.contains(where: { $0 < 0x20 }) {
      text += "\(name): \(value)\r\n"
    }
    text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
    let bytes = Array(text.utf8) + body
    var offset = 0
    bytes.withUnsafeBytes { buffer in
      while offset < buffer.count {
        let sent = send(
          socket, buffer.baseAddress! + offset, buffer.count - offset, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        if sent < 0 && errno == EINTR { continue }
        if sent <= 0 { break }
        offset += sent
      }
    }
    shutdown(socket, Int32(SHUT_WR))
  }

  /// The most an answer past MHD may weigh: a new socket's send buffer takes it whole.
  static let directAnswerBytes = 8192

  private static func reason(_ status: Int) -> String {
    String(cString: MHD_get_reason_phrase_for(UInt32(status)))
  }

  private static func peer(of socket: Int32) -> String {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &storage) { storage in
      storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard getpeername(socket, address, &size) == 0 else { return "" }
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let failed = getnameinfo(address, size, &host, 64, &port, 8, NI_NUMERICHOST | NI_NUMERICSERV)
        guard failed == 0 else { return "" }
        let text = { (bytes: [CChar]) in
          String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let name = text(host)
        return (name.utf8.contains(0x3A) ? "[\(name)]" : name) + ":" + text(port)
      }
    }
  }
}
