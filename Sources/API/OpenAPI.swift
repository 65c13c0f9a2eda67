import Domain
import JSON

/// The contract as an OpenAPI 3.1 document: the routes as a table, their bodies as schemas. A test holds it against the
/// router, so that neither has a route the other lacks.
enum OpenAPI {
  static let document: JSONValue = [
    "openapi": "3.1.0",
    "info": [
      "title": "Qafila", "version": "1",
      "description": """
      Campaigns over WhatsApp's Cloud API. Times are RFC 3339; money is a decimal text with its currency; ids are texts; \
      lists are paged by next_cursor. Errors are RFC 9457 documents that name the field and the remedy. Writes take an \
      Idempotency-Key: the same key and body get the same answer for 7 days. Accept-Language en or ar chooses the \
      language of sentences.
      """,
    ],
    "security": [["key": []]],
    "paths": paths,
    "components": [
      "securitySchemes": ["key": ["type": "http", "scheme": "bearer", "description": "An API key: qk_…"]],
      "schemas": OpenAPISchemas.all,
      "responses": [
        "Problem": [
          "description": "What went wrong, which field, and what to do.",
          "content": ["application/problem+json": ["schema": ["$ref": "#/components/schemas/Problem"]]],
        ]
      ],
    ],
  ]

  struct Operation {
    let method: String
    let path: String
    let summary: String
    var query: [(String, String)] = []
    /// A schema's name.
    var body: String?
    var bodyTypes = ["application/json"]
    var status = 200
    /// A schema's name; `[Name]` is a page of them; nil with `answerType` is plain text.
    var answer: String?
    var answerType = "application/json"
    var isOpen = false
  }

  private static let page = [("cursor", "next_cursor of the page before"), ("limit", "items of a page")]

