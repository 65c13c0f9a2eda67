import CCrypto

/// SHA-256 over bytes that come in pieces. One user at a time.
public final class RunningHash: @unchecked Sendable {
  // @unchecked: handed from one task to the next, never used by two at once; the owner sees to it.
  private let context: OpaquePointer

  public init() {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("no memory for a hash") }
    self.context = context
    precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1, "libcrypto has no SHA-256")
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: [UInt8]) {
    precondition(EVP_DigestUpdate(context, bytes, bytes.count) == 1, "libcrypto could not hash")
  }

  /// The hash of everything so far; updating afterwards is an error.
  public func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "libcrypto could not hash")
    return digest
  }
}
