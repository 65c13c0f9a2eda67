import CLinux
import Domain
import Glibc
import HTTPClient
import HTTPServer
import Reactor
import Testing

@Suite struct `A server with an identity` {
  /// A certificate for 127.0.0.1 that its own key signed, in a folder that goes with it.
  private final class Certificate {
    let directory: String
    var file: String { directory + "/certificate.pem" }
    var identity: HTTPServerSettings.Identity {
      HTTPServerSettings.Identity(certificate: text("certificate.pem"), key: text("key.pem"))
    }

    init() throws {
      var template = Array("/tmp/qafila-identity-XXXXXX".utf8CString)
      try #require(mkdtemp(&template) != nil)
      directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let arguments = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
        "-subj", "/CN=qafila test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out",
        "certificate.pem",
      ]
      let log = open("/dev/null", O_WRONLY | O_CLOEXEC)
      defer { close(log) }
      var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
      defer { argv.forEach { free($0) } }
      var environment: [UnsafeMutablePointer<CChar>?] = [nil]
      let pid = clinux_spawn("/usr/bin/openssl", &argv, &environment, directory, log, -1, -1, 0)
      try #require(pid > 0, "openssl did not start: \(-pid)")
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      try #require(status == 0)
    }

    deinit {
      for name in ["key.pem", "certificate.pem"] { unlink(directory + "/" + name) }
      rmdir(directory)
    }

    private func text(_ name: String) -> String {
      let file = open(directory + "/" + name, O_RDONLY | O_CLOEXEC)
      defer { close(file) }
      var buffer = [UInt8](repeating: 0, count: 8192)
      let count = read(file, &buffer, buffer.count)
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }

  @Test func `answers as one without does, over kept-alive connections`() async throws {
    let certificate = try Certificate()
    let connections = Lock(Set<String>())
    try await withServer({ $0.identity = certificate.identity }) { request in
      connections.with { _ = $0.insert(request.peer) }
      if request.path == "/long" {
        return HTTPResponse(
          status: 200,
          body: .stream { writer in
            for _ in 0..<40 { try await writer.write([UInt8](repeating: 65, count: 50_000)) }
          })
      }
      return await echo(request)
    } _: { port, clients in
      let client = HTTPClient(
        on: clients, settings: HTTPClientSettings(maxAnswerBytes: 4 << 20, caFile: certificate.file))
      let url = "https://127.0.0.1:\(port)"
      for turn in 1...50 {
        let body = String(repeating: "x", count: turn * 1500)
        let answer = await client.send(HTTPRequest("POST", url + "/a", body: Array(body.utf8))).answer
        #expect(answer.map { String(decoding: $0.body, as: UTF8.self) } == "POST /a " + body, "turn \(turn)")
      }
      #expect(connections.with { $0.count } == 1)
      #expect(await client.send(HTTPRequest("GET", url + "/long")).answer?.body.count == 2_000_000)
      // Many at once.
      let statuses = await withTaskGroup(of: Int?.self) { group in
        for turn in 0..<200 {
          group.addTask { await client.send(HTTPRequest("POST", url + "/b", body: Array("\(turn)".utf8))).answer?.status }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(statuses == Array(repeating: 200, count: 200))
      client.close()
    }
  }

  @Test func `ends the connection of who speaks plainly, and of what it refuses`() async throws {
    let certificate = try Certificate()
    try await withServer({
      $0.identity = certificate.identity
      $0.maxBodyBytes = 1000
    }) { port, clients in
      let plain = Peer(port, on: clients)
      await plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      let said = await plain.rest()
      #expect(said.map { !String(decoding: $0, as: UTF8.self).contains("HTTP/1.1 200") } ?? true)
      let client = HTTPClient(on: clients, settings: HTTPClientSettings(caFile: certificate.file))
      let url = "https://127.0.0.1:\(port)/"
      // Its answer is written past MHD where nothing is sealed; here it must not leak out in the clear.
      let body = [UInt8](repeating: 65, count: 3 << 20)
      let refused = await client.send(HTTPRequest("POST", url, body: body))
      #expect(refused.answer.map { $0.status == 413 } ?? true)
      #expect(await client.send(HTTPRequest("GET", url)).answer?.status == 200)
      client.close()
    }
  }

  @Test func `does not start with what is no certificate`() async throws {
    var settings = HTTPServerSettings()
    settings.identity = HTTPServerSettings.Identity(certificate: "none", key: "none")
    let reactor = Reactor(name: "server")
    reactor.start()
    let server = HTTPServer(settings, on: reactor, handler: echo)
    #expect(throws: HTTPServerError.self) { try server.start() }
    reactor.stop()
  }
}

extension Result<HTTPAnswer, HTTPFailure> {
  fileprivate var answer: HTTPAnswer? { if case .success(let answer) = self { answer } else { nil } }
}
