import Crypto
import Domain
import HTTPServer
import Postgres
import Reactor
import Store

/// The idempotency of an upload: its body is hashed as it streams, so the key is claimed before the hash is known.
final class UploadReplay: Sendable {
  private let key: String?
  private let caller: Caller
  private let request: HTTPServerRequest
  private let services: APIServices
  private let hash = RunningHash()
  private let isCut = Lock(false)

  init(_ request: HTTPServerRequest, _ caller: Caller?, _ services: APIServices) throws(Problem) {
    guard let caller else { preconditionFailure("an upload without a caller") }
    key = try IdempotencyKey.read(request)
    (self.request, self.caller, self.services) = (request, caller, services)
  }

  /// The next bytes of the body, hashed.
  func nextChunk() async throws(HTTPBodyError) -> [UInt8]? {
    let chunk: [UInt8]?
    do throws(HTTPBodyError) { chunk = try await request.nextChunk() } catch {
      isCut.with { $0 = true }
      throw error
    }
    if let chunk { hash.update(chunk) }
    return chunk
  }

  /// Runs `work` unless the key has its answer already; then the body is only read to be compared.
  func replaying(_ work: () async throws -> HTTPResponse) async throws -> HTTPResponse {
    guard let key else { return try await work() }
    switch try await Idempotency.claim(key, digest: [], business: caller.business, on: services.pool) {
    case .answered(let first, let status, let answer):
      while try await nextChunk() != nil {}
      guard Crypto.equal(first, digest()) else { throw IdempotencyKey.otherRequest }
      return IdempotencyKey.replayed(status, answer)
    case .running: throw IdempotencyKey.stillRunning
    case .lost: throw IdempotencyKey.lost
    case .first: break
    }
    do {
      let response = try await work()
      // What came of a part of the body is no answer to the whole, which may be sent again.
      if isCut.with({ $0 }) {
        try await IdempotencyKey.forget(key, caller, services)
        return response
      }
      try await IdempotencyKey.keep(key, digest(), response, caller, services)
      return response
    } catch let failure as DatabaseError where failure.mayHaveHappened {
      throw failure
    } catch {
      // A refused file may have been read in part only, so there is no hash to bind its answer to.
      try await IdempotencyKey.forget(key, caller, services)
      throw error
    }
  }

  private func digest() -> [UInt8] { IdempotencyKey.digest(request, body: hash.finish()) }
}
