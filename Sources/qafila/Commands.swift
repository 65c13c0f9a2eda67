import Domain
import JSON
import Postgres

/// Every command of the program, in the order of its help.
enum Commands {
  static let all: [Command] =
    [MigrateCommand.command, ServeCommand.command, SandboxCommand.command, DevCommand.command, DoctorCommand.command]
    + KeysCommand.commands + NumbersCommand.commands + TemplatesCommand.commands + AudiencesCommand.commands
    + SegmentsCommand.commands + PolicyCommand.commands + CampaignsCommand.commands + CalendarsCommand.commands
    + OptOutsCommand.commands + ContactsCommand.commands + StopWordsCommand.commands + ReportsCommand.commands
    + ReceiptsCommand.commands
    + RatesCommand.commands + BudgetsCommand.commands
    + EndpointsCommand.commands
    + StopCommand.commands + PausesCommand.commands + GuardCommand.commands + [DemoDataCommand.command]

  static let json = Option("json", nil, "the service's answer as JSON, for programs")
}

extension Invocation {
  /// The database, for commands that work on it directly. Its session ends with the command.
  func withDatabase<R>(_ body: (Pool) async throws -> R) async throws -> R {
    var settings = ConnectionSettings(url: try required(.databaseURL))
    settings.applicationName = "qafila-cli"
    settings.connectTimeout = .seconds(5)
    let pool = Pool(settings, size: 1, on: Qafila.reactor)
    do {
      let answer = try await body(pool)
      await pool.close()
      return answer
    } catch {
      await pool.close()
      throw error
    }
  }

  /// Prints an answer: as JSON when asked for, else by `people`.
  func show(_ answer: JSONValue, _ people: (JSONValue) -> String) {
    Terminal.print(has("json") ? String(decoding: answer.rendered(), as: UTF8.self) : people(answer))
  }

  func showList(_ items: [JSONValue], _ columns: [(String, Table.Side, (JSONValue) -> String)]) {
    if has("json") {
      for item in items { Terminal.print(String(decoding: item.rendered(), as: UTF8.self)) }
      return
    }
    var table = Table(columns.map { ($0.0, $0.1) })
    for item in items { table.add(columns.map { $0.2(item) }) }
    Terminal.print(table.text)
  }

  /// `--reason`, as a request's body.
  var reason: JSONValue {
    var object = JSONObject()
    if let reason = option("reason") { object.append("reason", .string(reason)) }
    return .object(object)
  }
}

extension JSONValue {
  /// A field as a person reads it: texts bare, numbers as written, nothing for what is missing. Takes a path: `a.b`.
  func text(_ path: String) -> String {
    path.split(separator: ".").reduce(Optional(self)) { $0?[String($1)] }?.plain ?? ""
  }

  var plain: String {
    switch self {
    case .string(let text), .number(let text): text
    case .bool(let flag): flag ? "yes" : "no"
    case .array(let members): members.map(\.plain).joined(separator: ", ")
    case .null, .object: ""
    }
  }

  /// A time to the minute, as stored, and said so: UTC.
  func time(_ path: String) -> String {
    let minute = String(text(path).replacing("T", with: " ").prefix(16))
    return minute.isEmpty ? "" : minute + " UTC"
  }
}
