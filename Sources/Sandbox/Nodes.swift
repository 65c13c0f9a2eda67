import Domain
import HTTPServer
import JSON
import Reactor

/// The Graph API's nodes other than messages: numbers, accounts, templates, subscriptions. Off the hot path, so values.
extension World {
  /// Fields that exist but were not asked for are left out, unknown ones are an error, as at Meta.
  private func select(_ node: JSONObject, _ fields: String?, usual: [String], type: String) throws(GraphFault)
    -> JSONValue
  {
    var out = JSONObject()
    let asked = fields.map { $0.split(separator: ",").map { String($0) } } ?? usual
    for field in asked + (asked.contains("id") ? [] : ["id"]) {
      guard let value = node[field] else {
        throw .parameter("Tried accessing nonexisting field (\(field)) on node type (\(type))")
      }
      // What has no value is left out.
      if !value.isNull { out.append(field, value) }
    }
    return .object(out)
  }

  func number(_ line: Line, _ fields: String?) throws(GraphFault) -> JSONValue {
    let canSend = health(of: line)
    let node: JSONObject = [
      "id": .string(line.id), "display_phone_number": .string(line.display),
      "verified_name": .string(line.verifiedName),
      "quality_rating": .string(line.quality), "quality_score": ["score": .string(line.quality)],
      "whatsapp_business_manager_messaging_limit": .string(lines[0].tier),
      "messaging_limit_tier": .string(lines[0].tier),
      "throughput": ["level": .string(line.throughput >= 1000 ? "HIGH" : "STANDARD")], "status": .string(line.status),
      "code_verification_status": "VERIFIED", "name_status": "APPROVED",
      "platform_type": .string(
        line.status == "PENDING" || line.status == "DISCONNECTED" ? "NOT_APPLICABLE" : "CLOUD_API"),
      "account_mode": "LIVE", "is_official_business_account": false, "last_onboarded_time": "2025-01-01T00:00:00+0000",
      "webhook_configuration": post.url.map { ["application": .string($0)] } ?? .null,
      "health_status": [
        "can_send_message": .string(canSend),
        "entities": [
          ["entity_type": "PHONE_NUMBER", "id": .string(line.id), "can_send_message": .string(canSend)],
          ["entity_type": "WABA", "id": .string(line.account.id), "can_send_message": "AVAILABLE"],
          ["entity_type": "BUSINESS", "id": "506914307656634", "can_send_message": "AVAILABLE"],
          ["entity_type": "APP", "id": "634974688087057", "can_send_message": "AVAILABLE"],
        ],
      ],
    ]
    let usual = [
      "id", "display_phone_number", "verified_name", "quality_rating", "code_verification_status", "platform_type",
      "throughput", "webhook_configuration",
    ]
    return try select(node, fields, usual: usual, type: "WhatsAppBusinessPhoneNumber")
  }

  private func health(of line: Line) -> String {
    switch line.status {
    case "CONNECTED": line.restrictedUntil > BootInstant.now.nanoseconds ? "LIMITED" : "AVAILABLE"
    case "FLAGGED": "LIMITED"
    default: "BLOCKED"
    }
  }

  func waba(_ account: Account, _ fields: String?) throws(GraphFault) -> JSONValue {
    var plain: [Substring] = []
    var analytics: JSONValue?
    for field in Analytics.split(fields ?? "id,name,timezone_id") {
      if field.hasPrefix("pricing_analytics") {
        analytics = try Analytics(field).answer(account, lines)
      } else {
        plain.append(field)
      }
    }
    let node: JSONObject = [
      "id": .string(account.id), "name": .string(account.settings.name), "currency": .string(account.settings.currency),
      "timezone_id": .string(String(account.settings.timezoneID)), "message_template_namespace": "sandbox",
      "account_review_status": "APPROVED", "business_verification_status": "verified", "status": "ACTIVE",
      "ownership_type": "SELF", "country": "EG", "health_status": ["can_send_message": "AVAILABLE", "entities": []],
    ]
    let list = plain.isEmpty ? "id" : plain.joined(separator: ",")
    guard case .object(var out) = try select(node, list, usual: [], type: "WhatsAppBusinessAccount") else {
      return .null
    }
    if let analytics { out.append("pricing_analytics", analytics) }
    return .object(out)
  }

  func templateNode(_ template: Template, _ fields: String?) throws(GraphFault) -> JSONValue {
    let usual = ["name", "parameter_format", "components", "language", "status", "category", "id"]
    return try select(template.node(), fields, usual: usual, type: "WhatsAppMessageTemplate")
  }

  func templateList(_ account: Account, _ request: HTTPServerRequest) throws(GraphFault) -> JSONValue {
    let query = request.query
    var matching: [JSONValue] = []
    for template in templates where template.account == account.index {
      let fits = query.allSatisfy { key, value in
        switch key {
        case "name": template.name == value
        case "language": template.language == value
        case "status": template.status == value
        case "category": template.category.word.uppercased() == value
        default: true
        }
      }
      if fits { matching.append(try templateNode(template, query.first { $0.0 == "fields" }?.1)) }
    }
    return try page(matching, request)
  }

  func numberList(_ account: Account, _ request: HTTPServerRequest) throws(GraphFault) -> JSONValue {
    let fields = request.query.first { $0.0 == "fields" }?.1
    var nodes: [JSONValue] = []
    for line in account.lines(lines) { nodes.append(try number(line, fields)) }
    return try page(nodes, request)
  }

  /// Cursors are positions, dressed up.
  private func page(_ nodes: [JSONValue], _ request: HTTPServerRequest) throws(GraphFault) -> JSONValue {
    let query = request.query
    let limit = query.first { $0.0 == "limit" }.flatMap { Int($0.1) } ?? 25
    guard limit > 0 else { throw .parameter("Param limit must be a positive number") }
    var start = 0
    if let after = query.first(where: { $0.0 == "after" })?.1, !after.isEmpty {
      guard after.hasPrefix("Q"), after.hasSuffix("ZD"), let position = Int(after.dropFirst().dropLast(2)),
        position <= nodes.count
      else { throw .parameter("Invalid cursors values") }
      start = position
    }
    let end = min(nodes.count, start + limit)
    guard !nodes.isEmpty else { return ["data": []] }
    var paging: JSONObject = ["cursors": ["before": .string("Q\(start)ZD"), "after": .string("Q\(end)ZD")]]
    if end < nodes.count {
      let host = request.header("host") ?? "graph.facebook.com"
      paging.append("next", .string("http://\(host)\(request.path)?limit=\(limit)&after=Q\(end)ZD"))
    }
    return ["data": .array(Array(nodes[start..<end])), "paging": .object(paging)]
  }
}

extension Account {
  func lines(_ all: [Line]) -> [Line] { all.filter { $0.account === self } }
}
