import HTTPServer
import JSON
import Reactor

/// As much of Meta's Graph API as registering and synchronising ask for.
final class FakeGraph: Sendable {
  static let token = "EAAtoken"
  let status = Lock("CONNECTED")
  let templates = Lock<[JSONValue]>([
    [
      "id": "1", "name": "offer", "language": "ar", "status": "APPROVED", "category": "MARKETING",
      "parameter_format": "POSITIONAL",
      "components": [
        ["type": "BODY", "text": "مرحبا {{1}}، خصم {{2}}"], ["type": "FOOTER", "text": "للإيقاف اضغط الزر"],
        [
          "type": "BUTTONS",
          "buttons": [
            ["type": "QUICK_REPLY", "text": "إيقاف"], ["type": "URL", "text": "Open", "url": "https://x/{{1}}"],
          ],
        ],
      ],
    ],
    [
      "id": "2", "name": "named", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
      "parameter_format": "NAMED",
      "components": [["type": "BODY", "text": "Order {{order}} for {{first_name}}"]],
    ],
    [
      "id": "3", "name": "rejected", "language": "ar", "status": "REJECTED", "category": "MARKETING",
      "components": [["type": "BODY", "text": "x"]],
    ],
  ])
  let subscribed = Lock(0)

  func handle(_ request: HTTPServerRequest) async -> HTTPResponse {
    guard request.header("authorization") == "Bearer " + FakeGraph.token else {
      return Self.error(401, 190, "Invalid OAuth access token")
    }
    let parts = request.path.split(separator: "/").dropFirst().map(String.init)
    switch (request.method, parts.first, parts.dropFirst().first) {
    case ("GET", "106540352242922", nil): return .json(200, number.rendered())
    case ("GET", "102290129340398", nil):
      let account: JSONValue = ["id": "102290129340398", "name": "Shop", "currency": "USD", "timezone_id": "1"]
      return .json(200, account.rendered())
    case ("GET", "102290129340398", "phone_numbers"): return .json(200, (["data": [number]] as JSONValue).rendered())
    case ("GET", "102290129340398", "message_templates"):
      return .json(200, (["data": .array(templates.with { $0 })] as JSONValue).rendered())
    case ("POST", "102290129340398", "subscribed_apps"):
      subscribed.with { $0 += 1 }
      return .json(200, (["success": true] as JSONValue).rendered())
    default: return Self.error(400, 100, "Unsupported request")
    }
  }

  private var number: JSONValue {
    [
      "id": "106540352242922", "display_phone_number": "+20 10 0999 9999", "verified_name": "Shop",
      "quality_rating": "GREEN",
      "status": .string(status.with { $0 }), "throughput": ["level": "STANDARD"],
      "whatsapp_business_manager_messaging_limit": "TIER_100K",
    ]
  }

  private static func error(_ status: Int, _ code: Int64, _ message: String) -> HTTPResponse {
    let error: JSONValue = [
      "error": ["message": .string(message), "code": .number(String(code)), "type": "OAuthException"]
    ]
    return .json(status, error.rendered())
  }
}
