import Domain
import HTTPClient
import JSON

/// Why a call to the Graph API brought nothing.
public enum GraphError: Error, Hashable, Sendable {
  /// Meta said no. Nothing changed.
  case refused(MetaError)
  /// No byte left this machine; trying again is safe. A constant word of `HTTPFailure`.
  case unreachable(String)
  /// Asked, and no usable answer came. Reading again is safe; a change may have happened.
  case unanswered(String)
  /// An answer that is not what the API documents.
  case unexpected(status: Int)
  /// An id that can't be one of Meta's; nothing was asked.
  case malformedID
}

/// Reads and changes nodes of Meta's Graph API: numbers, templates, accounts. Not for the sending path.
public struct GraphClient: Sendable {
  public let http: HTTPClient
  private let base: String
  /// A list longer than this many pages of 100 is cut with `unexpected`: it can't be what it seems.
  static let maxPages = 100

  /// `url` without a slash at its end: `https://graph.facebook.com`; `version`: `v26.0`.
  public init(_ http: HTTPClient, url: String, version: String) {
    self.http = http
    base = url + "/" + version + "/"
  }

  /// The address for sending from a number.
  public func messagesURL(phoneNumberID: String) -> String { base + phoneNumberID + "/messages" }

  /// The headers of every call with this token; built once, for any number of requests.
  public static func headers(token: String) -> HeaderList {
    HeaderList([("Authorization", "Bearer " + token), ("Content-Type", "application/json")])
  }

  public func phoneNumber(_ id: String, token: String) async throws(GraphError) -> PhoneNode {
    try await node(id, [("fields", PhoneNode.fields)], token) { PhoneNode($0) }
  }

  /// A number, and how much of the account's hourly budget of such calls is used, in percent; 0 when Meta does not say.
  public func watchedNumber(_ id: String, token: String) async throws(GraphError) -> (node: PhoneNode, usage: Int64) {
    let answer = try await answer("GET", id, nil, [("fields", PhoneNode.fields)], token)
    guard let node = PhoneNode(try GraphClient.value(answer)) else { throw .unexpected(status: 200) }
    return (node, GraphClient.usage(answer))
  }

  public func phoneNumbers(ofAccount id: String, token: String) async throws(GraphError) -> [PhoneNode] {
    try await list(id, "phone_numbers", [("fields", PhoneNode.fields)], token) { PhoneNode($0) }
  }

  public func templates(ofAccount id: String, token: String) async throws(GraphError) -> [TemplateNode] {
    func read(_ fields: String) async throws(GraphError) -> [TemplateNode] {
      try await list(id, "message_templates", [("fields", fields)], token) { TemplateNode($0) }
    }
    do throws(GraphError) {
      return try await read(TemplateNode.fields + TemplateNode.laterFields)
    } catch {
      guard case .refused(let refusal) = error, refusal.code == 100 else { throw error }
      return try await read(TemplateNode.fields)
    }
  }

  public func account(_ id: String, token: String) async throws(GraphError) -> AccountNode {
    try await node(id, [("fields", AccountNode.fields)], token) { AccountNode($0) }
  }

  /// Has Meta send the account's webhooks to the token's app. Doing it twice changes nothing.
  public func subscribe(account id: String, token: String) async throws(GraphError) {
    let answer = try await call("POST", id, "subscribed_apps", [], token)
    guard answer["success"]?.boolValue == true else { throw .unexpected(status: 200) }
  }

  /// What Meta charged between two instants, by day, number, country, category, type and tier.
  public func pricing(
    ofAccount id: String, from start: Instant, to end: Instant, token: String
  ) async throws(GraphError) -> [PricingPoint] {
    let field =
      "pricing_analytics.start(\(start.seconds)).end(\(end.seconds)).granularity(DAILY).phone_numbers([])"
      + #".country_codes([]).metric_types(["COST","VOLUME"]).pricing_types([]).pricing_categories([])"#
      + #".dimensions(["PHONE","COUNTRY","PRICING_CATEGORY","PRICING_TYPE","TIER"])"#
    let answer = try await call("GET", id, nil, [("fields", field)], token)
    // Without any message in that time the field is left out.
    let data = answer["pricing_analytics"]?["data"]?.arrayValue ?? []
    return data.flatMap { $0["data_points"]?.arrayValue ?? [] }.compactMap { PricingPoint($0) }
  }

  /// Templates in one call, by Meta's bound.
  static let templatesPerCall = 10

