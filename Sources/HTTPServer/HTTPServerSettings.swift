/// Where a server listens and what it bears. Every limit has a deadline kept by the Reactor: MHD's own timeouts restart
/// with each byte, so a peer that drips one byte a second would hold a connection for ever.
public struct HTTPServerSettings: Sendable {
  /// An IPv4 or IPv6 address; names are not resolved.
  public var address = "127.0.0.1"
  /// 0 takes a free port; `start` tells which.
  public var port: UInt16 = 0
  /// Request line and header fields together, in bytes; more is answered 431. At most 61,440.
  public var maxHeaderBytes = 16_384
  public var maxHeaderFields = 100
  /// The body, declared or streamed, in bytes, until the handler calls `allowBody(upTo:)`.
  public var maxBodyBytes = 1 << 20
  /// From the connection's first moment to the end of its first head.
  public var headTimeout: Duration = .seconds(10)
  /// From an answer's end to the end of the next head on the same connection.
  public var keepAliveTimeout: Duration = .seconds(75)
  /// No byte of an awaited body for so long ends it.
  public var bodyIdleTimeout: Duration = .seconds(30)
  /// In bytes per second: an awaited body of n bytes may take `bodyIdleTimeout` + n / `minBodyRate`.
  public var minBodyRate = 1024
  /// No byte of an answer taken by the peer for so long ends it.
  public var writeIdleTimeout: Duration = .seconds(60)
  /// From the whole request to the handler's answer; then 503, and the handler's task is cancelled. Nil: no limit.
  public var maxRequestTime: Duration?
  /// Further connections wait in the kernel's backlog.
  public var maxConnections = 2000
  /// Speaks TLS with this identity, for doubles of services that do; nil: plain. A head or a body that is refused before
  /// its end then ends the connection without a word: that answer would have to go past MHD, which alone holds the keys.
  public var identity: Identity?
  /// How often deadlines are looked at; they are met late by at most this.
  public var tick: Duration = .milliseconds(250)

  /// A certificate (with its chain) and its key, both PEM.
  public struct Identity: Sendable {
    public var certificate: String
    public var key: String
    public init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
  }

  public init(address: String = "127.0.0.1", port: UInt16 = 0) {
    self.address = address
    self.port = port
  }
}

/// Why a server could not start.
public enum HTTPServerError: Error, Equatable {
  /// Not an IPv4 or IPv6 address.
  case badAddress(String)
  /// The system call that failed and its errno: `bind` and 98 when another process has the port.
  case refused(call: String, errno: Int32)
}
