/// A handler's answer.
public struct HTTPResponse: Sendable {
  public enum Body: Sendable {
    case bytes([UInt8])
    /// Chunked (HTTP/1.0: until the connection closes). The closure runs in the handler's task; when it throws, the
    /// connection is cut, so that the peer never takes a part for the whole.
    case stream(@Sendable (HTTPBodyWriter) async throws -> Void)
    /// Shuts the socket without a byte: for doubles that play a peer that dies.
    case abort
  }

  public var status: Int
  public var headers: [(String, String)]
  public var body: Body
  /// Set for answers that never end by themselves (server-sent events): a graceful shutdown cancels their task at once
  /// and ends the stream properly instead of waiting for it.
  public var endsWithServer = false

  public init(status: Int, headers: [(String, String)] = [], body: Body = .bytes([])) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  public static func json(_ status: Int, _ bytes: [UInt8]) -> HTTPResponse {
    HTTPResponse(status: status, headers: [("Content-Type", "application/json")], body: .bytes(bytes))
  }

  public static func text(_ status: Int, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: .bytes(Array(text.utf8)))
  }

  /// An RFC 9457 document whose words are the server's own.
  static func problem(_ status: Int, _ title: String, _ detail: String) -> HTTPResponse {
    let text = #"{"type":"about:blank","title":"\#(title)","status":\#(status),"detail":"\#(detail)"}"#
    return HTTPResponse(
      status: status, headers: [("Content-Type", "application/problem+json")], body: .bytes(Array(text.utf8)))
  }

  /// What to answer when reading the body failed and the application has nothing better to say.
  public init(_ failure: HTTPBodyError) {
    switch failure {
    case .tooLarge(let limit):
      self = .problem(413, "Content too large", "The body may have at most \(limit) bytes.")
    case .timedOut: self = .problem(408, "Request timeout", "The body came too slowly.")
    case .disconnected: self = HTTPResponse(status: 400, body: .abort)
    }
  }

  public static let abort = HTTPResponse(status: 500, body: .abort)
}

/// Why a body could not be read to its end.
public enum HTTPBodyError: Error, Equatable, Sendable {
  case tooLarge(limit: Int)
  case timedOut
  case disconnected
}

/// The peer left, or the server was told to stop.
public struct HTTPDisconnected: Error, Sendable {}

/// The open end of a streamed answer.
public final class HTTPBodyWriter: Sendable {
  private let exchange: Exchange
  init(_ exchange: Exchange) { self.exchange = exchange }

  /// Hands `bytes` over and suspends while more than 256 KB wait for the peer.
  ///
  /// Throws `HTTPDisconnected` once the peer left; that is noticed within a tick even when nothing is written, and the
  /// task is cancelled then.
  public func write(_ bytes: [UInt8]) async throws { try await exchange.write(bytes) }

  public func write(_ text: String) async throws { try await exchange.write(Array(text.utf8)) }
}
