import Crypto
import Domain

/// Seals access tokens at rest. A row's sealed bytes don't open under another row's digest.
public struct Tokens: Sendable {
  private let sealKey: SealKey
  private let mac: MACKey

  public init(sealKey: SealKey) {
    self.sealKey = sealKey
    mac = MACKey(sealKey.derived(for: "token.digest"))
  }

  /// What the table `token` keeps: the sealed token, and the digest that finds the same token again without opening it.
  public func sealed(_ token: String) -> (sealed: [UInt8], digest: [UInt8]) {
    (sealKey.seal(Array(token.utf8), context: Tokens.context), mac.hmacSHA256(Array(token.utf8)))
  }

  /// Nil when the bytes were sealed under another key.
  public func open(_ sealed: [UInt8]) -> String? {
    sealKey.open(sealed, context: Tokens.context).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The secrets of endpoints, sealed by the same key.
  public var endpoints: EndpointSecrets { EndpointSecrets(sealKey: sealKey) }

  private static let context = "token"
}
