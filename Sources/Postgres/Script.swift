import CLibPQ

extension Connection {
  /// Runs many statements separated by semicolons by the simple protocol, alone: migrations. Without `begin` in it the
  /// whole text is one transaction.
  public nonisolated(nonsending) func script(_ sql: String) async throws(DatabaseError) {
    let turn = try await acquire()
    let answer = await withTaskCancellationHandler {
      await play(sql, turn)
    } onCancel: {
      later { $0.cancelSolo(turn) }
    }
    await release(turn)
    try answer.get()
  }

  private func play(_ sql: String, _ turn: Turn) async -> Result<Void, DatabaseError> {
    guard let (link, solo) = beginSolo(sql, turn) else { return .failure(.interrupted) }
    var failure: DatabaseError?
    reading: while true {
      switch await answer(link, solo) {
      case .end: break reading
      case .broken: return .failure(.interrupted)
      case .result(let result):
        switch PQresultStatus(result.raw) {
        case PGRES_COPY_IN: _ = PQputCopyEnd(link.raw, "a script has no data for COPY")
        case PGRES_COPY_OUT, PGRES_COPY_BOTH:
          lose()
          return .failure(.rejected(.featureNotSupported, detail: "a script cannot copy to the client"))
        case PGRES_FATAL_ERROR: failure = failure ?? DatabaseError(result)
        default: break
        }
      }
    }
    if failure == nil, PQtransactionStatus(link.raw) != PQTRANS_IDLE {
      failure = .rejected(SQLState("25001"), detail: "the script left its transaction open; it was rolled back")
    }
    if PQtransactionStatus(link.raw) != PQTRANS_IDLE { lose() } else { endSolo(link, solo) }
    guard let failure else { return .success(()) }
    if case .rejected(.queryCanceled, _) = failure, solo.cancelRequested { return .failure(.cancelled) }
    return .failure(failure)
  }
}
