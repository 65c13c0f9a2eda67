/// What a transaction sees; the default is the database's own.
public enum Isolation: String, Sendable {
  case readCommitted = "begin isolation level read committed"
  case repeatableRead = "begin isolation level repeatable read"
  case repeatableReadOnly = "begin isolation level repeatable read read only"
  case serializable = "begin isolation level serializable"
}

/// A transaction in progress: the only way to its connection while it lasts. Using it after its end is a bug and
/// stops the program; using its connection inside it waits for ever.
public struct Transaction: Sendable {
  let connection: Connection
  let turn: Turn

  public nonisolated(nonsending) func run(_ statement: Statement) async throws(DatabaseError) -> Rows {
    try await connection.fly([statement], turn: turn)[0]
  }

  public nonisolated(nonsending) func run(_ sql: String, _ values: Value...) async throws(DatabaseError) -> Rows {
    try await run(Statement(sql, values))
  }

  /// In one round trip.
  public nonisolated(nonsending) func batch(_ statements: [Statement]) async throws(DatabaseError) -> [Rows] {
    statements.isEmpty ? [] : try await connection.fly(statements, turn: turn)
  }

  /// As `Connection.copyIn`.
  public nonisolated(nonsending) func copyIn(_ sql: String, _ next: () async throws -> [UInt8]?) async throws -> Int {
    try await begin()
    return try await connection.copyIn(sql, turn, next)
  }

  /// As `Connection.copyOut`.
  public nonisolated(nonsending) func copyOut(
    _ sql: String, _ take: ([UInt8]) async throws -> Void
  ) async throws -> Int {
    try await begin()
    return try await connection.copyOut(sql, turn, take)
  }

  /// As `Connection.script`, as a part of this transaction: `sql` must neither begin nor end one.
  public nonisolated(nonsending) func script(_ sql: String) async throws(DatabaseError) {
    try await begin()
    try await connection.script(sql, turn).get()
  }

  /// Has BEGIN sent and all that was given before answered.
  private nonisolated(nonsending) func begin() async throws(DatabaseError) {
    _ = try await connection.fly([], turn: turn)
  }
}

extension Connection {
  /// Runs `body` in a transaction and commits it. Others wait meanwhile. It is rolled back when `body` throws and
  /// when the task is cancelled before the commit is sent; a commit under way is not cancelled. `.interrupted` thrown
  /// by the commit means that it may have happened.
  ///
  /// BEGIN travels with the first statement, so a transaction costs one round trip more than its statements.
  public nonisolated(nonsending) func transaction<R>(
    _ isolation: Isolation = .readCommitted, _ body: (Transaction) async throws -> R
  ) async throws -> R {
    let turn = try await acquire(opening: isolation.rawValue)
    let answer: R
    do {
      answer = try await body(Transaction(connection: self, turn: turn))
      if Task.isCancelled { throw DatabaseError.cancelled }
    } catch {
      await rollBack(turn)
      throw error
    }
    try await commit(turn).get()
    return answer
  }

  private func commit(_ turn: Turn) async -> Result<Void, DatabaseError> {
    defer { release(turn) }
    // No statement was run.
    if !turn.hasBegun { return turn.isBroken ? .failure(.interrupted) : .success(()) }
    return await land(Flight(.command("commit"), turn: turn)).flatMap { rows in
      // A statement had failed and the body went on as if it had not.
      rows[0].command == "ROLLBACK"
        ? .failure(.rejected(.inFailedTransaction, detail: "a statement of the transaction had failed")) : .success(())
    }
  }

  private func rollBack(_ turn: Turn) async {
    defer { release(turn) }
    if !turn.hasBegun || turn.isBroken { return }
    // The only way for it to fail is with its link, and that ends the transaction too.
    if case .failure(let failure) = await land(Flight(.command("rollback"), turn: turn)), failure != .interrupted {
      lose()
    }
  }
}
