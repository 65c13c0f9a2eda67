import Domain
import JSON
import Store
import Testing

@Suite struct `A campaign's request` {
  static let full = """
    {"name": " Ramadan 1 ", "from": ["+20 10 0123 4567"],
     "template": {"name": "ramadan_offer", "language": "ar", "stop_button": 0,
       "parameters": {"body": [{"attr": "الاسم", "fallback": "عميلنا العزيز"}, "20%"], "buttons": {"1": "summer"}}},
     "audience": {"id": "7", "where": {"city": "القاهرة"}},
     "schedule": {"start_at": "2027-02-09T20:30:00+02:00", "window": {"start": "20:30", "end": "00:30"},
       "end_at": "2027-02-12T00:00:00Z"},
     "pace": {"per_second": 20}}
    """

  static func spec(_ text: String) throws -> CampaignSpec {
    try CampaignSpec(json: try JSONValue(parsing: Array(text.utf8)))
  }

  /// The full request with one field changed by its path; null removes.
  static func changed(_ path: [String], to value: JSONValue?) throws -> JSONValue {
    func change(_ json: JSONValue?, _ rest: ArraySlice<String>) -> JSONValue? {
      guard let name = rest.first else { return value }
      var object = JSONObject()
      if case .object(let given)? = json { object = given }
      object[name] = change(object[name], rest.dropFirst())
      return .object(object)
    }
    return change(try JSONValue(parsing: Array(full.utf8)), path[...]) ?? .null
  }

  static func problem(_ path: [String], _ value: JSONValue?) throws -> Problem? {
    do throws(Problem) {
      _ = try CampaignSpec(json: try! changed(path, to: value))
      return nil
    } catch { return error }
  }

