import Domain
import HTTPClient
import Reactor
import Store

/// How strangers' addresses are called: each endpoint has connections, a bound and a deadline of its own, so that one that
/// hangs keeps nobody waiting but itself. Redirects are never followed: an address is called where it was registered.
///
/// One user: the actor that calls.
final class Receivers {
  enum Verdict: Equatable, Sendable {
    case taken(status: Int)
    /// Trying again may help. `asked`: what the receiver wants to wait at least, in nanoseconds.
    case failed(status: Int?, reason: String, asked: Int64)
    /// The receiver says that there is nobody any more.
    case gone
    /// We are ending: nothing is known.
    case interrupted
  }

  private let settings: HTTPClientSettings
  private let timeout: Duration
  private let reactor: Reactor
  private var clients: [Endpoint.ID: HTTPClient] = [:]

  init(connections: Int, timeout: Duration, targets: TargetRule, caFile: String?, on reactor: Reactor) {
    var settings = HTTPClientSettings(maxConnections: connections, maxAnswerBytes: 64 << 10, caFile: caFile)
    settings.targets = targets
    (self.settings, self.timeout, self.reactor) = (settings, timeout, reactor)
  }

  /// Closes the connections of endpoints that are no more.
  func keep(_ endpoints: Set<Endpoint.ID>) {
    for (id, client) in clients where !endpoints.contains(id) {
      client.close()
      clients[id] = nil
    }
  }

  func close() { keep([]) }

  func client(of endpoint: Endpoint.ID) -> HTTPClient {
    if let client = clients[endpoint] { return client }
    let client = HTTPClient(on: reactor, settings: settings)
    clients[endpoint] = client
    return client
  }

  func request(_ url: String, headers: [(String, String)], body: [UInt8]) -> HTTPRequest {
    HTTPRequest("POST", url, headers: headers, body: body, timeout: timeout)
  }

  static func verdict(_ result: Result<HTTPAnswer, HTTPFailure>) -> Verdict {
    switch result {
    case .success(let answer):
      switch answer.status {
      case 200..<300: return .taken(status: answer.status)
      case 300..<400: return .failed(status: answer.status, reason: "redirected", asked: 0)
      case 410: return .gone
      default:
        let asked = answer.header("retry-after").flatMap { Int64($0) } ?? 0
        return .failed(status: answer.status, reason: "status", asked: max(0, min(asked, 86_400)) * 1_000_000_000)
      }
    case .failure(let failure):
      switch failure.reason {
      case "cancelled": return .interrupted
      case "address": return .failed(status: nil, reason: "address_not_allowed", asked: 0)
      // The head had come; what is in the body is of no interest, its length is.
      default: return .failed(status: nil, reason: failure.reason, asked: 0)
      }
    }
  }
}