  static let operations: [Operation] = [
    Operation(method: "get", path: "/healthz", summary: "Whether the process is alive", answer: "Status", isOpen: true),
    Operation(
      method: "get", path: "/readyz", summary: "Whether the database is there and at this version", answer: "Status",
      isOpen: true),
    Operation(method: "get", path: "/metrics", summary: "Counters for Prometheus", answerType: "text/plain"),
    Operation(method: "get", path: "/openapi.json", summary: "This document", answer: "Object"),
    Operation(
      method: "get", path: "/webhooks/whatsapp", summary: "Meta's handshake",
      query: [
        ("hub.mode", "subscribe"), ("hub.verify_token", "the word agreed on"), ("hub.challenge", "what to answer"),
      ], answerType: "text/plain", isOpen: true),
    Operation(
      method: "post", path: "/webhooks/whatsapp",
      summary: "Meta's receipts, signed by X-Hub-Signature-256; stored before the 200", body: "Object",
      answerType: "text/plain", isOpen: true),

    Operation(
      method: "post", path: "/v1/numbers",
      summary: "Register a number: reads Meta, subscribes the app, seals the token",
      body: "NewNumber", status: 201, answer: "Number"),
    Operation(method: "get", path: "/v1/numbers", summary: "Numbers", answer: "[Number]"),
    Operation(method: "get", path: "/v1/numbers/{id}", summary: "A number, by id or label", answer: "Number"),
    Operation(
      method: "get", path: "/v1/numbers/{id}/history", summary: "What was seen of a number: quality, status, tier; newest first",
      answer: "[Object]"),
    Operation(
      method: "post", path: "/v1/numbers/{id}/pause", summary: "Stop sending from a number", body: "Reason",
      answer: "Number"),
    Operation(
      method: "post", path: "/v1/numbers/{id}/resume", summary: "Send again; the reason is required", body: "Reason",
      answer: "Number"),
    Operation(
      method: "post", path: "/v1/numbers/{id}/warm-up",
      summary: "Few people a day at first, growing; from today on, by the account's days. off: true ends it at once",
      body: "WarmUp", answer: "Number"),

    Operation(
      method: "get", path: "/v1/templates", summary: "Templates as the last synchronisation saw them",
      query: [("name", "of this name"), ("status", "of this status")], answer: "[Template]"),
    Operation(
      method: "post", path: "/v1/templates/sync", summary: "Read the templates of all accounts from Meta",
      answer: "Object"),
    Operation(
      method: "post", path: "/v1/templates/insights",
      summary: "Have Meta count an account's templates; Meta offers no way back", body: "Insights", answer: "Object"),

    Operation(
      method: "post", path: "/v1/audiences", summary: "Make an empty audience", body: "NewAudience", status: 201,
      answer: "Audience"),
    Operation(method: "get", path: "/v1/audiences", summary: "Audiences", query: page, answer: "[Audience]"),
    Operation(method: "get", path: "/v1/audiences/{id}", summary: "An audience", answer: "Audience"),
    Operation(
      method: "post", path: "/v1/audiences/{id}/contacts", summary: "Load contacts, streamed",
      query: [
        ("default_region", "country of numbers without +, e.g. EG"), ("phone_column", "the column of phones"),
        ("consent_source", "where consent comes from, for rows that don't say"),
        ("consent_at", "when they consented, for rows that don't say"), ("accept", "also: possible, landline, service"),
        ("fix", "old_format"), ("on_error", "when the file breaks off: refuse, or keep what came before"),
        ("encoding", "the file's"),
        ("delimiter", "comma, semicolon or tab"), ("language", "of the remedies: en or ar"),
      ], body: "File", bodyTypes: ["text/csv", "application/x-ndjson"], status: 201, answer: "Import"),
    Operation(
      method: "get", path: "/v1/imports", summary: "Imports, the newest first",
      query: page + [("audience", "into this audience")], answer: "[Import]"),
    Operation(method: "get", path: "/v1/imports/{id}", summary: "An import and its report", answer: "Import"),
    Operation(
      method: "get", path: "/v1/imports/{id}/rejects", summary: "What was not taken", answerType: "text/csv"),

    Operation(
      method: "post", path: "/v1/segments", summary: "Keep conditions under a name", body: "NewSegment", status: 201,
      answer: "Segment"),
    Operation(method: "get", path: "/v1/segments", summary: "Saved segments, by name", query: page, answer: "[Segment]"),
    Operation(
      method: "post", path: "/v1/segments/count", summary: "How many people an audience with conditions means, now",
      body: "SegmentCount", answer: "SegmentCounted"),
    Operation(method: "get", path: "/v1/segments/{id}", summary: "A saved segment", answer: "Segment"),
    Operation(
      method: "post", path: "/v1/segments/{id}", summary: "Replace its conditions; drafts keep what they copied",
      body: "SegmentChange", answer: "Segment"),
    Operation(
      method: "post", path: "/v1/segments/{id}/remove", summary: "Remove it; drafts keep what they copied",
      answer: "Object"),

    Operation(
      method: "get", path: "/v1/policy", summary: "Whom campaigns leave alone unless they say otherwise", answer: "Policy"),
    Operation(
      method: "post", path: "/v1/policy", summary: "Change it for the drafts to come; what is not given stays",
      body: "Limits", answer: "Policy"),

    Operation(
      method: "post", path: "/v1/campaigns",
      summary: "Make a draft; it echoes every default and what it would come to",
      query: [("dry_run", "true: store nothing")], body: "CampaignSpec", status: 201, answer: "Campaign"),
    Operation(
      method: "get", path: "/v1/campaigns", summary: "Campaigns, the newest first",
      query: page + [("tests_of", "the tests of this campaign")], answer: "[Campaign]"),
    Operation(method: "get", path: "/v1/campaigns/{id}", summary: "State, counts and cost", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/launch",
      summary: "Start a draft; the first message leaves 60 s later unless now is true", body: "Launch",
      answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/pause", summary: "Stop at once", body: "Reason", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/resume", summary: "Go on; the reason is required", body: "Resume",
      answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/cancel", summary: "End for good", body: "Reason", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/resend",
      summary: "Write again to everybody whose message ended unresolved; the reason is required, because Meta may have taken it",
      body: "Reason", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/pace", summary: "Another pace while it runs; holds within a second",
      body: "NewPace", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/budget",
      summary: "Another budget while it runs; one that was used up goes on", body: "NewBudget", answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/guard/replay",
      summary: "When other rules would have paused a past campaign, and how many messages earlier", body: "ReplayRules",
      answer: "GuardReplay"),
    Operation(
      method: "get", path: "/v1/budgets", summary: "Budgets of numbers and portfolios, as this month stands",
      answer: "[Budget]"),
    Operation(
      method: "post", path: "/v1/budgets", summary: "Set one for this month and those to come, or a running campaign's",
      body: "BudgetOf", answer: "Budget"),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/preview",
      summary: "The message for five real people; from the launch on, the frozen people and text", answer: "Preview"
    ),
    Operation(
      method: "post", path: "/v1/campaigns/{id}/test", summary: "Send to named phones now, counted apart", body: "Test",
      status: 201, answer: "Campaign"),
    Operation(
      method: "post", path: "/v1/messages",
      summary: """
        One message ahead of the campaigns: a utility or authentication template, or text to somebody who wrote to the \
        number in the last 24 hours
        """, body: "NewMessage", status: 202, answer: "Message"),
    Operation(
      method: "get", path: "/v1/messages/{id}",
      summary: "What somebody was sent and what became of it, by id or recipient_ref; codes are not shown again",
      answer: "Message"),
    Operation(
      method: "get", path: "/v1/campaigns/{id}/recipients",
      summary: """
        One row per person, with the reason. Who was left out for several has the first of: \
        \(ExclusionReason.allCases.map(\.word).joined(separator: ", "))
        """,
      query: page + [("state", "only these states, comma between")], answer: "[Recipient]"),
    Operation(
      method: "get", path: "/v1/campaigns/{id}/events", summary: "What happens, as server-sent events",
      answerType: "text/event-stream"),

