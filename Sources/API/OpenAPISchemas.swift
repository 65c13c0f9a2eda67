import JSON

/// The bodies of the contract. Written by hand: what the routes answer is their code's matter, what they promise is
/// this.
enum OpenAPISchemas {
  static let all: JSONValue = {
    do {
      guard case .object(var schemas) = try JSONValue(parsing: Array(text.utf8)) else { preconditionFailure("no object") }
      for field in alerts.fields { schemas.append(field.key, field.value) }
      return .object(schemas)
    } catch {
      preconditionFailure("the schemas are not JSON: \(error)")
    }
  }()

  private static let text = #"""
    {
    "Status": {"type": "object", "properties": {"status": {"type": "string"}}},
    "Object": {"type": "object"},
    "File": {"type": "string", "format": "binary"},
    "Problem": {"type": "object", "required": ["type", "title", "status", "code"], "properties": {
      "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
      "code": {"type": "string"}, "detail": {"type": "string"},
      "field": {"type": "string", "description": "path in the request"}, "remedy": {"type": "string"}}},
    "StateReason": {"type": "object", "properties": {
      "code": {"type": "string"}, "text": {"type": "string", "description": "the sentence for people"},
      "by": {"type": "string"}, "since": {"type": "string", "format": "date-time"},
      "until": {"type": "string", "format": "date-time"}, "evidence": {"type": "object"},
      "pauses": {"type": "array", "items": {"$ref": "#/components/schemas/Pause"}}}},
    "Reason": {"type": "object", "properties": {"reason": {"type": "string", "maxLength": 500}}},
    "Resume": {"type": "object", "required": ["reason"], "properties": {
      "reason": {"type": "string", "maxLength": 500},
      "causes": {"type": "array", "items": {"type": "string"}, "description": "end only these"}}},
    "ReplayRules": {"type": "object", "description": "what is not given is as the campaign had it", "properties": {
      "max_opt_out": {"type": "number"}, "max_undeliverable": {"type": "number"},
      "pause_at": {"enum": ["YELLOW", "RED"]}}},
    "GuardReplay": {"type": "object", "properties": {
      "campaign": {"type": "string"}, "rules": {"$ref": "#/components/schemas/ReplayRules"},
      "text": {"type": "string", "description": "the sentence for people"},
      "would_pause": {"type": ["object", "null"], "description": "rule, text, at, evidence, messages_left"},
      "would_slow": {"type": ["object", "null"]}, "messages_left": {"type": "integer"},
      "messages_earlier": {"type": ["integer", "null"], "description": "than the guard's own pause, else than the end; negative: later"},
      "paused": {"type": "array", "items": {"type": "object"}, "description": "the guard's own pauses, as they were"},
      "step_seconds": {"type": "integer"}, "stops_without_time": {"type": "integer"}, "note": {"type": "string"}}},
    "Pause": {"type": "object", "properties": {
      "id": {"type": "string"}, "scope": {"enum": ["business", "portfolio", "account", "token", "number", "template",
      "campaign"]}, "scope_id": {"type": "string"}, "cause": {"enum": ["marketer", "operator", "guard", "error",
      "stop_all", "cancelled", "budget", "pilot"]}, "rule": {"type": "string"}, "reason": {"type": "string"}, "by": {"type": "string"},
      "since": {"type": "string", "format": "date-time"}, "evidence": {"type": "object"}}},

    "NewNumber": {"type": "object", "required": ["phone_number_id", "waba_id", "access_token"], "properties": {
      "phone_number_id": {"type": "string"}, "waba_id": {"type": "string"},
      "access_token": {"type": "string", "writeOnly": true}, "label": {"type": "string"},
      "zone": {"type": "string", "description": "IANA name, when Meta's is not known"},
      "portfolio_id": {"type": "string"}, "warm_up": {"$ref": "#/components/schemas/WarmUp"}}},
    "WarmUp": {"type": "object", "properties": {
      "start": {"type": "integer", "description": "people on the first day, outside their service windows"},
      "growth": {"type": "number", "description": "times as many on each day after it, 1.01 to 10"},
      "until": {"type": "integer", "description": "people a day at which it ends"},
      "off": {"type": "boolean", "description": "true: no ramp any more"}}},
    "Number": {"type": "object", "properties": {
      "phone_number_id": {"type": "string"}, "waba_id": {"type": "string"}, "phone": {"type": "string"},
      "label": {"type": "string"}, "verified_name": {"type": "string"},
      "state": {"enum": ["ready", "warming_up", "paused", "disconnected"]},
      "state_reason": {"$ref": "#/components/schemas/StateReason"}, "status": {"type": "string"},
      "quality": {"enum": ["GREEN", "YELLOW", "RED", "UNKNOWN"]}, "quality_text": {"type": "string"},
      "tier": {"type": "string"}, "throughput": {"type": "object"}, "currency": {"type": "string"},
      "people_24h": {"type": ["object", "null"], "description": "of the portfolio, outside open service windows; null: no limit",
        "properties": {"limit": {"type": "integer"}, "usable": {"type": "integer"}, "used": {"type": "integer"},
        "left": {"type": "integer"}, "free_at": {"type": ["string", "null"], "description": "when it is used up: the next place"}}},
      "warm_up": {"type": ["object", "null"], "properties": {"start": {"type": "integer"}, "growth": {"type": "number"},
        "until": {"type": "integer"}, "from": {"type": "string"}, "ends": {"type": "string"},
        "people_today": {"type": "integer"}, "used_today": {"type": "integer"}, "today_until": {"type": "string"}}},
      "zone": {"type": "string"}, "observed_at": {"type": "string"}, "registered_at": {"type": "string"},
      "warning": {"type": "string"}, "pauses": {"type": "array", "items": {"$ref": "#/components/schemas/Pause"}}}},
    "Template": {"type": "object", "properties": {
      "name": {"type": "string"}, "language": {"type": "string"}, "status": {"type": "string"},
      "category": {"type": "string"}, "quality": {"type": "string"}, "waba_id": {"type": "string"},
      "parameter_format": {"enum": ["POSITIONAL", "NAMED"]}, "version": {"type": "integer"},
      "synced_at": {"type": "string"}, "components": {"type": "array"},
      "time_to_live": {"type": "object", "description": "how long Meta tries to deliver its messages", "properties": {
        "seconds": {"type": "integer"}, "set_by": {"enum": ["template", "category"]}}}}},

    "NewAudience": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
    "Audience": {"type": "object", "properties": {
      "id": {"type": "string"}, "name": {"type": "string"}, "people": {"type": "integer"},
      "marketable": {"type": "integer", "description": "with a recorded marketing consent"},
      "created_at": {"type": "string"}}},
    "Import": {"type": "object", "properties": {
      "id": {"type": "string"}, "audience": {"type": "string"}, "state": {"enum": ["running", "committed", "refused"]},
      "by": {"type": "string"}, "started_at": {"type": "string"}, "ended_at": {"type": ["string", "null"]},
      "report": {"type": "object"}}},

    "Parameter": {"oneOf": [
      {"type": "string", "description": "the same for everybody"},
      {"type": "object", "required": ["attr"], "additionalProperties": false, "properties": {
        "attr": {"type": "string", "description": "an attribute of the contact; may be Arabic"},
        "fallback": {"type": "string"}}}]},
    "Parameters": {"oneOf": [
      {"type": "array", "items": {"$ref": "#/components/schemas/Parameter"}},
      {"type": "object", "description": "for a template with named parameters",
       "additionalProperties": {"$ref": "#/components/schemas/Parameter"}}]},
    "Where": {"type": "object", "description": "{\"city\": \"القاهرة\"}: names side by side must all hold. Names: an \#
    attribute; country, language, audience, last_outcome, days_since_message; and, or (lists), not; attribute for \#
    attributes named like one of these. Texts are compared after Arabic folding. A test of what somebody lacks is false.",
      "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "number"},
        {"type": "array", "items": {"$ref": "#/components/schemas/Where"}},
        {"type": "object", "properties": {"is": {}, "not": {}, "in": {"type": "array", "maxItems": 200},
          "prefix": {"type": "string"}, "exists": {"type": "boolean"}, "gt": {}, "gte": {}, "lt": {}, "lte": {}}}]}},
    "AudiencePart": {"type": "object", "required": ["id"], "additionalProperties": false, "properties": {
      "id": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
      "segment": {"description": "a saved segment's name; the draft copies its conditions", "oneOf": [{"type": "string"},
        {"type": "object", "required": ["name", "where"], "properties": {"name": {"type": "string"},
        "where": {"$ref": "#/components/schemas/Where"}}}]},
      "where": {"$ref": "#/components/schemas/Where"}}},
    "NewSegment": {"type": "object", "required": ["name", "where"], "additionalProperties": false, "properties": {
      "name": {"type": "string", "maxLength": 100}, "where": {"$ref": "#/components/schemas/Where"}}},
    "SegmentChange": {"type": "object", "required": ["where"], "properties": {
      "where": {"$ref": "#/components/schemas/Where"}}},
    "Segment": {"type": "object", "properties": {
      "id": {"type": "string"}, "name": {"type": "string"}, "where": {"$ref": "#/components/schemas/Where"},
      "text": {"type": "string", "description": "the conditions as a sentence"}, "by": {"type": "string"},
      "changed_at": {"type": "string", "format": "date-time"}}},
    "SegmentCount": {"type": "object", "required": ["audience"], "properties": {
      "audience": {"$ref": "#/components/schemas/AudiencePart"}}},
    "SegmentCounted": {"type": "object", "properties": {
      "people": {"type": "integer"}, "marketable": {"type": "integer"}, "text": {"type": "string"},
      "audience": {"$ref": "#/components/schemas/AudiencePart"}, "as_of": {"type": "string", "format": "date-time"}}},

    "CampaignSpec": {"type": "object", "required": ["name", "from", "template", "audience"],
      "additionalProperties": false, "properties": {
      "name": {"type": "string", "maxLength": 120},
      "from": {"description": "phone_number_id, display number or label; one or a list of one account",
        "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 40}]},
      "template": {"type": "object", "required": ["name", "language"], "additionalProperties": false, "properties": {
        "name": {"type": "string"}, "language": {"type": "string"},
        "stop_button": {"type": "integer", "description": "index of the quick reply that is an opt-out"},
        "parameters": {"type": "object", "additionalProperties": false, "properties": {
          "header": {"description": "a list or an object; {\"image\": {\"link\": \"…\"}} for a header with a file"},
          "body": {"$ref": "#/components/schemas/Parameters"},
          "buttons": {"type": "object", "description": "by the button's index",
            "additionalProperties": {"$ref": "#/components/schemas/Parameter"}}}}}},
      "audience": {"$ref": "#/components/schemas/AudiencePart"},
      "schedule": {"type": "object", "additionalProperties": false, "properties": {
        "start_at": {"description": "RFC 3339 with an offset, or now", "type": "string"},
        "window": {"default": {"start": "09:00", "end": "21:00", "zone": "recipient"}, "oneOf": [
          {"const": "always"},
          {"type": "object", "required": ["start", "end"], "properties": {"start": {"type": "string"},
           "end": {"type": "string"}, "zone": {"type": "string", "description": "recipient or an IANA name"},
           "days": {"oneOf": [{"const": "workdays"}, {"type": "array", "items": {
             "enum": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}]}}}]},
        "calendars": {"description": "all (unless the window is always), or some by name; an empty list is none",
          "oneOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}, "maxItems": 20}]},
        "end_at": {"type": "string", "format": "date-time"},
        "if_late": {"enum": ["run", "skip", "hold"], "default": "hold"},
        "per_day": {"description": "people who become due each day, or tier: as many as Meta's limit allows",
          "oneOf": [{"type": "integer"}, {"const": "tier"}]},
        "repeat": {"type": "object", "required": ["rule"], "additionalProperties": false,
          "description": "one launch for each time of the rule, which starts at start_at",
          "properties": {"rule": {"type": "string", "description": "RFC 5545: FREQ=WEEKLY;BYDAY=TU"},
          "zone": {"type": "string", "description": "the account's unless given"}}}}},
      "guard": {"type": "object", "additionalProperties": false, "properties": {
        "pause_at": {"enum": ["YELLOW", "RED"], "default": "YELLOW", "description": "a sending number's rating that stops it"},
        "max_opt_out": {"type": "number", "default": 0.02, "description": "share of the people reached; above it it stops"},
        "max_undeliverable": {"type": "number", "default": 0.2, "description": "share without WhatsApp (131026)"},
        "pilot": {"default": "auto", "description": "a random sample first, of every country, audience and zone; then 4 times as \#
          many, 16 times, the rest, each when the outcome of those before shows that it may. auto: a template that was \#
          never sent, to more than 5,000 people. A number is its size; false: none", "oneOf": [{"const": "auto"},
          {"const": false}, {"type": "integer", "minimum": 50, "maximum": 100000}, {"type": "object",
          "additionalProperties": false, "properties": {"size": {"type": "integer", "default": 500},
          "wait": {"type": "string", "default": "PT30M", "description": "from a step's last message to its judgement"},
          "confidence": {"type": "number", "default": 0.95}, "max_bad": {"type": "number",
          "description": "the share of bad outcomes must be shown to be below; twice max_opt_out unless given"}}}]},
        "resume": {"default": "operator", "description": "automatic: goes on by itself when Meta approves a paused template \#
          again; an object: that, and when every number has been GREEN for so long after its rating stopped it",
          "oneOf": [{"enum": ["operator", "automatic"]}, {"type": "object", "additionalProperties": false, "properties": {
          "green_for": {"type": "string", "default": "PT2H"}, "pace": {"type": "number", "default": 0.5,
          "description": "the part of its pace it begins with; the rest comes back in ten steps of ten minutes"}}}]}}},
      "priority": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1,
        "description": "beside other campaigns of a number: 3 beside 1 gets three of four messages"},
      "pace": {"type": "object", "additionalProperties": false,
        "description": "one of the first four; unless given, the numbers' rate less what they keep for replies",
        "properties": {"per_second": {"type": "integer"}, "per_minute": {"type": "integer"},
        "per_hour": {"type": "integer"}, "spread_until": {"type": "string", "format": "date-time",
          "description": "as slow as lets the last leave about then; planned anew while it runs"},
        "jitter": {"enum": ["none", "human"]}}},
      "budget": {"description": "what may be reserved for it: money in the account's currency, or messages",
        "oneOf": [
          {"type": "object", "required": ["amount", "currency"], "additionalProperties": false, "properties": {
            "amount": {"type": "string"}, "currency": {"type": "string"}}},
          {"type": "object", "required": ["messages"], "additionalProperties": false, "properties": {
            "messages": {"type": "integer", "minimum": 1}}}]},
      "require_opt_in": {"type": "boolean", "description": "true for marketing unless given"},
      "frequency_cap": {"$ref": "#/components/schemas/Limits/properties/frequency_cap"},
      "blocked_countries": {"$ref": "#/components/schemas/Limits/properties/blocked_countries"},
      "undeliverable_days": {"$ref": "#/components/schemas/Limits/properties/undeliverable_days"},
      "holdout": {"$ref": "#/components/schemas/Limits/properties/holdout"}}},
    "Limits": {"type": "object", "additionalProperties": false, "properties": {
      "frequency_cap": {"description": "marketing messages to one person in any so many days, over all campaigns; who is at \#
    it is held until it clears, or skipped when that is after end_at", "oneOf": [{"const": "none"},
        {"type": "object", "required": ["messages", "days"], "properties": {
        "messages": {"type": "integer", "minimum": 1}, "days": {"type": "integer", "minimum": 1, "maximum": 365}}}]},
      "blocked_countries": {"type": "array", "items": {"type": "string"}, "description": "of the phone, ISO 3166"},
      "undeliverable_days": {"type": "integer", "maximum": 365,
        "description": "leaves out whom Meta could not deliver to (131026) in so many days"},
      "holdout": {"type": "object", "properties": {"percent": {"type": "number", "maximum": 50,
        "description": "of all people, always the same ones"}}}}},
    "Policy": {"type": "object", "properties": {
      "frequency_cap": {"$ref": "#/components/schemas/Limits/properties/frequency_cap"},
      "blocked_countries": {"$ref": "#/components/schemas/Limits/properties/blocked_countries"},
      "undeliverable_days": {"$ref": "#/components/schemas/Limits/properties/undeliverable_days"},
      "holdout": {"$ref": "#/components/schemas/Limits/properties/holdout"},
      "version": {"type": "integer"}, "by": {"type": ["string", "null"]}, "changed_at": {"type": ["string", "null"]}}},
    "Launch": {"type": "object", "properties": {
      "now": {"type": "boolean", "description": "skip the wait of 60 s"},
      "start_at": {"type": "string", "description": "when the draft names no start"}, "reason": {"type": "string"}}},
    "NewBudget": {"type": "object", "properties": {
      "amount": {"type": "string"}, "currency": {"type": "string"}, "messages": {"type": "integer", "minimum": 1},
      "reason": {"type": "string"}}},
    "BudgetOf": {"type": "object", "description": "of one number, one portfolio or one campaign", "properties": {
      "number": {"type": "string"}, "portfolio": {"type": "string"}, "campaign": {"type": "string"},
      "amount": {"type": "string"}, "currency": {"type": "string"}, "messages": {"type": "integer", "minimum": 1},
      "reason": {"type": "string"}}},
    "Budget": {"type": "object", "properties": {
      "scope": {"enum": ["number", "portfolio", "campaign"]}, "id": {"type": "string"},
      "amount": {"type": "string"}, "currency": {"type": "string"}, "messages": {"type": "integer"},
      "reserved": {"description": "for messages handed over or claimed, less what came back; as the limit, money or messages"},
      "left": {}, "overrun": {"description": "what charges exceeded their reservations by"},
      "urgent": {"description": "of reserved: what urgent messages and confirmations, which no budget stops, were charged"},
      "month": {"type": "string", "description": "in the account's zone"}, "by": {"type": "string"},
      "changed_at": {"type": "string"}}},
    "NewPace": {"type": "object", "properties": {
      "per_second": {"type": "integer"}, "per_minute": {"type": "integer"}, "per_hour": {"type": "integer"},
      "jitter": {"enum": ["none", "human"], "description": "human needs at most 0.8 of what the numbers allow"},
      "reason": {"type": "string"}}},
    "Campaign": {"type": "object", "properties": {
      "id": {"type": "string"}, "name": {"type": "string"}, "kind": {"enum": ["campaign", "test"]},
      "state": {"enum": ["draft", "awaiting_approval", "scheduled", "preparing", "sending", "waiting", "paused",
      "settling", "completed", "cancelled", "failed"]}, "state_reason": {"$ref": "#/components/schemas/StateReason"},
      "category": {"type": "string"}, "currency": {"type": "string"}, "zone": {"type": "string"},
      "from": {"type": "array", "items": {"type": "string"}}, "created_by": {"type": "string"},
      "created_at": {"type": "string"}, "launched_by": {"type": ["string", "null"]},
      "launched_at": {"type": ["string", "null"]}, "start_at": {"type": ["string", "null"]},
      "end_at": {"type": ["string", "null"]}, "sent_at": {"type": ["string", "null"]},
      "ended_at": {"type": ["string", "null"]}, "recipients": {"type": ["integer", "null"]},
      "excluded": {"type": ["integer", "null"]}, "parent": {"type": "string"},
      "template": {"type": ["object", "null"], "description": "the text its launch froze; null for a draft",
      "properties": {"name": {"type": "string"}, "language": {"type": "string"}, "version": {"type": "integer"},
        "header": {"type": ["string", "null"]}, "body": {"type": "string"}, "footer": {"type": ["string", "null"]},
        "buttons": {"type": "array", "items": {"type": "string"}}}},
      "audience_text": {"type": "string", "description": "who is meant, as a sentence"},
      "pilot": {"type": "object", "description": "of a campaign that tries a sample first", "properties": {
        "steps": {"type": "integer"}, "opened": {"type": "array", "items": {"type": "object", "properties": {
        "step": {"type": "integer"}, "people": {"type": "integer", "description": "of this and all before"},
        "opened_at": {"type": "string"}, "opened_by": {"type": "string"}, "sent_at": {"type": ["string", "null"]},
        "judged_at": {"type": ["string", "null"]}, "evidence": {"type": "object"}}}}}},
      "spec": {"$ref": "#/components/schemas/CampaignSpec"}, "forecast": {"$ref": "#/components/schemas/Forecast"},
      "counts": {"$ref": "#/components/schemas/Counts"}, "progress": {"type": "object", "properties": {
        "done": {"type": "integer"}, "total": {"type": "integer"}, "rate_per_second": {"type": ["number", "null"]},
        "eta_seconds": {"type": "integer"}}},
      "cost": {"type": "array", "items": {"$ref": "#/components/schemas/Cost"}}}},
    "Forecast": {"type": "object", "properties": {
      "audience": {"type": "integer"}, "recipients": {"type": "integer"}, "excluded": {"type": "integer"},
      "excluded_by_reason": {"type": "object", "additionalProperties": {"type": "integer"}},
      "recipients_by_country": {"type": "object", "additionalProperties": {"type": "integer"}},
      "starts_at": {"type": ["string", "null"]}, "finishes_at": {"type": ["string", "null"]},
      "sending_seconds": {"type": "integer", "description": "from the first message to the last, waits included"},
      "expired": {"type": "integer", "description": "people whose turn would not come before the end"},
      "curve": {"type": "array", "description": "messages by the hour; hours without any are left out",
        "items": {"type": "object", "properties": {"hour": {"type": "string"}, "messages": {"type": "integer"}}}},
      "limits": {"type": "array", "description": "what decides the speed, or what is waited for, and when",
        "items": {"type": "object", "properties": {
        "limit": {"enum": ["pace", "number", "sharing", "quiet_hours", "blackout", "drip", "pilot", "tier", "warm_up", "budget"]},
        "kind": {"type": "string"}, "from": {"type": "string"}, "until": {"type": ["string", "null"],
        "description": "null: until somebody raises the budget"}}}},
      "budget": {"type": "object", "properties": {
        "amount": {"type": "string"}, "currency": {"type": "string"}, "messages": {"type": "integer"},
        "covers": {"type": "integer", "description": "people, each reserved at the dearest price until delivery"},
        "exhausted_at": {"type": ["string", "null"]}}},
      "pilot": {"type": "object", "description": "absent without one", "properties": {"size": {"type": "integer"},
        "wait_seconds": {"type": "integer"}, "steps": {"type": "array", "items": {"type": "integer"},
        "description": "people up to the end of each step"}}},
      "warnings": {"type": "array", "items": {"type": "object", "properties": {
        "code": {"type": "string"}, "text": {"type": "string"}}}},
      "cost": {"type": "object", "properties": {
        "currency": {"type": "string"}, "low": {"type": "string"}, "expected": {"type": "string"},
        "high": {"type": "string"}, "unpriced_people": {"type": "integer"}, "rates_of": {"type": "string"},
        "card": {"enum": ["confirmed", "card_stale", "card_missing"]},
        "rates": {"type": "array", "items": {"type": "object", "properties": {
          "market": {"type": "string"}, "people": {"type": "integer"}, "rate": {"type": ["string", "null"]}}}}}}}},
    "Counts": {"type": "object", "description": "audience = excluded + recipients; recipients = the sum of states",
      "properties": {
      "audience": {"type": "integer"}, "excluded": {"type": "integer"}, "recipients": {"type": "integer"},
      "handed_over": {"type": "integer"},
      "states": {"type": "object", "additionalProperties": {"type": "integer"}},
      "excluded_by_reason": {"type": "object", "additionalProperties": {"type": "integer"}},
      "skipped_by_reason": {"type": "object", "additionalProperties": {"type": "integer"}},
      "held_by_reason": {"type": "object", "additionalProperties": {"type": "integer"}},
      "failed_by_code": {"type": "object", "additionalProperties": {"type": "integer"}},
      "replied": {"type": "integer", "description": "people who wrote something within a week; a stop is none"},
      "clicked": {"type": "integer", "description": "people who pressed a button that is no stop; links are not told"},
      "opted_out": {"type": "integer", "description": "people who stopped by answering it"},
      "as_of": {"type": "string", "format": "date-time"}}},
    "Cost": {"type": "object", "properties": {
      "campaign": {"type": "string"}, "market": {"type": "string"}, "category": {"type": "string"},
      "number": {"type": "string"}, "day": {"type": "string"}, "month": {"type": "string"},
      "currency": {"type": "string"}, "amount": {"type": "string", "description": "charges + adjustments"},
      "charges": {"type": "string"}, "adjustments": {"type": "string"}, "charged": {"type": "integer"},
      "free": {"type": "integer"}, "unpriced": {"type": "integer"}, "delivered": {"type": "integer"},
      "read": {"type": "integer"}, "per_delivered": {"type": ["string", "null"]},
      "per_read": {"type": ["string", "null"]},
      "replied": {"type": "integer", "description": "by campaign alone and without a period, as clicked and opted_out"},
      "clicked": {"type": "integer"}, "opted_out": {"type": "integer"}, "previous": {"type": "object"}}},
    "Insights": {"type": "object", "required": ["account"], "properties": {
      "account": {"type": "string", "description": "the WABA id"}}},
    "TemplateFigures": {"type": "object", "properties": {
      "template": {"type": "string"}, "language": {"type": "string"}, "account": {"type": "string"},
      "currency": {"type": "string"}, "meta": {"type": "object", "properties": {
      "sent": {"type": "integer"}, "delivered": {"type": "integer"}, "read": {"type": "integer"},
      "cost": {"type": ["string", "null"]}, "clicks": {"type": "array", "items": {"type": "object", "properties": {
      "type": {"type": "string", "description": "quick_reply_button, url_button, unique_url_button, …, in Meta's words"},
      "button": {"type": "string"}, "count": {"type": "integer"}}}}}},
      "receipts": {"type": "object", "properties": {
      "delivered": {"type": "integer"}, "read": {"type": "integer"}, "cost": {"type": "string"}}},
      "seen_at": {"type": "string"}}},
    "Month": {"type": "object", "properties": {
      "month": {"type": "string"}, "account": {"type": "string"},
      "state": {"enum": ["running", "provisional", "closing", "closed"]}, "statement": {"type": ["string", "null"]},
      "net": {"type": "string"}, "currency": {"type": "string"}, "unpriced": {"type": "integer"}}},
    "Difference": {"type": "object", "properties": {
      "reason": {"enum": ["receipt_missing", "foreign", "not_counted_by_meta", "other_day", "unpriced", "volume_tier",
      "rounding", "price"]}, "volume": {"type": "integer"}, "amount": {"type": ["string", "null"]}}},
    "Reconciliation": {"type": "object", "properties": {
      "account": {"type": "string"}, "currency": {"type": "string"}, "from": {"type": "string"}, "to": {"type": "string"},
      "ran_at": {"type": "string"}, "meta": {"type": "object"}, "ledger": {"type": "object"},
      "differences": {"type": "array", "items": {"$ref": "#/components/schemas/Difference"}},
      "lines": {"type": "array", "items": {"type": "object"}, "description": "only where the two differ"}}},
    "Party": {"type": "object", "properties": {
      "name": {"type": "string"}, "tax_number": {"type": "string"}, "address": {"type": "string"}}},
    "Parties": {"type": "object", "properties": {
      "seller": {"$ref": "#/components/schemas/Party"}, "buyer": {"$ref": "#/components/schemas/Party"},
      "vat_percent": {"type": ["string", "null"]}}},
    "Statement": {"type": "object", "properties": {
      "statement": {"type": ["string", "null"]}, "month": {"type": "string"}, "account": {"type": "string"},
      "zone": {"type": "string"}, "closed_at": {"type": ["string", "null"]},
      "parties": {"$ref": "#/components/schemas/Parties"}, "totals": {"type": "object"},
      "card": {"enum": ["confirmed", "card_stale", "card_missing"]}, "is_tax_invoice": {"const": false},
      "lines": {"type": "array", "items": {"type": "object"}}}},
    "Preview": {"type": "object", "properties": {"template": {"type": "string"}, "items": {"type": "array", "items": {
      "type": "object", "properties": {
      "chosen_as": {"enum": ["longest", "emptiest", "arabic", "latin", "random"]}, "contact": {"type": "string"},
      "phone": {"type": ["string", "null"]}, "header": {"type": ["string", "null"]},
      "media": {"type": ["string", "null"]}, "body": {"type": "string"}, "footer": {"type": ["string", "null"]},
      "buttons": {"type": "array", "items": {"type": "string"}}}}}}},
    "Test": {"type": "object", "required": ["phones"], "properties": {
      "phones": {"type": "array", "items": {"type": "string"}, "maxItems": 20},
      "attributes": {"type": "object", "additionalProperties": {"type": "string"}},
      "default_region": {"type": "string"}}},
    "NewMessage": {"type": "object", "required": ["from", "to"], "additionalProperties": false, "properties": {
      "from": {"type": "string", "description": "phone_number_id, display number or label"},
      "to": {"type": "string", "description": "with + and country code"},
      "default_region": {"type": "string", "description": "country of a number without +, e.g. EG"},
      "template": {"type": "object", "required": ["name", "language"], "additionalProperties": false,
        "description": "utility or authentication; values are texts", "properties": {
        "name": {"type": "string"}, "language": {"type": "string"}, "parameters": {"type": "object"}}},
      "text": {"type": "string", "maxLength": 4096, "description": "instead of a template, inside the service window"}}},
    "Message": {"type": "object", "properties": {
      "id": {"type": "string"}, "kind": {"enum": ["campaign", "test", "urgent", "confirmation"]},
      "campaign": {"type": "string"}, "campaign_name": {"type": "string"}, "state": {"type": "string"},
      "state_reason": {"$ref": "#/components/schemas/StateReason"}, "from": {"type": ["string", "null"]},
      "to": {"type": ["string", "null"], "description": "masked unless the role may see it"},
      "attempt": {"type": ["integer", "null"]}, "message_id": {"type": ["string", "null"]},
      "handed_at": {"type": ["string", "null"]}, "sent_at": {"type": ["string", "null"]},
      "delivered_at": {"type": ["string", "null"]}, "read_at": {"type": ["string", "null"]},
      "failed_at": {"type": ["string", "null"]},
      "content": {"type": ["object", "null"], "description": "as the person sees it"},
      "cost": {"type": ["object", "null"]}}},
    "Recipient": {"type": "object", "properties": {
      "recipient_ref": {"type": ["string", "null"]}, "contact": {"type": "string"},
      "phone": {"type": ["string", "null"], "description": "masked unless the role may see it"},
      "state": {"enum": ["excluded", "queued", "held", "skipped", "unknown", "unresolved", "accepted", "held_by_meta",
      "sent", "delivered", "read", "failed", "no_result"]},
      "state_reason": {"$ref": "#/components/schemas/StateReason"}, "attempt": {"type": ["integer", "null"]},
      "from": {"type": ["string", "null"]}, "handed_at": {"type": ["string", "null"]},
      "sent_at": {"type": ["string", "null"]}, "delivered_at": {"type": ["string", "null"]},
      "read_at": {"type": ["string", "null"]}, "failed_at": {"type": ["string", "null"]},
      "cost": {"type": ["object", "null"]}, "audience": {"type": ["string", "null"]}}},

    "Calendar": {"type": "object", "properties": {
      "name": {"type": "string"}, "lines": {"type": "integer"}, "by": {"type": "string"}, "at": {"type": "string"}}},
    "NewOptOuts": {"type": "object", "properties": {
      "phone": {"type": "string"}, "phones": {"type": "array", "items": {"type": "string"}, "maxItems": 1000},
      "user_id": {"type": "string", "description": "Meta's id of somebody who hides their phone"},
      "scope": {"enum": ["marketing", "everything"], "default": "marketing"}, "reason": {"type": "string"},
      "source": {"enum": ["api", "cli", "operator"]},
      "at": {"type": "string", "format": "date-time"}, "default_region": {"type": "string"}}},
    "NewConsent": {"type": "object", "required": ["event", "source"], "properties": {
      "phone": {"type": "string"}, "user_id": {"type": "string", "description": "instead of the phone"}, "event": {"enum": ["stop", "start"]},
      "scope": {"enum": ["marketing", "everything"]}, "source": {"type": "string"}, "evidence": {},
      "at": {"type": "string", "format": "date-time"}, "default_region": {"type": "string"}}},
    "Recorded": {"type": "object", "properties": {
      "recorded": {"type": "integer"}, "scope": {"type": "string"}, "event": {"type": "string"}}},
    "OptOut": {"type": "object", "properties": {
      "person": {"type": "string", "description": "a stable word that is no phone"},
      "phone": {"type": ["string", "null"]}, "scope": {"type": "string"}, "since": {"type": "string"},
      "source": {"type": "string"}, "recorded_at": {"type": "string"}}},
    "Who": {"type": "object", "properties": {
      "phone": {"type": "string"}, "user_id": {"type": "string", "description": "Meta's id of the person"},
      "default_region": {"type": "string"}}},
    "PersonFile": {"type": "object", "properties": {
      "person": {"type": "string"}, "phone": {"type": ["string", "null"]}, "erased_at": {"type": ["string", "null"]},
      "contacts": {"type": "array"}, "opted_out": {"type": "array"}, "consents": {"type": "array"},
      "messages": {"type": "array"}, "left_out": {"type": "array"},
      "written_to_us": {"type": "array", "description": "export only: what is kept of what they wrote"}}},
    "Erasure": {"type": "object", "properties": {
      "id": {"type": "string"}, "person": {"type": "string"}, "state": {"enum": ["running", "done"]},
      "by": {"type": "string"}, "at": {"type": "string"}, "done_at": {"type": ["string", "null"]},
      "contacts": {"type": "integer"}, "messages": {"type": "integer"}, "receipts": {"type": "integer"}}},
    "Person": {"type": "object", "properties": {
      "person": {"type": "string"}, "phone": {"type": ["string", "null"]}, "opted_out": {"type": "array"},
      "history": {"type": "array"}}},
    "StopWord": {"type": "object", "properties": {
      "phrase": {"type": "string"}, "verdict": {"enum": ["stop", "stop+", "ask", "start", "none"]},
      "by": {"type": "string"}, "since": {"type": "string"}}},
    "NewStopWords": {"type": "object", "properties": {
      "phrase": {"type": "string"}, "verdict": {"enum": ["stop", "stop+", "ask", "start", "none"]},
      "words": {"type": "array", "maxItems": 1000, "items": {"type": "object", "required": ["phrase", "verdict"]}}}},
    "StopPhrases": {"type": "object", "required": ["phrases"], "properties": {
      "phrases": {"type": "array", "items": {"type": "string"}}}},
    "StopText": {"type": "object", "required": ["text"], "properties": {
      "text": {"type": "string"}, "answering": {"type": "string", "description": "category of what it answers"}}},
    "StopReading": {"type": "object", "properties": {
      "verdict": {"enum": ["stop", "stop+", "ask", "start", "none"]}, "matched": {"type": "string"},
      "language": {"type": ["string", "null"]}}},
    "StopReplies": {"type": "object", "properties": {
      "confirms": {"type": "boolean"}, "asks": {"type": "boolean"},
      "texts": {"type": "object", "description": "by language: confirmation, question, stop_button, keep_button"}}},
    "ConsentTask": {"type": "object", "properties": {
      "id": {"type": "string"}, "kind": {"enum": ["erasure", "stop_unmatched"]}, "person": {"type": "string"},
      "evidence": {}, "since": {"type": "string"}}},

    "Rate": {"type": "object", "properties": {
      "market": {"type": "string"}, "market_name": {"type": "string"}, "category": {"type": "string"},
      "amount": {"type": "string"}, "currency": {"type": "string"}, "effective_from": {"type": "string"},
      "source": {"type": "string"}}},
    "RateCard": {"type": "object", "properties": {
      "currency": {"type": "string"}, "effective_from": {"type": "string"}, "complete": {"type": "boolean"},
      "revision": {"type": "integer"}, "prices": {"type": "integer"}, "tiers": {"type": "integer"},
      "source": {"type": "string"}, "loaded_by": {"type": "string"}, "loaded_at": {"type": "string"}}},
    "LoadedRates": {"type": "object", "properties": {
      "loaded": {"type": "boolean"}, "tiers": {"type": "integer"},
      "cards": {"type": "array", "items": {"type": "object", "properties": {
      "currency": {"type": "string"}, "effective_from": {"type": "string"}, "complete": {"type": "boolean"},
      "prices": {"type": "integer"}, "outcome": {"enum": ["added", "replaced", "unchanged"]},
      "missing_markets": {"type": "array", "items": {"type": "string"}}}}}}},
    "RateCheck": {"type": "object", "properties": {
      "currency": {"type": "string"}, "state": {"enum": ["confirmed", "card_stale", "card_missing"]},
      "text": {"type": "string"}, "card_from": {"type": ["string", "null"]}, "unpriced": {"type": "integer"}}},
    "NewKey": {"type": "object", "required": ["name", "role"], "properties": {
      "name": {"type": "string"}, "role": {"enum": ["marketer", "operator", "finance", "privacy", "admin"]}}},
    "Key": {"type": "object", "properties": {
      "id": {"type": "string"}, "name": {"type": "string"}, "role": {"type": "string"},
      "key": {"type": "string", "description": "in the answer that made it, never again"},
      "created_at": {"type": "string"}, "revoked_at": {"type": ["string", "null"]}}}
    }
    """#
}
