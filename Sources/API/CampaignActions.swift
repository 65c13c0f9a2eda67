import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Reactor
import Store

/// Launch, pause, resume, cancel, another pace, and another attempt for who stayed unresolved.
struct CampaignActions: Sendable {
  let services: APIServices
  let counts: CountsCache
  init(_ services: APIServices, _ counts: CountsCache) { (self.services, self.counts) = (services, counts) }

  func add(to router: inout Router) {
    router.add("POST", "/v1/campaigns/{id}/launch", .key(.draftCampaigns), launch)
    router.add("POST", "/v1/campaigns/{id}/pause", .key(.pauseCampaigns), pause)
    router.add("POST", "/v1/campaigns/{id}/resume", .key(.resumeCampaigns), resume)
    router.add("POST", "/v1/campaigns/{id}/cancel", .key(.cancelCampaigns), cancel)
    router.add("POST", "/v1/campaigns/{id}/resend", .key(.resendMessages), resend)
    router.add("POST", "/v1/campaigns/{id}/pace", .key(.pauseCampaigns), pace)
    router.add("POST", "/v1/campaigns/{id}/budget", .key(.pauseCampaigns), budget)
  }

  /// Starts a draft: everything is checked again, because days may lie between. `now` skips the wait of 60 s;
  /// `start_at` gives the start that a draft left open. More than 5 % of the people without a value stop it.
  private func launch(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["now", "start_at", "reason"], later: ["approve", "repeat"])
    let skipsWait = try fields.flag("now") ?? false
    let entry = try await read(call)
    guard entry.state == .draft, entry.kind == .campaign else {
      throw CampaignActions.conflict(entry, "not_a_draft", "launched")
    }
    var spec = try CampaignSpec(json: .stored(entry.spec))
    if fields["start_at"]?.stringValue == "now" {
      spec.schedule.start = .now
    } else if let start = try fields.instant("start_at") {
      spec.schedule.start = .at(start)
    }
    if spec.schedule.start == nil, skipsWait { spec.schedule.start = .now }
    let startAt: Instant?
    switch spec.schedule.start {
    case nil:
      throw Problem(
        422, "start_missing", "The campaign does not say when it starts.", detail: "A start is never implied.",
        field: "start_at", remedy: "Send {\"start_at\": \"now\"} or a time, or write schedule.start_at in the draft.")
    case .now?: startAt = nil
    case .at(let instant)?:
      // A draft's start that has passed is no start: whoever launches late must say so.
      startAt = instant
    }
    if spec.schedule.repeats != nil, startAt == nil {
      throw Problem.invalid(
        "start_at", "A campaign that repeats names its first start.",
        remedy: "Write a time: its time of day is that of every launch.")
    }
    let check = CampaignCheck(services: services, business: call.caller.business)
    let checked = try await check.check(spec)
    let forecast = try await Forecast(checked, services, call.language)
    guard forecast.missing * 20 <= forecast.audience else {
      throw Problem(
        422, "parameters_missing", "Too many people lack a parameter.",
        detail:
          "\(forecast.missing) of \(forecast.audience) people lack a value that the template needs; the limit is 5 %.",
        field: "template.parameters", remedy: "Give a fallback, load the attribute, or narrow the audience.")
    }
    guard forecast.recipients > 0 else {
      throw Problem(
        422, "nobody_to_write_to", "Nobody would be written to.",
        detail: "All \(forecast.audience) people are excluded; the forecast says why.", field: "audience",
        remedy: "Look at excluded_by_reason in POST /v1/campaigns?dry_run=true.")
    }
    if case .amount? = spec.budget, forecast.unpriced > 0 {
      throw Problem(
        422, "budget_unpriced", "People have no known price, so no budget of money can cover them.",
        detail: "\(forecast.unpriced) people have no known price.", field: "budget.amount",
        remedy: "Load the rate card (POST /v1/rates), or write the budget as {\"messages\": …}.")
    }
    var repeatsFrom: Instant?
    if checked.draft.spec.schedule.repeats != nil, let startAt {
      repeatsFrom = try Recurrences.first(checked.draft.spec, start: startAt, accountZone: entry.zone)
      guard repeatsFrom != nil else {
        throw Problem.invalid(
          "schedule.repeat.rule", "The rule names no time before the end.", remedy: "Check the rule and end_at.")
      }
    }
    guard
      try await Campaigns.launch(
        entry.id, try FrozenCampaign(checked.draft.spec, checked.template), startAt: startAt, skipsWait: skipsWait,
        repeatsFrom: repeatsFrom, of: call.caller.business, by: call.caller.actor, reason: try fields.text("reason", limit: 500) ?? "",
        on: services.pool)
    else { throw CampaignActions.conflict(entry, "not_a_draft", "launched") }
    var object = try await CampaignRoutes.view(entry.id, call, services).json(nil, at: .now, full: true)
    object.append("forecast", .object(forecast.json))
    return .json(200, .object(object))
  }

  private func pause(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.optional(try call.json())
    let entry = try await read(call)
    guard [.scheduled, .preparing, .sending].contains(entry.state) else {
      throw CampaignActions.conflict(entry, "not_running", "paused")
    }
    try CampaignActions.owned(entry, call, "pauses")
    try await Campaigns.pause(
      entry.id, of: call.caller.business, cause: call.caller.role == .marketer ? .marketer : .operator,
      by: call.caller.actor, reason: reason, on: services.pool)
    return try await answer(entry.id, call)
  }

  /// Ends the causes that `causes` names, or all that stand over this campaign itself. What a guard or an operator
  /// stopped no marketer starts again; a stop of a number or of everything is undone where it was made.
  private func resume(_ call: Call) async throws -> HTTPResponse {
    let json = try call.json()
    let reason = try Reason.required(json, also: ["causes"])
    let entry = try await read(call)
    if entry.state == .cancelled { throw CampaignActions.conflict(entry, "cancelled", "resumed") }
    var open = try await Pauses.open(.campaign, entry.id.rawValue, on: services.pool)
    if let causes = json["causes"] {
      guard let names = causes.arrayValue?.compactMap(\.stringValue), names.count == causes.arrayValue?.count else {
        throw Problem.invalid(
          "causes", "Here a list of causes is expected.", remedy: "Write e.g. [\"operator\", \"guard\"].")
      }
      open = open.filter { names.contains($0.cause) }
    }
    guard !open.isEmpty else {
      let view = try await CampaignRoutes.view(entry.id, call, services)
      let above = view.stopping.map { "\($0.scope.word) (\(CampaignView.words($0)))" }
      throw Problem(
        409, "not_paused", "Nothing here is paused.",
        detail: above.isEmpty
          ? "No such pause stands over this campaign."
          : "It is stopped by a pause over: \(above.joined(separator: ", ")).",
        remedy: above.isEmpty
          ? "GET the campaign to see its state."
          : "Resume the number, everything (POST /v1/resume), or that pause (POST /v1/pauses/{id}/resume).")
    }
    if call.caller.role == .marketer {
      guard entry.createdBy == call.caller.actor, open.allSatisfy({ $0.cause == Pauses.Cause.marketer.rawValue }) else {
        throw Problem(
          403, "operator_must_resume", "An operator must resume this campaign.",
          detail: "It was stopped by: \(open.map(\.cause).joined(separator: ", ")).", remedy: "Ask an operator.")
      }
    }
    try await Campaigns.resume(
      entry.id, ending: open.map(\.id), of: call.caller.business, by: call.caller.actor, reason: reason,
      on: services.pool)
    return try await answer(entry.id, call)
  }

  private func cancel(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.optional(try call.json())
    let entry = try await read(call)
    guard
      try await Campaigns.cancel(
        entry.id, of: call.caller.business, by: call.caller.actor, reason: reason, on: services.pool)
    else { throw CampaignActions.conflict(entry, "over", "cancelled") }
    return try await answer(entry.id, call)
  }

  /// Writes again to everybody whose message ended unresolved. Some of them may get it twice, so the reason is required.
  private func resend(_ call: Call) async throws -> HTTPResponse {
    let reason = try Reason.required(try call.json())
    let entry = try await read(call)
    switch try await Resending.unresolved(
      entry.id, of: call.caller.business, by: call.caller.actor, reason: reason, on: services.pool)
    {
    case .notOpen: throw CampaignActions.conflict(entry, "not_open", "resent; a campaign is open from its first message to its end_at")
    case .resent(0):
      throw Problem(
        409, "nobody_unresolved", "Nobody's message is unresolved.",
        detail: "Every message of this campaign has an answer, or still waits for one.",
        remedy: "GET the campaign: outcomes.unresolved says how many there are.")
    case .resent:
      return try await answer(entry.id, call)
    }
  }

  /// Another pace while it runs: it holds within a second; a jitter that it leaves no room for is refused, and one that was
  /// chosen for the old pace gives way.
  private func pace(_ call: Call) async throws -> HTTPResponse {
    let json = try call.json()
    let units = CampaignSpec.Pace.Unit.allCases.map(\.rawValue)
    let fields = try Fields(json, known: units + ["spread_until", "jitter", "reason"], later: ["warm_up", "per_day"])
    let entry = try await read(call)
    guard [.scheduled, .preparing, .sending].contains(entry.state) else {
      throw CampaignActions.conflict(entry, "not_running", "given another pace")
    }
    try CampaignActions.owned(entry, call, "changes")
    var object = json.objectValue ?? []
    object.removeAll { $0.0 == "reason" }
    var members = JSONObject()
    for (name, value) in object { members.append(name, value) }
    var spec = try CampaignSpec(json: .stored(entry.spec))
    spec.pace = try CampaignSpec.Pace(json: .object(members), at: "")
    guard spec.pace.limit != nil || spec.pace.spreadUntil != nil else {
      throw Problem.missing("per_second", remedy: "Write one of \(units.joined(separator: ", ")), or spread_until.")
    }
    if let until = spec.pace.spreadUntil, until <= .now || (entry.endAt.map { until > $0 } ?? false) {
      throw Problem.invalid(
        "spread_until", "This is not between now and the campaign's end.", remedy: "Write when the last message shall leave.")
    }
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool).filter {
      entry.numbers.contains($0.id)
    }
    try spec.applyDefaults(
      category: entry.category, policy: spec.limits, perSecondLimit: numbers.reduce(0) { $0 + $1.limit },
      perSecondFree: numbers.reduce(0) { $0 + $1.free })
    try await CampaignPace.change(
      entry.id, to: spec.pace, of: call.caller.business, by: call.caller.actor,
      reason: try fields.text("reason", limit: 500) ?? "", on: services.pool)
    return try await answer(entry.id, call)
  }

  /// Another budget while it runs. What is reserved stays; when the old one was used up, it goes on.
  private func budget(_ call: Call) async throws -> HTTPResponse {
    let json = try call.json()
    let budget = try Budget(json: json, at: "", also: ["reason"])
    let entry = try await read(call)
    guard [.scheduled, .preparing, .sending].contains(entry.state), entry.kind == .campaign else {
      throw CampaignActions.conflict(entry, "not_running", "given another budget")
    }
    try CampaignActions.owned(entry, call, "changes")
    try budget.check(billedIn: [entry.currency], at: "")
    try await Budgets.set(
      budget, over: .campaign, entry.id.rawValue, of: call.caller.business, by: call.caller.actor,
      reason: try Fields(json, known: ["amount", "currency", "messages", "reason"]).text("reason", limit: 500) ?? "",
      on: services.pool)
    return try await answer(entry.id, call)
  }

  private static func owned(_ entry: Campaigns.Entry, _ call: Call, _ acts: String) throws(Problem) {
    guard call.caller.role == .marketer, entry.createdBy != call.caller.actor else { return }
    throw Problem(
      403, "not_yours", "A marketer \(acts) only their own campaigns.",
      detail: "\(entry.createdBy) made this campaign.", remedy: "Ask its maker or an operator.")
  }

  private func read(_ call: Call) async throws -> Campaigns.Entry {
    guard let entry = try await Campaigns.read(try call.id("campaign"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("campaign")
    }
    return entry
  }

  private func answer(_ id: Campaign.ID, _ call: Call) async throws -> HTTPResponse {
    await counts.forget(id)
    return .json(200, .object(try await CampaignRoutes.view(id, call, services).json(nil, at: .now, full: true)))
  }

  private static func conflict(_ entry: Campaigns.Entry, _ code: String, _ action: String) -> Problem {
    Problem(
      409, code, "The campaign's state does not allow this.",
      detail: "It is \(entry.state.word) and cannot be \(action).",
      remedy: "GET the campaign to see its state and reason.")
  }
}
