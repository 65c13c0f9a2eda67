import JSON

enum PolicyCommand {
  static let commands = [
    Command(
      words: ["policy", "show"], summary: "whom campaigns leave alone unless they say otherwise",
      options: [Commands.json], settings: Setting.client, run: show),
    Command(
      words: ["policy", "set"], summary: "change it for the drafts to come; what is not given stays",
      options: [
        Option("frequency-cap", "N/DAYS", "marketing messages to one person in so many days, e.g. 2/7; or none"),
        Option("blocked-countries", "CC,CC", "no marketing to phones of these countries; none for no country"),
        Option("undeliverable-days", "N", "leave out whom Meta could not deliver to in so many days; 0 for nobody"),
        Option("holdout", "PERCENT", "leave out this share of all people, always the same ones"), Commands.json,
      ], settings: Setting.client, run: set),
  ]

  private static func show(_ invocation: Invocation) async throws {
    invocation.show(try await ServiceClient(invocation).get("/v1/policy"), sheet)
  }

  private static func set(_ invocation: Invocation) async throws {
    var object = JSONObject()
    if let cap = invocation.option("frequency-cap") {
      let parts = cap.split(separator: "/").compactMap { Int64($0) }
      if cap == "none" {
        object.append("frequency_cap", "none")
      } else if parts.count == 2 {
        object.append(
          "frequency_cap", ["messages": .number(String(parts[0])), "days": .number(String(parts[1]))])
      } else {
        throw UsageError("--frequency-cap is written like 2/7, or none.")
      }
    }
    if let list = invocation.option("blocked-countries") {
      let countries = list == "none" ? [] : list.split(separator: ",").map { JSONValue.string(String($0)) }
      object.append("blocked_countries", .array(countries))
    }
    if let days = invocation.option("undeliverable-days") {
      guard Int(days) != nil else { throw UsageError("--undeliverable-days is a number of days.") }
      object.append("undeliverable_days", .number(days))
    }
    if let share = invocation.option("holdout") {
      guard let percent = Double(share) else { throw UsageError("--holdout is a number from 0 to 50.") }
      object.append("holdout", ["percent": .number(String(percent))])
    }
    guard !object.fields.isEmpty else { throw UsageError("Nothing to change: give at least one option.") }
    invocation.show(try await ServiceClient(invocation).post("/v1/policy", .object(object)), sheet)
  }

  private static func sheet(_ answer: JSONValue) -> String {
    var sheet = Sheet()
    let cap = answer["frequency_cap"]
    sheet.add(
      "frequency cap",
      cap?["messages"] == nil
        ? "none" : "\(answer.text("frequency_cap.messages")) in \(answer.text("frequency_cap.days")) days")
    let blocked = answer.text("blocked_countries")
    sheet.add("blocked countries", blocked.isEmpty ? "none" : blocked)
    sheet.add("undeliverable", answer.text("undeliverable_days") + " days")
    sheet.add("holdout", answer.text("holdout.percent") + " %")
    sheet.add("changed", answer.text("by") + " " + answer.time("changed_at"))
    return sheet.text
  }
}