  @Test func `reads what the design shows`() throws {
    let spec = try Self.spec(Self.full)
    #expect(spec.name == "Ramadan 1")
    #expect(
      spec.schedule.window?.start == 1230 && spec.schedule.window?.end == 30 && spec.schedule.window?.zone == .recipient
    )
    #expect(spec.schedule.ifLate == .hold)
    #expect(spec.pace.limit == 20)
    #expect(
      spec.template.parameters.ordered.map(\.field) == [
        "template.parameters.body[0]", "template.parameters.body[1]", "template.parameters.buttons.1",
      ])
    #expect(spec.template.parameters.body[0].source == .attribute("الاسم", fallback: "عميلنا العزيز"))
  }

  @Test func `reads to the same value from its own rendering`() throws {
    var spec = try Self.spec(Self.full)
    #expect(try CampaignSpec(json: spec.json) == spec)
    try spec.applyDefaults(category: .marketing, policy: .standard, perSecondLimit: 80, perSecondFree: 64)
    let echoed = try JSONValue(parsing: spec.json.rendered())
    #expect(try CampaignSpec(json: echoed) == spec)
    #expect(echoed["require_opt_in"]?.boolValue == true)
    #expect(echoed["pace"]?["jitter"]?.stringValue == "human")
    #expect(echoed["frequency_cap"]?.stringValue == "none" && echoed["undeliverable_days"]?.int64Value == 30)
    #expect(echoed["blocked_countries"]?.arrayValue == ["US"] && echoed["holdout"]?["percent"]?.doubleValue == 0)
  }

  @Test func `takes the pace its numbers leave free when it names none`() throws {
    var spec = try CampaignSpec(json: try Self.changed(["pace"], to: nil))
    try spec.applyDefaults(category: .utility, policy: .standard, perSecondLimit: 80, perSecondFree: 64)
    #expect(spec.pace.limit == 64 && spec.pace.unit == .second && spec.pace.jitter == .human)
    #expect(spec.requireOptIn == false)
  }

  @Test func `refuses human jitter where the limit leaves no room`() throws {
    var spec = try CampaignSpec(json: try Self.changed(["pace"], to: ["per_second": 70, "jitter": "human"]))
    #expect(throws: Problem.self) { try spec.applyDefaults(category: .utility, policy: .standard, perSecondLimit: 80, perSecondFree: 64) }
    var silent = try CampaignSpec(json: try Self.changed(["pace"], to: ["per_second": 70]))
    try silent.applyDefaults(category: .utility, policy: .standard, perSecondLimit: 80, perSecondFree: 64)
    #expect(silent.pace.jitter == CampaignSpec.Pace.Jitter.none)
  }

  @Test func `names the field and the remedy of whatever it refuses`() throws {
    let cases: [([String], JSONValue?, String, String)] = [
      (["name"], nil, "name", "field_missing"),
      (["name"], "  ", "name", "field_invalid"),
      (["from"], [], "from", "field_invalid"),
      (["from"], ["a", "a"], "from[1]", "field_invalid"),
      (["template"], "x", "template", "field_invalid"),
      (["template", "language"], ["attr": "lang", "default": "ar"], "template.language", "not_supported"),
      (["template", "parameters", "body"], ["a\nb"], "template.parameters.body[0]", "parameter_invalid"),
      (
        ["template", "parameters", "body"], [["attr": "x", "fallback": "a     b"]],
        "template.parameters.body[0].fallback", "parameter_invalid"
      ),
      (
        ["template", "parameters", "body"], [["attr": "x", "format": "money"]], "template.parameters.body[0].format",
        "not_supported"
      ),
      (["template", "parameters", "buttons"], ["01": "x"], "template.parameters.buttons.01", "field_invalid"),
      (["template", "carousel"], [], "template.carousel", "not_supported"),
      (["audience", "id"], [], "audience.id", "field_invalid"),
      (["audience", "id"], ["1", 1], "audience.id[1]", "field_invalid"),
      (["audience", "where", "age"], ["gt": "three"], "audience.where.age.gt", "field_invalid"),
      (["schedule", "start_at"], "2027-02-09 20:30", "schedule.start_at", "field_invalid"),
      (["schedule", "end_at"], "2027-02-01T00:00:00Z", "schedule.end_at", "field_invalid"),
      (["schedule", "window"], "sometimes", "schedule.window", "field_invalid"),
      (["schedule", "window", "end"], "20:30", "schedule.window.end", "field_invalid"),
      (["schedule", "if_late"], "never", "schedule.if_late", "field_invalid"),
      (["pace"], ["per_second": 0], "pace.per_second", "field_invalid"),
      (["pace"], ["per_second": 1, "per_hour": 1], "pace.per_hour", "field_invalid"),
      (["budget"], ["amount": "700.00"], "budget.currency", "field_missing"),
      (["guard", "pilot"], ["size": 5], "guard.pilot.size", "field_invalid"),
      (["guard", "max_opt_out"], 2, "guard.max_opt_out", "field_invalid"),
      (["guard", "pause_at"], "GREEN", "guard.pause_at", "field_invalid"),
      (["frequency_cap"], 2, "frequency_cap", "field_invalid"),
      (["frequency_cap"], ["messages": 2], "frequency_cap.days", "field_missing"),
      (["frequency_cap"], ["messages": 0, "days": 7], "frequency_cap.messages", "field_invalid"),
      (["blocked_countries"], ["USA"], "blocked_countries[0]", "field_invalid"),
      (["undeliverable_days"], -1, "undeliverable_days", "field_invalid"),
      (["holdout"], ["percent": 51], "holdout.percent", "field_invalid"),
      (["holdout"], 5, "holdout", "field_invalid"),
      (["shedule"], [:], "shedule", "field_unknown"),
    ]
    for (path, value, field, code) in cases {
      let problem = try Self.problem(path, value)
      #expect(
        problem?.field == field && problem?.code == code && problem?.status == 422,
        "\(path) gave \(String(describing: problem))")
      #expect(problem?.remedy?.isEmpty == false)
    }
    #expect(try Self.problem(["shedule"], [:])?.remedy == "Did you mean \"schedule\"?")
    #expect(try Self.problem(["variants"], [:])?.remedy == "not supported yet; leave it out")
  }
}
