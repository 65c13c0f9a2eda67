import CloudAPI
import Domain
import Glibc
import HTTPClient
import Postgres
import Reactor
import Schedule
import Store

/// Looks at everything the service stands on and says what to do about what is wrong.
enum DoctorCommand {
  static let command = Command(
    words: ["doctor"], summary: "check settings, database, clocks, zones, tokens and the service",
    details: ["Changes nothing. Exit code 0: nothing wrong; 1: something is."],
    settings: [.databaseURL, .sealKey, .appSecret, .verifyToken, .graphURL, .graphVersion, .caFile, .url, .apiKey]
  ) { invocation in
    var report = Report()
    settings(invocation, &report)
    zones(&report)
    await database(invocation, &report)
    await service(invocation, &report)
    if report.failures > 0 {
      Terminal.say("\(report.failures) of \(report.count) checks failed.")
      throw ExitCode.failed
    }
  }

  struct Report {
    private(set) var count = 0
    private(set) var failures = 0

    mutating func good(_ what: String) { tell("ok  ", what) }
    mutating func skipped(_ what: String) { tell("-   ", what) }
    mutating func bad(_ what: String, _ remedy: String) {
      failures += 1
      tell("BAD ", what + "\n     " + remedy)
    }

    private mutating func tell(_ mark: String, _ what: String) {
      count += 1
      Terminal.print(mark + " " + what)
    }
  }

  private static func settings(_ invocation: Invocation, _ report: inout Report) {
    let needed: [(Setting, String)] = [
      (.databaseURL, "the service and the brake need it"), (.sealKey, "make one: openssl rand -hex 32"),
      (.appSecret, "the intake verifies webhooks by it; it stands in Meta's app dashboard"),
      (.verifyToken, "the webhook's handshake needs it; choose any word"),
    ]
    for (setting, remedy) in needed {
      do throws(UsageError) {
        if try invocation.setting(setting) == nil {
          report.bad("\(setting.variable) is not set", remedy)
        } else if setting.variable == Setting.sealKey.variable {
          _ = try KeysCommand.sealKey(invocation)
          report.good(setting.variable)
        } else {
          report.good(setting.variable)
        }
      } catch {
        report.bad("\(setting.variable): \(error.message)", error.remedy)
      }
    }
  }

  private static func zones(_ report: inout Report) {
    let missing = PhoneZones.all.filter { name in
      do throws(ZoneError) {
        _ = try Zone(named: name)
        return false
      } catch {
        return true
      }
    }
    if missing.isEmpty {
      report.good("time zones: all \(PhoneZones.all.count) are there")
    } else {
      report.bad(
        "time zones: \(missing.sorted().prefix(5).joined(separator: ", ")) cannot be read", "apt-get install tzdata")
    }
  }

  private static func database(_ invocation: Invocation, _ report: inout Report) async {
    do {
      try await invocation.withDatabase { pool in
        let asked = Instant.now
        let row = try await pool.run(
          "select current_setting('server_version_num')::int4, clock_timestamp(), pg_is_in_recovery()")[0]
        let took = Instant.now - asked
        let version = row.int32(0)
        if version >= 150_000 {
          report.good("PostgreSQL \(version / 10_000)")
        } else {
          report.bad("PostgreSQL \(version / 10_000) is too old", "Use PostgreSQL 15 or newer.")
        }
        if row.bool(2) { report.bad("the database is a standby", "Give the address of the primary.") }
        let offset = (row.instant(1) - asked - took / 2).nanoseconds
        if abs(offset) < 1_000_000_000 {
          report.good("clocks: \(offset / 1_000_000) ms between this machine and the database")
        } else {
          report.bad("clocks differ by \(offset / 1_000_000) ms", "Run an NTP client on both machines.")
        }
        try await Migrator.check(pool)
        report.good("the database is at this version's schema")
        let sealKey = try KeysCommand.sealKey(invocation)
        let installation = try await Installation.open(pool, sealKey: sealKey)
        report.good("installation \(installation.name)")
        try await tokens(invocation, pool, installation, Tokens(sealKey: sealKey), &report)
      }
    } catch let mismatch as MigrationError {
      report.bad(mismatch.problem.detail, mismatch.problem.remedy ?? "")
    } catch let wrong as InstallationError {
      report.bad(wrong.problem.title, wrong.problem.remedy ?? "")
    } catch let usage as UsageError {
      report.skipped("database: \(usage.message)")
    } catch {
      report.bad("database: \(error)", "Check QAFILA_DATABASE_URL and that PostgreSQL runs.")
    }
  }

  /// Asks Meta for each number with its own token.
  private static func tokens(
    _ invocation: Invocation, _ pool: Pool, _ installation: Installation, _ tokens: Tokens, _ report: inout Report
  ) async throws {
    let http = HTTPClient(on: Qafila.reactor, settings: HTTPClientSettings(caFile: try invocation.setting(.caFile)))
    let graph = GraphClient(
      http, url: try invocation.required(.graphURL), version: try invocation.required(.graphVersion))
    defer { http.close() }
    let numbers = try await Numbers.list(of: installation.business, on: pool)
    if numbers.isEmpty { report.skipped("numbers: none is registered") }
    for number in numbers {
      guard let sealed = try await Numbers.sealedToken(of: number.account, on: pool), let token = tokens.open(sealed)
      else {
        report.bad("number \(number.phoneNumberID): its token does not open", "Register the number again.")
        continue
      }
      do throws(GraphError) {
        let node = try await graph.phoneNumber(number.phoneNumberID, token: token)
        if node.isConnected {
          report.good("number \(number.phoneNumberID): connected, quality \(node.quality.word)")
        } else {
          report.bad(
            "number \(number.phoneNumberID): Meta says \(node.status ?? "nothing")", "Register it at Meta with its PIN."
          )
        }
      } catch {
        switch error {
        case .refused(let refusal):
          report.bad(
            "number \(number.phoneNumberID): Meta refuses, error \(refusal.code)",
            "Give a new token: qafila numbers add.")
        case .unreachable(let reason), .unanswered(let reason):
          report.bad("Meta does not answer (\(reason))", "Check QAFILA_GRAPH_URL and the network.")
        case .unexpected, .malformedID:
          report.bad(
            "number \(number.phoneNumberID): Meta's answer is not understood", "Check QAFILA_GRAPH_URL and its version."
          )
        }
      }
    }
  }

  private static func service(_ invocation: Invocation, _ report: inout Report) async {
    do {
      guard try invocation.setting(.apiKey) != nil else { return report.skipped("service: QAFILA_API_KEY is not set") }
      let client = try ServiceClient(invocation)
      _ = try await client.get("/readyz")
      report.good("the service is ready")
      let pauses = try await client.all("/v1/pauses")
      if pauses.isEmpty { report.good("nothing is paused") }
      for pause in pauses {
        report.skipped(
          "paused: \(pause.text("scope")) by \(pause.text("by")) since \(pause.time("since")): \(pause.text("reason"))")
      }
    } catch let problem as Problem {
      report.bad("service: \(problem.title)", problem.remedy ?? "")
    } catch let failure as HTTPFailure {
      report.bad("the service does not answer (\(failure.reason))", "Check QAFILA_URL and that qafila serve runs.")
    } catch {
      report.bad("service: \(error)", "")
    }
  }
}