  /// What became of templates' messages between two instants, by day; nil when the account's insights are not enabled.
  public func templateFigures(
    ofAccount id: String, templates: [String], from start: Instant, to end: Instant, token: String
  ) async throws(GraphError) -> [TemplatePoint]? {
    var points: [TemplatePoint] = []
    for first in stride(from: 0, to: templates.count, by: GraphClient.templatesPerCall) {
      let some = templates[first..<min(templates.count, first + GraphClient.templatesPerCall)]
      let query = [
        ("start", String(start.seconds)), ("end", String(end.seconds)), ("granularity", "DAILY"),
        ("metric_types", "cost,clicked,delivered,read,sent"), ("template_ids", "[" + some.joined(separator: ",") + "]"),
      ]
      do throws(GraphError) {
        points += try await list(id, "template_analytics", query, token) { data in
          (data["data_points"]?.arrayValue ?? []).compactMap { TemplatePoint($0) }
        }.flatMap { $0 }
      } catch {
        if case .refused(let refusal) = error, GraphClient.insightsOff.contains(refusal.code) { return nil }
        throw error
      }
    }
    return points
  }

  /// Not available or not enabled (meta-cloud-api §2).
  private static let insightsOff = 200_005...200_007

  /// Has Meta count what becomes of an account's templates from now on. Meta offers no way back.
  public func enableInsights(ofAccount id: String, token: String) async throws(GraphError) {
    _ = try await call("POST", id, nil, [("is_enabled_for_insights", "true")], token)
  }

  // MARK: Calls

  private func node<Node>(
    _ id: String, _ query: [(String, String)], _ token: String, _ read: (JSONValue) -> Node?
  ) async throws(GraphError) -> Node {
    guard let node = read(try await call("GET", id, nil, query, token)) else { throw .unexpected(status: 200) }
    return node
  }

  /// Follows cursors, never the answer's `next` address: the token goes nowhere that an answer names.
  private func list<Node>(
    _ id: String, _ edge: String, _ query: [(String, String)], _ token: String, _ read: (JSONValue) -> Node?
  ) async throws(GraphError) -> [Node] {
    var nodes: [Node] = []
    var after: String?
    for _ in 0..<GraphClient.maxPages {
      let cursor = after.map { [("after", $0)] } ?? []
      let answer = try await call("GET", id, edge, query + [("limit", "100")] + cursor, token)
      guard let data = answer["data"]?.arrayValue else { throw .unexpected(status: 200) }
      nodes += data.compactMap(read)
      guard let next = answer["paging"]?["cursors"]?["after"]?.stringValue, answer["paging"]?["next"] != nil,
        next != after, !data.isEmpty
      else { return nodes }
      after = next
    }
    throw .unexpected(status: 200)
  }

  private func call(
    _ method: String, _ id: String, _ edge: String?, _ query: [(String, String)], _ token: String
  ) async throws(GraphError) -> JSONValue { try GraphClient.value(try await answer(method, id, edge, query, token)) }

  private func answer(
    _ method: String, _ id: String, _ edge: String?, _ query: [(String, String)], _ token: String
  ) async throws(GraphError) -> HTTPAnswer {
    guard (1...32).contains(id.utf8.count), id.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { throw .malformedID }
    var url = base + id
    if let edge { url += "/" + edge }
    if !query.isEmpty {
      url += "?" + query.map { $0.0 + "=" + GraphClient.percentEncoded($0.1) }.joined(separator: "&")
    }
    let request = HTTPRequest(method, url, headers: GraphClient.headers(token: token), timeout: .seconds(30))
    switch await http.send(request) {
    case .success(let answer): return answer
    case .failure(.neverWritten(let reason)): throw .unreachable(reason)
    case .failure(.unanswered(let reason)): throw .unanswered(reason)
    }
  }

  /// The fullest of the budgets in `X-Business-Use-Case-Usage` and `X-App-Usage` (meta-cloud-api §3).
  static func usage(_ answer: HTTPAnswer) -> Int64 {
    var fullest: Int64 = 0
    func look(_ budget: JSONValue) {
      for name in ["call_count", "total_cputime", "total_time"] { fullest = max(fullest, budget[name]?.int64Value ?? 0) }
    }
    for name in ["x-business-use-case-usage", "x-app-usage"] {
      guard let text = answer.header(name) else { continue }
      let value: JSONValue
      do { value = try JSONValue(parsing: Array(text.utf8)) } catch {
        // A header that can't be read says nothing about the budget.
        continue
      }
      look(value)
      for (_, budgets) in value.objectValue ?? [] { for budget in budgets.arrayValue ?? [] { look(budget) } }
    }
    return fullest
  }

  private static func value(_ answer: HTTPAnswer) throws(GraphError) -> JSONValue {
    let value: JSONValue
    do { value = try JSONValue(parsing: answer.body) } catch { throw .unexpected(status: answer.status) }
    if let error = value["error"], let code = error["code"]?.int64Value {
      throw .refused(
        MetaError(
          code: Int(code), subcode: error["error_subcode"]?.int64Value.map(Int.init),
          details: error["error_data"]?["details"]?.stringValue ?? error["message"]?.stringValue,
          traceID: error["fbtrace_id"]?.stringValue, httpStatus: answer.status))
    }
    guard (200..<300).contains(answer.status) else { throw .unexpected(status: answer.status) }
    return value
  }

  /// RFC 3986: everything but unreserved characters.
  static func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
