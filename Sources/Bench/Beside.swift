import Domain
import HTTPClient
import Reactor
import Store

/// What else a service does while a pace is measured, over and over: it imports a file, answers a forecast over an audience
/// of the same size, and streams a report of as many lines.
struct Beside: Sendable {
  /// Of the measured campaigns: people apart from those of the load.
  let walkers: Audience.ID
  private let target: Audience.ID
  private let reported: Campaign.ID
  private let key: String
  private let people: Int

  /// How often each was done.
  struct Counts: Sendable {
    var imports = 0
    var forecasts = 0
    var reports = 0
  }

  /// `people`: rows of the file, members of the forecast's audience, lines of the report.
  init(_ stage: Stage, people: Int, walkers: Int) async throws {
    self.people = people
    try await stage.addPeople(people, optOuts: 10)
    reported = try await ReportTime.sent(stage)
    self.walkers = try await stage.addAudience("walkers", of: walkers)
    target = try await stage.addAudience("imported", of: 0)
    key = try await stage.apiKey()
  }

  /// Loads the service until `deadline`; what began before it is done to its end. `round` says which phones are imported.
  func load(_ stage: Stage, port: UInt16, round: Int, until deadline: BootInstant) async throws -> Counts {
    let path = stage.directory + "/beside-\(round).csv"
    try ImportTime.write(path, rows: people, from: 40_000_000 + round * people)
    let api = "http://127.0.0.1:\(port)"
    // The first time they are new, then they are known.
    async let imports = Beside.count(until: deadline) {
      _ = try await ImportTime.load(
        path, port: port, key: key, stage, audience: Int(target.rawValue), emptied: false)
    }
    async let forecasts = Beside.count(until: deadline) {
      try await ForecastTime.ask(port: port, key: key, people: people, stage)
    }
    async let reports = Beside.count(until: deadline) {
      _ = try await ReportTime.report(api + "/v1/reports/messages?campaign=\(reported)", key, people, stage)
    }
    return Counts(imports: try await imports, forecasts: try await forecasts, reports: try await reports)
  }

  private static func count(until deadline: BootInstant, _ body: () async throws -> Void) async throws -> Int {
    var count = 0
    while BootInstant.now < deadline {
      try await body()
      count += 1
    }
    return count
  }
}
