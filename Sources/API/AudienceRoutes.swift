import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// Audiences: named sets of contacts.
struct AudienceRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/audiences", .key(.loadAudiences), create)
    router.add("GET", "/v1/audiences", .key(.read), list)
    router.add("GET", "/v1/audiences/{id}", .key(.read), show)
  }

  private func create(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["name"], later: ["segment", "tags", "where"])
    let name = try fields.requiredText("name", limit: 120, remedy: "Give the audience a name.")
    guard
      let id = try await Audiences.create(
        name, business: call.caller.business, by: call.caller.actor, on: services.pool)
    else {
      throw Problem(
        409, "audience_exists", "There is an audience of this name.", detail: "Names of audiences are unique.",
        field: "name",
        remedy: "Choose another name, or load contacts into the one that exists.")
    }
    guard let entry = try await Audiences.read(id, of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("audience")
    }
    return .json(201, AudienceRoutes.json(entry))
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let page = try await Audiences.list(
      of: call.caller.business, before: try call.cursor(), limit: limit, on: services.pool)
    return .page(page.map(AudienceRoutes.json), next: page.count == limit ? page.last?.id.description : nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await Audiences.read(try call.id("audience"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("audience")
    }
    return .json(200, AudienceRoutes.json(entry))
  }

  static func json(_ entry: Audiences.Entry) -> JSONValue {
    var object: JSONObject = [
      "id": .id(entry.id), "name": .string(entry.name), "people": .count(entry.people),
      "created_at": .time(entry.createdAt),
    ]
    if let marketable = entry.marketable { object.append("marketable", .count(marketable)) }
    return .object(object)
  }
}
