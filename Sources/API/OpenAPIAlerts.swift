import Domain
import JSON

/// What is told outside: the routes of endpoints and alerts, and the body that leaves.
extension OpenAPI {
  static let alertOperations: [Operation] = [
    Operation(
      method: "post", path: "/v1/endpoints",
      summary: """
        Register an address: it is told our events (Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature), or is \
        passed Meta's webhooks with X-Hub-Signature-256. The answer alone shows the secret; no Idempotency-Key here
        """,
      body: "NewEndpoint", status: 201, answer: "Endpoint"),
    Operation(method: "get", path: "/v1/endpoints", summary: "Endpoints, without their secrets", answer: "[Endpoint]"),
    Operation(method: "get", path: "/v1/endpoints/{id}", summary: "An endpoint", answer: "Endpoint"),
    Operation(
      method: "delete", path: "/v1/endpoints/{id}", summary: "Tell it nothing more; what waited for it is dropped",
      answer: "Object"),
    Operation(
      method: "post", path: "/v1/endpoints/{id}/rotate", summary: "A new secret; the old one of events signs too for valid_hours",
      body: "Rotation", answer: "Endpoint"),
    Operation(
      method: "get", path: "/v1/endpoints/{id}/undelivered",
      summary: "What it has not taken although it was tried, and why; the newest first", query: alertPage,
      answer: "[Undelivered]"),
    Operation(
      method: "post", path: "/v1/endpoints/{id}/replay", summary: "Try again now what it has not taken", body: "Replay",
      answer: "Object"),
    Operation(
      method: "get", path: "/v1/alerts", summary: "What happened and who was told, the newest first",
      query: alertPage + [("type", "of one kind")], answer: "[Alert]"),
  ]

  private static let alertPage = [("cursor", "next_cursor of the page before"), ("limit", "items of a page")]
}

extension OpenAPISchemas {
  static let alerts: JSONObject = [
    "NewEndpoint": [
      "type": "object", "required": ["url"],
      "properties": [
        "url": ["type": "string", "description": "https; no user, no fragment; never redirected"],
        "events": [
          "type": "array", "items": kinds, "description": "all but contact.opted_out unless given",
        ],
        "forward": ["enum": ["all", "messages", "statuses"], "description": "in place of events"],
        "secret": ["type": "string", "description": "of a forward: what the desk takes for its app secret; else made here"],
      ],
    ],
    "Endpoint": [
      "type": "object",
      "properties": [
        "id": ["type": "string"], "url": ["type": "string"], "events": ["type": ["array", "null"], "items": kinds],
        "forward": ["type": ["string", "null"]], "waiting": ["type": "integer"], "undelivered": ["type": "integer"],
        "secret": ["type": "string", "description": "whsec_…, in the answer that made it, never again"],
        "reached": ["type": "boolean", "description": "whether it could be connected to when it was registered"],
        "text": ["type": "string", "description": "why not"], "old_secret_until": ["type": ["string", "null"]],
        "by": ["type": "string"], "created_at": ["type": "string"],
      ],
    ],
    "Rotation": [
      "type": "object", "properties": ["valid_hours": ["type": "integer", "minimum": 0, "maximum": 720, "default": 24]],
    ],
    "Undelivered": [
      "type": "object",
      "properties": [
        "alert": ["type": "string"], "webhook": ["type": ["string", "null"], "description": "of a forward"],
        "type": ["type": "string"], "at": ["type": "string"],
        "state": ["enum": ["waiting", "undelivered"]], "attempts": ["type": "integer"],
        "status": ["type": ["integer", "null"]], "reason": ["type": "string"], "text": ["type": "string"],
        "next_attempt_at": ["type": ["string", "null"]],
      ],
    ],
    "Replay": [
      "type": "object",
      "properties": [
        "alerts": ["type": "array", "items": ["type": "string"], "description": "ids; all unless given"]
      ],
    ],
    "Alert": [
      "type": "object",
      "properties": [
        "id": ["type": "string"], "type": kinds, "timestamp": ["type": "string"], "data": ["type": "object"],
        "text": ["type": "string", "description": "the sentence for people"],
        "deliveries": [
          "type": "array",
          "items": [
            "type": "object",
            "properties": [
              "endpoint": ["type": "string"], "state": ["enum": ["waiting", "delivered", "undelivered"]],
              "attempts": ["type": "integer"], "reason": ["type": ["string", "null"]],
            ],
          ],
        ],
      ],
    ],
    "AlertBody": [
      "type": "object", "required": ["type", "timestamp", "data"],
      "description": """
        What an endpoint is posted. At least once: webhook-id is the same at every attempt. data names what it is about by \
        scope, id and name; from and to say what changed; person is the reference of GET /v1/opt-outs. Never a phone.
        """,
      "properties": [
        "type": kinds, "timestamp": ["type": "string", "format": "date-time", "description": "when it happened"],
        "data": [
          "type": "object",
          "properties": [
            "scope": ["type": "string"], "id": ["type": "string"], "name": ["type": "string"],
            "reason": ["type": "string"], "rule": ["type": "string"], "by": ["type": "string"],
            "cause": ["enum": ["operator", "marketer", "guard", "error", "stop_all", "budget"]],
            "pause": ["type": "string"], "still_paused": ["type": "boolean"], "from": ["type": "string"],
            "to": ["type": "string"], "percent": ["type": "integer"], "reserved": ["type": "number"],
            "limit": ["type": "number"], "currency": ["type": ["string", "null"]], "recipients": ["type": "integer"],
            "excluded": ["type": "integer"], "person": ["type": "string"], "source": ["type": "string"],
            "said_at": ["type": "string"],
          ],
        ],
      ],
    ],
  ]

  private static let kinds: JSONValue = ["enum": .array(AlertKind.allCases.map { .string($0.rawValue) })]
}
