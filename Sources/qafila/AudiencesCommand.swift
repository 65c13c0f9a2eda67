import Glibc
import HTTPClient
import JSON
import Reactor

enum AudiencesCommand {
  static let commands = [
    Command(
      words: ["audiences", "list"], summary: "audiences and how many people each holds", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["audiences", "create"], arguments: ["NAME"], summary: "make an empty audience", options: [Commands.json],
      settings: Setting.client, run: create),
    Command(
      words: ["audiences", "import"], arguments: ["AUDIENCE", "FILE"],
      summary: "load contacts from CSV or NDJSON (- is standard input)",
      details: [
        """
        AUDIENCE is an id, or a name; with --create it is made when there is none of that name. What is not \
        taken is told by reason and kept: --rejects PATH writes it as CSV, readable by you alone.
        """
      ],
      options: [
        Option("create", nil, "make the audience when there is none of that name"),
        Option("default-region", "CC", "country of numbers without +, e.g. EG"),
        Option("phone-column", "NAME", "the column of phones, when its name is not a usual one"),
        Option(
          "consent-source", "TEXT", "where consent comes from; without it people are stored, not marketable"),
        Option("consent-at", "TIME", "when they consented, for rows that don't say"),
        Option("accept", "WORDS", "also take: possible, landline, service (comma between)"),
        Option("fix", "WORDS", "repair: old_format"),
        Option("on-error", "WORD", "a file that breaks off: refuse (unless given) or keep"),
        Option("encoding", "NAME", "when it is not found out by itself"),
        Option("delimiter", "WORD", "comma, semicolon or tab"),
        Option("ndjson", nil, "the file is NDJSON, whatever its name"),
        Option("rejects", "PATH", "write what was not taken to this file"), Commands.json,
      ], settings: Setting.client, run: load),
  ]

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/audiences"),
      [
        ("id", .right, { $0.text("id") }), ("name", .left, { $0.text("name") }),
        ("people", .right, { $0.text("people") }),
        ("created", .left, { $0.time("created_at") }),
      ])
  }

  private static func create(_ invocation: Invocation) async throws {
    let answer = try await ServiceClient(invocation).post("/v1/audiences", ["name": .string(invocation.required(0))])
    invocation.show(answer) { $0.text("id") }
  }

  private static func load(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    let (word, path) = (invocation.required(0), invocation.required(1))
    let audience = try await find(word, client, creating: invocation.has("create"))
    let isNDJSON = invocation.has("ndjson") || path.hasSuffix(".ndjson") || path.hasSuffix(".jsonl")
    let file = try UploadFile(path)
    let names = [
      "default-region", "phone-column", "consent-source", "consent-at", "accept", "fix", "on-error", "encoding",
      "delimiter",
    ]
    let query = names.map {
      (String($0.replacing("-", with: "_")), invocation.option($0))
    }
    let progress = Progress(label: "Sending \(path)", total: file.length)
    let answer = try await client.upload(
      "/v1/audiences/\(audience)/contacts", query, type: isNDJSON ? "application/x-ndjson" : "text/csv", file.upload
    ) { progress.show($0, isLast: $0 == file.length) }
    progress.end()
    if let rejects = invocation.option("rejects") { try await save(answer.text("id"), rejects, client) }
    invocation.show(answer, report)
  }

  private static func save(_ upload: String, _ path: String, _ client: ServiceClient) async throws {
    try await client.download("/v1/imports/\(upload)/rejects", to: path)
    Terminal.say("What was not taken stands in \(path).")
  }

  /// By id, else by name.
  private static func find(_ word: String, _ client: ServiceClient, creating: Bool) async throws -> String {
    let all = try await client.all("/v1/audiences")
    if let known = all.first(where: { $0.text("name") == word }) ?? all.first(where: { $0.text("id") == word }) {
      return known.text("id")
    }
    guard creating else {
      Terminal.say("There is no audience \(word). Add --create to make it.")
      throw ExitCode.missing
    }
    return try await client.post("/v1/audiences", ["name": .string(word)]).text("id")
  }

  private static func report(_ answer: JSONValue) -> String {
    var sheet = Sheet()
    sheet.add("import", answer.text("id"))
    for (name, value) in answer["report"]?.objectValue ?? [] {
      switch value {
      case .object(let object):
        for field in object.fields { sheet.add("\(name.replacing("_", with: " ")): \(field.key)", field.value.plain) }
      default: sheet.add(String(name.replacing("_", with: " ")), value.plain)
      }
    }
    return sheet.text
  }
}

/// A file on its way to the service: read while it is sent; standard input, whose length nobody knows, is read first.
struct UploadFile {
  let length: Int
  let upload: @Sendable (@escaping @Sendable (Int) -> Void) -> HTTPUpload

  init(_ path: String) throws(UsageError) {
    if path == "-" {
      guard let bytes = Files.read("-") else { throw UsageError("Standard input cannot be read: \(Files.reason()).") }
      length = bytes.count
      upload = { sent in
        let at = Lock(0)
        return HTTPUpload(length: bytes.count) { buffer in
          at.with { at in
            let count = min(buffer.count, bytes.count - at)
            buffer.copyBytes(from: bytes[at..<at + count])
            at += count
            sent(at)
            return count
          }
        }
      }
      return
    }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0, let size = Files.size(path) else {
      throw UsageError("The file \(path) cannot be read: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
    length = size
    upload = { sent in
      let total = Lock(0)
      return HTTPUpload(length: size) { buffer in
        let count = read(file, buffer.baseAddress, buffer.count)
        if count > 0 {
          sent(
            total.with {
              $0 += count
              return $0
            })
        }
        return count
      }
    }
  }
}
