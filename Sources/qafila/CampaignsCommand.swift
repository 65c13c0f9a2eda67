import Domain
import JSON
import Postgres
import Store

enum CampaignsCommand {
  private static let why = Option("reason", "TEXT", "why")

  static let commands = [
    Command(
      words: ["campaigns", "create"], arguments: ["FILE"],
      summary: "make a draft from a JSON file (- is standard input)",
      options: [Option("dry-run", nil, "store nothing, only show what it would come to"), Commands.json],
      settings: Setting.client, run: create),
    Command(
      words: ["campaigns", "forecast"], arguments: ["WHAT"],
      summary: "what a JSON file or a draft would come to: people, hours, cost, warnings", options: [Commands.json],
      settings: Setting.client, run: ForecastSheet.show),
    Command(
      words: ["campaigns", "list"], summary: "campaigns, the newest first",
      options: [Option("limit", "N", "at most so many (50 unless given)"), Commands.json], settings: Setting.client,
      run: list),
    Command(
      words: ["campaigns", "show"], arguments: ["ID"], summary: "one campaign: state, counts, cost",
      options: [Commands.json],
      settings: Setting.client, run: show),
    Command(
      words: ["campaigns", "watch"], arguments: ["ID"],
      summary: "follow a campaign with a progress bar until it has ended",
      options: [
        Option("until", "WHEN", "sent: all handed over; done (unless given): every result is in"), Commands.json,
      ], settings: Setting.client, run: CampaignWatch.run),
    Command(
      words: ["campaigns", "preview"], arguments: ["ID"], summary: "the message for five real people of the audience",
      options: [Commands.json], settings: Setting.client, run: preview),
    Command(
      words: ["campaigns", "test"], arguments: ["ID", "-"],
      summary: "send to named phones now; phones from standard input",
      options: [Option("default-region", "CC", "country of numbers without +"), Commands.json],
      settings: Setting.client, run: test),
    Command(
      words: ["campaigns", "launch"], arguments: ["ID"], summary: "start a draft; the first message leaves 60 s later",
      details: ["Above 10,000 people it asks you to type their number, unless --yes is given."],
      options: [
        Option("now", nil, "skip the wait of 60 s"),
        Option("start-at", "TIME", "when the draft names no start: RFC 3339, or now"),
        Option("yes", nil, "do not ask"), why, Commands.json,
      ], settings: Setting.client, run: launch),
    Command(
      words: ["campaigns", "pause"], arguments: ["ID"],
      summary: "stop a campaign at once; works on the database when the service is down",
      options: [why, Commands.json], settings: Setting.client + [.databaseURL], run: pause),
    Command(
      words: ["campaigns", "resume"], arguments: ["ID"], summary: "let a campaign go on",
      options: [
        Option("reason", "TEXT", "why it may go on; required"),
        Option("cause", "WORD", "end only pauses of this cause", isRepeatable: true), Commands.json,
      ], settings: Setting.client, run: resume),
    Command(
      words: ["campaigns", "cancel"], arguments: ["ID"], summary: "end a campaign for good",
      options: [why, Commands.json],
      settings: Setting.client, run: cancel),
    Command(
      words: ["campaigns", "resend"], arguments: ["ID"],
      summary: "write again to everybody whose message ended unresolved",
      details: ["Meta may have taken the first message: some get it twice. A receipt that came since is heeded."],
      options: [Option("reason", "TEXT", "why a second copy is the smaller harm; required"), Commands.json],
      settings: Setting.client, run: resend),
    Command(
      words: ["campaigns", "pace"], arguments: ["ID"], summary: "another pace while it runs",
      options: [
        Option("per-second", "N", "messages in any second, over all its numbers"),
        Option("per-minute", "N", "messages in any minute"), Option("per-hour", "N", "messages in any hour"),
        Option("spread-until", "TIME", "instead: so slow that the last leave about then"),
        Option("jitter", "WORD", "none, or human (needs at most 0.8 of what the numbers allow)"), why, Commands.json,
      ], settings: Setting.client, run: pace),
    Command(
      words: ["campaigns", "budget"], arguments: ["ID"], summary: "another budget while it runs; one that was used up goes on",
      options: BudgetsCommand.limits + [Commands.json], settings: Setting.client,
      run: { invocation in
        invocation.show(
          try await ServiceClient(invocation).post(
            path(invocation, "budget"), .object(try BudgetsCommand.body(invocation)))
        ) { CampaignSheet.text($0) }
      }),
    Command(
      words: ["campaigns", "recipients"], arguments: ["ID"], summary: "one row per person, with the reason",
      options: [
        Option("state", "WORDS", "only these states (comma between)"),
        Option("limit", "N", "at most so many (100 unless given)"),
        Commands.json,
      ], settings: Setting.client, run: recipients),
  ]

  private static func path(_ invocation: Invocation, _ action: String = "") -> String {
    "/v1/campaigns/" + ServiceClient.encoded(invocation.required(0)) + (action.isEmpty ? "" : "/" + action)
  }

