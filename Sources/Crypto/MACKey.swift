import CCrypto
import Glibc

/// An HMAC-SHA256 key whose schedule is computed once: about 0.4 µs for a short message, against 1.5 µs with a fresh
/// key.
///
/// Callable from any thread; callers take turns, for one hash each.
public final class MACKey: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
  // @unchecked: `context` is used between lock and unlock only.
  private let context: OpaquePointer
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  public init(_ key: [UInt8]) {
    let mac = EVP_MAC_fetch(nil, OSSL_MAC_NAME_HMAC, nil)
    guard let context = EVP_MAC_CTX_new(mac) else { preconditionFailure("libcrypto has no HMAC") }
    EVP_MAC_free(mac)  // The context holds a reference of its own.
    var digest = Array(OSSL_DIGEST_NAME_SHA2_256.utf8CString)
    let padded = key.isEmpty ? [0] : key
    // A parameter keeps both pointers it is given: a literal's would be gone before EVP_MAC_init reads it.
    let ready = OSSL_MAC_PARAM_DIGEST.withCString { digestName in
      digest.withUnsafeMutableBufferPointer { name in
        var parameters = [
          OSSL_PARAM_construct_utf8_string(digestName, name.baseAddress, 0), OSSL_PARAM_construct_end(),
        ]
        return EVP_MAC_init(context, padded, key.count, &parameters)
      }
    }
    precondition(ready == 1, "libcrypto has no HMAC-SHA256")
    self.context = context
    mutex.initialize(to: pthread_mutex_t())
    let failed = pthread_mutex_init(mutex, nil)
    precondition(failed == 0, "pthread_mutex_init: \(failed)")
  }

  deinit {
    EVP_MAC_CTX_free(context)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  public func hmacSHA256(_ message: [UInt8]) -> [UInt8] { message.withUnsafeBytes { hmacSHA256($0) } }

  public func hmacSHA256(_ message: UnsafeRawBufferPointer) -> [UInt8] {
    withHMAC(message) { Array($0) }
  }

  /// Lends the 32 bytes instead of allocating them.
  func withHMAC<R>(_ message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { digest in
      let out = digest.baseAddress!.assumingMemoryBound(to: UInt8.self)
      var length = 0
      pthread_mutex_lock(mutex)
      // A null key means the key of the last call: the schedule is copied, not computed.
      let done =
        EVP_MAC_init(context, nil, 0, nil) == 1
        && EVP_MAC_update(context, message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count) == 1
        && EVP_MAC_final(context, out, &length, 32) == 1
      pthread_mutex_unlock(mutex)
      precondition(done && length == 32, "libcrypto could not authenticate")
      return body(UnsafeRawBufferPointer(digest))
    }
  }

  public var description: String { "MACKey(…)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
