import CLinux
import Domain
import Glibc
import HTTPClient
import Reactor
import Testing

/// `openssl s_server` with a certificate for 127.0.0.1 that its own key signed.
final class TLSServer {
  let directory: String
  let port: UInt16
  private let process: Int32
  var caFile: String { directory + "/certificate.pem" }

  init(on reactor: Reactor) async throws {
    var template = Array("/tmp/qafila-tls-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { fatalError("no temporary directory: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let made = TLSServer.spawn(
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
        "/CN=qafila test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem",
      ], in: directory, output: "req.log")
    var status: Int32 = 0
    waitpid(made, &status, 0)
    process = TLSServer.spawn(
      ["s_server", "-accept", "127.0.0.1:0", "-www", "-key", "key.pem", "-cert", "certificate.pem"], in: directory,
      output: "server.log")
    // It prints `ACCEPT 127.0.0.1:port` once it listens.
    let giveUp = BootInstant.now + .seconds(20)
    while true {
      let log = TLSServer.contents(directory + "/server.log")
      if let line = log.split(separator: "\n").first(where: { $0.hasPrefix("ACCEPT") }),
        let port = line.split(separator: ":").last.flatMap({ UInt16($0) })
      {
        self.port = port
        return
      }
      precondition(BootInstant.now < giveUp, "openssl s_server did not start")
      try await reactor.sleep(for: .milliseconds(5))
    }
  }

  deinit {
    kill(process, SIGKILL)
    var status: Int32 = 0
    waitpid(process, &status, 0)
    for name in ["key.pem", "certificate.pem", "req.log", "server.log"] { unlink(directory + "/" + name) }
    rmdir(directory)
  }

  private static func spawn(_ arguments: [String], in directory: String, output: String) -> Int32 {
    let log = open(directory + "/" + output, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(log) }
    var argv: [UnsafeMutablePointer<CChar>?] = (["openssl"] + arguments).map { strdup($0) } + [nil]
    defer { argv.forEach { free($0) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [nil]
    let pid = clinux_spawn("/usr/bin/openssl", &argv, &environment, directory, log, -1, -1, 0)
    precondition(pid > 0, "openssl did not start: \(-pid)")
    return pid
  }

  private static func contents(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}

@Suite struct `A request over TLS` {
  @Test func `is answered by a server whose authority is trusted, and never written to any other`() async throws {
    let reactor = Reactor(name: "tls")
    reactor.start()
    let server = try await TLSServer(on: reactor)
    let trusting = HTTPClient(on: reactor, settings: HTTPClientSettings(caFile: server.caFile))
    let answer = await trusting.send(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/")).answer
    #expect(answer?.status == 200)
    #expect(answer?.header("content-type") == "text/html")

    let wary = HTTPClient(on: reactor)
    let secret = HTTPRequest("GET", "https://127.0.0.1:\(server.port)/", headers: [("Authorization", "Bearer a")])
    #expect(await wary.send(secret).failure == .neverWritten(reason: "tls"))

    // The right authority, the wrong name.
    let elsewhere = HTTPRequest("GET", "https://localhost:\(server.port)/")
    #expect(await trusting.send(elsewhere).failure == .neverWritten(reason: "tls"))

    let lost = HTTPClient(on: reactor, settings: HTTPClientSettings(caFile: server.directory + "/none.pem"))
    #expect(await lost.send(secret).failure == .neverWritten(reason: "tls"))

    for client in [trusting, wary, lost] { client.close() }
    reactor.stop()
  }
}
