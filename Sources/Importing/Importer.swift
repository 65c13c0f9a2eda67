import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store

/// Takes a file of contacts into an audience while it is being uploaded, in constant memory.
public enum Importer {
  /// Reads the chunks until nil, then stores everybody at once. Without an audience the people of the file said stop
  /// (`options.stops`): nobody is stored, each stop is recorded.
  ///
  /// Rows that can't be used are rejected one by one and kept for download; they don't stop the others. When the file
  /// itself breaks off (a quote never closed, a line beyond 1 MiB, no column of phones, an end in the middle of a row),
  /// a `Problem` is thrown and nobody is stored; when `chunks` throws, that is thrown on and nobody is stored either.
  /// Unless `options.brokenFile` is `.keep`: then every whole row before is stored, and the report says where it
  /// stopped. The same file a second time changes nobody.
  ///
  /// Reading runs on `worker`; `chunks` is called from there. One session of `pool` is held until the end; between
  /// chunks it has no transaction open.
  @concurrent
  public static func run(
    audience: Audience.ID?, of business: Business.ID, by actor: String, options: ImportOptions,
    chunks: @escaping @Sendable () async throws -> [UInt8]?, pool: Pool, keys: PersonKeys, worker: Reactor
  ) async throws -> ImportReport {
    guard options.brokenFile == .keep else {
      return try await take(audience, business, actor, options, chunks, pool, keys, worker)
    }
    // In a task of its own: a sender who leaves cancels the caller's, and what came before is to be stored.
    return try await Task {
      try await take(audience, business, actor, options, chunks, pool, keys, worker)
    }.value
  }

  @concurrent
  private static func take(
    _ audience: Audience.ID?, _ business: Business.ID, _ actor: String, _ options: ImportOptions,
    _ chunks: @escaping @Sendable () async throws -> [UInt8]?, _ pool: Pool, _ keys: PersonKeys, _ worker: Reactor
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
        report.stopped = .init(line: 0, problem: (error as? Problem) ?? BrokenFile.interrupted(0).problem)
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
  /// Chunks are read in pieces of this size, a millisecond or two each, so that other work of the worker gets its turn.
  private static let pieceSize = 1 << 16
  /// A COPY's size.
  private static let stageSize = 1 << 20

  private let table: UploadTable
  private let options: ImportOptions
  private let started = Instant.now
  private var stager: RowStager
  private var file: any ContactFile
  private let hash = RunningHash()
  /// Of the chunk in hand.
  private var rest: ArraySlice<UInt8> = []
  private var stop: BrokenFile?

  init(_ table: UploadTable, _ options: ImportOptions, _ keys: PersonKeys) {
    (self.table, self.options) = (table, options)
    stager = RowStager(options, keys, now: started)
    file = options.format == .csv ? CSVFile(options) : NDJSONFile(options)
  }

  /// While one part is on its way to the database, the next is read.
  mutating func perform(_ chunks: () async throws -> [UInt8]?) async throws -> ImportReport {
    let table = table
    var part = Part()
    repeat {
      let current = part
      async let sent: Void = ImportRun.send(current, table)
      part = try await read(chunks)
      try await sent
    } while !part.isLast
    try await ImportRun.send(part, table)
    return try await settle()
  }

  private struct Part: Sendable {
    var people: [UInt8] = []
    var users: [UInt8] = []
    var rejects: [UInt8] = []
    var isLast = false
  }

  private static func send(_ part: Part, _ table: UploadTable) async throws {
    if !part.people.isEmpty { try await table.stage(part.people) }
    if !part.users.isEmpty { try await table.stageUsers(part.users) }
    if !part.rejects.isEmpty { try await table.stageRejects(part.rejects) }
  }

  /// Reads chunks until there is enough for one COPY, or the file ends or breaks.
  private mutating func read(_ chunks: () async throws -> [UInt8]?) async throws -> Part {
    var part = Part()
    reading: while stager.staged < ImportRun.stageSize {
      if rest.isEmpty {
        let next: [UInt8]?
        do { next = try await chunks() } catch where options.brokenFile == .keep {
          stop = .interrupted(file.line)
          part.isLast = true
          break
        }
        guard let chunk = next else {
          do throws(BrokenFile) { try file.finish(&stager) } catch { stop = error }
          part.isLast = true
          break
        }
        hash.update(chunk)
        rest = chunk[...]
      }
      let piece = rest.prefix(ImportRun.pieceSize)
      rest = rest.dropFirst(piece.count)
      do throws(BrokenFile) { try file.feed(piece, &stager) } catch {
        stop = error
        part.isLast = true
        break reading
      }
      if !rest.isEmpty { await Task.yield() }
    }
    if !stager.people.isEmpty { part.people = stager.takePeople() }
    if !stager.users.isEmpty { part.users = stager.takeUsers() }
    if !stager.rejects.isEmpty { part.rejects = stager.takeRejects() }
    return part
  }

  private func settle() async throws -> ImportReport {
    var report = ImportReport(upload: table.upload)
    report.rows = stager.rows
    report.rejected = stager.rejected
    report.rejectedByReason = stager.reasons.counts
    report.countries = stager.countries.counts
    report.kinds = stager.kinds.counts
    report.fixes = stager.fixes.counts
    report.suspect = stager.suspects
    report.consented = options.stops == nil ? stager.consented : 0
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
    if let scope = options.stops {
      report.recorded = try await table.commitStops(scope, at: options.consentAt ?? started)
      try await table.close(report: report.json.rendered(), sha256: hash.finish())
      return report
    }
    let applied = try await table.commit(stager.holds, sha256: hash.finish(), at: started) { applied in
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
