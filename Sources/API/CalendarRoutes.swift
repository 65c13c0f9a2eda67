import Domain
import HTTPServer
import JSON
import Schedule
import Store

/// Blackout calendars: loaded as CSV, replaced as a whole, also while campaigns run.
struct CalendarRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/calendars", .key(.read), list)
    router.add("GET", "/v1/calendars/{name}", .key(.read), show)
    router.add("POST", "/v1/calendars/{name}", .key(.manageCalendars), load)
    router.add("POST", "/v1/calendars/{name}/remove", .key(.manageCalendars), remove)
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let entries = try await Calendars.list(of: call.caller.business, on: services.pool)
    return .page(entries.map(CalendarRoutes.json), next: nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    let entry = try await entry(try CalendarRoutes.name(call), call)
    return HTTPResponse(
      status: 200, headers: [("Content-Type", "text/csv; charset=utf-8")], body: .bytes(Array(entry.body.utf8)))
  }

  private func load(_ call: Call) async throws -> HTTPResponse {
    let name = try CalendarRoutes.name(call)
    guard let text = String(validating: call.body, as: UTF8.self) else {
      throw Problem(
        422, "calendar_malformed", "The calendar cannot be read.", detail: "It is not UTF-8.",
        remedy: "Save it as CSV in UTF-8.")
    }
    let blackouts: [Blackout]
    do {
      blackouts = try CalendarFile.blackouts(text)
    } catch {
      throw Problem(
        422, "calendar_malformed", "The calendar cannot be read.", detail: "Line \(error.line): \(error.reason)",
        field: "line \(error.line)", remedy: error.remedy)
    }
    let known = try await Calendars.list(of: call.caller.business, on: services.pool)
    guard known.count < Calendars.mostCalendars || known.contains(where: { $0.name == name }) else {
      throw Problem(
        422, "too_many_calendars", "There are too many calendars.",
        detail: "At most \(Calendars.mostCalendars) are kept.", remedy: "Replace one of them, or remove one.")
    }
    try await Calendars.replace(
      name, with: text, lines: blackouts.count, of: call.caller.business, by: call.caller.actor, on: services.pool)
    return .json(200, CalendarRoutes.json(try await entry(name, call)))
  }

  private func remove(_ call: Call) async throws -> HTTPResponse {
    let entry = try await entry(try CalendarRoutes.name(call), call)
    try await Calendars.replace(
      entry.name, with: nil, lines: 0, of: call.caller.business, by: call.caller.actor, on: services.pool)
    return .json(200, ["removed": .string(entry.name)])
  }

  private func entry(_ name: String, _ call: Call) async throws -> Calendars.Entry {
    guard
      let entry = try await Calendars.list(of: call.caller.business, on: services.pool).first(where: { $0.name == name })
    else { throw Problem.notFound("calendar") }
    return entry
  }

  private static func name(_ call: Call) throws(Problem) -> String {
    let name = call.parameters["name"] ?? ""
    let isPlain = name.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard (1...60).contains(name.utf8.count), isPlain else {
      throw .invalid("name", "This is no calendar's name.", remedy: "Write letters, digits, - and _, at most 60.")
    }
    return name
  }

  private static func json(_ entry: Calendars.Entry) -> JSONValue {
    ["name": .string(entry.name), "lines": .count(entry.lines), "by": .string(entry.by), "at": .time(entry.at)]
  }
}
