import Crypto

/// Meta's signature over a webhook's raw bytes: `X-Hub-Signature-256: sha256=<hex HMAC-SHA256(app secret, body)>`.
public struct WebhookSignature: Sendable {
  private let keys: [MACKey]

  /// Any of the secrets may have signed: the old one stays valid while a new one is rolled out.
  public init(appSecrets: [String]) { keys = appSecrets.map { MACKey(Array($0.utf8)) } }

  /// Compares in constant time. `header` is the whole value.
  public func isValid(_ header: String?, body: [UInt8]) -> Bool {
    guard let header, header.utf8.starts(with: "sha256=".utf8), let claimed = Crypto.bytes(hex: header.dropFirst(7))
    else {
      return false
    }
    return keys.contains { Crypto.equal($0.hmacSHA256(body), claimed) }
  }

  /// The header's value for a body that we pass on, by the first secret.
  public func sign(_ body: [UInt8]) -> String? {
    keys.first.map { "sha256=" + Crypto.hex($0.hmacSHA256(body)) }
  }
}

/// The handshake by which Meta checks a webhook address before it uses it.
public enum WebhookHandshake {
  /// The challenge to answer with status 200 as it is; nil: answer 403.
  public static func challenge(_ query: [(String, String)], verifyToken: String) -> String? {
    func value(_ name: String) -> String? { query.first { $0.0 == name }?.1 }
    guard value("hub.mode") == "subscribe", let token = value("hub.verify_token"),
      Crypto.equal(Array(token.utf8), Array(verifyToken.utf8)), !verifyToken.isEmpty
    else { return nil }
    return value("hub.challenge")
  }
}
