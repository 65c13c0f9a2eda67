import CloudAPI
import Domain
import HTTPServer
import JSON
import Postgres
import Schedule
import Store

/// Templates as the last synchronisation saw them.
struct TemplateRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/templates", .key(.read), list)
    router.add("POST", "/v1/templates/sync", .key(.syncTemplates), sync)
    router.add("POST", "/v1/templates/insights", .key(.manageNumbers), enableInsights)
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    let entries = try await Templates.list(of: call.caller.business, on: services.pool)
    let wanted = (name: call.query("name"), status: call.query("status"))
    return .page(
      entries.filter { entry in
        (wanted.name.map { $0 == entry.seen.name } ?? true) && (wanted.status.map { $0 == entry.seen.status } ?? true)
      }.map(TemplateRoutes.json), next: nil)
  }

  /// All accounts of the business; one that fails is told and does not stop the others.
  private func sync(_ call: Call) async throws -> HTTPResponse {
    _ = try Fields(try call.json(), known: [])
    var results: [JSONValue] = []
    var refused: Problem?
    for account in try await Numbers.accounts(of: call.caller.business, on: services.pool) {
      guard let sealed = try await Numbers.sealedToken(of: account.id, on: services.pool) else { continue }
      guard let token = services.tokens.open(sealed) else { throw InstallationError.wrongSealKey.problem }
      let nodes: [TemplateNode]
      do throws(GraphError) {
        nodes = try await services.graph.templates(ofAccount: account.wabaID, token: token)
      } catch {
        refused = Problem(error, field: nil)
        results.append([
          "waba_id": .string(account.wabaID), "problem": .string(refused?.code ?? ""),
          "detail": .string(refused?.detail ?? ""),
        ])
        continue
      }
      let seen = nodes.map { node in
        Templates.Seen(
          metaID: node.id, name: node.name, language: node.language, status: node.status,
          category: node.category ?? .marketing, quality: node.quality.word.uppercased(),
          parameterFormat: node.parameterFormat ?? "POSITIONAL", components: node.components.rendered(),
          ttlSeconds: node.ttlSeconds)
      }
      let result = try await Templates.sync(
        seen, account: account.id, business: call.caller.business, by: call.caller.actor, on: services.pool)
      results.append([
        "waba_id": .string(account.wabaID), "seen": .count(result.seen), "added": .count(result.added),
        "changed": .count(result.changed), "gone": .count(result.gone),
      ])
    }
    guard !results.isEmpty else {
      throw Problem(
        409, "no_numbers", "There is no number yet.", detail: "Templates are read with a number's token.",
        remedy: "Register a number first: POST /v1/numbers.")
    }
    if let refused, results.count == 1 { throw refused }
    return .json(200, ["accounts": .array(results)])
  }

  /// Has Meta count what becomes of an account's templates: there is no way back, so the account is named.
  private func enableInsights(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["account"])
    let waba = try fields.requiredText(
      "account", limit: 60, remedy: "Write the account's WABA id: Meta offers no way to switch insights off again.")
    guard
      let account = try await Numbers.accounts(of: call.caller.business, on: services.pool).first(where: {
        $0.wabaID == waba
      })
    else { throw Problem.notFound("account") }
    guard let sealed = try await Numbers.sealedToken(of: account.id, on: services.pool) else {
      throw Problem.notFound("account")
    }
    guard let token = services.tokens.open(sealed) else { throw InstallationError.wrongSealKey.problem }
    do throws(GraphError) {
      try await services.graph.enableInsights(ofAccount: waba, token: token)
    } catch {
      throw Problem(error, field: "account")
    }
    try await TemplateFigures.setInsights(account.id, true, on: services.pool)
    _ = try await services.pool.batch([
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "insights_enabled", subject: waba)
    ])
    return .json(200, ["account": .string(waba), "insights": true])
  }

  static func json(_ entry: Templates.Entry) -> JSONValue {
    let life = TimeToLive(entry.seen.ttlSeconds, of: entry.seen.category)
    return [
      "name": .string(entry.seen.name), "language": .string(entry.seen.language), "status": .string(entry.seen.status),
      "category": .string(entry.seen.category.word), "quality": .string(entry.seen.quality),
      "waba_id": .string(entry.wabaID), "parameter_format": .string(entry.seen.parameterFormat),
      "version": .count(entry.version), "synced_at": .time(entry.syncedAt),
      "time_to_live": [
        "seconds": .count(Int(life.duration.nanoseconds / 1_000_000_000)), "set_by": life.isOwn ? "template" : "category",
      ],
      "components": .stored(entry.seen.components),
    ]
  }
}
