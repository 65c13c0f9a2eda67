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
      words: ["audiences", "import"], arguments: ["FILE", "[AUDIENCE]"],
      summary: "load contacts from CSV or NDJSON (- is standard input)",
      details: [
        """
        AUDIENCE is an id, or a name; with --create it is made when there is none of that name. Without it the \
        audience is called like the file and made when there is none. What is not taken is told by reason and kept: \
        --rejects PATH writes it as CSV, readable by you alone.
        """,
        """
        A person stands in a file by phone, or by Meta's id in a column user_id. consent_source, consent_at and \
        consent_text go into the ledger of consent as proof; they never undo a stop. A file that breaks off stores \
        nobody; with --on-error keep whoever came before is stored, and the report says where it stopped.
        """,
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
    let path = try AudiencesCommand.order(invocation)
    let file = try UploadFile(path.file)
    let audience = try await find(path.audience, client, creating: invocation.has("create") || path.isNamedByFile)
    let isNDJSON =
      invocation.has("ndjson") || path.file.hasSuffix(".ndjson") || path.file.hasSuffix(".jsonl")
    let names = [
      "default-region", "phone-column", "consent-source", "consent-at", "accept", "fix", "on-error", "encoding",
      "delimiter",
    ]
    let query = names.map {
      (String($0.replacing("-", with: "_")), invocation.option($0))
    }
    let progress = Progress(label: "Sending \(path.file)", total: file.length)
    let answer = try await client.upload(
      "/v1/audiences/\(audience)/contacts", query, type: isNDJSON ? "application/x-ndjson" : "text/csv", file.upload
    ) { progress.show($0, isLast: $0 == file.length) }
    progress.end()
    if let rejects = invocation.option("rejects") { try await save(answer.text("id"), rejects, client) }
    invocation.show(answer, report)
  }

  struct Order: Equatable {
    let file: String
    let audience: String
    let isNamedByFile: Bool
  }

  /// Which argument is the file. Both orders are typed; where one of the two is a file there is nothing to guess.
  static func order(_ first: String, _ second: String?, isFile: (String) -> Bool) throws(UsageError) -> Order {
    guard let second else {
      let name = first.split(separator: "/").last.map(String.init) ?? first
      let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
      guard first != "-", !stem.isEmpty else {
        throw UsageError("Standard input has no name.", remedy: "Name the audience: qafila audiences import - NAME")
      }
      return Order(file: first, audience: stem, isNamedByFile: true)
    }
    if !isFile(first), isFile(second) { return Order(file: second, audience: first, isNamedByFile: false) }
    return Order(file: first, audience: second, isNamedByFile: false)
  }

  private static func order(_ invocation: Invocation) throws(UsageError) -> Order {
    try order(invocation.required(0), invocation.argument(1)) { $0 == "-" || Files.size($0) != nil }
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

/// A file on its way to the service, read while it is sent; of standard input nobody knows the length.
struct UploadFile {
  let length: Int?
  private let file: Int32

  init(_ path: String) throws(UsageError) {
    if path == "-" {
      (file, length) = (0, nil)
      return
    }
    file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0, let size = Files.size(path) else {
      throw UsageError("The file \(path) cannot be read: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
    length = Files.isRegular(path) ? size : nil
  }

  /// `sent`: told the bytes read so far.
  func upload(_ sent: @escaping @Sendable (Int) -> Void) -> HTTPUpload {
    let (total, file) = (Lock(0), file)
    return HTTPUpload(length: length) { buffer in
      var count = read(file, buffer.baseAddress, buffer.count)
      while count < 0, errno == EINTR { count = read(file, buffer.baseAddress, buffer.count) }
      let now = total.with {
        $0 += max(0, count)
        return $0
      }
      sent(now)
      return count
    }
  }
}
