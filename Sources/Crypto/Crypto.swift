import CCrypto

/// Hashes, random bytes and constant-time comparison, by libcrypto.
///
/// A failure of libcrypto itself (no memory, no entropy) ends the process: going on without randomness or with an empty
/// MAC would be worse.
public enum Crypto {
  public static func sha256(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    let done = EVP_Digest(message, message.count, &digest, nil, EVP_sha256(), nil)
    precondition(done == 1, "libcrypto could not hash")
    return digest
  }

  /// For a single use of a key; `MACKey` is several times cheaper for the second.
  public static func hmacSHA256(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    // HMAC() takes a null key for "the key of the last call", so an empty key still needs an address.
    let padded = key.isEmpty ? [0] : key
    let done = HMAC(EVP_sha256(), padded, Int32(key.count), message, message.count, &digest, &length)
    precondition(done != nil && length == 32, "libcrypto could not authenticate")
    return digest
  }

  /// Unpredictable bytes, from libcrypto's generator seeded by the kernel.
  public static func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    precondition(RAND_bytes(&bytes, Int32(count)) == 1, "libcrypto has no random bytes")
    return bytes
  }

  /// Compares in a time that depends on the lengths only.
  public static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }
}
