import Glibc
import Reactor

/// A mail server that keeps what it is told, and refuses where its script says so. No encryption: what needs it gets none.
final class MailServer: @unchecked Sendable {
  // @unchecked: `kept` and `refusal` have locks; the rest is the reactor thread's.

  struct Mail: Sendable {
    var from = ""
    var recipients: [String] = []
    var text = ""
  }

  private final class Session {
    let descriptor: Int32
    var received = ""
    var mail = Mail()
    var isData = false
    init(_ descriptor: Int32) { self.descriptor = descriptor }
  }

  /// Of its own: libcurl blocks its thread for the reply to a mail's end.
  static let reactor: Reactor = {
    let reactor = Reactor(name: "mail-server")
    reactor.start()
    return reactor
  }()

  let port: UInt16
  /// Answers a command that starts with the word by the reply.
  let refusal = Lock((word: String, reply: String)?.none)
  private let reactor: Reactor
  private let listener: Int32
  private let kept = Lock([Mail]())
  private let said = Lock([String]())
  private var sessions: [Int32: Session] = [:]

  var mails: [Mail] { kept.with { $0 } }
  var commands: [String] { said.with { $0 } }
  var url: String { "smtp://127.0.0.1:\(port)" }

  init(_ reactor: Reactor) {
    self.reactor = reactor
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let failed = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) | listen(descriptor, 16) | getsockname(descriptor, $0, &length)
      }
    }
    precondition(failed == 0, "no listening socket: \(errno)")
    port = UInt16(bigEndian: address.sin_port)
    reactor.submit { [self] in reactor.watch(listener, .read) { [self] _ in accept() } }
  }

  func close() async {
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit { [self] in
        for session in sessions.values { drop(session) }
        reactor.unwatch(listener)
        Glibc.close(listener)
        done.resume()
      }
    }
  }

  private func accept() {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else { return }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    let session = Session(descriptor)
    sessions[descriptor] = session
    reactor.watch(descriptor, .read) { [self] _ in read(session) }
    reply("220 here", session)
  }

  private func read(_ session: Session) {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(session.descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return drop(session) }
    session.received += String(decoding: buffer[..<count], as: UTF8.self)
    while let line = nextLine(session) { hear(line, session) }
  }

  private func nextLine(_ session: Session) -> String? {
    let bytes = Array(session.received.utf8)
    guard let end = bytes.indices.first(where: { bytes[$0] == 0x0D && $0 + 1 < bytes.count && bytes[$0 + 1] == 0x0A }) else {
      return nil
    }
    session.received = String(decoding: bytes[(end + 2)...], as: UTF8.self)
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  private func hear(_ line: String, _ session: Session) {
    if session.isData {
      guard line == "." else {
        session.mail.text += (line.hasPrefix("..") ? String(line.dropFirst()) : line) + "\r\n"
        return
      }
      session.isData = false
      let mail = session.mail
      session.mail = Mail()
      if let refused = refusal.with({ $0 }), refused.word == "." { return reply(refused.reply, session) }
      kept.with { $0.append(mail) }
      return reply("250 kept", session)
    }
    said.with { $0.append(line) }
    let word = String(line.prefix(4)).uppercased()
    if let refused = refusal.with({ $0 }), refused.word == word { return reply(refused.reply, session) }
    switch word {
    case "EHLO": reply("250-here\r\n250-AUTH PLAIN LOGIN\r\n250 SMTPUTF8", session)
    case "MAIL":
      session.mail.from = line
      reply("250 ok", session)
    case "RCPT":
      session.mail.recipients.append(line)
      reply("250 ok", session)
    case "DATA":
      session.isData = true
      reply("354 go on", session)
    case "QUIT": reply("221 bye", session)
    default: reply("250 ok", session)
    }
  }

  private func reply(_ text: String, _ session: Session) {
    let bytes = Array((text + "\r\n").utf8)
    _ = Glibc.send(session.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  private func drop(_ session: Session) {
    guard sessions.removeValue(forKey: session.descriptor) != nil else { return }
    reactor.unwatch(session.descriptor)
    Glibc.close(session.descriptor)
  }
}
