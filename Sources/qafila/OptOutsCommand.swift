import JSON

/// Opt-outs. A phone comes in by standard input only: a command line is seen by every user of the machine and kept in
/// the shell's history.
enum OptOutsCommand {
  private static let region = Option("default-region", "CC", "country of numbers without +, e.g. EG")

  static let commands = [
    Command(
      words: ["opt-outs", "add"], arguments: ["-"], summary: "record opt-outs; phones from standard input, one a line",
      options: [
        Option("scope", "SCOPE", "marketing (unless given) or everything"),
        Option("reason", "TEXT", "where it was said"), region,
        Commands.json,
      ], settings: Setting.client, run: add),
    Command(
      words: ["opt-outs", "import"], arguments: ["FILE"], summary: "record everybody in a file as opted out",
      details: [
        """
        CSV with a header, or NDJSON; - is standard input. A column opted_out_at (or at, unsubscribed_at) says when: who \
        said start since then stays in. Without it the file counts as of now. Rows that can't be read don't stop the others.
        """
      ],
      options: [
        Option("scope", "SCOPE", "marketing (unless given) or everything"),
        Option("at", "TIME", "when it was said, for rows without a time"), region,
        Option("phone-column", "NAME", "the header's name for the phones"),
        Option("encoding", "NAME", "unless it is found by itself"), Option("delimiter", "NAME", "comma, semicolon or tab"),
        Option("rejects", "PATH", "write what was not taken there, as CSV"), Commands.json,
      ], settings: Setting.client, run: load),
    Command(
      words: ["opt-outs", "list"], summary: "who must not be written to, the newest first",
      options: [Option("limit", "N", "at most so many (100 unless given)"), Commands.json], settings: Setting.client,
      run: list),
    Command(
      words: ["opt-outs", "search"], arguments: ["-"], summary: "what one person said; the phone from standard input",
      options: [region, Commands.json], settings: Setting.client, run: search),
  ]

  static func phones(_ invocation: Invocation) throws(UsageError) -> [String] {
    guard invocation.required(0) == "-" else {
      throw UsageError(
        "Phones never stand on a command line.",
        remedy: "Write - and give them on standard input: echo +20… | qafila \(invocation.command.name) -")
    }
    guard let bytes = Files.read("-") else { throw UsageError("Standard input cannot be read: \(Files.reason()).") }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    let phones = lines.filter { !$0.allSatisfy(\.isWhitespace) }
    guard !phones.isEmpty else { throw UsageError("Standard input holds no phone.", remedy: "Write one a line.") }
    return phones
  }

  private static func add(_ invocation: Invocation) async throws {
    let phones = try phones(invocation)
    let client = try ServiceClient(invocation)
    var recorded = 0
    var rest = phones[...]
    while !rest.isEmpty {
      var body: JSONObject = ["phones": .array(rest.prefix(1000).map { .string($0) }), "source": "cli"]
      for (option, field) in [("scope", "scope"), ("reason", "reason"), ("default-region", "default_region")] {
        if let value = invocation.option(option) { body.append(field, .string(value)) }
      }
      recorded += Int(try await client.post("/v1/opt-outs", .object(body))["recorded"]?.int64Value ?? 0)
      rest = rest.dropFirst(1000)
    }
    invocation.show(["recorded": .number(String(recorded))]) { "Recorded: \($0.text("recorded"))." }
  }

  private static func load(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    let path = invocation.required(0)
    let file = try UploadFile(path)
    let names = ["scope", "at", "default-region", "phone-column", "encoding", "delimiter"]
    let query = names.map { (String($0.replacing("-", with: "_")), invocation.option($0)) }
    let isNDJSON = path.hasSuffix(".ndjson") || path.hasSuffix(".jsonl")
    let progress = Progress(label: "Sending \(path)", total: file.length)
    let answer = try await client.upload(
      "/v1/opt-outs/import", query, type: isNDJSON ? "application/x-ndjson" : "text/csv", file.upload
    ) { progress.show($0, isLast: $0 == file.length) }
    progress.end()
    if let rejects = invocation.option("rejects") {
      try await client.download("/v1/imports/\(answer.text("id"))/rejects", to: rejects)
    }
    invocation.show(answer) { answer in
      "Recorded: \(answer.text("report.recorded")) of \(answer.text("report.rows")) rows. "
        + "Not read: \(answer.text("report.rejected"))."
    }
  }

  private static func list(_ invocation: Invocation) async throws {
    guard let limit = Int(invocation.option("limit") ?? "100"), limit > 0 else {
      throw UsageError("--limit is a number above 0.")
    }
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/opt-outs", limit: limit),
      [
        ("person", .left, { $0.text("person") }), ("phone", .left, { $0.text("phone") }),
        ("scope", .left, { $0.text("scope") }),
        ("since", .left, { $0.time("since") }), ("source", .left, { $0.text("source") }),
      ])
  }

  private static func search(_ invocation: Invocation) async throws {
    let phones = try phones(invocation)
    guard phones.count == 1 else { throw UsageError("One phone is expected, not \(phones.count).") }
    var body: JSONObject = ["phone": .string(phones[0])]
    if let region = invocation.option("default-region") { body.append("default_region", .string(region)) }
    let answer = try await ServiceClient(invocation).post("/v1/opt-outs/search", .object(body))
    invocation.show(answer) { answer in
      let stops = answer["opted_out"]?.arrayValue ?? []
      var text =
        stops.isEmpty
        ? "May be written to."
        : stops.map { "Opted out of \($0.text("scope")) since \($0.time("since"))." }.joined(separator: "\n")
      var table = Table([("said", .left), ("event", .left), ("scope", .left), ("source", .left), ("recorded", .left)])
      let history = answer["history"]?.arrayValue ?? []
      for entry in history {
        table.add([
          entry.time("at"), entry.text("event"), entry.text("scope"), entry.text("source"), entry.time("recorded_at"),
        ])
      }
      if !history.isEmpty { text += "\n\n" + table.text }
      return text
    }
  }
}
