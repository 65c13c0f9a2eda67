import JSON

/// A forecast for people: who, when, how much, and what to mind.
enum ForecastSheet {
  /// `qafila campaigns forecast`: of a file, or of a draft by its id. Nothing is stored.
  static func show(_ invocation: Invocation) async throws {
    let word = invocation.required(0)
    let client = try ServiceClient(invocation)
    let spec: JSONValue
    if word.allSatisfy({ $0.isASCII && $0.isNumber }) {
      spec = try await client.get("/v1/campaigns/" + ServiceClient.encoded(word))["spec"] ?? .null
    } else {
      spec = try CampaignsCommand.document(word)
    }
    let answer = try await client.post("/v1/campaigns", spec, [("dry_run", "true")])["forecast"] ?? .null
    invocation.show(answer) { forecast in
      var sheet = Sheet()
      add(forecast, to: &sheet)
      for hour in forecast["curve"]?.arrayValue ?? [] {
        sheet.add(hour.time("hour"), CampaignSheet.grouped(hour.text("messages")))
      }
      return sheet.text
    }
  }

  static func add(_ forecast: JSONValue, to sheet: inout Sheet) {
    sheet.add("audience", CampaignSheet.grouped(forecast.text("audience")))
    for (reason, count) in forecast["excluded_by_reason"]?.objectValue ?? [] {
      sheet.add("  excluded: \(reason.replacing("_", with: " "))", CampaignSheet.grouped(count.plain))
    }
    sheet.add("recipients", CampaignSheet.grouped(forecast.text("recipients")))
    sheet.add("first message", forecast.time("starts_at"))
    sheet.add("last message", forecast.time("finishes_at"))
    for stretch in (forecast["limits"]?.arrayValue ?? []).prefix(12) {
      let limit = stretch.text("kind").isEmpty ? stretch.text("limit") : stretch.text("kind")
      sheet.add("  \(limit.replacing("_", with: " "))", "\(stretch.time("from")) to \(stretch.time("until"))")
    }
    sheet.add(
      "cost",
      "low \(forecast.text("cost.low")), about \(forecast.text("cost.expected")), at most \(forecast.text("cost.high")) "
        + forecast.text("cost.currency"))
    if forecast.text("cost.unpriced_people") != "0" {
      sheet.add("unpriced", forecast.text("cost.unpriced_people") + " people")
    }
    if let pilot = forecast["pilot"] {
      let steps = (pilot["steps"]?.arrayValue ?? []).map { CampaignSheet.grouped($0.plain) }.joined(separator: ", ")
      sheet.add("pilot", "a sample first; judged after \(steps) people")
    }
    if let budget = forecast["budget"] {
      sheet.add("budget", "\(BudgetsCommand.limit(budget)), for \(CampaignSheet.grouped(budget.text("covers"))) people")
    }
    for warning in forecast["warnings"]?.arrayValue ?? [] { sheet.add("mind", warning.text("text")) }
  }
}
