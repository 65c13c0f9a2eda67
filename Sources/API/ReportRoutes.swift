import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Store

/// What was sent and what it cost.
struct ReportRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/reports/messages", .key(.readMoney), messages)
    router.add("GET", "/v1/reports/costs", .key(.readMoney), costs)
    router.add("GET", "/v1/reports/templates", .key(.readMoney), templates)
  }

  /// One line per attempt; its sum is that of `costs`, volume discounts apart.
  private func messages(_ call: Call) async throws -> HTTPResponse {
    let request = try await read(call, also: ["format", "excel", "delimiter", "cursor"])
    let type =
      switch request.format {
      case .csv: "text/csv; charset=utf-8"
      case .ndjson: "application/x-ndjson"
      case .json: "application/json"
      }
    let produce = try await services.reportMessages(request)
    return HTTPResponse(
      status: 200,
      headers: [
        ("Content-Type", type),
        ("Content-Disposition", "attachment; filename=\"messages.\(request.format.rawValue)\""),
      ], body: .stream(produce))
  }

  private func costs(_ call: Call) async throws -> HTTPResponse {
    let request = try await read(call, also: ["group_by", "zone", "compare"])
    if request.isComparing {
      guard request.from != nil, request.to != nil else {
        throw Problem.missing("from", remedy: "Comparing needs from and to: the period before has the same length.")
      }
      if request.groups.contains(where: { $0 == .day || $0 == .month }) {
        throw Problem.invalid(
          "compare", "A day has no period before it.", remedy: "Group by campaign, market, category or number.")
      }
    }
    return .page(try await services.reportCosts(request), next: nil)
  }

  /// Meta's count of templates beside the receipts', with the clicks that only Meta sees.
  private func templates(_ call: Call) async throws -> HTTPResponse {
    try call.checkQuery(["from", "to"])
    let lines = try await TemplateFigures.lines(
      of: call.caller.business, from: try call.day("from"), to: try call.day("to"), on: services.pool)
    return .page(
      lines.map { line in
        [
          "template": .string(line.name), "language": .string(line.language), "account": .string(line.wabaID),
          "currency": .string(line.currency),
          "meta": [
            "sent": .count(Int(line.sent)), "delivered": .count(Int(line.delivered)), "read": .count(Int(line.read)),
            "cost": line.cost.map { .string($0.text(minimumDecimals: 2)) } ?? .null,
            "clicks": .array(
              line.clicks.map {
                ["type": .string($0.type), "button": .string($0.button), "count": .count(Int($0.count))]
              }),
          ],
          "receipts": [
            "delivered": .count(Int(line.ourDelivered)), "read": .count(Int(line.ourRead)),
            "cost": .string(line.ourCost.text(minimumDecimals: 2)),
          ], "seen_at": .time(line.seenAt),
        ]
      }, next: nil)
  }

  private func read(_ call: Call, also own: [String]) async throws -> ReportRequest {
    try call.checkQuery(["campaign", "from", "to"] + own)
    var campaign: Campaign.ID?
    if let text = call.query("campaign") {
      let id: Campaign.ID = try Fields.identifier(.string(text), at: "campaign")
      guard try await Campaigns.read(id, of: call.caller.business, on: services.pool) != nil else {
        throw Problem.notFound("campaign")
      }
      campaign = id
    }
    let (from, to) = (try call.day("from"), try call.day("to"))
    if let from, let to, to < from {
      throw Problem.invalid("to", "The last day is before the first.", remedy: "Give from first, then to.")
    }
    var groups: [CostLines.Group] = []
    for word in (call.query("group_by") ?? "campaign").split(separator: ",") {
      guard let group = CostLines.Group(rawValue: String(word)), !groups.contains(group) else {
        throw Problem.invalid(
          "group_by", "This word is not known here, or stands there twice.",
          remedy: "Write some of \(CostLines.Group.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      groups.append(group)
    }
    let word = call.query("format") ?? ((call.request.header("accept") ?? "").contains("ndjson") ? "ndjson" : "csv")
    guard let format = ReportRequest.Format(rawValue: word) else {
      throw Problem.invalid("format", "This format is not known here.", remedy: "Write csv, ndjson or json.")
    }
    if let zone = call.query("zone"), Zones.named(zone) == nil {
      throw Problem.invalid("zone", "This time zone is not known.", remedy: "Write an IANA name, e.g. Africa/Cairo.")
    }
    guard [nil, "previous"].contains(call.query("compare")) else {
      throw Problem.invalid("compare", "This word is not known here.", remedy: "Write compare=previous.")
    }
    let isExcel = try call.flag("excel")
    return ReportRequest(
      business: call.caller.business, campaign: campaign, format: format, from: from, to: to, groups: groups,
      zone: call.query("zone"), isComparing: call.query("compare") != nil, showsPhones: call.may(.seePhones),
      isExcel: isExcel, delimiter: try delimiter(call, isExcel), after: try cursor(call))
  }

  /// A spreadsheet set to Arabic takes the comma for a decimal point and parts cells at semicolons.
  private func delimiter(_ call: Call, _ isExcel: Bool) throws(Problem) -> String {
    switch call.query("delimiter") {
    case nil: return isExcel && call.language == .arabic ? ";" : ","
    case "comma"?: return ","
    case "semicolon"?: return ";"
    case "tab"?: return "\t"
    default:
      throw Problem.invalid("delimiter", "This word is not known here.", remedy: "Write comma, semicolon or tab.")
    }
  }

  private func cursor(_ call: Call) throws(Problem) -> MessageLines.Cursor? {
    guard let text = call.query("cursor") else { return nil }
    guard let cursor = MessageLines.Cursor(text) else {
      throw Problem.invalid(
        "cursor", "This is not a line of the report.",
        remedy: "Write recipient_ref and attempt of the last line that you have whole, with a hyphen between.")
    }
    return cursor
  }
}
