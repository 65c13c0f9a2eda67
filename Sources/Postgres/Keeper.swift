import CLinux
import Glibc
import Reactor

/// A thread that never ends, from which children are spawned that must die with this process: the kernel sends the
/// parent-death signal when the spawning *thread* ends.
final class Keeper: @unchecked Sendable {
  // @unchecked: `requests` has its lock, the semaphore is made for several threads.
  static let shared = Keeper()

  private final class Request: @unchecked Sendable {
    let body: () -> Void
    let done = Semaphore()
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  private final class Semaphore {
    private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    init() { sem_init(raw, 0, 0) }
    deinit {
      sem_destroy(raw)
      raw.deallocate()
    }
    func signal() { sem_post(raw) }
    // A signal handler may interrupt the wait.
    func wait() { while sem_wait(raw) != 0 {} }
  }

  private let requests = Lock([Request]())
  private let arrived = Semaphore()

  private init() {
    let started = runAside { [self] in
      clinux_name_thread("keeper")
      while true {
        arrived.wait()
        let request = requests.with { $0.removeFirst() }
        request.body()
        request.done.signal()
      }
    }
    precondition(started, "no thread for the keeper")
  }

  /// Runs `body` on the keeper's thread and blocks until it is done.
  func run<R>(_ body: @escaping () -> R) -> R {
    var answer: R?
    let request = Request { answer = body() }
    requests.with { $0.append(request) }
    arrived.signal()
    request.done.wait()
    guard let answer else { preconditionFailure("the keeper did not run what it was given") }
    return answer
  }
}
