import Domain
import HTTPClient
import HTTPServer
import Reactor

/// The floor of sending: the same bodies to the same Sandbox over kept-alive connections, and nothing else.
final class BareClient: @unchecked Sendable {
  // @unchecked: everything is touched on the reactor's thread alone.
  private let client: HTTPClient
  private let headers: HeaderList
  private let url: String
  private let bodies: [[UInt8]]
  private var next = 0
  private var left: Int
  private var refused = 0
  private var done: CheckedContinuation<Int, Never>?

  private init(_ bodies: [[UInt8]], url: String, inFlight: Int, on reactor: Reactor) {
    (self.bodies, self.url, left) = (bodies, url, bodies.count)
    client = HTTPClient(on: reactor, settings: HTTPClientSettings(maxConnections: inFlight + 8))
    headers = HeaderList([("Authorization", "Bearer " + Stage.token), ("Content-Type", "application/json")])
  }

  /// Messages per second, from the first request to the last answer.
  static func rate(_ bodies: [[UInt8]], sandbox: UInt16, inFlight: Int) async throws -> Double {
    let reactor = Reactor(name: "floor")
    reactor.start()
    defer { reactor.stop() }
    let bare = BareClient(
      bodies, url: "http://127.0.0.1:\(sandbox)/v26.0/\(Stage.phoneNumberID)/messages", inFlight: inFlight, on: reactor)
    let started = BootInstant.now
    let refused = await withCheckedContinuation { done in
      reactor.submit {
        bare.done = done
        for _ in 0..<inFlight { bare.send() }
      }
    }
    let took = (BootInstant.now - started).nanoseconds
    bare.client.close()
    guard refused == 0 else { throw BenchError("the Sandbox refused \(refused) messages of the bare client") }
    return Double(bodies.count) * 1e9 / Double(took)
  }

  private func send() {
    guard next < bodies.count else { return }
    next += 1
    client.send(HTTPRequest("POST", url, headers: headers, body: bodies[next - 1])) { [self] result in
      if case .success(let answer) = result, answer.status == 200 {} else { refused += 1 }
      left -= 1
      if left == 0 { done?.resume(returning: refused) } else { send() }
    }
  }
}

/// Takes receipts and forgets them.
final class NullSink: Sendable {
  private let server: HTTPServer
  private let reactor: Reactor
  let port: UInt16

  init() throws {
    reactor = Reactor(name: "sink")
    reactor.start()
    var settings = HTTPServerSettings()
    settings.maxBodyBytes = 3 << 20
    server = HTTPServer(settings, on: reactor) { request in
      do {
        _ = try await request.body(upTo: 3 << 20)
      } catch { return HTTPResponse(status: 400) }
      return HTTPResponse(status: 200)
    }
    port = try server.start()
  }

  func stop() async {
    await server.shutdown(grace: .seconds(1))
    reactor.stop()
  }
}
