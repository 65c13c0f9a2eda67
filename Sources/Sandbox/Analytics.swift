import Domain
import JSON

/// `pricing_analytics.start(…).end(…).granularity(…)…`: one field of a WABA's node, parsed and answered from the bill.
struct Analytics {
  private var start: Int64?
  private var end: Int64?
  private var granularity = "DAILY"
  private var numbers: [String] = []
  private var countries: [String] = []
  private var metrics: Set<String> = ["COST", "VOLUME"]
  private var types: [String] = []
  private var categories: [String] = []
  private var dimensions: Set<String> = []

  /// Fields at the top level: commas inside brackets don't separate.
  static func split(_ fields: String) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = fields.startIndex
    for index in fields.indices {
      switch fields[index] {
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth -= 1
      case "," where depth == 0:
        parts.append(fields[start..<index])
        start = fields.index(after: index)
      default: break
      }
    }
    parts.append(fields[start...])
    return parts.map { Substring($0.filter { $0 != " " }) }.filter { !$0.isEmpty }
  }

  init(_ field: Substring) throws(GraphFault) {
    var rest = field.dropFirst("pricing_analytics".count)
    while !rest.isEmpty {
      guard rest.first == ".", let open = rest.firstIndex(of: "("), let close = rest.firstIndex(of: ")"), open < close
      else {
        throw .parameter("Syntax error in pricing_analytics")
      }
      let name = rest[rest.index(after: rest.startIndex)..<open]
      let argument = String(rest[rest.index(after: open)..<close])
      rest = rest[rest.index(after: close)...]
      let list = argument.split { "[], \"'".contains($0) }.map(String.init)
      switch name {
      case "start": start = Int64(argument)
      case "end": end = Int64(argument)
      case "granularity":
        guard ["HALF_HOUR", "DAILY", "MONTHLY"].contains(argument) else {
          throw .parameter("granularity must be one of HALF_HOUR, DAILY, MONTHLY")
        }
        granularity = argument
      case "phone_numbers": numbers = list.map { $0.filter(\.isNumber) }
      case "country_codes": countries = list
      case "metric_types": if !list.isEmpty { metrics = Set(list) }
      case "pricing_types": types = list
      case "pricing_categories": categories = list
      case "dimensions": dimensions = Set(list)
      default: throw .parameter("Unknown parameter \(name) of pricing_analytics")
      }
    }
    guard let start, let end, start < end else { throw .parameter("start and end are required, start before end") }
  }

  private struct Group: Hashable, Comparable {
    var from: Int64
    var to: Int64
    var line: Int?
    var country: String?
    var category: String?
    var type: String?
    var tier: Int64?
    private var key: (Int64, Int, String, String, String, Int64) {
      (from, line ?? -1, country ?? "", category ?? "", type ?? "", tier ?? 0)
    }
    static func < (a: Group, b: Group) -> Bool { a.key < b.key }
  }

  func answer(_ account: Account, _ lines: [Line]) -> JSONValue {
    let offset = Int64(account.settings.utcOffsetMinutes) * 60
    var groups: [Group: Bill.Sum] = [:]
    for (key, sum) in account.bill.sums {
      let at = key.slot * 1800
      let category = key.category.word.uppercased()
      let type = key.type.word.uppercased()
      guard at >= start!, at < end!, numbers.isEmpty || numbers.contains(String(lines[key.line].digits)),
        countries.isEmpty || countries.contains(key.country), types.isEmpty || types.contains(type),
        categories.isEmpty || categories.contains(category)
      else { continue }
      let (from, to) = period(at, offset)
      let group = Group(
        from: from, to: to, line: dimensions.contains("PHONE") ? key.line : nil,
        country: dimensions.contains("COUNTRY") ? key.country : nil,
        category: dimensions.contains("PRICING_CATEGORY") ? category : nil,
        type: dimensions.contains("PRICING_TYPE") ? type : nil,
        tier: dimensions.contains("TIER") ? key.tier : nil)
      groups[group, default: Bill.Sum()].volume += sum.volume
      groups[group, default: Bill.Sum()].cost += sum.cost
    }
    let points = groups.sorted { $0.key < $1.key }.map { group, sum in
      var point: JSONObject = ["start": .number(String(group.from)), "end": .number(String(group.to))]
      if let country = group.country { point.append("country", .string(country)) }
      if let line = group.line { point.append("phone_number", .string(String(lines[line].digits))) }
      if let tier = group.tier {
        let next = account.settings.volumeTiers.map(\.above).filter { $0 > tier }.min()
        point.append("tier", .string("\(tier):" + (next.map(String.init) ?? "MAX")))
      }
      if let type = group.type { point.append("pricing_type", .string(type)) }
      if let category = group.category { point.append("pricing_category", .string(category)) }
      if metrics.contains("VOLUME") { point.append("volume", .number(String(sum.volume))) }
      if metrics.contains("COST") { point.append("cost", .number(Bill.decimal(sum.cost))) }
      return JSONValue.object(point)
    }
    return ["data": points.isEmpty ? [] : [["data_points": .array(points)]]]
  }

  /// The half hour, day or month in the account's zone that holds an instant.
  private func period(_ at: Int64, _ offset: Int64) -> (Int64, Int64) {
    switch granularity {
    case "HALF_HOUR": return (at / 1800 * 1800, at / 1800 * 1800 + 1800)
    case "MONTHLY":
      let date = CivilDate(daysSince1970: Int((at + offset) / 86_400))
      let first = CivilDate(year: date.year, month: date.month, day: 1)!
      let next = CivilDate(year: date.month == 12 ? date.year + 1 : date.year, month: date.month % 12 + 1, day: 1)!
      return (Int64(first.daysSince1970) * 86_400 - offset, Int64(next.daysSince1970) * 86_400 - offset)
    default:
      let day = (at + offset) / 86_400
      return (day * 86_400 - offset, (day + 1) * 86_400 - offset)
    }
  }
}
