import Domain
import Importing
import Postgres
import Reactor
import Testing

@Suite struct `A file that breaks off` {
  struct Cut: Error {}

  /// A header and rows, for ever, in chunks of 64 kB.
  private static func endless(_ head: String, _ piece: UInt8) -> (asked: Lock<Int>, chunks: @Sendable () -> [UInt8]?) {
    let asked = Lock(0)
    let body = [UInt8](repeating: piece, count: 1 << 16)
    return (
      asked,
      {
        asked.with { asked in
          asked += 1
          // A gigabyte.
          if asked > 1 << 14 { return nil }
          return asked == 1 ? Array(head.utf8) : body
        }
      }
    )
  }

  @Test(arguments: [
    ("text/csv", "phone,a\n+201001234567,"), ("text/csv", "phone,a\n+201001234567,\""), ("text/csv", "phone,"),
    ("application/x-ndjson", "{\"phone\":\""),
  ])
  func `with a line of a gigabyte is refused after a mebibyte of it`(_ type: String, _ head: String) async throws {
    let lists = try await Lists()
    let (asked, chunks) = Self.endless(head, UInt8(ascii: "x"))
    let problem = await #expect(throws: Problem.self) {
      try await Importer.run(
        audience: lists.audience, of: lists.business, by: "tester",
        options: try ImportOptions(query: [], contentType: type), chunks: { chunks() }, pool: lists.pool,
        keys: Lists.keys, worker: Lists.worker)
    }
    #expect(problem?.code == "line_too_long" && problem?.remedy?.isEmpty == false)
    // What is read is what is held: no more than the limit and a chunk or two.
    #expect(asked.with { $0 } <= 20)
    #expect(try await lists.count("select count(*) from contact") == 0)
  }

  @Test func `in fifty thousand columns is refused; rows of so many cells are rejected one by one`() async throws {
    let lists = try await Lists()
    let wide = "phone" + (0..<50_000).map { ",c\($0)" }.joined() + "\n+201001234567\n"
    let problem = await #expect(throws: Problem.self) { try await lists.send(wide) }
    #expect(problem?.code == "columns_too_many" && problem?.detail.contains("50001") == true)
    let cells = String(repeating: ",x", count: 50_000)
    let report = try await lists.send("phone,a\n+201001234567,b\n+201001234568\(cells)\n+201001234569,c\n")
    #expect((report.created, report.rejectedByReason) == (2, ["too_many_fields": 1]))
    // What is kept of such a row is bounded, too.
    #expect(try await lists.count("select max(length(raw)) from upload_reject") <= 2000)
  }

  @Test(arguments: [
    ("text/csv", "phone,city,plan\n+201001234567,Cairo,gold\n+201001234568,Giza,gold\n+201001234569,Al"),
    ("text/csv", "phone,city,plan\r\n+201001234567,Cairo,gold\r\n+201001234568,Giza,\r\n+2010012"),
    ("application/x-ndjson", "{\"phone\":\"+201001234567\"}\n{\"phone\":\"+201001234568\"}\n{\"phone\":\"+20100123"),
  ])
  func `in the middle of a row stores nobody, or whoever came before when asked`(
    _ type: String, _ file: String
  ) async throws {
    let lists = try await Lists()
    let refused = await #expect(throws: Problem.self) {
      try await lists.send(file, try ImportOptions(query: [], contentType: type))
    }
    #expect(refused?.code == "file_cut" && refused?.remedy?.contains("on_error=keep") == true)
    #expect(try await lists.count("select count(*) from contact") == 0)
    let kept = try await lists.send(file, try ImportOptions(query: [("on_error", "keep")], contentType: type))
    #expect((kept.created, kept.rejected) == (2, 0))
    #expect(kept.stopped?.problem.code == "file_cut" && kept.stopped.map { $0.line > 2 } == true)
  }

  @Test(arguments: [
    "phone,city\n+201001234567,Cairo\n+201001234568,Giza", "phone,city\n+201001234567\n+201001234568,x\n+201001234569",
    "phone,city\n+201001234567",
  ])
  func `is not one that only lacks its last line end`(_ file: String) async throws {
    let lists = try await Lists()
    #expect(try await lists.send(file).rejected == 0)
  }

  @Test(
    arguments: [[0x50, 0x4B, 3, 4, 20, 0, 6, 0], [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1], [0x1F, 0x8B, 8, 0]] as [[UInt8]])
  func `before its first line, because it is no text, says what to do`(_ head: [UInt8]) async throws {
    let lists = try await Lists()
    for length in [0, 4000] {
      let file = head + [UInt8](repeating: 7, count: length)
      let problem = await #expect(throws: Problem.self) { try await lists.send(file) }
      #expect(problem?.code == "file_packed" && problem?.remedy?.contains("CSV (UTF-8)") == true)
    }
  }

  /// The sender leaves: its body ends with an error and its handler's task is cancelled in the same moment.
  @Test func `with its line keeps whole rows when asked, and says where`() async throws {
    let lists = try await Lists()
    let round = Lock(0)
    let importing = Lock(Task<ImportReport, any Error>?.none)
    var keep = ImportOptions()
    keep.brokenFile = .keep
    let options = keep
    let task = Task {
      try await Importer.run(
        audience: lists.audience, of: lists.business, by: "tester", options: options,
        chunks: {
          let now = round.with { round in
            round += 1
            return round
          }
          if now == 1 { return Array("phone,n\n".utf8) }
          guard now <= 60 else {
            importing.with { $0 }?.cancel()
            throw Cut()
          }
          return (0..<1000).flatMap {
            Array("+2010\(10_000_000 + now * 1000 + $0),\(String(repeating: "x", count: 60))\n".utf8)
          } + (now == 60 ? Array("+20100999".utf8) : [])
        }, pool: lists.pool, keys: Lists.keys, worker: Lists.worker)
    }
    importing.with { $0 = task }
    let report = try await task.value
    #expect((report.rows, report.created, report.rejected) == (59_000, 59_000, 0))
    #expect(report.stopped?.line == 59_002 && report.stopped?.problem.code == "import_interrupted")
    #expect(try await lists.count("select count(*) from contact") == 59_000)
    let row = try await lists.pool.run("select state, report->'stopped'->>'code' from upload")[0]
    #expect((row.text(0), row.text(1)) == ("committed", "import_interrupted"))
  }

  @Test func `with its line before the first row is refused even then`() async throws {
    let lists = try await Lists()
    var keep = ImportOptions()
    keep.brokenFile = .keep
    let options = keep
    await #expect(throws: Problem.self) {
      try await Importer.run(
        audience: lists.audience, of: lists.business, by: "tester", options: options, chunks: { throw Cut() },
        pool: lists.pool, keys: Lists.keys, worker: Lists.worker)
    }
    #expect(try await lists.count("select count(*) from upload where state = 'refused'") == 1)
  }
}
