import Crypto
import Domain
import JSON

/// An alert as it leaves: Standard Webhooks' body and headers. The body and the id are the same at every attempt; the
/// signature is over both and the attempt's time, so that a copy can't be played again later.
struct SignedAlert {
  let id: String
  let body: [UInt8]

  /// `installation`: ids of two systems that tell one receiver must differ.
  init(_ alert: Alert.ID, event: String, at: Instant, data: [UInt8], installation: String) throws(JSONError) {
    id = "evt_\(installation)_\(alert)"
    body = JSONValue.object([
      "type": .string(event), "timestamp": .string(at.rfc3339()), "data": try JSONValue(parsing: data),
    ]).rendered()
  }

  /// Every secret that is valid signs: the receiver changes from one to the other when it likes.
  func headers(secrets: [String], at now: Instant) -> [(String, String)] {
    let signed = Array("\(id).\(now.seconds).".utf8) + body
    let signatures = secrets.compactMap { SignedAlert.key($0) }.map {
      "v1," + Crypto.base64(Crypto.hmacSHA256(key: $0, signed))
    }
    return [
      ("Content-Type", "application/json"), ("webhook-id", id), ("webhook-timestamp", String(now.seconds)),
      ("webhook-signature", signatures.joined(separator: " ")),
    ]
  }

  /// The bytes behind `whsec_`.
  static func key(_ secret: String) -> [UInt8]? {
    secret.hasPrefix("whsec_") ? Crypto.bytes(base64: secret.dropFirst(6)) : nil
  }
}
