import Domain
import HTTPServer
import JSON
import Store

/// The language of sentences in an answer.
public enum Language: Sendable {
  case english, arabic

  /// The first of the two that `Accept-Language` names, by weight; English otherwise.
  init(acceptLanguage header: String?) {
    var best = (language: Language.english, weight: 0.0)
    for part in (header ?? "").split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.filter { $0 != " " } }
      guard let tag = pieces.first?.lowercased().split(separator: "-").first else { continue }
      let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
      guard weight > best.weight else { continue }
      if tag == "ar" { best = (.arabic, weight) }
      if tag == "en" { best = (.english, weight) }
    }
    self = best.language
  }
}

/// A request on its way through a handler.
struct Call: Sendable {
  let request: HTTPServerRequest
  let parameters: [String: String]
  /// Set on every route that needs a key.
  let knownCaller: Caller?
  let language: Language
  /// Read already where the route hashes the whole body; streamed routes read the request themselves.
  let body: [UInt8]
  let upload: UploadReplay?

  static let bodyLimit = 1 << 20

  var caller: Caller {
    guard let knownCaller else { preconditionFailure("an open route asked who is calling") }
    return knownCaller
  }

  func may(_ permission: Permission) -> Bool { permission.allows(caller.role) }

  /// A person's phone as this caller may see it.
  func shown(_ phone: PhoneNumber?) -> JSONValue {
    guard let phone else { return .null }
    return .string(may(.seePhones) ? phone.e164 : phone.masked)
  }

  /// The body as JSON; an empty one counts as `{}`.
  func json() throws(Problem) -> JSONValue {
    guard !body.isEmpty else { return .object(JSONObject()) }
    do throws(JSONError) {
      return try JSONValue(parsing: body)
    } catch {
      throw Problem(
        400, "json_malformed", "The body is not JSON.", detail: "\(error).", remedy: "Send one JSON object in UTF-8.")
    }
  }

  func query(_ name: String) -> String? { request.query.first { $0.0 == name }?.1 }

  func flag(_ name: String) throws(Problem) -> Bool {
    switch query(name) {
    case nil, "false"?, "0"?: return false
    case "true"?, "1"?, ""?: return true
    default: throw Problem.invalid(name, "Here true or false is expected.", remedy: "Write ?\(name)=true.")
    }
  }

  /// `?limit=`, from 1 to `most`.
  func limit(standard: Int = 50, most: Int = 500) throws(Problem) -> Int {
    guard let text = query("limit") else { return standard }
    guard let limit = Int(text), (1...most).contains(limit) else {
      throw Problem.invalid("limit", "This is not a page's length.", remedy: "Write a number from 1 to \(most).")
    }
    return limit
  }

  /// `?cursor=` where it is a row's key.
  func cursor() throws(Problem) -> Int64? {
    guard let text = query("cursor") else { return nil }
    guard let cursor = Int64(text) else { throw Call.badCursor }
    return cursor
  }

  static let badCursor = Problem.invalid(
    "cursor", "This is not a cursor of this list.", remedy: "Take next_cursor from the page before, unchanged.")

  /// `{id}` of the path as a row's key; a word that is none names nothing that exists.
  func id<Thing>(_ thing: String, _ name: String = "id") throws(Problem) -> Identifier<Thing> {
    guard let text = parameters[name], let raw = Int64(text), raw > 0 else { throw Problem.notFound(thing) }
    return Identifier(raw)
  }
}

extension Problem {
  static func notFound(_ thing: String) -> Problem {
    Problem(
      404, "not_found", "There is no such thing.", detail: "There is no such \(thing).",
      remedy: "Look at the list for ids that exist.")
  }
}

extension HTTPResponse {
  static func json(_ status: Int, _ value: JSONValue) -> HTTPResponse { .json(status, value.rendered()) }

  /// A page of a list. `next` is nil at its end.
  static func page(_ items: [JSONValue], next: String?) -> HTTPResponse {
    .json(200, ["items": .array(items), "next_cursor": next.map { .string($0) } ?? .null])
  }

  static func problem(_ problem: Problem, headers: [(String, String)] = []) -> HTTPResponse {
    var object: JSONObject = [
      "type": .string("urn:qafila:problem:" + problem.code), "title": .string(problem.title),
      "status": .number(String(problem.status)), "code": .string(problem.code),
    ]
    if !problem.detail.isEmpty { object.append("detail", .string(problem.detail)) }
    if let field = problem.field { object.append("field", .string(field)) }
    if let remedy = problem.remedy { object.append("remedy", .string(remedy)) }
    return HTTPResponse(
      status: problem.status, headers: [("Content-Type", "application/problem+json")] + headers,
      body: .bytes(JSONValue.object(object).rendered()))
  }
}

extension JSONValue {
  static func time(_ instant: Instant?) -> JSONValue { instant.map { .string($0.rfc3339()) } ?? .null }
  static func count(_ count: some BinaryInteger) -> JSONValue { .number(String(count)) }
  static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
  static func id<Thing>(_ id: Identifier<Thing>) -> JSONValue { .string(id.description) }

  /// JSON out of our own tables.
  static func stored(_ bytes: [UInt8]) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(parsing: bytes)
    } catch {
      preconditionFailure("a jsonb column holds what is not JSON: \(error)")
    }
  }
}
