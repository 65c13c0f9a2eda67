import Glibc

/// A small value behind a pthread mutex. Never held across a call out.
///
/// Not `Synchronization.Mutex`: the thread sanitizer reports false races on that one.
public final class Lock<Value>: @unchecked Sendable {
  // @unchecked: `value` is only touched between lock and unlock.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var value: Value

  public init(_ value: Value) {
    self.value = value
    mutex.initialize(to: pthread_mutex_t())
    let failed = pthread_mutex_init(mutex, nil)
    precondition(failed == 0, "pthread_mutex_init: \(failed)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  public func with<R>(_ body: (inout Value) throws -> R) rethrows -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }
}
