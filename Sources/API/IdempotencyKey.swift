import Crypto
import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// `Idempotency-Key` on writes: the same key and request get the same answer for 7 days; another request under the key
/// is refused; two at once are one.
enum IdempotencyKey {
  static func read(_ request: HTTPServerRequest) throws(Problem) -> String? {
    guard let key = request.header("idempotency-key") else { return nil }
    guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw Problem(
        400, "idempotency_key_invalid", "The Idempotency-Key cannot be used.",
        detail: "It has 1 to 200 visible ASCII characters.", remedy: "Use a random UUID.")
    }
    return key
  }

  /// Of method, path, query and body, so that a key is bound to the whole request.
  static func digest(_ request: HTTPServerRequest, body: [UInt8]) -> [UInt8] {
    var text = request.method + "\n" + request.path
    for (name, value) in request.query { text += "\n" + name + "=" + value }
    return Crypto.sha256(Array(text.utf8) + [0] + body)
  }

  static func replaying(
    _ key: String, digest: [UInt8], _ caller: Caller, _ services: APIServices, _ work: () async throws -> HTTPResponse
  ) async throws -> HTTPResponse {
    switch try await Idempotency.claim(key, digest: digest, business: caller.business, on: services.pool) {
    case .answered(let first, let status, let answer):
      guard Crypto.equal(first, digest) else { throw otherRequest }
      return replayed(status, answer)
    case .running: throw stillRunning
    case .lost: throw lost
    case .first: break
    }
    do {
      let response = try await work()
      try await keep(key, digest, response, caller, services)
      return response
    } catch let problem as Problem where problem.status < 500 {
      // The refusal is the answer: the same request would be refused again.
      let response = HTTPResponse.problem(problem)
      try await keep(key, digest, response, caller, services)
      return response
    } catch let failure as DatabaseError where failure.mayHaveHappened {
      // Left as running: whether the write happened is not known, so it must not be made twice by asking again.
      throw failure
    } catch {
      try await forget(key, caller, services)
      throw error
    }
  }

  /// In a task of its own: the caller may have left meanwhile, which cancels the handler's, and the write was made.
  static func keep(
    _ key: String, _ digest: [UInt8], _ response: HTTPResponse, _ caller: Caller, _ services: APIServices
  ) async throws {
    // Streams are answers to reading, which has no key.
    guard case .bytes(let bytes) = response.body else { return try await forget(key, caller, services) }
    try await Task {
      try await Idempotency.keep(
        key, digest: digest, status: response.status, answer: bytes, business: caller.business, on: services.pool)
    }.value
  }

  static func forget(_ key: String, _ caller: Caller, _ services: APIServices) async throws {
    try await Task { try await Idempotency.forget(key, business: caller.business, on: services.pool) }.value
  }

  static func replayed(_ status: Int, _ answer: [UInt8]) -> HTTPResponse {
    HTTPResponse(
      status: status,
      headers: [
        ("Content-Type", status < 400 ? "application/json" : "application/problem+json"),
        ("Idempotent-Replayed", "true"),
      ], body: .bytes(answer))
  }

  static let otherRequest = Problem(
    422, "idempotency_key_reused", "The Idempotency-Key belongs to another request.",
    detail: "A request with another path or body used this key in the last 7 days.",
    remedy: "Use a new key for a new request.")
  static let stillRunning = Problem(
    409, "idempotency_key_busy", "A request with this Idempotency-Key is still running.",
    detail: "The first request with this key has not ended.", remedy: "Ask again in a moment, with the same key.")
  static let lost = Problem(
    409, "idempotency_key_lost", "The first request with this Idempotency-Key never told its end.",
    detail: "The service died while it ran; it may have made its change.",
    remedy: "Look whether the change is there; if not, use a new key.")
}

extension DatabaseError {
  /// The link broke after the write may have been committed.
  var mayHaveHappened: Bool { self == .interrupted }
}