    Operation(
      method: "get", path: "/v1/calendars", summary: "Calendars of days and hours in which nobody is written to",
      answer: "[Calendar]"),
    Operation(
      method: "get", path: "/v1/calendars/{name}", summary: "A calendar as it was loaded", answerType: "text/csv"),
    Operation(
      method: "post", path: "/v1/calendars/{name}",
      summary: "Load or replace a calendar, also while campaigns run: date,country,from,to,kind", body: "File",
      bodyTypes: ["text/csv"], answer: "Calendar"),
    Operation(
      method: "post", path: "/v1/calendars/{name}/remove", summary: "Remove a calendar", answer: "Object"),

    Operation(
      method: "post", path: "/v1/opt-outs", summary: "Record opt-outs; all or none", body: "NewOptOuts", status: 201,
      answer: "Recorded"),
    Operation(
      method: "post", path: "/v1/opt-outs/import",
      summary: "Record everybody in a file as opted out; who said start since the row's time stays in",
      query: [
        ("scope", "marketing or everything"), ("at", "when it was said, for rows without a time; now unless given"),
        ("phone_column", "the header's name for the phones"), ("default_region", "country of numbers without +"),
        ("on_error", "refuse or keep"), ("encoding", "utf-8, utf-16 or windows-1256"),
        ("delimiter", "comma, semicolon or tab"), ("language", "of remedies: en or ar"),
      ], body: "File", bodyTypes: ["text/csv", "application/x-ndjson"], status: 201, answer: "Import"),
    Operation(
      method: "get", path: "/v1/opt-outs", summary: "Who must not be written to", query: page, answer: "[OptOut]"),
    Operation(
      method: "post", path: "/v1/opt-outs/search", summary: "What one person said", body: "Who", answer: "Person"),
    Operation(
      method: "post", path: "/v1/consents", summary: "Record what a person said", body: "NewConsent", status: 201,
      answer: "Recorded"),
    Operation(method: "get", path: "/v1/stop-words", summary: "Your own stop words", answer: "[StopWord]"),
    Operation(
      method: "post", path: "/v1/stop-words", summary: "Add stop words; they hold within a second", body: "NewStopWords",
      status: 201, answer: "Object"),
    Operation(
      method: "post", path: "/v1/stop-words/remove", summary: "Forget stop words", body: "StopPhrases", answer: "Object"),
    Operation(
      method: "post", path: "/v1/stop-words/try", summary: "What a text would be read as; nothing is recorded",
      body: "StopText", answer: "StopReading"),
    Operation(
      method: "get", path: "/v1/stop-replies", summary: "What is said to people who stop", answer: "StopReplies"),
    Operation(
      method: "post", path: "/v1/stop-replies", summary: "Change what is said to people who stop", body: "StopReplies",
      answer: "StopReplies"),
    Operation(
      method: "get", path: "/v1/consent-tasks", summary: "Wishes and doubts that a person must look at", query: page,
      answer: "[ConsentTask]"),
    Operation(
      method: "post", path: "/v1/consent-tasks/{id}/done", summary: "Say that a task is done", answer: "Object"),

