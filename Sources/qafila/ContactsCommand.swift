import JSON
import Reactor

/// One person. The phone comes in by standard input only, as everywhere.
enum ContactsCommand {
  private static let region = Option("default-region", "CC", "country of numbers without +, e.g. EG")

  static let commands = [
    Command(
      words: ["contacts", "find"], arguments: ["-"],
      summary: "one person on one screen: consents, messages, costs, why or why not; phone or user id from standard input",
      options: [region, Commands.json], settings: Setting.client, run: find),
    Command(
      words: ["contacts", "export"], arguments: ["-"],
      summary: "everything known about a person, as JSON for their own request",
      options: [region, Option("output", "PATH", "write it to a file that only you can read")], settings: Setting.client,
      run: export),
    Command(
      words: ["contacts", "erase"], arguments: ["-"], summary: "forget a person; their stop stays, as a keyed hash",
      details: ["This is final. Nothing is sent to them from the first moment on; what messages cost stays in the sums."],
      options: [region, Option("yes", nil, "without it nothing is done"), Commands.json], settings: Setting.client,
      run: erase),
  ]

  private static func body(_ invocation: Invocation) throws(UsageError) -> JSONValue {
    let lines = try OptOutsCommand.phones(invocation)
    guard lines.count == 1 else { throw UsageError("One person is expected, not \(lines.count).") }
    // Meta's ids have a dot and two letters before it; no phone has.
    let isUserID = lines[0].prefix { $0.isLetter }.count == 2 && lines[0].contains(".")
    var body: JSONObject = [isUserID ? "user_id" : "phone": .string(lines[0])]
    if let region = invocation.option("default-region") { body.append("default_region", .string(region)) }
    return .object(body)
  }

  private static func find(_ invocation: Invocation) async throws {
    let answer = try await ServiceClient(invocation).post("/v1/contacts/find", try body(invocation))
    invocation.show(answer, screen)
  }

  private static func screen(_ answer: JSONValue) -> String {
    var parts: [String] = []
    let contacts = answer["contacts"]?.arrayValue ?? []
    if contacts.isEmpty { parts.append("No contact is stored with this phone.") }
    if !answer.text("erased_at").isEmpty { parts.append("Erased \(answer.time("erased_at")).") }
    for contact in contacts { parts.append(card(contact)) }
    let stops = answer["opted_out"]?.arrayValue ?? []
    parts.append(
      stops.isEmpty
        ? "May be written to."
        : stops.map { "Opted out of \($0.text("scope")) since \($0.time("since"))." }.joined(separator: "\n"))
    func table(_ name: String, _ columns: [(String, Table.Side, (JSONValue) -> String)]) {
      let items = answer[name]?.arrayValue ?? []
      guard !items.isEmpty else { return }
      var table = Table(columns.map { ($0.0, $0.1) })
      for item in items { table.add(columns.map { $0.2(item) }) }
      parts.append(table.text)
    }
    table(
      "consents",
      [
        ("said", .left, { $0.time("at") }), ("event", .left, { $0.text("event") }), ("scope", .left, { $0.text("scope") }),
        ("source", .left, { $0.text("source") }),
      ])
    table(
      "messages",
      [
        ("sent", .left, { $0.time("handed_at") }), ("campaign", .left, { $0.text("name") }),
        ("state", .left, { $0.text("state") }), ("cost", .right, { $0.text("cost.amount") + " " + $0.text("cost.currency") }),
        ("why", .left, { $0.text("why") }), ("text", .left, { String($0.text("text").prefix(60)) }),
      ])
    table(
      "left_out",
      [
        ("left out", .left, { $0.time("at") }), ("campaign", .left, { $0.text("name") }), ("why", .left, { $0.text("why") }),
      ])
    return parts.joined(separator: "\n\n")
  }

  private static func card(_ contact: JSONValue) -> String {
    let since = contact.time("opt_in_at")
    let optIn = since.isEmpty ? "none recorded." : "\(since), from \(contact.text("opt_in_source"))."
    var lines = [
      "Contact \(contact.text("contact")), \(contact.text("country")), since \(contact.time("created_at")), in: "
        + contact.text("audiences") + ".",
      "Opt-in: " + optIn,
    ]
    for (name, value) in contact["attributes"]?.objectValue ?? [] { lines.append("\(name): \(value.plain)") }
    return lines.joined(separator: "\n")
  }

  private static func export(_ invocation: Invocation) async throws {
    let answer = try await ServiceClient(invocation).post("/v1/contacts/export", try body(invocation))
    let text = String(decoding: answer.rendered(), as: UTF8.self) + "\n"
    guard let path = invocation.option("output") else { return Terminal.print(text) }
    guard Files.writePrivate(path, text) else { throw UsageError("\(path) cannot be written: \(Files.reason()).") }
    Terminal.print("Written: \(path)")
  }

  /// How long the command waits for the job; it goes on without it.
  private static let patience: Duration = .seconds(60)

  private static func erase(_ invocation: Invocation) async throws {
    let body = try body(invocation)
    guard invocation.has("yes") else {
      throw UsageError("Erasing is final.", remedy: "Say --yes when you mean it; contacts export keeps a copy for the person.")
    }
    let client = try ServiceClient(invocation)
    var answer = try await client.post("/v1/contacts/erase", body)
    let deadline = BootInstant.now + patience
    while answer.text("state") != "done", BootInstant.now < deadline {
      try await Qafila.reactor.sleep(for: .milliseconds(500))
      answer = try await client.get("/v1/erasures/" + answer.text("id"))
    }
    invocation.show(answer) { answer in
      guard answer.text("state") == "done" else {
        return "Nothing is sent to them any more. The rest is being found: erasure \(answer.text("id")) goes on by itself."
      }
      return "Erased: \(answer.text("contacts")) contacts, \(answer.text("messages")) messages, "
        + "\(answer.text("receipts")) receipts. Kept: the stop, as a keyed hash; costs, without the person."
    }
  }
}
