import Consent
import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// A business's own stop words, what is said to people who stop, and what a text would be read as.
struct StopWordRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/stop-words", .key(.readConsents), list)
    router.add("POST", "/v1/stop-words", .key(.manageStopWords), store)
    router.add("POST", "/v1/stop-words/remove", .key(.manageStopWords), remove)
    router.add("POST", "/v1/stop-words/try", .key(.readConsents), replay: .unkept, tryOut)
    router.add("GET", "/v1/stop-replies", .key(.readConsents), setting)
    router.add("POST", "/v1/stop-replies", .key(.manageStopWords), changeSetting)
    router.add("GET", "/v1/consent-tasks", .key(.readConsents), tasks)
    router.add("POST", "/v1/consent-tasks/{id}/done", .key(.recordConsents), finish)
  }

  // MARK: Words

  private func list(_ call: Call) async throws -> HTTPResponse {
    let words = try await StopWordTable.list(of: call.caller.business, on: services.pool)
    return .page(
      words.map { word in
        [
          "phrase": .string(word.written), "verdict": .string(StopWordRoutes.word(of: word.verdict)),
          "by": .string(word.by), "since": .time(word.at),
        ]
      }, next: nil)
  }

  /// `{"words": [{"phrase": "…", "verdict": "stop"}]}`, or one `phrase` and `verdict`. All or none.
  private func store(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["words", "phrase", "verdict"])
    var words: [StopWordTable.New] = []
    if let list = fields["words"] {
      guard let members = list.arrayValue, (1...StopWordTable.most).contains(members.count) else {
        throw Problem.invalid(
          "words", "Here a list of words is expected.", remedy: "Write from 1 to \(StopWordTable.most) of them.")
      }
      for (index, member) in members.enumerated() {
        words.append(try StopWordRoutes.new(try Fields(member, at: "words[\(index)]", known: ["phrase", "verdict"])))
      }
    } else {
      words.append(try StopWordRoutes.new(fields))
    }
    let known = Set(try await StopWordTable.list(of: call.caller.business, on: services.pool).map(\.phrase))
    guard known.union(words.map(\.phrase)).count <= StopWordTable.most else {
      throw Problem(
        422, "too_many_stop_words", "There are too many words.", detail: "A business has at most \(StopWordTable.most).",
        field: "words", remedy: "Remove some: POST /v1/stop-words/remove.")
    }
    _ = try await services.pool.batch([
      StopWordTable.storing(words, of: call.caller.business, by: call.caller.actor),
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "stop_words_stored",
        detail: ["count": .count(words.count)]),
    ])
    return .json(201, ["stored": .count(words.count)])
  }

  private func remove(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["phrases"])
    let list = try fields.required("phrases", "Name the phrases to be removed.")
    guard let members = list.arrayValue, (1...StopWordTable.most).contains(members.count),
      members.allSatisfy({ $0.stringValue != nil })
    else {
      throw Problem.invalid(
        "phrases", "Here a list of phrases is expected.", remedy: "Write from 1 to \(StopWordTable.most) of them.")
    }
    let phrases = members.compactMap { StopWordTable.New($0.stringValue ?? "", .none)?.phrase }
    let removed = try await services.pool.batch([
      StopWordTable.removing(phrases, of: call.caller.business),
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "stop_words_removed",
        detail: ["count": .count(phrases.count)]),
    ])[0].affected
    return .json(200, ["removed": .count(removed)])
  }

  /// What a text would be read as now, without anything being recorded.
  private func tryOut(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["text", "answering"])
    let text = try fields.requiredText("text", limit: 2000, remedy: "Write what a person might write.")
    let category = try ConsentRoutes.word(fields, "answering", Category.self)
    let own = try await StopWordTable.list(of: call.caller.business, on: services.pool)
    let reading = StopWords.shipped.adding(own.map { ($0.written, $0.verdict) }).read(text, answering: category)
    return .json(
      200,
      [
        "verdict": .string(StopWordRoutes.word(of: reading.verdict)), "matched": .string(reading.matched),
        "language": reading.language.map { .string($0.rawValue) } ?? .null,
      ])
  }

  private static func new(_ fields: Fields) throws(Problem) -> StopWordTable.New {
    guard let given = fields["phrase"] else { throw Problem.missing("phrase", remedy: "Write what people write.") }
    guard let text = given.stringValue else {
      throw Problem.invalid(fields.path(to: "phrase"), "Here a text is expected.", remedy: "Write it in quotation marks.")
    }
    let word = try fields.requiredText(
      "verdict", limit: 10, remedy: "Write one of stop, stop+, ask, start, none.")
    guard let verdict = StopVerdict.allCases.first(where: { self.word(of: $0) == word }) else {
      throw Problem.invalid(
        fields.path(to: "verdict"), "There is no such verdict.", remedy: "Write one of stop, stop+, ask, start, none.")
    }
    guard text.count <= 100, let new = StopWordTable.New(text, verdict) else {
      throw Problem.invalid(
        fields.path(to: "phrase"), text.count > 100 ? "The phrase is too long." : "The phrase is empty.",
        remedy: text.count > 100
          ? "At most 100 characters: what people write when they mean it."
          : "Write at least one letter or digit; an empty word would answer every message.")
    }
    return new
  }

  static func word(of verdict: StopVerdict) -> String { verdict == .stopPlus ? "stop+" : verdict.rawValue }

  // MARK: Replies

  private func setting(_ call: Call) async throws -> HTTPResponse {
    .json(200, try await ReplySetting.read(of: call.caller.business, on: services.pool).json)
  }

  private func changeSetting(_ call: Call) async throws -> HTTPResponse {
    let setting = try ReplySetting(json: try call.json())
    _ = try await services.pool.batch([
      setting.storing(of: call.caller.business, by: call.caller.actor),
      Audit.entry(business: call.caller.business, actor: call.caller.actor, action: "stop_replies_changed"),
    ])
    return .json(200, setting.json)
  }

  // MARK: Tasks

  private func tasks(_ call: Call) async throws -> HTTPResponse {
    let limit = try call.limit()
    let page = try await ConsentTasks.open(
      of: call.caller.business, after: try call.cursor(), limit: limit, on: services.pool)
    return .page(
      page.map { task in
        [
          "id": .string(String(task.id)), "kind": .string(task.kind),
          "person": .string(ConsentRoutes.reference(task.person)), "evidence": .stored(task.evidence),
          "since": .time(task.at),
        ]
      }, next: page.count == limit ? page.last.map { String($0.id) } : nil)
  }

  private func finish(_ call: Call) async throws -> HTTPResponse {
    guard let id = call.parameters["id"].flatMap({ Int64($0) }),
      try await ConsentTasks.finish(id, of: call.caller.business, by: call.caller.actor, on: services.pool)
    else { throw Problem.notFound("open task") }
    return .json(200, ["id": .string(String(id)), "done": true])
  }
}
