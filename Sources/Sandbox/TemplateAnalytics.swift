import Domain
import HTTPServer
import JSON

/// What became of one template's messages on one day (UTC), as Meta's insights count it.
struct TemplateDay: Hashable {
  let template: Int
  let day: Int64
}

struct TemplateSum {
  var sent: Int64 = 0
  var delivered: Int64 = 0
  var read: Int64 = 0
  /// Millionths.
  var cost: Int64 = 0
  /// Presses by the button's label; links by their address's button.
  var quickReplies: [String: Int64] = [:]
  var links: Int64 = 0
}

/// `GET /{WABA}/template_analytics`: sums by template and day, once insights were enabled for the account.
struct TemplateAnalytics {
  private let range: Range<Int64>
  private let ids: [String]
  private let metrics: Set<String>

  /// Meta keeps 90 days.
  private static let lookback: Int64 = 90 * 86_400

  init(_ query: [(String, String)], now: Int64) throws(GraphFault) {
    func value(_ name: String) -> String? { query.first { $0.0 == name }?.1 }
    func list(_ name: String) -> [String] { (value(name) ?? "").split { "[], \"'".contains($0) }.map(String.init) }
    guard let start = value("start").flatMap({ Int64($0) }), let end = value("end").flatMap({ Int64($0) }), start < end else {
      throw .parameter("start and end are required, start before end")
    }
    guard start >= now - TemplateAnalytics.lookback - 86_400 else { throw .parameter("start is more than 90 days ago") }
    guard value("granularity")?.uppercased() == "DAILY" else { throw .parameter("granularity must be DAILY") }
    ids = list("template_ids")
    guard (1...10).contains(ids.count) else { throw .parameter("template_ids takes from 1 to 10 ids") }
    let known: Set<String> = ["cost", "clicked", "delivered", "read", "sent"]
    metrics = Set(list("metric_types").map { $0.lowercased() })
    guard metrics.isSubset(of: known) else { throw .parameter("metric_types are cost, clicked, delivered, read, sent") }
    range = start..<end
  }

  func answer(_ account: Account, _ world: World) throws(GraphFault) -> JSONValue {
    guard account.hasInsights else { throw GraphFault(200006, 400, "(#200006) Template insights are not enabled") }
    var points: [JSONValue] = []
    for id in ids {
      guard let index = world.templates.firstIndex(where: { $0.id == id && $0.account == account.index }) else {
        throw GraphFault(200005, 400, "(#200005) Template insights are not available for \(id)")
      }
      let days = world.templateSums.filter { $0.key.template == index && range.contains($0.key.day * 86_400) }
      for (place, sum) in days.sorted(by: { $0.key.day < $1.key.day }) { points.append(point(id, place.day, sum)) }
    }
    return ["data": [["granularity": "DAILY", "product_type": "cloud_api", "data_points": .array(points)]]]
  }

  private func point(_ id: String, _ day: Int64, _ sum: TemplateSum) -> JSONValue {
    func number(_ value: Int64) -> JSONValue { .number(String(value)) }
    var point: JSONObject = [
      "template_id": .string(id), "start": number(day * 86_400), "end": number((day + 1) * 86_400),
    ]
    if metrics.contains("sent") { point.append("sent", number(sum.sent)) }
    if metrics.contains("delivered") { point.append("delivered", number(sum.delivered)) }
    if metrics.contains("read") { point.append("read", number(sum.read)) }
    if metrics.contains("clicked") {
      var clicks = sum.quickReplies.sorted { $0.key < $1.key }.map { label, count -> JSONValue in
        ["type": "quick_reply_button", "button_content": .string(label), "count": number(count)]
      }
      if sum.links > 0 {
        clicks.append(["type": "url_button", "button_content": "Open", "count": number(sum.links)])
        clicks.append(["type": "unique_url_button", "button_content": "Open", "count": number(sum.links)])
      }
      point.append("clicked", .array(clicks))
    }
    if metrics.contains("cost") {
      point.append(
        "cost",
        [
          ["type": "amount_spent", "value": .number(Bill.decimal(sum.cost))],
          sum.delivered > 0
            ? ["type": "cost_per_delivered", "value": .number(Bill.decimal(sum.cost / sum.delivered))]
            : ["type": "cost_per_delivered"],
        ])
    }
    return .object(point)
  }
}

extension World {
  /// What happened to a message of a template, on the calendar's day.
  func note(_ entry: Entry, _ change: (inout TemplateSum) -> Void) {
    guard entry.template != .max else { return }
    let day = Int64(calendar.seconds) / 86_400
    change(&templateSums[TemplateDay(template: Int(entry.template), day: day), default: TemplateSum()])
  }
}
