import CLibPQ
import Reactor

/// A bounded number of sessions on one reactor, lent one caller at a time, in the order asked for. Sessions are made
/// when they are first needed.
public actor Pool {
  public nonisolated let settings: ConnectionSettings
  public nonisolated let size: Int
  public nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private final class Waiter: @unchecked Sendable {
    // @unchecked: after it is handed to the pool only the reactor's thread touches it.
    var answered: (Result<Connection, DatabaseError>) -> Void = { _ in }
    var isSubmitted = false
    var isCancelled = false
    private(set) var isDone = false

    func answer(_ result: Result<Connection, DatabaseError>) {
      isDone = true
      answered(result)
    }
  }

  private var idle: [Connection] = []
  private var lent = 0
  private var waiting = FIFO<Waiter>()
  private var isClosed = false
  private var closers: [CheckedContinuation<Void, Never>] = []

  public init(_ settings: ConnectionSettings, size: Int, on reactor: Reactor) {
    precondition(size > 0, "a pool of \(size)")
    (self.settings, self.size, self.reactor) = (settings, size, reactor)
  }

  /// Lends a session to `body`. Waits in line while all are lent; throws `.cancelled` when the task is cancelled
  /// meanwhile.
  public nonisolated(nonsending) func withConnection<R>(_ body: (Connection) async throws -> R) async throws -> R {
    let connection = try await take()
    do {
      let answer = try await body(connection)
      await give(connection)
      return answer
    } catch {
      await give(connection)
      throw error
    }
  }

  public nonisolated(nonsending) func run(_ statement: Statement) async throws(DatabaseError) -> Rows {
    try await batch([statement])[0]
  }

  public nonisolated(nonsending) func run(_ sql: String, _ values: Value...) async throws(DatabaseError) -> Rows {
    try await run(Statement(sql, values))
  }

  public nonisolated(nonsending) func batch(_ statements: [Statement]) async throws(DatabaseError) -> [Rows] {
    let connection = try await take()
    do throws(DatabaseError) {
      let answer = try await connection.batch(statements)
      await give(connection)
      return answer
    } catch {
      await give(connection)
      throw error
    }
  }

  public nonisolated(nonsending) func transaction<R>(
    _ isolation: Isolation = .readCommitted, _ body: (Transaction) async throws -> R
  ) async throws -> R {
    try await withConnection { try await $0.transaction(isolation, body) }
  }

  /// Refuses those who wait, and ends each session when it comes back. Later calls fail as unreachable.
  public func close() async {
    isClosed = true
    while let waiter = waiting.popFirst() { if !waiter.isDone { waiter.answer(.failure(Pool.closed)) } }
    let ended = idle
    idle = []
    for connection in ended { await connection.close() }
    await withCheckedContinuation { closer in
      closers.append(closer)
      finishClosing()
    }
  }

  // MARK: Lending

  private static let closed = DatabaseError.unreachable(detail: "the pool was closed")

  private nonisolated(nonsending) func take() async throws(DatabaseError) -> Connection {
    let waiter = Waiter()
    return try await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Result<Connection, DatabaseError>, Never>) in
        waiter.answered = { continuation.resume(returning: $0) }
        if reactor.isOnLoop {
          assumeIsolated { $0.submit(waiter) }
        } else {
          reactor.submit { self.assumeIsolated { $0.submit(waiter) } }
        }
      }
    } onCancel: {
      reactor.submit { self.assumeIsolated { $0.cancel(waiter) } }
    }.get()
  }

  private func submit(_ waiter: Waiter) {
    if waiter.isCancelled { return waiter.answer(.failure(.cancelled)) }
    if isClosed { return waiter.answer(.failure(Pool.closed)) }
    waiter.isSubmitted = true
    // The one used last first: the others may rest.
    if let connection = idle.popLast() ?? (lent < size ? Connection(settings, on: reactor) : nil) {
      lent += 1
      waiter.answer(.success(connection))
    } else {
      waiting.append(waiter)
    }
  }

  private func cancel(_ waiter: Waiter) {
    waiter.isCancelled = true
    if waiter.isSubmitted, !waiter.isDone { waiter.answer(.failure(.cancelled)) }
  }

  private func give(_ connection: Connection) async {
    await connection.tidy()
    while let waiter = waiting.popFirst() {
      if !waiter.isDone { return waiter.answer(.success(connection)) }
    }
    lent -= 1
    if !isClosed { return idle.append(connection) }
    await connection.close()
    finishClosing()
  }

  private func finishClosing() {
    guard isClosed, lent == 0 else { return }
    let resumed = closers
    closers = []
    for closer in resumed { closer.resume() }
  }
}

extension Connection {
  /// Ends a session that was left inside a transaction, before another caller gets it.
  func tidy() {
    guard phase == .ready, let link, inFlight.isEmpty, holder == nil else { return }
    if PQtransactionStatus(link.raw) != PQTRANS_IDLE { lose() }
  }
}