  private static func create(_ invocation: Invocation) async throws {
    let json = try document(invocation.required(0))
    let isDry = invocation.has("dry-run")
    let answer = try await ServiceClient(invocation).post("/v1/campaigns", json, [("dry_run", isDry ? "true" : nil)])
    invocation.show(answer) { CampaignSheet.text($0) }
  }

  /// A file of JSON, - being standard input.
  static func document(_ name: String) throws -> JSONValue {
    guard let bytes = Files.read(name) else { throw UsageError("The file \(name) cannot be read: \(Files.reason()).") }
    do {
      return try JSONValue(parsing: bytes)
    } catch {
      throw UsageError("The file \(name) is not JSON: \(error).")
    }
  }

  private static func list(_ invocation: Invocation) async throws {
    guard let limit = Int(invocation.option("limit") ?? "50"), limit > 0 else {
      throw UsageError("--limit is a number above 0.")
    }
    invocation.showList(
      try await ServiceClient(invocation).all("/v1/campaigns", limit: limit),
      [
        ("id", .right, { $0.text("id") }), ("name", .left, { $0.text("name") }), ("state", .left, { $0.text("state") }),
        ("recipients", .right, { $0.text("recipients") }), ("excluded", .right, { $0.text("excluded") }),
        ("by", .left, { $0.text("created_by") }), ("created", .left, { $0.time("created_at") }),
      ])
  }

  private static func show(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).get(path(invocation))) { CampaignSheet.text($0) }
  }

  private static func preview(_ invocation: Invocation) async throws {
    let answer = try await ServiceClient(invocation).post(path(invocation, "preview"))
    invocation.show(answer) { answer in
      (answer["items"]?.arrayValue ?? []).map { person in
        var sheet = Sheet()
        sheet.add("for", person.text("chosen_as") + "  " + person.text("phone"))
        for name in ["header", "media", "body", "footer", "buttons"] { sheet.add(name, person.text(name)) }
        return sheet.text
      }.joined(separator: "\n\n")
    }
  }

  private static func test(_ invocation: Invocation) async throws {
    guard invocation.required(1) == "-", let bytes = Files.read("-") else {
      throw UsageError(
        "Phones never stand on a command line.",
        remedy: "Give them on standard input: echo +20… | qafila campaigns test ID -")
    }
    let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
    var body: JSONObject = ["phones": .array(lines.filter { !$0.allSatisfy(\.isWhitespace) }.map { .string($0) })]
    if let region = invocation.option("default-region") { body.append("default_region", .string(region)) }
    invocation.show(try await ServiceClient(invocation).post(path(invocation, "test"), .object(body))) {
      "Test \($0.text("id")) is sending; qafila campaigns recipients \($0.text("id")) shows what becomes of it."
    }
  }

  private static func launch(_ invocation: Invocation) async throws {
    let client = try ServiceClient(invocation)
    var body = JSONObject()
    if invocation.has("now") { body.append("now", true) }
    if let start = invocation.option("start-at") { body.append("start_at", .string(start)) }
    if let reason = invocation.option("reason") { body.append("reason", .string(reason)) }
    if !invocation.has("yes") { try await confirm(invocation, client) }
    invocation.show(try await client.post(path(invocation, "launch"), .object(body))) { CampaignSheet.text($0) }
  }

  /// Above 10,000 people somebody types the number: it is the last look before they are written to.
  private static func confirm(_ invocation: Invocation, _ client: ServiceClient) async throws {
    let campaign = try await client.get(path(invocation))
    guard let spec = campaign["spec"], campaign.text("state") == "draft" else { return }
    let forecast = try await client.post("/v1/campaigns", spec, [("dry_run", "true")])["forecast"] ?? .null
    let people = Int(forecast["recipients"]?.int64Value ?? 0)
    guard people > 10_000 else { return }
    guard Terminal.asksPeople else {
      throw UsageError(
        "\(Progress.grouped(people)) people would be written to.", remedy: "Add --yes to launch without being asked.")
    }
    Terminal.say(
      "\(campaign.text("name")): \(Progress.grouped(people)) people, about \(forecast.text("cost.expected")) "
        + "\(forecast.text("cost.currency")). Type the number of people to launch:")
    let typed = (readLine() ?? "").filter { $0.isASCII && $0.isNumber }
    guard Int(typed) == people else {
      Terminal.say("Not launched.")
      throw ExitCode.refused
    }
  }

  private static func pause(_ invocation: Invocation) async throws {
    try await Brake.pull(invocation) { client in
      _ = try await client.post(path(invocation, "pause"), invocation.reason)
    } directly: { pool in
      guard let id = Int64(invocation.required(0)).map({ Campaign.ID($0) }),
        let business = try await Campaigns.business(of: id, on: pool)
      else {
        Terminal.say("There is no campaign \(invocation.required(0)).")
        throw ExitCode.missing
      }
      try await Campaigns.pause(
        id, of: business, cause: .operator, by: "cli", reason: invocation.option("reason") ?? "", on: pool)
    }
    invocation.show(["paused": true]) { _ in
      "Paused. qafila campaigns resume \(invocation.required(0)) --reason TEXT lets it go on."
    }
  }

  private static func resume(_ invocation: Invocation) async throws {
    guard case .object(var body) = invocation.reason else { return }
    if let causes = invocation.options["cause"] { body.append("causes", .array(causes.map { .string($0) })) }
    invocation.show(try await ServiceClient(invocation).post(path(invocation, "resume"), .object(body))) {
      CampaignSheet.text($0)
    }
  }

  private static func cancel(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).post(path(invocation, "cancel"), invocation.reason)) {
      CampaignSheet.text($0)
    }
  }

  private static func resend(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).post(path(invocation, "resend"), invocation.reason)) {
      CampaignSheet.text($0)
    }
  }

  private static func pace(_ invocation: Invocation) async throws {
    var body = JSONObject()
    for unit in ["per_second", "per_minute", "per_hour"] {
      guard let text = invocation.option(unit.replacing("_", with: "-")) else { continue }
      guard let pace = Int(text), pace > 0 else { throw UsageError("A pace is a whole number above 0, not \(text).") }
      body.append(unit, .number(String(pace)))
    }
    if let time = invocation.option("spread-until") { body.append("spread_until", .string(time)) }
    for name in ["jitter", "reason"] { if let text = invocation.option(name) { body.append(name, .string(text)) } }
    invocation.show(try await ServiceClient(invocation).post(path(invocation, "pace"), .object(body))) {
      CampaignSheet.text($0)
    }
  }

  private static func recipients(_ invocation: Invocation) async throws {
    guard let limit = Int(invocation.option("limit") ?? "100"), limit > 0 else {
      throw UsageError("--limit is a number above 0.")
    }
    invocation.showList(
      try await ServiceClient(invocation).all(
        path(invocation, "recipients"), [("state", invocation.option("state")), ("limit", String(min(1000, limit)))],
        limit: limit),
      [
        ("ref", .left, { $0.text("recipient_ref") }), ("phone", .left, { $0.text("phone") }),
        ("state", .left, { $0.text("state") }),
        ("reason", .left, { $0.text("state_reason.code") }), ("handed", .left, { $0.time("handed_at") }),
        ("delivered", .left, { $0.time("delivered_at") }), ("cost", .right, { $0.text("cost.amount") }),
      ])
  }
}

