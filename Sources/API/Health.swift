import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// What machines ask: is it alive, is it ready, what does it count, what can it do.
enum Health {
  static func add(to router: inout Router, _ services: APIServices) {
    router.add("GET", "/healthz", .open) { _ in .json(200, ["status": "ok"]) }
    router.add("GET", "/readyz", .open) { _ in
      do {
        try await Migrator.check(services.pool)
        return .json(200, ["status": "ready"])
      } catch let mismatch as MigrationError {
        return .problem(mismatch.problem.unavailable)
      } catch is DatabaseError {
        return .problem(API.databaseAway, headers: [("Retry-After", "2")])
      }
    }
    router.add("GET", "/metrics", .key(.read)) { _ in
      HTTPResponse(
        status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
        body: .bytes(Array(await services.metrics().utf8)))
    }
    router.add("GET", "/openapi.json", .key(.read)) { _ in .json(200, OpenAPI.document) }
    guard let webhook = services.webhook else { return }
    for method in ["GET", "POST"] {
      router.add(method, "/webhooks/whatsapp", .open, replay: Router.Replay.none) { await webhook($0.request) }
    }
  }
}

extension Problem {
  /// The same, as an answer of a service that is not ready.
  fileprivate var unavailable: Problem {
    var problem = self
    problem.status = 503
    return problem
  }
}
