/// One request, lent to the handler. It stays valid after the peer left; reading then throws.
public final class HTTPServerRequest: Sendable {
  private let exchange: Exchange
  private let head: Head

  init(_ exchange: Exchange) {
    self.exchange = exchange
    head = exchange.head
  }

  /// Upper case as sent; any token.
  public var method: String { head.method }
  /// Percent-decoded, without the query; starts with `/`.
  public var path: String { head.path }
  /// In the order given; `+` and escapes decoded; a name without `=` has an empty value.
  public var query: [(String, String)] { head.query }
  /// The first field of that name. Names are compared without case when given in lower case.
  public func header(_ lowercased: String) -> String? { head.field(lowercased) }
  /// `Content-Length`; nil when the body is chunked or when there is none.
  public var declaredLength: Int? {
    if case .length(let length) = head.framing { length } else { nil }
  }
  /// The peer's address and port, as the socket knows it: behind a proxy, the proxy's.
  public var peer: String { exchange.peer }
  /// 1 for the first request of its connection, 2 for the next on the same kept-alive connection.
  public var ordinalOnConnection: Int { exchange.ordinal }

  /// Raises (or lowers) the limit of this request's body.
  public func allowBody(upTo limit: Int) { exchange.allow(limit) }

  /// The next bytes of the body, nil at its end. A body nobody asks for is not read: the peer feels it.
  public func nextChunk() async throws(HTTPBodyError) -> [UInt8]? { try await exchange.nextChunk().get() }

  /// The whole body.
  ///
  /// A declared length above `limit` throws before a byte is read.
  public func body(upTo limit: Int) async throws(HTTPBodyError) -> [UInt8] {
    exchange.allow(limit)
    guard var whole = try await exchange.nextChunk().get() else { return [] }
    while let more = try await exchange.nextChunk().get() { whole += more }
    return whole
  }
}
