import CLibPQ

extension Connection {
  /// Runs many statements separated by semicolons by the simple protocol, alone: migrations. Without `begin` in it the
  /// whole text is one transaction.
  public nonisolated(nonsending) func script(_ sql: String) async throws(DatabaseError) {
    let turn = try await acquire()
    let answer = await script(sql, turn)
    await release(turn)
    try answer.get()
  }

  nonisolated(nonsending) func script(_ sql: String, _ turn: Turn) async -> Result<Void, DatabaseError> {
    await withTaskCancellationHandler {
      await play(sql, turn)
    } onCancel: {
      later { $0.cancelSolo(turn) }
    }
  }

  private func play(_ sql: String, _ turn: Turn) async -> Result<Void, DatabaseError> {
    do throws(DatabaseError) {
      let (link, solo) = try beginSolo(sql, turn)
      _ = try await finishSolo(link, solo)
      // In another's transaction it stays open, of course; one that the script itself began must have ended.
      if turn.opening == nil, PQtransactionStatus(link.raw) != PQTRANS_IDLE {
        lose()
        throw .rejected(SQLState("25001"), detail: "the script left its transaction open; it was rolled back")
      }
      return .success(())
    } catch {
      return .failure(error)
    }
  }
}