    Operation(
      method: "post", path: "/v1/contacts/find", summary: "One person: consents, messages, costs, why or why not",
      body: "Who", answer: "PersonFile"),
    Operation(
      method: "post", path: "/v1/contacts/export", summary: "Everything known about a person, for their own request",
      body: "Who", answer: "PersonFile"),
    Operation(
      method: "post", path: "/v1/contacts/erase",
      summary: "Forget a person; their stop stays under a keyed hash, costs stay without them", body: "Who", status: 202,
      answer: "Erasure"),
    Operation(
      method: "get", path: "/v1/erasures/{id}", summary: "Whether an erasure has found everything", answer: "Erasure"),

    Operation(
      method: "get", path: "/v1/reports/messages", summary: "One line per attempt, streamed as CSV, NDJSON or JSON",
      query: report + [
        ("format", "csv, ndjson or json"), ("excel", "true: BOM, phones as text"),
        ("delimiter", "comma, semicolon or tab"),
        ("cursor", "recipient_ref-attempt of the last line that was read whole: goes on after it, without a header"),
      ], answerType: "text/csv"),
    Operation(
      method: "get", path: "/v1/reports/costs", summary: "What was spent, summed",
      query: report + [
        ("group_by", "some of campaign, market, category, number, day, month"),
        ("zone", "days and months of this time zone instead of each account's"),
        ("compare", "previous: beside each line the period before"),
      ], answer: "[Cost]"),
    Operation(
      method: "get", path: "/v1/reports/templates",
      summary: "What Meta counts of templates beside the receipts, with clicks on links; needs Meta's insights",
      query: [("from", "first day, UTC"), ("to", "last day")], answer: "[TemplateFigures]"),
    Operation(
      method: "get", path: "/v1/statements", summary: "Every account's months, open and closed", answer: "[Month]"),
    Operation(
      method: "get", path: "/v1/statements/{month}",
      summary: "A month's statement; a closed one has a number and never changes",
      query: [
        ("account", "WABA, where there are several"), ("format", "json, csv or html"), ("language", "of the page: en or ar"),
      ], answer: "Statement"),
    Operation(
      method: "get", path: "/v1/statements/parties", summary: "Who stands in the head of statements", answer: "Parties"),
    Operation(
      method: "post", path: "/v1/statements/parties", summary: "Name seller and buyer, and the VAT that is added",
      body: "Parties", answer: "Parties"),
    Operation(
      method: "get", path: "/v1/reconciliations",
      summary: "What Meta says it charged beside the ledger, and why they differ", answer: "[Reconciliation]"),
    Operation(
      method: "post", path: "/v1/reconciliations", summary: "Compare now instead of once a day", status: 202,
      answer: "Object"),
    Operation(
      method: "get", path: "/v1/rates", summary: "Meta's list prices",
      query: [("currency", "of one currency"), ("market", "of one market"), ("on", "only what holds on that day")],
      answer: "[Rate]"),
    Operation(
      method: "post", path: "/v1/rates",
      summary: "Load Meta's rate card, or a file with a line per price; all of it or none",
      query: [
        ("effective_from", "the day it holds from, where the file does not say it"), ("currency", "the card's"),
        ("complete", "true or false; unless given, whether every market is listed"), ("source", "where it comes from"),
        ("replace", "true: replace a card of the same day that has other prices"),
        ("dry_run", "true: only say what would be loaded"),
      ], body: "File", bodyTypes: ["text/csv"], status: 201, answer: "LoadedRates"),
    Operation(
      method: "get", path: "/v1/rates/cards", summary: "The cards that hold, the newest first",
      query: [("currency", "of one currency")], answer: "[RateCard]"),
    Operation(
      method: "get", path: "/v1/rates/check", summary: "Whether the cards of the currencies in use can be trusted today",
      answer: "[RateCheck]"),

