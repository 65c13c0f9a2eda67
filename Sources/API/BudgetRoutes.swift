import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Store

/// Budgets: of a number or a portfolio for each month, and another one for a campaign that runs.
struct BudgetRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/budgets", .key(.readMoney), list)
    router.add("POST", "/v1/budgets", .key(.manageMoney), set)
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    .page(
      try await Budgets.list(of: call.caller.business, on: services.pool).map { .object(BudgetRoutes.json($0)) }, next: nil)
  }

  /// Sets it for this month and those to come; what was reserved this month counts. Raising it lets go on what it stopped.
  private func set(_ call: Call) async throws -> HTTPResponse {
    let json = try call.json()
    let places = ["number", "portfolio", "campaign"]
    let budget = try Budget(json: json, at: "", also: places + ["reason"])
    let fields = try Fields(json, known: ["amount", "currency", "messages", "reason"] + places)
    let reason = try fields.text("reason", limit: 500) ?? ""
    let named = places.filter { fields[$0] != nil }
    guard let place = named.first, named.count == 1 else {
      throw Problem(
        422, "budget_scope", "A budget is of one number, one portfolio or one campaign.",
        detail: named.isEmpty ? "None is named." : "\(named.joined(separator: " and ")) are named.",
        field: named.last ?? "number", remedy: "Write number (its phone_number_id or label), portfolio or campaign.")
    }
    let word = try fields.requiredText(place, limit: 60, remedy: "Write its id.")
    let (scope, id, currencies) = try await subject(place, word, call)
    try budget.check(billedIn: currencies, at: "")
    try await Budgets.set(
      budget, over: scope, id, of: call.caller.business, by: call.caller.actor, reason: reason, on: services.pool)
    let entry =
      scope == .campaign
      ? try await Budgets.of(Campaign.ID(id), on: services.pool)
      : try await Budgets.list(of: call.caller.business, on: services.pool).first { $0.scope == scope && $0.scopeID == id }
    return .json(200, .object(entry.map(BudgetRoutes.json) ?? JSONObject()))
  }

  private func subject(_ place: String, _ word: String, _ call: Call) async throws
    -> (scope: PauseScope, id: Int64, currencies: Set<String>)
  {
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool)
    switch place {
    case "number":
      let found = try await Numbers.find(word, of: call.caller.business, on: services.pool)
      guard let number = found.first, found.count == 1 else { throw Problem.notFound("number") }
      return (.number, number.id.rawValue, [number.currency])
    case "portfolio":
      guard let portfolio = try await Budgets.portfolio(word, of: call.caller.business, on: services.pool) else {
        throw Problem.notFound("portfolio")
      }
      return (
        .portfolio, portfolio.rawValue, Set(numbers.filter { $0.portfolio == portfolio }.map(\.currency))
      )
    default:
      let id: Campaign.ID = try Fields.identifier(.string(word), at: "campaign")
      guard let entry = try await Campaigns.read(id, of: call.caller.business, on: services.pool) else {
        throw Problem.notFound("campaign")
      }
      guard [.scheduled, .preparing, .sending].contains(entry.state), entry.kind == .campaign else {
        throw Problem(
          409, "not_running", "The campaign's state does not allow this.",
          detail: "It is \(entry.state.word).", remedy: "A draft's budget is written in the draft.")
      }
      return (.campaign, id.rawValue, [entry.currency])
    }
  }

  static func json(_ entry: Budgets.Entry) -> JSONObject {
    var object: JSONObject = ["scope": .string(entry.scope.word), "id": .string(entry.subject)]
    for field in entry.json.fields { object.append(field.key, field.value) }
    object.append("by", .string(entry.by))
    object.append("changed_at", .time(entry.at))
    return object
  }
}