/// A campaign for people.
enum CampaignSheet {
  static func text(_ campaign: JSONValue) -> String {
    var sheet = Sheet()
    sheet.add("campaign", campaign.text("id"))
    sheet.add("name", campaign.text("name"))
    sheet.add("state", campaign.text("state"))
    sheet.add("", campaign.text("state_reason.text"))
    sheet.add("starts", campaign.time("start_at"))
    sheet.add("people", campaign.text("audience_text"))
    if let pace = campaign["pace"] ?? campaign["spec"]?["pace"] {
      let limit = pace.objectValue?.first { $0.0.hasPrefix("per_") || $0.0 == "spread_until" }
      sheet.add(
        "pace",
        (limit.map { $0.1.plain + " " + $0.0.replacing("_", with: " ") } ?? "") + ", jitter " + pace.text("jitter"))
    }
    if let budget = campaign["budget"] {
      sheet.add("budget", "\(BudgetsCommand.limit(budget)), \(budget.text("reserved")) reserved, \(budget.text("left")) left")
    }
    for step in campaign["pilot"]?["opened"]?.arrayValue ?? [] {
      let judged = step["judged_at"].map { $0.isNull } ?? true ? "" : ", judged " + step.time("judged_at")
      sheet.add("pilot step \(step.text("step"))", "to \(grouped(step.text("people"))) people, opened \(step.time("opened_at"))\(judged)")
    }
    if let forecast = campaign["forecast"] { ForecastSheet.add(forecast, to: &sheet) }
    if let counts = campaign["counts"] {
      sheet.add("audience", grouped(counts.text("audience")))
      for (reason, count) in counts["excluded_by_reason"]?.objectValue ?? [] {
        sheet.add("  excluded: \(reason.replacing("_", with: " "))", grouped(count.plain))
      }
      sheet.add("recipients", grouped(counts.text("recipients")))
      for (state, count) in counts["states"]?.objectValue ?? [] where count.int64Value != 0 {
        sheet.add("  \(state.replacing("_", with: " "))", grouped(count.plain))
      }
      for name in ["replied", "clicked", "opted_out"] where counts[name]?.int64Value ?? 0 > 0 {
        sheet.add(name.replacing("_", with: " "), grouped(counts.text(name)))
      }
    }
    for cost in campaign["cost"]?.arrayValue ?? [] {
      sheet.add("cost", "\(cost.text("amount")) \(cost.text("currency")) for \(cost.text("charged")) charged messages")
      if cost.text("unpriced") != "0" { sheet.add("unpriced", cost.text("unpriced") + " messages") }
    }
    return sheet.text
  }

  static func grouped(_ text: String) -> String { Int(text).map(Progress.grouped) ?? text }
}
