import Domain

/// Turns phones into person keys under the installation's pepper. About half a microsecond each, from any thread.
public struct PersonKeys: Sendable, CustomStringConvertible, CustomReflectable {
  private let mac: MACKey

  /// `pepper`: at least 32 bytes that never change for the installation.
  public init(pepper: [UInt8]) {
    precondition(pepper.count >= 32, "a pepper needs 32 bytes, not \(pepper.count)")
    mac = MACKey(pepper)
  }

  /// The first 16 bytes of HMAC-SHA256(pepper, `+` and digits).
  public func key(of phone: PhoneNumber) -> PersonKey {
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { text in
      var at = 16
      var rest = phone.digits
      while rest > 0 {
        at -= 1
        text[at] = UInt8(0x30 + rest % 10)
        rest /= 10
      }
      at -= 1
      text[at] = UInt8(ascii: "+")
      return mac.withHMAC(UnsafeRawBufferPointer(rebasing: text[at...])) { digest in
        PersonKey(
          high: UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    }
  }

  /// Of a person known by a user id alone. It holds a dot and no phone does, so the two never meet.
  public func key(of user: UserID) -> PersonKey {
    let text = Array(user.text.utf8)
    return text.withUnsafeBytes { text in
      mac.withHMAC(text) { digest in
        PersonKey(
          high: UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
          low: UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
      }
    }
  }

  public var description: String { "PersonKeys(…)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