    Operation(
      method: "post", path: "/v1/keys", summary: "Make an API key, shown once", body: "NewKey", status: 201,
      answer: "Key"),
    Operation(method: "get", path: "/v1/keys", summary: "API keys, without their secrets", answer: "[Key]"),
    Operation(method: "post", path: "/v1/keys/{id}/revoke", summary: "Revoke an API key", answer: "Object"),

    Operation(
      method: "post", path: "/v1/stop", summary: "Stop everything of the business", body: "Reason", answer: "Object"),
    Operation(
      method: "post", path: "/v1/resume", summary: "Undo a stop of everything; the reason is required", body: "Reason",
      answer: "Object"),
    Operation(method: "get", path: "/v1/pauses", summary: "Every pause that stands", answer: "[Pause]"),
    Operation(
      method: "post", path: "/v1/pauses/{id}/resume",
      summary: "End one pause, whatever it stands over; the reason is required", body: "Reason", answer: "Pause"),
  ]

  private static let report = [
    ("campaign", "of one campaign"), ("from", "first day, in the account's zone"), ("to", "last day"),
  ]

  private static var paths: JSONValue {
    var paths = JSONObject()
    for operation in operations + alertOperations {
      var methods = JSONObject()
      if case .object(let known)? = paths[operation.path] { methods = known }
      methods.append(operation.method, .object(rendered(operation)))
      paths[operation.path] = .object(methods)
    }
    return .object(paths)
  }

  private static func rendered(_ operation: Operation) -> JSONObject {
    var object: JSONObject = ["summary": .string(operation.summary)]
    if operation.isOpen { object.append("security", []) }
    var parameters: [JSONValue] = []
    for part in operation.path.split(separator: "/") where part.hasPrefix("{") {
      parameters.append([
        "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
        "schema": ["type": "string"],
      ])
    }
    for (name, about) in operation.query {
      parameters.append([
        "name": .string(name), "in": "query", "description": .string(about), "schema": ["type": "string"],
      ])
    }
    if operation.method == "post", !operation.isOpen {
      parameters.append(["name": "Idempotency-Key", "in": "header", "schema": ["type": "string", "maxLength": 200]])
    }
    if !parameters.isEmpty { object.append("parameters", .array(parameters)) }
    if let body = operation.body {
      var content = JSONObject()
      for type in operation.bodyTypes { content.append(type, ["schema": reference(body)]) }
      object.append("requestBody", ["content": .object(content)])
    }
    let schema = operation.answer.map(reference) ?? ["type": "string"]
    var content = JSONObject()
    content.append(operation.answerType, ["schema": schema])
    object.append(
      "responses",
      .object([
        String(operation.status): ["description": .string(operation.summary), "content": .object(content)],
        "default": ["$ref": "#/components/responses/Problem"],
      ]))
    return object
  }

  private static func reference(_ name: String) -> JSONValue {
    guard name.hasPrefix("[") else { return ["$ref": .string("#/components/schemas/" + name)] }
    return [
      "type": "object",
      "properties": [
        "items": ["type": "array", "items": reference(String(name.dropFirst().dropLast()))],
        "next_cursor": ["type": ["string", "null"]],
      ],
    ]
  }
}
