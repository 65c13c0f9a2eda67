import CLinux
import Domain
import Glibc

/// One thread, one epoll set, one executor. A role owns an instance (line, doors, desk, worker), so that nothing of one
/// role starves another.
///
/// Actors live on it by returning `reactor.asUnownedSerialExecutor()`; what they own is then touched by this thread only
/// and C callbacks enter them with `assumeIsolated`. Tasks run on it with `Task(executorPreference: reactor.tasks)`.
public final class Reactor: SerialExecutor, @unchecked Sendable {
  // @unchecked: `queue` is guarded by its own lock; everything marked "loop" is touched by the loop's thread alone, which
  // `preconditionOnLoop` checks at each entry.

  /// A turn longer than this is counted and, with `onLateTurn`, reported.
  public static let turnBudget: Duration = .milliseconds(2)

  public struct Interest: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let read = Interest(rawValue: 0x001)
    public static let write = Interest(rawValue: 0x004)
    /// Reported whether asked for or not.
    public static let error = Interest(rawValue: 0x008)
    public static let hangUp = Interest(rawValue: 0x010)
  }

  /// A deadline that was asked for; `cancel` takes it.
  public struct TimerID: Hashable, Sendable {
    fileprivate let deadline: BootInstant
    fileprivate let number: UInt64
  }

  /// The executor to prefer for Tasks. It is an object of its own: one that is both a serial and a task executor makes
  /// every `await` inside an actor a real suspension.
  final class Tasks: TaskExecutor, @unchecked Sendable {
    unowned(unsafe) var reactor: Reactor! = nil
    func enqueue(_ job: consuming ExecutorJob) { reactor.push(.task(UnownedJob(job))) }
  }

  private enum Entry {
    case job(UnownedJob)
    case task(UnownedJob)
    case body(@Sendable () -> Void)
  }

  private struct Queue {
    var entries: [Entry] = []
    var awake = false
    var stopping = false
  }

  private struct Waiting: Comparable {
    let id: TimerID
    static func < (a: Waiting, b: Waiting) -> Bool {
      (a.id.deadline, a.id.number) < (b.id.deadline, b.id.number)
    }
  }

  public let name: String
  /// Added to the thread's nice value: workers and the desk step back for the line.
  public let niceness: Int
  public var tasks: any TaskExecutor { preference }

  private let preference = Tasks()
  private let epoll = clinux_epoll_create()
  private let wake = clinux_eventfd()
  private let queue = Lock(Queue())
  private var thread = pthread_t()
  private let running = Lock(false)

  // Loop:
  private var handlers: [Int32: (Interest) -> Void] = [:]
  private var timers = TimerHeap()
  private var nextTimer: UInt64 = 0

  private let late = Lock((count: 0, worst: Duration.zero))

  public init(name: String, niceness: Int = 0) {
    self.name = name
    self.niceness = niceness
    precondition(epoll >= 0 && wake >= 0, "no descriptors left for the reactor \(name)")
    preference.reactor = self
    let added = clinux_epoll_ctl(epoll, 1, wake, Interest.read.rawValue)
    precondition(added == 0, "epoll refused its own eventfd: \(-added)")
  }

  deinit {
    close(epoll)
    close(wake)
  }

  /// Starts the thread, which keeps the reactor alive until `stop`.
  public func start() {
    running.with { $0 = true }
    var id = pthread_t()
    let failed = pthread_create(
      &id, nil,
      { argument in
        let reactor = Unmanaged<Reactor>.fromOpaque(argument!).takeRetainedValue()
        reactor.run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    precondition(failed == 0, "no thread for the reactor \(name): \(failed)")
    pthread_detach(id)
  }

  /// Ends the loop after the turn in hand. What is still queued is dropped, so stop only when the role has ended its work.
  public func stop() { submit { [self] in queue.with { $0.stopping = true } } }

  /// Runs `body` on the loop's thread, in the order submitted. From any thread.
  public func submit(_ body: @escaping @Sendable () -> Void) { push(.body(body)) }

  public func enqueue(_ job: consuming ExecutorJob) { push(.job(UnownedJob(job))) }

  public var isOnLoop: Bool { pthread_equal(pthread_self(), thread) != 0 }
  public func isIsolatingCurrentContext() -> Bool? { isOnLoop }
  public func checkIsolated() { preconditionOnLoop() }
  public func preconditionOnLoop() { precondition(isOnLoop, "called off the thread of the reactor \(name)") }

  /// How many turns passed the budget, and the worst of them.
  public var lateTurns: (count: Int, worst: Duration) { late.with { $0 } }

  // MARK: Descriptors (loop)

  /// Calls `handler` on the loop's thread whenever `descriptor` is ready, level-triggered, until `unwatch`.
  public func watch(_ descriptor: Int32, _ interest: Interest, _ handler: @escaping (Interest) -> Void) {
    preconditionOnLoop()
    let known = handlers.updateValue(handler, forKey: descriptor) != nil
    let failed = clinux_epoll_ctl(epoll, known ? 3 : 1, descriptor, interest.rawValue)
    precondition(failed == 0, "epoll_ctl on \(descriptor): \(-failed)")
  }

  public func rearm(_ descriptor: Int32, _ interest: Interest) {
    preconditionOnLoop()
    guard handlers[descriptor] != nil else { return }
    let failed = clinux_epoll_ctl(epoll, 3, descriptor, interest.rawValue)
    precondition(failed == 0, "epoll_ctl on \(descriptor): \(-failed)")
  }

  /// Once it returns, the handler is never called again. The descriptor may be closed already: the kernel forgets those.
  public func unwatch(_ descriptor: Int32) {
    preconditionOnLoop()
    guard handlers.removeValue(forKey: descriptor) != nil else { return }
    _ = clinux_epoll_ctl(epoll, 2, descriptor, 0)
  }

  // MARK: Time

  /// Calls `body` once on the loop's thread, not before `deadline`. (loop)
  @discardableResult
  public func schedule(at deadline: BootInstant, _ body: @escaping () -> Void) -> TimerID {
    preconditionOnLoop()
    nextTimer += 1
    let id = TimerID(deadline: deadline, number: nextTimer)
    timers.insert(deadline, nextTimer, body)
    return id
  }

  /// (loop) Without effect when it has fired.
  public func cancel(_ timer: TimerID) {
    preconditionOnLoop()
    timers.cancel(timer.number)
  }

  /// Suspends until `deadline` at the earliest; throws `CancellationError` as soon as the task is cancelled.
  public func sleep(until deadline: BootInstant) async throws {
    let state = Lock((done: false, resume: CheckedContinuation<Void, any Error>?.none))
    let finish: @Sendable (Result<Void, any Error>) -> Void = { result in
      let waiting = state.with { s in
        defer { s = (true, nil) }
        return s.resume
      }
      waiting?.resume(with: result)
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let over = state.with { s in
          // Cancelled before we got here: the handler found nobody to resume.
          if s.done { return true }
          s.resume = continuation
          return false
        }
        if over { return continuation.resume(throwing: CancellationError()) }
        submit { [self] in schedule(at: deadline) { finish(.success(())) } }
      }
    } onCancel: {
      finish(.failure(CancellationError()))
    }
  }

  public func sleep(for duration: Duration) async throws { try await sleep(until: .now + duration) }

  // MARK: The loop

  private func push(_ entry: Entry) {
    let mustWake = queue.with { q in
      q.entries.append(entry)
      defer { q.awake = true }
      return !q.awake
    }
    if mustWake { clinux_eventfd_signal(wake) }
  }

  private func run() {
    thread = pthread_self()
    clinux_name_thread(String(name.prefix(15)))
    if niceness != 0 { _ = clinux_nice(Int32(niceness)) }
    let serial = asUnownedSerialExecutor()
    let task = preference.asUnownedTaskExecutor()
    var events = [clinux_event](repeating: clinux_event(), count: 256)
    var batch: [Entry] = []
    while true {
      let started = BootInstant.now
      batch.removeAll(keepingCapacity: true)
      let stopping = queue.with { q in
        swap(&batch, &q.entries)
        return q.stopping
      }
      for entry in batch {
        switch entry {
        case .job(let job): job.runSynchronously(on: serial)
        case .task(let job): job.runSynchronously(isolatedTo: serial, taskExecutor: task)
        case .body(let body): body()
        }
      }
      if stopping { return }
      var now = BootInstant.now
      while let body = timers.popDue(at: now) {
        body()
        now = .now
      }
      note(turn: now - started)

      // Asleep only while the queue is empty: a push that finds us asleep signals the eventfd.
      let idle = queue.with { q in
        if q.entries.isEmpty { q.awake = false }
        return q.entries.isEmpty
      }
      var timeout: Int64 = idle ? 1_000_000_000 : 0
      if idle, let next = timers.nextDeadline { timeout = min(timeout, max(0, (next - .now).nanoseconds)) }
      let count = clinux_epoll_wait(epoll, &events, 256, timeout)
      queue.with { $0.awake = true }
      let woke = BootInstant.now
      for index in 0..<max(0, Int(count)) {
        let event = events[index]
        if event.fd == wake { clinux_eventfd_drain(wake) } else { handlers[event.fd]?(Interest(rawValue: event.events)) }
      }
      note(turn: .now - woke)
    }
  }

  private func note(turn: Duration) {
    guard turn > Reactor.turnBudget else { return }
    late.with { l in
      l.count += 1
      l.worst = max(l.worst, turn)
    }
  }
}

/// Deadlines in order; cancelling marks, popping skips.
private struct TimerHeap {
  private struct Node {
    let deadline: BootInstant
    let number: UInt64
  }
  private var heap: [Node] = []
  private var bodies: [UInt64: () -> Void] = [:]

  mutating func insert(_ deadline: BootInstant, _ number: UInt64, _ body: @escaping () -> Void) {
    bodies[number] = body
    heap.append(Node(deadline: deadline, number: number))
    var child = heap.count - 1
    while child > 0, before(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func cancel(_ number: UInt64) { bodies[number] = nil }

  var nextDeadline: BootInstant? { heap.first?.deadline }

  mutating func popDue(at now: BootInstant) -> (() -> Void)? {
    while let first = heap.first, first.deadline <= now {
      removeFirst()
      if let body = bodies.removeValue(forKey: first.number) { return body }
    }
    return nil
  }

  private func before(_ a: Node, _ b: Node) -> Bool { (a.deadline, a.number) < (b.deadline, b.number) }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && before(heap[child], heap[least]) {
        least = child
      }
      if least == parent { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
