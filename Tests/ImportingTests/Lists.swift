import Crypto
import Domain
import Importing
import JSON
import Postgres
import Reactor
import Simulation
import Store

/// A database with one business, two audiences, and the means to send files to them.
struct Lists: Sendable {
  static let reactor = started("import-test")
  static let worker = started("import-worker")
  static let keys = PersonKeys(pepper: [UInt8](repeating: 9, count: 32))

  let pool: Pool
  let business = Business.ID(1)
  let audience = Audience.ID(1)

  init() async throws {
    let url = try await TestDatabase.shared.fresh(like: "lists") { url in
      let connection = Connection(ConnectionSettings(url: url), on: Lists.reactor)
      _ = try await Migrator.migrate(connection)
      try await connection.script(
        """
        insert into business (name) values ('one'), ('two');
        insert into audience (business_id, name) values (1, 'a'), (1, 'b'), (2, 'c');
        """)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: url), size: 4, on: Lists.reactor)
  }

  /// Sends a file in chunks of `chunk` bytes.
  func send(
    _ file: [UInt8], chunk: Int = 1 << 16, to audience: Audience.ID? = nil, _ options: ImportOptions = ImportOptions()
  ) async throws -> ImportReport {
    let rest = Lock(file[...])
    return try await Importer.run(
      audience: audience ?? self.audience, of: business, by: "tester", options: options,
      chunks: {
        rest.with { rest in
          if rest.isEmpty { return nil }
          let piece = rest.prefix(chunk)
          rest = rest.dropFirst(piece.count)
          return Array(piece)
        }
      }, pool: pool, keys: Lists.keys, worker: Lists.worker)
  }

  func send(_ text: String, chunk: Int = 1 << 16, _ options: ImportOptions = ImportOptions()) async throws
    -> ImportReport
  {
    try await send(Array(text.utf8), chunk: chunk, options)
  }

  /// Nil when the person is not stored.
  func attributes(_ phone: Int64) async throws -> [String: String]? {
    let rows = try await pool.run("select attributes from contact where phone = $1", .int8(phone))
    return try rows.first.map { row in
      let fields = try JSONValue(parsing: row.jsonb(0)).objectValue ?? []
      return Dictionary(uniqueKeysWithValues: fields.map { ($0, $1.stringValue ?? "not a text") })
    }
  }

  func count(_ sql: String) async throws -> Int64 { try await pool.run(Statement(sql))[0].int64(0) }

  func rejects(_ upload: Upload.ID) async throws -> [(line: Int64, reason: String, raw: String)] {
    try await pool.run(
      "select line, reason, raw from upload_reject where upload_id = $1 order by line", .int8(upload.rawValue)
    ).map { ($0.int64(0), $0.text(1), $0.text(2)) }
  }

  private static func started(_ name: String) -> Reactor {
    let reactor = Reactor(name: name)
    reactor.start()
    return reactor
  }
}

func egypt(_ change: (inout ImportOptions) -> Void = { _ in }) throws -> ImportOptions {
  var options = try ImportOptions(query: [("default_region", "EG")], contentType: nil)
  change(&options)
  return options
}
