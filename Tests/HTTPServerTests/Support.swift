import Domain
import HTTPServer
import Reactor
import Testing

/// Runs `body` against a server of its own and shuts it down.
func withServer<R>(
  _ change: (inout HTTPServerSettings) -> Void = { _ in },
  handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPResponse = echo,
  _ body: (UInt16, Reactor) async throws -> R
) async throws -> R {
  let reactor = Reactor(name: "server")
  reactor.start()
  let clients = Reactor(name: "clients")
  clients.start()
  var settings = HTTPServerSettings()
  settings.tick = .milliseconds(20)
  change(&settings)
  let server = HTTPServer(settings, on: reactor, handler: handler)
  let port = try server.start()
  do {
    let result = try await body(port, clients)
    await server.shutdown(grace: .seconds(1))
    reactor.stop()
    clients.stop()
    return result
  } catch {
    await server.shutdown(grace: .zero)
    reactor.stop()
    clients.stop()
    throw error
  }
}

/// Answers with method, path and body.
@Sendable func echo(_ request: HTTPServerRequest) async -> HTTPResponse {
  do {
    let body = try await request.body(upTo: 1 << 20)
    return .text(200, "\(request.method) \(request.path) \(String(decoding: body, as: UTF8.self))")
  } catch {
    return HTTPResponse(error)
  }
}

/// Collects events in order and lets a test wait for one.
actor Events {
  private var seen: [String] = []
  private var waiting: [(String, CheckedContinuation<Void, Never>)] = []
  func note(_ event: String) {
    seen.append(event)
    for (wanted, continuation) in waiting where wanted == event { continuation.resume() }
    waiting.removeAll { $0.0 == event }
  }
  func wait(for event: String) async {
    if seen.contains(event) { return }
    await withCheckedContinuation { waiting.append((event, $0)) }
  }
  var all: [String] { seen }
}
