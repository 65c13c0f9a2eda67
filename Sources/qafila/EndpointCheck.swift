import HTTPClient
import Reactor

/// Looks at an address that somebody registers: whether it may be called, and whether anybody is there.
final class EndpointCheck: Sendable {
  private let http: HTTPClient

  init(_ settings: ServeSettings, on reactor: Reactor) {
    var own = HTTPClientSettings(connectTimeout: .seconds(3), maxConnections: 4, caFile: settings.caFile)
    own.targets = settings.targets
    http = HTTPClient(on: reactor, settings: own)
  }

  /// Nil when it could be connected to; no byte of a request is written.
  @Sendable func check(_ url: String) async -> String? {
    var request = HTTPRequest("GET", url, timeout: .seconds(5))
    request.isProbe = true
    switch await http.send(request) {
    case .success: preconditionFailure("a probe writes nothing, so nobody can answer it")
    case .failure(let failure):
      switch failure.reason {
      case "probed": return nil
      case "address": return "address_not_allowed"
      default: return failure.reason
      }
    }
  }
}
