import Crypto
import Domain
import Governor
import HTTPClient
import HTTPServer
import JSON
import Postgres
import Reactor
import Simulation
import Store
import Testing

@testable import Alerting

/// A migrated database with a number, a courier, and receivers whose manners a test chooses.
final class Outside: Sendable {
  static let reactor: Reactor = {
    let reactor = Reactor(name: "outside")
    reactor.start()
    return reactor
  }()
  static let sealKey = SealKey(secret: "a secret of at least thirty-two characters")!

  let url: String
  let pool: Pool
  let installation: Installation
  let log = Lock([String]())
  var business: Business.ID { installation.business }

  init() async throws {
    url = try await TestDatabase.shared.fresh(like: "outside") { url in
      let connection = Connection(ConnectionSettings(url: url), on: Outside.reactor)
      _ = try await Migrator.migrate(connection)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: url), size: 6, on: Outside.reactor)
    installation = try await Installation.open(pool, sealKey: Outside.sealKey)
  }

  var settings: Courier.Settings {
    var settings = Courier.Settings()
    (settings.deriveEvery, settings.lookEvery) = (.milliseconds(50), .milliseconds(50))
    (settings.timeout, settings.lease) = (.seconds(2), .seconds(20))
    settings.retry.first = 100_000_000
    settings.retry.longest = 400_000_000
    settings.targets = TargetRule(allowed: [Network("127.0.0.1")!])
    return settings
  }

  func courier(_ settings: Courier.Settings? = nil) -> Courier {
    Courier(
      settings: settings ?? self.settings, installation: installation, secrets: EndpointSecrets(sealKey: Outside.sealKey),
      pool: pool, on: Outside.reactor
    ) { [log] event, fields in log.with { $0.append("\(event) \(fields.map { $0.0 + "=" + $0.1 }.joined(separator: " "))") } }
  }

  /// Runs `body` beside a courier.
  func withCourier<R>(_ settings: Courier.Settings? = nil, _ body: () async throws -> R) async throws -> R {
    let courier = courier(settings)
    let running = Task { try await courier.run() }
    defer { running.cancel() }
    let result = try await body()
    running.cancel()
    try await running.value
    return result
  }

  func endpoint(_ url: String, _ more: JSONObject = [:]) async throws -> (id: Endpoint.ID, secret: String) {
    var object: JSONObject = ["url": .string(url)]
    for field in more.fields { object.append(field.key, field.value) }
    let spec = try EndpointSpec(json: .object(object))
    let secret = spec.secret ?? (spec.forward == nil ? EndpointSecrets.make() : EndpointSecrets.makeForForward())
    let id = try await Endpoints.add(
      spec, sealed: EndpointSecrets(sealKey: Outside.sealKey).sealed(secret), of: business, by: "test", on: pool)
    return (try #require(id), secret)
  }

  /// Something that happened: everything was stopped.
  func stopEverything(_ reason: String = "test") async throws {
    _ = try await pool.batch([
      Pauses.opening(.business, business.rawValue, business: business, cause: .operator, reason: reason, actor: reason)
    ])
  }

  func until(_ what: Comment, within limit: Duration = .seconds(30), _ met: () async throws -> Bool) async throws {
    let deadline = BootInstant.now + limit
    while try await !met() {
      try #require(BootInstant.now < deadline, what)
      try await Outside.reactor.sleep(for: .milliseconds(20))
    }
  }

  func close() async { await pool.close() }
}

/// Answers as it is told, and keeps what came.
final class Stranger: Sendable {
  enum Manner: Sendable { case answer(Int, [(String, String)] = []), hang }
  struct Got: Sendable {
    let headers: [String: String]
    let body: [UInt8]
    var id: String { headers["webhook-id"] ?? "" }
  }

  let manner: Lock<Manner>
  let got = Lock([Got]())
  let server: HTTPServer
  let port: UInt16
  var url: String { "http://127.0.0.1:\(port)/hook?key=hidden" }

  init(_ first: Manner) throws {
    manner = Lock(first)
    let (manner, got) = (manner, got)
    server = HTTPServer(HTTPServerSettings(), on: Outside.reactor) { request in
      do {
        let body = try await request.body(upTo: 4 << 20)
        var headers: [String: String] = [:]
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256", "content-type"] {
          headers[name] = request.header(name)
        }
        let kept = headers
        got.with { $0.append(Got(headers: kept, body: body)) }
        switch manner.with({ $0 }) {
        case .answer(let status, let headers): return HTTPResponse(status: status, headers: headers)
        case .hang:
          try await Outside.reactor.sleep(for: .seconds(60))
          return .abort
        }
      } catch {
        return .abort
      }
    }
    port = try server.start()
  }

  func become(_ next: Manner) { manner.with { $0 = next } }
  var received: [Got] { got.with { $0 } }
  func close() async { await server.shutdown(grace: .milliseconds(50)) }
}

/// RFC 2104 by hand over SHA-256: not the code that signs.
func macByHand(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
  var block = key.count > 64 ? Crypto.sha256(key) : key
  block += [UInt8](repeating: 0, count: 64 - block.count)
  return Crypto.sha256(block.map { $0 ^ 0x5C } + Crypto.sha256(block.map { $0 ^ 0x36 } + message))
}
