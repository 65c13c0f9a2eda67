import DemoData
import Domain
import Glibc
import HTTPClient
import JSON
import Phone
import Postgres
import Reactor
import Store

/// How long a file of a million E.164 rows with three attributes takes from the first byte to the answer, against
/// `psql` copying the same file into a table with the same keys. And how fast phones in every form are read, against a
/// loop that asks libphonenumber for each of them and does nothing else.
enum ImportTime {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    let (port, sandbox) = (try Files.freePort(), try Files.freePort())
    let service = try await stage.startService(port: port, sandbox: sandbox)
    let key = try await stage.apiKey()
    let clean = stage.directory + "/clean.csv"
    try write(clean, rows: options.contacts)
    // The floor's own process may run as another user.
    chmod(clean, 0o644)
    var (floors, times): ([Double], [Double]) = ([], [])
    for round in 1...options.rounds {
      let floor = try await copy(clean, stage)
      let answer = try await load(clean, port: port, key: key, stage)
      guard answer.created == options.contacts else { throw BenchError("\(answer.created) people were stored") }
      Bench.say("  round \(round): \(Line.text(answer.seconds)) s, floor \(Line.text(floor)) s")
      floors.append(floor)
      times.append(answer.seconds)
    }
    Line(name: "import", value: times.median, unit: "s", floor: floors.median).print()
    let again = try await load(clean, port: port, key: key, stage, emptied: false)
    Line(name: "import.again", value: again.seconds, unit: "s", floor: times.median).print()
    try await mixed(options, port: port, key: key, stage)
    Line(name: "import.memory", value: service.peakMemory, unit: "MB").print()
    service.stop()
    await stage.end()
  }

  /// `phone,first_name,city,points`, in no order that an index would like.
  static func write(_ path: String, rows: Int, from first: Int = 0) throws {
    guard let file = fopen(path, "w") else { throw BenchError("\(path) can't be written") }
    defer { fclose(file) }
    let (names, cities) = (["منى", "Omar", "خالد", "Sara"], ["القاهرة", "Giza", "الإسكندرية", "Aswan"])
    fputs("phone,first_name,city,points\n", file)
    // Coprime to any count that has no 7919 in it, so every place is met once.
    var place = 0
    for row in 0..<rows {
      place = (place + 7919) % rows
      fputs(
        "+2010\(10_000_000 + first + place),\(names[row % 4]),\(cities[row / 4 % 4]),\(row % 1000)\n", file)
    }
  }

  private static func copy(_ path: String, _ stage: Stage) async throws -> Double {
    _ = try await stage.pool.run("drop table if exists bench_contact")
    _ = try await stage.pool.run(
      """
      create table bench_contact (contact_id bigint generated always as identity primary key,
        business_id bigint not null default 1, phone bigint, first_name text, city text, points text,
        unique (business_id, phone))
      """)
    _ = try await stage.pool.run("checkpoint")
    let started = BootInstant.now
    let psql = try await Program.start(
      "/usr/bin/psql",
      [
        "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", stage.cluster.url, "-c",
        "\\copy bench_contact (phone, first_name, city, points) from '\(path)' (format csv, header)",
      ], environment: ["PATH=/usr/bin:/bin"], log: stage.directory + "/psql.log")
    guard try await psql.ended(on: stage.reactor) else {
      throw BenchError("psql failed: \(Files.text(stage.directory + "/psql.log"))")
    }
    let took = Double((BootInstant.now - started).nanoseconds) / 1e9
    _ = try await stage.pool.run("drop table bench_contact")
    return took
  }

  struct Answer {
    let seconds: Double
    let created: Int
    let rows: Int
  }

  static func load(
    _ path: String, port: UInt16, key: String, _ stage: Stage, audience: Int = 1, query: String = "",
    emptied: Bool = true
  ) async throws -> Answer {
    if emptied {
      _ = try await stage.pool.run("truncate contact, audience_member, upload, upload_reject")
      _ = try await stage.pool.run("checkpoint")
    }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    var found = stat()
    guard file >= 0, fstat(file, &found) == 0 else { throw BenchError("\(path) can't be read") }
    defer { close(file) }
    var request = HTTPRequest(
      "POST", "http://127.0.0.1:\(port)/v1/audiences/\(audience)/contacts" + query,
      headers: [("Authorization", "Bearer " + key), ("Content-Type", "text/csv")], timeout: .seconds(600))
    request.upload = HTTPUpload(length: Int(found.st_size)) { read(file, $0.baseAddress, $0.count) }
    let started = BootInstant.now
    let answer = try await stage.client.send(request).get()
    let took = Double((BootInstant.now - started).nanoseconds) / 1e9
    guard answer.status == 201, let report = try JSONValue(parsing: answer.body)["report"] else {
      let text = String(decoding: answer.body.prefix(500), as: UTF8.self)
      throw BenchError("the import answers \(answer.status): \(text)")
    }
    return Answer(
      seconds: took, created: Int(report["created"]?.int64Value ?? 0), rows: Int(report["rows"]?.int64Value ?? 0))
  }

  // MARK: Mixed forms

  private static func mixed(_ options: Bench.Options, port: UInt16, key: String, _ stage: Stage) async throws {
    let audience = DemoAudience(rows: min(options.contacts, 200_000), seed: 7)
    let path = stage.directory + "/mixed.csv"
    guard let file = fopen(path, "w") else { throw BenchError("\(path) can't be written") }
    let written = audience.contacts.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, file) }
    guard fclose(file) == 0, written == audience.contacts.count else { throw BenchError("\(path) can't be written") }
    let phones = cells(audience.contacts)
    var (rates, floors, readers): ([Double], [Double], [Double]) = ([], [], [])
    for round in 1...options.rounds {
      floors.append(rate(phones) { PhoneReader.isValidToLibrary($0, region: "EG") })
      let region = PhoneRegion("EG")
      readers.append(
        rate(phones) {
          if case .accepted = PhoneReader.read(utf8: $0, region: region).verdict { return true }
          return false
        })
      let answer = try await load(path, port: port, key: key, stage, query: "?default_region=EG")
      rates.append(Double(answer.rows) / answer.seconds)
      Bench.say("  mixed \(round): \(Int(rates[round - 1])) rows/s, libphonenumber alone \(Int(floors[round - 1]))/s")
    }
    Line(name: "import.mixed", value: rates.median, unit: "rows/s", floor: floors.median).print()
    Line(name: "import.mixed.reader", value: readers.median, unit: "phones/s", floor: floors.median).print()
  }

  private static func rate(_ phones: [[UInt8]], _ read: (UnsafeBufferPointer<UInt8>) -> Bool) -> Double {
    let started = BootInstant.now
    var valid = 0
    for phone in phones where phone.withUnsafeBufferPointer(read) { valid += 1 }
    precondition(valid > phones.count / 10, "hardly a phone was read")
    return Double(phones.count) * 1e9 / Double((BootInstant.now - started).nanoseconds)
  }

  /// The first cells of the demo's file, which are its phones; none of its rows has a line end inside.
  private static func cells(_ file: [UInt8]) -> [[UInt8]] {
    file.split(separator: 0x0A).dropFirst().compactMap { line in
      let row = Array(line)
      var cell: [UInt8] = []
      var (at, isQuoted) = (0, false)
      while at < row.count, isQuoted || row[at] != UInt8(ascii: ",") {
        if row[at] == 0x22 { isQuoted.toggle() } else { cell.append(row[at]) }
        at += 1
      }
      return cell.isEmpty ? nil : cell
    }
  }
}
