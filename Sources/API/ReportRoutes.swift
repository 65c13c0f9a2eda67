import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Store

/// What was sent, what it cost, and the prices behind it.
struct ReportRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  static let groups = ["campaign", "market", "category", "number", "day"]

  func add(to router: inout Router) {
    router.add("GET", "/v1/reports/messages", .key(.readMoney), messages)
    router.add("GET", "/v1/reports/costs", .key(.readMoney), costs)
    router.add("GET", "/v1/rates", .key(.read), rates)
  }

  /// One line per attempt; its sum is that of `costs`.
  private func messages(_ call: Call) async throws -> HTTPResponse {
    let request = try await read(call)
    let isCSV = request.format == .csv
    return HTTPResponse(
      status: 200,
      headers: [
        ("Content-Type", isCSV ? "text/csv; charset=utf-8" : "application/x-ndjson"),
        ("Content-Disposition", "attachment; filename=\"messages.\(request.format.rawValue)\""),
      ], body: .stream { writer in try await services.reportMessages(request, writer) })
  }

  private func costs(_ call: Call) async throws -> HTTPResponse {
    .page(try await services.reportCosts(try await read(call)), next: nil)
  }

  private func read(_ call: Call) async throws -> ReportRequest {
    let known = ["campaign", "format", "from", "to", "group_by", "excel"]
    for (name, _) in call.request.query where !known.contains(name) {
      throw Problem.unknownField(name, nearest: NearestWord.to(name, among: known), known: known)
    }
    var campaign: Campaign.ID?
    if let text = call.query("campaign") {
      let id: Campaign.ID = try Fields.identifier(.string(text), at: "campaign")
      guard try await Campaigns.read(id, of: call.caller.business, on: services.pool) != nil else {
        throw Problem.notFound("campaign")
      }
      campaign = id
    }
    func day(_ name: String) throws(Problem) -> CivilDate? {
      guard let text = call.query(name) else { return nil }
      guard let date = CivilDate(text) else {
        throw Problem.invalid(name, "This is not a day.", remedy: "Write YYYY-MM-DD, in the account's zone.")
      }
      return date
    }
    let groups = (call.query("group_by") ?? "campaign").split(separator: ",").map(String.init)
    for group in groups where !ReportRoutes.groups.contains(group) {
      throw Problem.invalid(
        "group_by", "This word is not known here.",
        remedy: "Write some of \(ReportRoutes.groups.joined(separator: ", ")).")
    }
    let word = call.query("format") ?? ((call.request.header("accept") ?? "").contains("ndjson") ? "ndjson" : "csv")
    guard let format = ReportRequest.Format(rawValue: word) else {
      throw Problem.invalid("format", "This format is not known here.", remedy: "Write csv or ndjson.")
    }
    return ReportRequest(
      business: call.caller.business, campaign: campaign, format: format, from: try day("from"), to: try day("to"),
      groups: groups, showsPhones: call.may(.seePhones), isExcel: try call.flag("excel"))
  }

  private func rates(_ call: Call) async throws -> HTTPResponse {
    let currency = call.query("currency")
    if let currency, Currency(currency) == nil {
      throw Problem.invalid("currency", "This is not a currency.", remedy: "Write three letters, e.g. USD.")
    }
    let day: CivilDate? = try call.query("on").map { text throws(Problem) in
      guard let date = CivilDate(text) else {
        throw Problem.invalid("on", "This is not a day.", remedy: "Write YYYY-MM-DD.")
      }
      return date
    }
    let entries = try await Rates.list(currency: currency.flatMap { Currency($0)?.code }, on: services.pool)
    let market = call.query("market")
    let shown =
      day.map { day in
        // Of each price the newest that holds on that day.
        Dictionary(grouping: entries.filter { $0.effectiveFrom <= day }) {
          "\($0.currency).\($0.market.rawValue).\($0.category.rawValue)"
        }
        .values.compactMap { $0.max { $0.effectiveFrom < $1.effectiveFrom } }
        .sorted {
          ($0.currency, $0.market.rawValue, $0.category.rawValue) < (
            $1.currency, $1.market.rawValue, $1.category.rawValue
          )
        }
      } ?? entries
    return .page(
      shown.filter { market == nil || $0.market.word == market }.map { entry in
        [
          "market": .string(entry.market.word),
          "market_name": .string(call.language == .arabic ? entry.market.arabicName : entry.market.name),
          "category": .string(entry.category.word), "amount": .string(entry.amount.text()),
          "currency": .string(entry.currency),
          "effective_from": .string(entry.effectiveFrom.description), "source": .string(entry.source),
        ]
      }, next: nil)
  }
}
