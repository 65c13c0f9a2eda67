/// What one client does with all its requests.
public struct HTTPClientSettings: Sendable {
  public var connectTimeout: Duration
  /// Connections kept open, and at the same time the bound of requests in flight: a cache smaller than that would close
  /// and open connections all the time. A request beyond it ends as `neverWritten("busy")`.
  public var maxConnections: Int
  /// A longer answer ends the transfer as `unanswered("too_large")`.
  public var maxAnswerBytes: Int
  /// HTTP/2 over TLS where the server offers it. Off: with libcurl 7.88.1 driven by sockets, some streams fail under
  /// load (error 92), and it saves memory rather than time.
  public var http2: Bool
  /// PEM file of the authorities to trust in place of the system's.
  public var caFile: String?
  public var userAgent: String
  /// Asked before each connection, with the address it would go to; a request to a refused one ends as
  /// `neverWritten("address")`. Nil: any. It runs on the reactor's thread.
  public var targets: TargetRule?

  public init(
    connectTimeout: Duration = .seconds(5), maxConnections: Int = 1024, maxAnswerBytes: Int = 1 << 20,
    http2: Bool = false, caFile: String? = nil, userAgent: String = "qafila"
  ) {
    (self.connectTimeout, self.maxConnections, self.maxAnswerBytes) = (connectTimeout, maxConnections, maxAnswerBytes)
    (self.http2, self.caFile, self.userAgent) = (http2, caFile, userAgent)
  }
}
