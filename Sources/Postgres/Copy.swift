import CLibPQ
import Reactor

extension Connection {
  /// Sends the chunks of `next`, until it gives nil, into `copy … from stdin`, alone on the connection and with
  /// back-pressure: a chunk is asked for when the one before has left for the kernel. Chunks need not end with a row.
  ///
  /// Stores nothing when `next` throws, which is thrown on, or the task is cancelled. An error in the data is thrown
  /// after the last chunk. The number of rows stored is returned.
  public nonisolated(nonsending) func copyIn(_ sql: String, _ next: () async throws -> [UInt8]?) async throws -> Int {
    let turn = try await acquire()
    return try await releasing(turn) { try await copyIn(sql, turn, next) }
  }

  /// Gives the rows of `copy … to stdout` to `take`, in chunks of whole rows, alone on the connection and with
  /// back-pressure. When `take` throws, which is thrown on, or the task is cancelled, the server is told to stop.
  public nonisolated(nonsending) func copyOut(
    _ sql: String, _ take: ([UInt8]) async throws -> Void
  ) async throws -> Int {
    let turn = try await acquire()
    return try await releasing(turn) { try await copyOut(sql, turn, take) }
  }

  private nonisolated(nonsending) func releasing<R>(_ turn: Turn, _ body: () async throws -> R) async throws -> R {
    do {
      let answer = try await body()
      await release(turn)
      return answer
    } catch {
      await release(turn)
      throw error
    }
  }

  nonisolated(nonsending) func copyIn(
    _ sql: String, _ turn: Turn, _ next: () async throws -> [UInt8]?
  ) async throws -> Int {
    try await withTaskCancellationHandler {
      let (link, solo) = try await beginCopy(sql, turn, PGRES_COPY_IN)
      do {
        while let chunk = try await next() {
          if Task.isCancelled { throw DatabaseError.cancelled }
          try await put(chunk, link, solo)
        }
        if Task.isCancelled { throw DatabaseError.cancelled }
      } catch {
        await failCopy(link, solo)
        throw error
      }
      return try await endCopy(link, solo)
    } onCancel: {
      later { $0.cancelSolo(turn) }
    }
  }

  nonisolated(nonsending) func copyOut(
    _ sql: String, _ turn: Turn, _ take: ([UInt8]) async throws -> Void
  ) async throws -> Int {
    try await withTaskCancellationHandler {
      let (link, solo) = try await beginCopy(sql, turn, PGRES_COPY_OUT)
      do {
        while let chunk = try await chunk(link, solo) { try await take(chunk) }
      } catch {
        await stopCopy(link, solo, turn)
        throw error
      }
      return try await finishSolo(link, solo)
    } onCancel: {
      later { $0.cancelSolo(turn) }
    }
  }

  // MARK: On the loop

  private func beginCopy(
    _ sql: String, _ turn: Turn, _ wanted: ExecStatusType
  ) async throws(DatabaseError) -> (Link, Solo) {
    let (link, solo) = try beginSolo(sql, turn)
    guard case .result(let result) = await answer(link, solo) else { throw .interrupted }
    let status = PQresultStatus(result.raw)
    if status == wanted {
      // Until somebody asks for a chunk.
      if wanted == PGRES_COPY_OUT { pause(link, solo, true) }
      return (link, solo)
    }
    precondition(status == PGRES_FATAL_ERROR, "copyIn and copyOut take COPY statements of their direction")
    // What follows the error are its own results' end and nothing more.
    let failure = DatabaseError(result)
    _ = try await finishSolo(link, solo)
    if case .rejected(.queryCanceled, _) = failure, solo.cancelRequested { throw .cancelled }
    throw failure
  }

  private func put(_ bytes: [UInt8], _ link: Link, _ solo: Solo) async throws(DatabaseError) {
    if bytes.isEmpty { return }
    precondition(bytes.count <= 1 << 30, "a chunk of COPY is limited to 1 GiB")
    while !solo.isBroken {
      let taken = bytes.withUnsafeBytes {
        PQputCopyData(link.raw, $0.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count))
      }
      if taken < 0 {
        lose()
        break
      }
      flush(link)
      // Zero: libpq has no room until the socket takes some.
      if taken == 0 { await withCheckedContinuation { solo.wait($0) } } else { return try await drained(link, solo) }
    }
    throw .interrupted
  }

  /// Waits until libpq has given everything to the kernel.
  private func drained(_ link: Link, _ solo: Solo) async throws(DatabaseError) {
    while !solo.isBroken {
      if !interest.contains(.write) { return }
      await withCheckedContinuation { solo.wait($0) }
    }
    throw .interrupted
  }

  private func endCopy(_ link: Link, _ solo: Solo) async throws(DatabaseError) -> Int {
    while !solo.isBroken {
      let ended = PQputCopyEnd(link.raw, nil)
      if ended < 0 {
        lose()
        break
      }
      flush(link)
      if ended == 1 { return try await finishSolo(link, solo) }
      await withCheckedContinuation { solo.wait($0) }
    }
    throw .interrupted
  }

  /// Has the server forget what came so far.
  private func failCopy(_ link: Link, _ solo: Solo) async {
    while !solo.isBroken {
      let ended = PQputCopyEnd(link.raw, "the sender gave up")
      if ended < 0 { return lose() }
      flush(link)
      if ended == 1 { return await discardResults(link, solo) }
      await withCheckedContinuation { solo.wait($0) }
    }
  }

  private func chunk(_ link: Link, _ solo: Solo) async throws(DatabaseError) -> [UInt8]? {
    pause(link, solo, false)
    defer { pause(link, solo, true) }
    var chunk: [UInt8] = []
    while !solo.isBroken {
      var row: UnsafeMutablePointer<CChar>?
      let count = PQgetCopyData(link.raw, &row, 1)
      switch count {
      case 1...:
        // One row, ours to free.
        chunk.append(contentsOf: UnsafeRawBufferPointer(start: row, count: Int(count)))
        PQfreemem(row)
        if chunk.count >= 1 << 16 { return chunk }
      case 0:
        if !chunk.isEmpty { return chunk }
        await withCheckedContinuation { solo.wait($0) }
      // The end or an error: the results say which.
      default: return chunk.isEmpty ? nil : chunk
      }
    }
    throw .interrupted
  }

  private func stopCopy(_ link: Link, _ solo: Solo, _ turn: Turn) async {
    cancelSolo(turn)
    do {
      while try await chunk(link, solo) != nil {}
    } catch {
      return
    }
    await discardResults(link, solo)
  }

  /// The caller has an error already that says more.
  private func discardResults(_ link: Link, _ solo: Solo) async {
    pause(link, solo, false)
    while case .result = await answer(link, solo) {}
    endSolo(link, solo)
  }
}
