import CCrypto

/// Seals secrets at rest (access tokens) with AES-256-GCM. Nothing about it can be printed.
public struct SealKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  private let key: [UInt8]

  private static let version: UInt8 = 1
  private static let nonceLength = 12
  private static let tagLength = 16

  /// From 64 hexadecimal digits, which are the key, or from any text of at least 32 characters, which is hashed into
  /// one. Nil when the text is shorter.
  public init?(secret: String) {
    if secret.utf8.count == 64, let bytes = Crypto.bytes(hex: secret) {
      key = bytes
    } else if secret.count >= 32 {
      key = Crypto.hmacSHA256(key: Array("qafila seal key 1".utf8), Array(secret.utf8))
    } else {
      return nil
    }
  }

  /// A version byte, a random nonce, the cipher text and its tag. `context` is authenticated, not stored: a row's
  /// sealed bytes don't open under another row's name.
  public func seal(_ plain: [UInt8], context: String) -> [UInt8] {
    var sealed = [SealKey.version] + Crypto.randomBytes(SealKey.nonceLength)
    let cipher = Cipher(encrypting: true, key: key, nonce: sealed[1...])
    guard cipher.authenticate(SealKey.bound(context)), let body = cipher.update(plain), cipher.finish(),
      let tag = cipher.tag(SealKey.tagLength)
    else { preconditionFailure("libcrypto could not seal") }
    sealed += body
    sealed += tag
    return sealed
  }

  /// Nil when the bytes were not sealed by this key for this context, or were changed since.
  public func open(_ sealed: [UInt8], context: String) -> [UInt8]? {
    let head = 1 + SealKey.nonceLength
    guard sealed.count >= head + SealKey.tagLength, sealed[0] == SealKey.version else { return nil }
    let body = Array(sealed[head..<(sealed.count - SealKey.tagLength)])
    let cipher = Cipher(encrypting: false, key: key, nonce: sealed[1..<head])
    guard cipher.authenticate(SealKey.bound(context)), let plain = cipher.update(body),
      cipher.expect(tag: Array(sealed.suffix(SealKey.tagLength))), cipher.finish()
    else { return nil }
    return plain
  }

  /// A key of 32 bytes for another purpose, which tells nothing about this one or about those of other purposes.
  public func derived(for purpose: String) -> [UInt8] {
    Crypto.hmacSHA256(key: key, Array("qafila derived key 1: \(purpose)".utf8))
  }

  private static func bound(_ context: String) -> [UInt8] { [version] + Array(context.utf8) }

  public var description: String { "SealKey(…)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One AES-256-GCM operation. Freed, and its key wiped by libcrypto, at the end of its scope.
private struct Cipher: ~Copyable {
  private let context: OpaquePointer

  init(encrypting: Bool, key: [UInt8], nonce: ArraySlice<UInt8>) {
    precondition(key.count == 32 && nonce.count == 12, "AES-256-GCM takes 32 bytes of key and 12 of nonce")
    guard let context = EVP_CIPHER_CTX_new() else { preconditionFailure("no memory for a cipher") }
    self.context = context
    let ready = EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nil, key, Array(nonce), encrypting ? 1 : 0)
    precondition(ready == 1, "libcrypto has no AES-256-GCM")
  }

  deinit { EVP_CIPHER_CTX_free(context) }

  borrowing func authenticate(_ data: [UInt8]) -> Bool {
    var length: Int32 = 0
    return EVP_CipherUpdate(context, nil, &length, data, Int32(data.count)) == 1
  }

  borrowing func update(_ data: [UInt8]) -> [UInt8]? {
    if data.isEmpty { return [] }
    var output = [UInt8](repeating: 0, count: data.count)
    var length: Int32 = 0
    guard EVP_CipherUpdate(context, &output, &length, data, Int32(data.count)) == 1, length == data.count else {
      return nil
    }
    return output
  }

  /// On opening this is where the tag is compared.
  borrowing func finish() -> Bool {
    var rest = [UInt8](repeating: 0, count: 16)
    var length: Int32 = 0
    return EVP_CipherFinal_ex(context, &rest, &length) == 1
  }

  borrowing func tag(_ length: Int) -> [UInt8]? {
    var tag = [UInt8](repeating: 0, count: length)
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(length), &tag) == 1 ? tag : nil
  }

  borrowing func expect(tag: [UInt8]) -> Bool {
    var tag = tag
    return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1
  }
}
