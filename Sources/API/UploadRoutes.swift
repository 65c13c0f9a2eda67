import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// Files of contacts on their way in, and the reports of what was taken.
struct UploadRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  /// A streamed body: bounded, because nothing here may be endless; a billion rows fit.
  static let bodyLimit = 64 << 30

  func add(to router: inout Router) {
    router.add("POST", "/v1/audiences/{id}/contacts", .key(.loadAudiences), replay: .streamed, upload)
    router.add("POST", "/v1/opt-outs/import", .key(.recordOptOuts), replay: .streamed, optOuts)
    router.add("GET", "/v1/imports", .key(.read), list)
    router.add("GET", "/v1/imports/{id}", .key(.read), show)
    router.add("GET", "/v1/imports/{id}/rejects", .key(.loadAudiences), rejects)
  }

  private func upload(_ call: Call) async throws -> HTTPResponse {
    let audience: Audience.ID = try call.id("audience")
    guard let replay = call.upload else { preconditionFailure("an upload without its replay") }
    guard try await !Audiences.known([audience], of: call.caller.business, on: services.pool).isEmpty else {
      throw Problem.notFound("audience")
    }
    call.request.allowBody(upTo: UploadRoutes.bodyLimit)
    return try await replay.replaying {
      let answer = try await services.importContacts(
        UploadRequest(
          business: call.caller.business, audience: audience, query: UploadRoutes.query(call),
          contentType: UploadRoutes.contentType(call), by: call.caller.actor,
          nextChunk: { try await replay.nextChunk() }))
      return .json(201, ["id": .id(answer.upload), "audience": .id(audience), "report": answer.report])
    }
  }

  /// A file of people who said stop: `?scope=everything`, `?at=` for rows without a time of their own.
  private func optOuts(_ call: Call) async throws -> HTTPResponse {
    guard let replay = call.upload else { preconditionFailure("an upload without its replay") }
    call.request.allowBody(upTo: UploadRoutes.bodyLimit)
    return try await replay.replaying {
      let answer = try await services.importContacts(
        UploadRequest(
          business: call.caller.business, audience: nil, query: UploadRoutes.query(call),
          contentType: UploadRoutes.contentType(call), by: call.caller.actor,
          nextChunk: { try await replay.nextChunk() }))
      _ = try await services.pool.batch([
        Audit.entry(
          business: call.caller.business, actor: call.caller.actor, action: "opt_outs_imported",
          subject: answer.upload.description)
      ])
      return .json(201, ["id": .id(answer.upload), "report": answer.report])
    }
  }

  /// What curl says of a file unless told otherwise is not meant.
  private static func contentType(_ call: Call) -> String? {
    let type = call.request.header("content-type")
    return type?.lowercased().hasPrefix("application/x-www-form-urlencoded") == true ? nil : type
  }

  /// The remedies of rejected rows are written in the caller's language.
  private static func query(_ call: Call) -> [(String, String)] {
    let query = call.request.query
    let speaks = query.contains { $0.0 == "language" }
    return speaks || call.language == .english ? query : query + [("language", "ar")]
  }

  /// The newest first: whoever lost the line while uploading finds here what became of it.
  private func list(_ call: Call) async throws -> HTTPResponse {
    var audience: Audience.ID?
    if let text = call.query("audience") {
      guard let raw = Int64(text) else {
        throw Problem.invalid("audience", "This is not an audience's id.", remedy: "See GET /v1/audiences.")
      }
      audience = Audience.ID(raw)
    }
    let limit = try call.limit()
    let page = try await Audiences.uploads(
      of: call.caller.business, audience: audience, before: try call.cursor(), limit: limit, on: services.pool)
    return .page(page.map(UploadRoutes.json), next: page.count == limit ? page.last?.id.description : nil)
  }

  private func show(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await Audiences.upload(try call.id("import"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("import")
    }
    return .json(200, UploadRoutes.json(entry))
  }

  private static func json(_ entry: Audiences.UploadEntry) -> JSONValue {
    [
      "id": .id(entry.id), "audience": entry.audience.map { .id($0) } ?? .null, "state": .string(entry.state), "by": .string(entry.by),
      "started_at": .time(entry.startedAt), "ended_at": .time(entry.endedAt), "report": .stored(entry.report),
    ]
  }

  /// What was not taken, as CSV: the line, why, what to do, the line itself.
  private func rejects(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await Audiences.upload(try call.id("import"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("import")
    }
    let seesPhones = call.may(.seePhones) || entry.by == call.caller.actor
    return HTTPResponse(
      status: 200,
      headers: [
        ("Content-Type", "text/csv; charset=utf-8"),
        ("Content-Disposition", "attachment; filename=\"import-\(entry.id)-rejects.csv\""),
      ],
      body: .stream { writer in
        try await writer.write(seesPhones ? "line,reason,remedy,raw\r\n" : "line,reason,remedy\r\n")
        var line: Int64 = 0
        while true {
          let page = try await Audiences.rejects(of: entry.id, after: line, limit: 1000, on: services.pool)
          guard let last = page.last else { return }
          line = last.line
          try await writer.write(
            page.map { reject in
              let cells = [String(reject.line), reject.reason, reject.remedy] + (seesPhones ? [reject.raw] : [])
              return cells.map(CSV.cell).joined(separator: ",") + "\r\n"
            }.joined())
        }
      })
  }
}

/// RFC 4180, with a guard against cells that a spreadsheet would run as a formula.
enum CSV {
  static func cell(_ text: String) -> String {
    var text = text
    let isNumber =
      text.first.map { $0 == "+" || $0 == "-" } ?? false
      ? text.dropFirst().allSatisfy { $0.isASCII && ($0.isNumber || " .,".contains($0)) } : true
    if let first = text.first, "=@\t".contains(first) || !isNumber { text = "'" + text }
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
