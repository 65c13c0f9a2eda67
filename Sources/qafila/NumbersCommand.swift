import Domain
import JSON

enum NumbersCommand {
  static let commands = [
    Command(
      words: ["numbers", "list"], summary: "numbers with their state, quality and rate", options: [Commands.json],
      settings: Setting.client, run: list),
    Command(
      words: ["numbers", "add"], arguments: ["PHONE_NUMBER_ID", "WABA_ID"], summary: "register a number of Meta's",
      details: [
        """
        The access token comes from QAFILA_ACCESS_TOKEN, QAFILA_ACCESS_TOKEN_FILE or --access-token-file \
        PATH (- is standard input); it is sealed before it is stored.
        """
      ],
      options: [
        Option("label", "LABEL", "a name of your own"),
        Option("zone", "ZONE", "the account's time zone, when Meta's is not known"),
        Commands.json,
      ], settings: Setting.client + [accessToken], run: add),
    Command(
      words: ["numbers", "show"], arguments: ["NUMBER"], summary: "one number, by id, phone or label",
      options: [Commands.json],
      settings: Setting.client, run: show),
    Command(
      words: ["numbers", "pause"], arguments: ["NUMBER"], summary: "stop sending from a number",
      options: [Option("reason", "TEXT", "why"), Commands.json], settings: Setting.client, run: change("pause")),
    Command(
      words: ["numbers", "resume"], arguments: ["NUMBER"], summary: "send from a number again",
      options: [Option("reason", "TEXT", "why it may go on; required"), Commands.json], settings: Setting.client,
      run: change("resume")),
    Command(
      words: ["numbers", "warm-up"], arguments: ["NUMBER"], summary: "few people a day at first, growing; from today on",
      details: ["People in an open service window are not counted. --off ends it at once."],
      options: [
        Option("start", "N", "people on the first day"), Option("growth", "FACTOR", "times as many each day, e.g. 1.5"),
        Option("until", "N", "people a day at which it ends"), Option("off", nil, "no ramp any more"), Commands.json,
      ], settings: Setting.client, run: warmUp),
  ]

  private static let accessToken = Setting(
    variable: "QAFILA_ACCESS_TOKEN", flag: "access-token", help: "a system user's token for the account", isSecret: true
  )

  private static func list(_ invocation: Invocation) async throws {
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/numbers"),
      [
        ("phone_number_id", .left, { $0.text("phone_number_id") }), ("phone", .left, { $0.text("phone") }),
        ("label", .left, { $0.text("label") }), ("state", .left, { $0.text("state") }),
        ("quality", .left, { $0.text("quality_text") }), ("rate/s", .right, { $0.text("throughput.per_second") }),
        ("tier", .right, { $0.text("tier") }), ("people/24h", .right, { people($0) }),
        ("today", .right, { today($0) }), ("name", .left, { $0.text("verified_name") }),
      ])
  }

  private static func add(_ invocation: Invocation) async throws {
    var body: JSONObject = [
      "phone_number_id": .string(invocation.required(0)), "waba_id": .string(invocation.required(1)),
      "access_token": .string(try invocation.required(accessToken)),
    ]
    for name in ["label", "zone"] { if let value = invocation.option(name) { body.append(name, .string(value)) } }
    invocation.show(try await ServiceClient(invocation).post("/v1/numbers", .object(body)), sheet)
  }

  private static func show(_ invocation: Invocation) async throws {
    let path = "/v1/numbers/" + ServiceClient.encoded(invocation.required(0))
    invocation.show(try await ServiceClient(invocation).get(path), sheet)
  }

  private static func change(_ action: String) -> @Sendable (Invocation) async throws -> Void {
    { invocation in
      let path = "/v1/numbers/" + ServiceClient.encoded(invocation.required(0)) + "/" + action
      invocation.show(try await ServiceClient(invocation).post(path, invocation.reason), sheet)
    }
  }

  private static func warmUp(_ invocation: Invocation) async throws {
    var body = JSONObject()
    if invocation.has("off") { body.append("off", true) }
    for name in ["start", "growth", "until"] {
      guard let value = invocation.option(name) else { continue }
      guard Amount(value) != nil else { throw UsageError("--\(name) is a number.", remedy: "Write e.g. --\(name) 50.") }
      body.append(name, .number(value))
    }
    let path = "/v1/numbers/" + ServiceClient.encoded(invocation.required(0)) + "/warm-up"
    invocation.show(try await ServiceClient(invocation).post(path, .object(body)), sheet)
  }

  /// Used of what may be used; nothing without a limit.
  private static func people(_ number: JSONValue) -> String {
    let usable = number.text("people_24h.usable")
    return usable.isEmpty ? "" : number.text("people_24h.used") + " of " + usable
  }

  private static func today(_ number: JSONValue) -> String {
    let people = number.text("warm_up.people_today")
    return people.isEmpty ? "" : number.text("warm_up.used_today") + " of " + people
  }

  private static func sheet(_ number: JSONValue) -> String {
    var sheet = Sheet()
    sheet.add("number", number.text("phone_number_id"))
    sheet.add("phone", number.text("phone"))
    sheet.add("label", number.text("label"))
    sheet.add("state", number.text("state"))
    sheet.add("", number.text("state_reason.text"))
    sheet.add("quality", number.text("quality_text"))
    sheet.add(
      "rate", number.text("throughput.per_second") + "/s, campaigns " + number.text("throughput.free_per_second") + "/s"
    )
    sheet.add("tier", number.text("tier"))
    sheet.add("people/24h", people(number))
    sheet.add("free at", number.time("people_24h.free_at"))
    sheet.add("warming up", today(number).isEmpty ? "" : today(number) + " today, over on " + number.text("warm_up.ends"))
    sheet.add("currency", number.text("currency") + ", " + number.text("zone"))
    sheet.add("seen", number.time("observed_at"))
    sheet.add("warning", number.text("warning"))
    return sheet.text
  }
}

/// Names and values, one a line; what is empty is left out.
struct Sheet {
  private var lines: [(String, String)] = []

  mutating func add(_ name: String, _ value: String) {
    guard !value.isEmpty else { return }
    lines.append((name, value))
  }

  var text: String {
    let width = lines.map(\.0.count).max() ?? 0
    return lines.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2) + Terminal.isolated(value)
    }.joined(separator: "\n")
  }
}
