import CloudAPI
import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Schedule
import Store

/// Drafts, and campaigns as they stand.
struct CampaignRoutes: Sendable {
  let services: APIServices
  let counts: CountsCache
  init(_ services: APIServices, _ counts: CountsCache) { (self.services, self.counts) = (services, counts) }

  func add(to router: inout Router) {
    router.add("POST", "/v1/campaigns", .key(.draftCampaigns), create)
    router.add("GET", "/v1/campaigns", .key(.read), list)
    router.add("GET", "/v1/campaigns/{id}", .key(.read), show)
    router.add("GET", "/v1/campaigns/{id}/events", .key(.read), events)
  }

  /// A draft, with every default it applied and what it would come to. `?dry_run=true` stores nothing.
  private func create(_ call: Call) async throws -> HTTPResponse {
    let isDryRun = try call.flag("dry_run")
    let check = CampaignCheck(services: services, business: call.caller.business)
    let checked = try await check.check(try CampaignSpec(json: try call.json()), isDryRun: isDryRun)
    let forecast = try await Forecast(checked, services, call.language)
    if isDryRun {
      let text = try await AudienceCheck(services: services, business: call.caller.business)
        .sentence(checked.draft.spec.audience, call.language)
      return .json(
        200,
        [
          "dry_run": true, "spec": checked.draft.spec.json, "audience_text": .string(text),
          "forecast": .object(forecast.json),
        ])
    }
    let id = try await Campaigns.insert(
      checked.draft, business: call.caller.business, by: call.caller.actor, on: services.pool)
    var object = try await CampaignRoutes.view(id, call, services).json(nil, at: .now, full: true)
    object.append("forecast", .object(forecast.json))
    return .json(201, .object(object))
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let parent: Campaign.ID? = try call.query("tests_of").map { text throws(Problem) in
      try Fields.identifier(.string(text), at: "tests_of")
    }
    let entries = try await Campaigns.list(
      of: call.caller.business, testsOf: parent, before: try call.cursor(), limit: limit, on: services.pool)
    let pauses = try await Pauses.open(of: call.caller.business, on: services.pool)
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool)
    let zones = try await Campaigns.zones(of: entries.filter { $0.state == .sending }.map(\.id), on: services.pool)
    let calendars = zones.isEmpty ? [] : try await Calendars.blackouts(of: call.caller.business, on: services.pool)
    let pilots = try await Pilots.standings(of: Array(zones.keys), on: services.pool)
    let now = Instant.now
    let people = zones.isEmpty ? [:] : try await NumberRoutes.people(numbers, of: call.caller.business, services)
    return .page(
      entries.map { entry in
        var view = CampaignView(
          entry: entry, numbers: numbers, pauses: pauses, spec: CampaignRoutes.spec(entry),
          zones: zones[entry.id] ?? [], language: call.language, calendars: calendars)
        view.people = people
        view.pilot = pilots[entry.id]
        return .object(view.json(nil, at: now, full: false))
      }, next: entries.count == limit ? entries.last?.id.description : nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    let view = try await CampaignRoutes.view(try call.id("campaign"), call, services)
    let snapshot = view.entry.preparedAt == nil ? nil : try await counts.counts(of: view.entry.id)
    return .json(200, .object(view.json(snapshot, at: .now, full: true)))
  }

  /// What is known of a campaign, read for an answer.
  static func view(_ id: Campaign.ID, _ call: Call, _ services: APIServices) async throws -> CampaignView {
    guard let entry = try await Campaigns.read(id, of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("campaign")
    }
    let pauses = try await Pauses.open(of: call.caller.business, on: services.pool)
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool)
    let zones = entry.state == .sending ? try await Campaigns.zones(of: [id], on: services.pool) : [:]
    let spec = spec(entry)
    var view = CampaignView(
      entry: entry, numbers: numbers, pauses: pauses, spec: spec, zones: zones[id] ?? [],
      language: call.language, frozen: try await Campaigns.frozen(id, on: services.pool),
      calendars: zones.isEmpty ? [] : try await Calendars.blackouts(of: call.caller.business, on: services.pool),
      pace: try await CampaignPace.current(id, on: services.pool),
      drip: zones.isEmpty ? nil : try await Campaigns.drip(of: id, on: services.pool))
    view.budget = try await Budgets.of(id, on: services.pool)
    if !zones.isEmpty { view.people = try await NumberRoutes.people(numbers, of: call.caller.business, services) }
    view.pilot = try await Pilots.standings(of: [id], on: services.pool)[id]
    if let spec {
      view.audienceText = try await AudienceCheck(services: services, business: call.caller.business)
        .sentence(spec.audience, call.language)
    }
    return view
  }

  /// Nil for a request of an older version that this one does not read; it is still shown as stored.
  static func spec(_ entry: Campaigns.Entry) -> CampaignSpec? {
    do throws(Problem) {
      return try CampaignSpec(json: .stored(entry.spec))
    } catch {
      return nil
    }
  }

  // MARK: Events

  /// Server-sent events: what happened, from the beginning or after `Last-Event-ID`; then what happens, until the
  /// campaign has ended. A comment every 15 s keeps proxies from cutting a quiet line.
  private func events(_ call: Call) async throws -> HTTPResponse {
    let id: Campaign.ID = try call.id("campaign")
    guard try await Campaigns.read(id, of: call.caller.business, on: services.pool) != nil else {
      throw Problem.notFound("campaign")
    }
    let start = call.request.header("last-event-id").flatMap { Int64($0) } ?? 0
    let (services, business) = (services, call.caller.business)
    var response = HTTPResponse(
      status: 200,
      headers: [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")],
      body: .stream { writer in
        var after = start
        var spoke = BootInstant.now
        while true {
          let events = try await Campaigns.events(of: id, after: after, limit: 200, on: services.pool)
          for event in events {
            let data: JSONValue = [
              "event": .string(event.event), "at": .time(event.at), "by": .string(event.actor),
              "reason": .string(event.reason),
              "evidence": .stored(event.evidence),
            ]
            try await writer.write(
              "id: \(event.id)\nevent: \(event.event)\ndata: \(String(decoding: data.rendered(), as: UTF8.self))\n\n")
            after = event.id
          }
          if !events.isEmpty { spoke = .now }
          if events.count == 200 { continue }
          guard let entry = try await Campaigns.read(id, of: business, on: services.pool) else { return }
          if events.isEmpty, [.completed, .cancelled, .failed].contains(entry.state) {
            return try await writer.write("event: end\ndata: {\"state\":\"\(entry.state.word)\"}\n\n")
          }
          if BootInstant.now - spoke > .seconds(15) {
            try await writer.write(": still here\n\n")
            spoke = .now
          }
          try await services.pool.reactor.sleep(for: services.eventPoll)
        }
      })
    response.endsWithServer = true
    return response
  }
}
