import JSON

enum SegmentsCommand {
  static let commands = [
    Command(
      words: ["segments", "list"], summary: "saved segments, each as a sentence", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["segments", "save"], arguments: ["NAME", "FILE"],
      summary: "keep conditions under a name; FILE holds \"where\" as JSON (- is standard input)",
      options: [Commands.json], settings: Setting.client, run: save),
    Command(
      words: ["segments", "remove"], arguments: ["NAME"],
      summary: "remove a saved segment; drafts keep what they copied",
      options: [Commands.json], settings: Setting.client, run: remove),
    Command(
      words: ["segments", "count"], arguments: ["AUDIENCE"],
      summary: "how many people of an audience (by id) are meant, now",
      options: [
        Option("segment", "NAME", "of a saved segment"),
        Option("where", "FILE", "with these conditions, as JSON (- is standard input)"), Commands.json,
      ], settings: Setting.client, run: count),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/segments"),
      [
        ("name", .left, { $0.text("name") }), ("means", .left, { $0.text("text") }), ("by", .left, { $0.text("by") }),
        ("changed", .left, { $0.time("changed_at") }),
      ])
  }

  /// Makes it, or replaces the conditions of the one of that name.
  private static func save(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    let (name, filter) = (invocation.required(0), try conditions(invocation.required(1)))
    let answer: JSONValue
    if let known = try await client.all("/v1/segments").first(where: { $0.text("name") == name }) {
      answer = try await client.post("/v1/segments/" + known.text("id"), ["where": filter])
    } else {
      answer = try await client.post("/v1/segments", ["name": .string(name), "where": filter])
    }
    invocation.show(answer) { $0.text("text") }
  }

  private static func remove(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    let name = invocation.required(0)
    guard let known = try await client.all("/v1/segments").first(where: { $0.text("name") == name }) else {
      Terminal.say("There is no segment \(name).")
      throw ExitCode.missing
    }
    let answer = try await client.post("/v1/segments/\(known.text("id"))/remove")
    invocation.show(answer) { _ in "removed" }
  }

  private static func count(_ invocation: Invocation) async throws {
    var audience: JSONObject = ["id": .string(invocation.required(0))]
    if let name = invocation.option("segment") { audience.append("segment", .string(name)) }
    if let file = invocation.option("where") { audience.append("where", try conditions(file)) }
    let answer = try await ServiceClient(invocation).post("/v1/segments/count", ["audience": .object(audience)])
    invocation.show(answer) { answer in
      "\(answer.text("text"))\n\(answer.text("people")) people, \(answer.text("marketable")) with marketing consent"
    }
  }

  private static func conditions(_ file: String) throws -> JSONValue {
    guard let bytes = Files.read(file) else { throw UsageError("The file \(file) cannot be read: \(Files.reason()).") }
    do {
      return try JSONValue(parsing: bytes)
    } catch {
      throw UsageError("The file \(file) is not JSON: \(error).")
    }
  }
}
