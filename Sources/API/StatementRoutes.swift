import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Reactor
import Schedule
import Store

/// Statements: which months there are, one of them as JSON, CSV or a page, and who stands in their head.
struct StatementRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/statements", .key(.readStatements), list)
    router.add("GET", "/v1/statements/parties", .key(.readStatements), parties)
    router.add("POST", "/v1/statements/parties", .key(.manageMoney), name)
    router.add("GET", "/v1/statements/{month}", .key(.readStatements), show)
    router.add("GET", "/v1/reconciliations", .key(.readStatements), reconciliations)
    router.add("POST", "/v1/reconciliations", .key(.manageMoney), reconcile)
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let now = Instant.now
    var items: [JSONValue] = []
    for account in try await Statements.accounts(of: call.caller.business, on: services.pool) {
      let today = day(now, in: account.zone)
      for entry in try await Statements.months(of: account.id, on: services.pool) {
        items.append([
          "month": .string(entry.month.description), "account": .string(account.wabaID),
          "state": .string(entry.number == nil ? word(entry.month.state(on: today)) : "closed"),
          "statement": entry.number.map { .string(String($0)) } ?? .null, "net": .string(entry.net.text()),
          "currency": .string(account.currency.code), "unpriced": .count(entry.unpriced),
        ])
      }
    }
    return .page(items, next: nil)
  }

  /// A month that is over its grace and not closed yet: the next hour closes it.
  private func word(_ state: BillingMonth.State) -> String {
    switch state {
    case .running: "running"
    case .provisional: "provisional"
    case .closed: "closing"
    }
  }

  private func day(_ now: Instant, in zone: String) -> CivilDate {
    Zones.named(zone)?.day(of: now) ?? Pricing.day(of: now, offset: 0)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    try call.checkQuery(["account", "format", "language"])
    guard let month = call.parameters["month"].flatMap({ BillingMonth($0) }) else {
      throw Problem.invalid("month", "This is not a month.", remedy: "Write YYYY-MM.")
    }
    let account = try await account(call)
    let known = try await Statements.months(of: account.id, on: services.pool)
    guard known.contains(where: { $0.month == month }) else {
      throw Problem(
        404, "statement_empty", "There is no such statement.",
        detail: "Nothing was charged to the account \(account.wabaID) in \(month).",
        remedy: "GET /v1/statements lists the months.")
    }
    let format = call.query("format") ?? "json"
    guard let format = StatementRequest.Format(rawValue: format) else {
      throw Problem.invalid("format", "This format is not known here.", remedy: "Write json, csv or html.")
    }
    let language = call.query("language") ?? (call.language == .arabic ? "ar" : "en")
    guard ["en", "ar"].contains(language) else {
      throw Problem.invalid("language", "This language is not known here.", remedy: "Write en or ar.")
    }
    let text = try await services.statement(
      StatementRequest(account: account, month: month, format: format, language: language))
    let type =
      switch format {
      case .json: "application/json"
      case .csv: "text/csv; charset=utf-8"
      case .html: "text/html; charset=utf-8"
      }
    var headers = [("Content-Type", type)]
    if format == .csv {
      headers.append(
        ("Content-Disposition", "attachment; filename=\"statement-\(month)-\(account.wabaID).\(format.rawValue)\""))
    }
    return HTTPResponse(status: 200, headers: headers, body: .bytes(Array(text.utf8)))
  }

  private func account(_ call: Call) async throws -> Statements.Account {
    let accounts = try await Statements.accounts(of: call.caller.business, on: services.pool)
    if let asked = call.query("account") {
      guard let found = accounts.first(where: { $0.wabaID == asked }) else { throw Problem.notFound("account") }
      return found
    }
    guard accounts.count == 1 else {
      if accounts.isEmpty { throw Problem.notFound("account") }
      throw Problem.missing(
        "account", remedy: "There are several: \(accounts.map(\.wabaID).prefix(20).joined(separator: ", ")).")
    }
    return accounts[0]
  }

  // MARK: Reconciliation

  /// The newest of each account.
  private func reconciliations(_ call: Call) async throws -> HTTPResponse {
    var items: [JSONValue] = []
    for account in try await Statements.accounts(of: call.caller.business, on: services.pool) {
      guard let run = try await Reconciliations.latest(of: account.id, on: services.pool) else { continue }
      items.append([
        "account": .string(account.wabaID), "currency": .string(account.currency.code),
        "from": .string(run.from.description), "to": .string(run.to.description), "ran_at": .time(run.ranAt),
        "meta": side(run.meta.volume, run.meta.cost), "ledger": side(run.volume, run.cost),
        "differences": Reconciliations.json(run.parts),
        "lines": .array(
          run.lines.map { line in
            [
              "day": .string(line.key.day.description),
              "number": PhoneNumber(digits: line.key.number).map { .string($0.e164) } ?? .null,
              "country": .string(line.key.country), "category": line.key.category.map { .string($0.word) } ?? .null,
              "pricing_type": .string(line.key.type.word), "meta": side(line.meta.volume, line.meta.cost),
              "ledger": side(line.volume, line.cost), "differences": Reconciliations.json(line.parts),
            ]
          }),
      ])
    }
    return .page(items, next: nil)
  }

  private func side(_ volume: Int64, _ cost: Amount?) -> JSONValue {
    ["volume": .count(volume), "cost": cost.map { .string($0.text()) } ?? .null]
  }

  private func reconcile(_ call: Call) async throws -> HTTPResponse {
    _ = try await services.pool.run(
      Jobs.enqueue("reconcile", key: "asked-\(call.caller.business)", due: .now))
    return .json(202, ["queued": true])
  }

  // MARK: Parties

  private func parties(_ call: Call) async throws -> HTTPResponse {
    .json(200, try await Statements.parties(of: call.caller.business, on: services.pool).json)
  }

  private func name(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["seller", "buyer", "vat_percent"])
    var parties = Statements.Parties()
    parties.seller = try party(fields, "seller")
    parties.buyer = try party(fields, "buyer")
    if let text = try fields.text("vat_percent", limit: 10) {
      guard let percent = Amount(text), percent >= .zero, percent <= Amount(billionths: 100 * 1_000_000_000) else {
        throw Problem.invalid("vat_percent", "This is not a percentage.", remedy: "Write e.g. \"14\" or \"2.25\".")
      }
      parties.vatPercent = percent
    }
    try await Statements.name(parties, of: call.caller.business, by: call.caller.actor, on: services.pool)
    return .json(200, parties.json)
  }

  private func party(_ fields: Fields, _ name: String) throws(Problem) -> Statements.Parties.Party {
    var party = Statements.Parties.Party()
    guard let value = fields[name] else { return party }
    let own = try Fields(value, at: name, known: ["name", "tax_number", "address"])
    party.name = try own.text("name", limit: 200) ?? ""
    party.taxNumber = try own.text("tax_number", limit: 100) ?? ""
    party.address = try own.text("address", limit: 500) ?? ""
    return party
  }
}
