import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store

/// Takes a file of contacts into an audience while it is being uploaded, in constant memory.
public enum Importer {
  /// Reads the chunks until nil, then stores everybody at once.
  ///
  /// Rows that can't be used are rejected one by one and kept for download; they don't stop the others. When the file
  /// itself breaks off (a quote never closed, a line beyond 1 MiB, no column of phones), a `Problem` is thrown and nobody is
  /// stored, unless `options.brokenFile` is `.keep`: then what was read is stored and the report says where it stopped. When
  /// `chunks` throws, which is thrown on, nobody is stored. The same file a second time changes nobody.
  ///
  /// Reading runs on `worker`; `chunks` is called from there. One session of `pool` is held until the end; between chunks it
  /// has no transaction open.
  @concurrent
  public static func run(
    audience: Audience.ID, of business: Business.ID, by actor: String, options: ImportOptions,
    chunks: @escaping @Sendable () async throws -> [UInt8]?, pool: Pool, keys: PersonKeys, worker: Reactor
  ) async throws -> ImportReport {
    try await withTaskExecutorPreference(worker.tasks) {
      try await pool.withConnection { connection in
        guard
          let table = try await UploadTable.begin(connection, business: business, audience: audience, by: actor)
        else {
          throw Problem(
            404, "audience_unknown", "There is no such audience.", field: "audience",
            remedy: "List the audiences with GET /v1/audiences.")
        }
        let outcome: Result<ImportReport, any Error>
        do {
          var run = ImportRun(table, options, keys)
          outcome = .success(try await run.perform(chunks))
        } catch {
          outcome = .failure(error)
        }
        // In a task of its own, because the import's may have been cancelled.
        await Task { await tidy(table, outcome) }.value
        return try outcome.get()
      }
    }
  }

  /// Closes the upload's row when it failed, and empties the session.
  private static func tidy(_ table: UploadTable, _ outcome: Result<ImportReport, any Error>) async {
    do {
      if case .failure(let error) = outcome {
        var report = ImportReport(upload: table.upload)
        report.state = .refused
        report.stopped = .init(line: 0, problem: (error as? Problem) ?? ImportRun.interrupted)
        _ = try await table.connection.run(UploadTable.refusal(table.upload, report: report.json.rendered()))
      }
      try await table.end()
    } catch {
      // The database is gone, and the session's stage with it. The caller has the import's own outcome, and
      // `UploadTable.closeAbandoned` closes the row.
      return
    }
  }
}

/// One import from its first chunk to its report.
private struct ImportRun {
  static let interrupted = Problem(
    499, "import_interrupted", "The upload ended before the file did.", remedy: "Send the file again; nothing was stored.")

  /// Chunks are read in pieces of this size, so that other work of the worker gets its turn.
  private static let pieceSize = 1 << 18
  /// A COPY's size.
  private static let stageSize = 1 << 20

  private let table: UploadTable
  private let options: ImportOptions
  private let started = Instant.now
  private var stager: RowStager
  private var file: any ContactFile

  init(_ table: UploadTable, _ options: ImportOptions, _ keys: PersonKeys) {
    (self.table, self.options) = (table, options)
    stager = RowStager(options, keys, now: started)
    file = options.format == .csv ? CSVFile(options) : NDJSONFile(options)
  }

  mutating func perform(_ chunks: () async throws -> [UInt8]?) async throws -> ImportReport {
    let hash = RunningHash()
    var stop: BrokenFile?
    reading: while let chunk = try await chunks() {
      hash.update(chunk)
      var rest = chunk[...]
      while !rest.isEmpty {
        let piece = rest.prefix(ImportRun.pieceSize)
        rest = rest.dropFirst(piece.count)
        do throws(BrokenFile) { try file.feed(piece, &stager) } catch {
          stop = error
          break reading
        }
        try await flush(above: ImportRun.stageSize)
      }
    }
    if stop == nil {
      do throws(BrokenFile) { try file.finish(&stager) } catch { stop = error }
    }
    try await flush(above: 0)
    return try await settle(stop, hash.finish())
  }

  private mutating func flush(above size: Int) async throws {
    if stager.people.bytes.count > size { try await table.stage(stager.takePeople()) }
    if stager.rejects.bytes.count > size { try await table.stageRejects(stager.takeRejects()) }
  }

  private func settle(_ stop: BrokenFile?, _ sha256: [UInt8]) async throws -> ImportReport {
    var report = ImportReport(upload: table.upload)
    report.rows = stager.rows
    report.rejected = stager.rejected
    report.rejectedByReason = stager.reasons.counts
    report.countries = stager.countries.counts
    report.kinds = stager.kinds.counts
    report.fixes = stager.fixes.counts
    report.suspect = stager.suspects
    report.consented = stager.consented
    report.unreadableConsents = stager.unreadableConsents
    report.foreign = stager.foreign
    report.rejectsKept = stager.rejectsKept
    report.encoding = file.text.encoding
    report.delimiter = file.delimiter
    report.stopped = stop.map { .init(line: $0.line, problem: $0.problem) }
    if let stop, options.brokenFile == .refuse || stager.rows == 0 {
      report.state = .refused
      try await table.refuse(report: report.json.rendered())
      throw stop.problem
    }
    let applied = try await table.commit(sha256: sha256, at: started) { applied in
      report.take(applied)
      return report.json.rendered()
    }
    report.take(applied)
    return report
  }
}

extension ImportReport {
  fileprivate mutating func take(_ applied: UploadTable.Applied) {
    (created, updated, unchanged, merged, added) =
      (applied.created, applied.updated, applied.unchanged, applied.merged, applied.added)
  }
}
