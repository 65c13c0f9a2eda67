import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Store

/// Saved segments, and how many people a segment means before anything is drafted.
struct SegmentRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/segments", .key(.draftCampaigns), create)
    router.add("GET", "/v1/segments", .key(.read), list)
    router.add("POST", "/v1/segments/count", .key(.draftCampaigns), count)
    router.add("GET", "/v1/segments/{id}", .key(.read), show)
    router.add("POST", "/v1/segments/{id}", .key(.draftCampaigns), replace)
    router.add("POST", "/v1/segments/{id}/remove", .key(.draftCampaigns), remove)
  }

  private func create(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["name", "where"])
    let name = try fields.requiredText("name", limit: 100, remedy: "Give the segment a name.")
    let segment = try await segment(fields, call)
    guard
      let entry = try await SavedSegments.create(
        name, segment, of: call.caller.business, by: call.caller.actor, on: services.pool)
    else {
      throw Problem(
        409, "segment_exists", "There is a segment of this name.", detail: "Names of segments are unique.",
        field: "name",
        remedy: "Choose another name, or replace it: POST /v1/segments/{id}.")
    }
    return .json(201, try await json(entry, call))
  }

  private func replace(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["where"])
    let segment = try await segment(fields, call)
    guard
      let entry = try await SavedSegments.replace(
        try id(call), segment, of: call.caller.business, by: call.caller.actor, on: services.pool)
    else { throw Problem.notFound("segment") }
    return .json(200, try await json(entry, call))
  }

  private func remove(_ call: Call) async throws -> HTTPResponse {
    guard
      try await SavedSegments.remove(
        try id(call), of: call.caller.business, by: call.caller.actor, on: services.pool)
    else { throw Problem.notFound("segment") }
    return .json(200, ["removed": true])
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await SavedSegments.read(try id(call), of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("segment")
    }
    return .json(200, try await json(entry, call))
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let page = try await SavedSegments.list(
      of: call.caller.business, after: call.query("cursor"), limit: limit, on: services.pool)
    var items: [JSONValue] = []
    for entry in page { items.append(try await json(entry, call)) }
    return .page(items, next: page.count == limit ? page.last?.name : nil)
  }

  /// `{"audience": {"id": "1", "segment": "…", "where": {…}}}`: the same object as in a campaign.
  private func count(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["audience"])
    var part = try CampaignSpec.AudiencePart(
      json: try fields.required("audience", "Name the audience: {\"id\": \"…\", \"where\": {…}}."), at: "audience")
    let check = AudienceCheck(services: services, business: call.caller.business)
    try await check.check(&part)
    let now = Instant.now
    let meant = try await AudienceAttributes.count(part, now: now, on: services.pool)
    let text = try await check.sentence(part, call.language)
    return .json(
      200,
      [
        "people": .count(meant.people), "marketable": .count(meant.marketable), "text": .string(text),
        "audience": part.json, "as_of": .time(now),
      ])
  }

  private func segment(_ fields: Fields, _ call: Call) async throws -> Segment {
    let remedy = "Write e.g. {\"where\": {\"city\": \"القاهرة\"}}."
    let json = try fields.required("where", remedy)
    guard let segment = try Segment.read(json, at: "where") else {
      throw Problem.invalid("where", "An empty condition means everybody.", remedy: remedy)
    }
    try await AudienceCheck(services: services, business: call.caller.business)
      .references(segment.references(at: "where"), in: nil)
    return segment
  }

  private func id(_ call: Call) throws(Problem) -> Int64 {
    guard let text = call.parameters["id"], let id = Int64(text), id > 0 else { throw Problem.notFound("segment") }
    return id
  }

  private func json(_ entry: SavedSegments.Entry, _ call: Call) async throws -> JSONValue {
    let filter = JSONValue.stored(entry.filter)
    var text = ""
    if let segment = try Segment.read(filter, at: "where") {
      text = try await AudienceCheck(services: services, business: call.caller.business).sentence(
        segment, call.language)
    }
    return [
      "id": .string(String(entry.id)), "name": .string(entry.name), "where": filter, "text": .string(text),
      "by": .string(entry.by), "changed_at": .time(entry.at),
    ]
  }
}
