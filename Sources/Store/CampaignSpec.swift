import Domain
import JSON
import Money

/// What a campaign was asked to do: the request of `POST /v1/campaigns`, read strictly, with every default applied.
///
/// What it takes: `json` gives back a request that reads to the same value. Whether the template, the numbers and the
/// audience exist is not its matter.
public struct CampaignSpec: Sendable, Equatable {
  public var name: String
  /// As written: `phone_number_id`, display number or label.
  public var from: [String]
  public var template: TemplatePart
  public var audience: AudiencePart
  public var schedule: SchedulePart
  public var pace: Pace
  /// Only those with a recorded marketing consent. Nil until the template's category decides it; see `applyDefaults`.
  public var requireOptIn: Bool?
  /// Whom it leaves alone. Incomplete until `applyDefaults`.
  public var limits: ContactLimits

  /// What may be reserved for it; nil: as much as it takes.
  public var budget: Budget?

  /// What stops it by itself.
  public var guarding: Guarding

  /// Beside other campaigns of a number: one of 3 beside one of 1 gets three of four messages.
  public var priority = 1

  static let known =
    ["name", "from", "template", "audience", "schedule", "pace", "priority", "guard", "require_opt_in", "budget"]
    + ContactLimits.names
  /// Fields of later work: refused by name, so that nobody believes in a limit that nothing keeps.
  static let later = [
    "recurrence", "variants", "approval",
    "warm_up", "seed_list", "reserve_for_others", "ttl", "messages",
  ]

  public init(json: JSONValue) throws(Problem) {
    let fields = try Fields(json, known: CampaignSpec.known, later: CampaignSpec.later)
    name = try fields.requiredText("name", limit: 120, remedy: "Give the campaign a name that people will recognise.")
    from = try CampaignSpec.senders(try fields.required("from", "Name the number or numbers to send from."))
    template = try TemplatePart(
      json: try fields.required("template", "Name the template and its language."), at: "template")
    audience = try AudiencePart(
      json: try fields.required("audience", "Name the audience: {\"id\": \"…\"}."), at: "audience")
    schedule = try SchedulePart(json: fields["schedule"] ?? .object(JSONObject()), at: "schedule")
    pace = try Pace(json: fields["pace"] ?? .object(JSONObject()), at: "pace")
    guarding = try fields["guard"].map { json throws(Problem) in try Guarding(json: json, at: "guard") } ?? Guarding()
    priority = Int(try fields.integer("priority", in: 1...10) ?? 1)
    budget = try fields["budget"].map { json throws(Problem) in try Budget(json: json, at: "budget") }
    requireOptIn = try fields.flag("require_opt_in")
    limits = try ContactLimits(fields)
  }

  /// Fills what depends on the template and the numbers: consent is required for marketing; the pace is what the
  /// numbers allow together, less what they keep for desk replies; its jitter looks human where the numbers leave room
  /// for it; whom it leaves alone is the business's `policy`, for marketing.
  ///
  /// Throws when the pace asked for leaves no room for the jitter asked for: at a number's very limit only the slack
  /// can be jittered, so `human` needs a pace of at most 0.8 of it.
  public mutating func applyDefaults(
    category: Category, policy: ContactLimits, perSecondLimit: Int, perSecondFree: Int
  ) throws(Problem) {
    let marketing = category == .marketing || category == .marketingLite
    requireOptIn = requireOptIn ?? marketing
    if !marketing, case .some(.some) = limits.frequencyCap {
      throw .invalid(
        "frequency_cap", "A frequency cap is of marketing, and this template is \(category.word).",
        remedy: "Leave it out, or use a marketing template.")
    }
    limits = limits.filled(from: marketing ? policy : .none)
    if pace.limit == nil, pace.spreadUntil == nil { (pace.limit, pace.unit) = (max(1, perSecondFree), .second) }
    let tooFast = Double(pace.limit ?? 1) > 0.8 * Double(perSecondLimit * pace.unit.seconds)
    if pace.jitter == .human, tooFast {
      throw .invalid(
        "pace.jitter",
        "Human jitter needs a pace of at most 0.8 of what the numbers allow (\(perSecondLimit) per second).",
        remedy: "Lower the pace to \(max(1, perSecondLimit * 8 / 10)) per second, or write \"jitter\": \"none\".")
    }
    pace.jitter = pace.jitter ?? (tooFast ? Pace.Jitter.none : .human)
  }

  public var json: JSONValue {
    var object: JSONObject = [
      "name": .string(name), "from": .array(from.map { .string($0) }), "template": template.json,
      "audience": audience.json,
      "schedule": schedule.json,
    ]
    if let pace = pace.json { object.append("pace", pace) }
    object.append("priority", .number(String(priority)))
    object.append("guard", guarding.json)
    if let budget { object.append("budget", budget.json) }
    if let requireOptIn { object.append("require_opt_in", .bool(requireOptIn)) }
    for field in limits.json.fields { object.append(field.key, field.value) }
    return .object(object)
  }

  private static func senders(_ value: JSONValue) throws(Problem) -> [String] {
    let remedy = "Write a phone_number_id, a display number or a label, or a list of them."
    let members = value.arrayValue ?? [value]
    guard (1...40).contains(members.count) else {
      throw .invalid("from", "From 1 to 40 numbers are expected.", remedy: remedy)
    }
    var senders: [String] = []
    for (index, member) in members.enumerated() {
      let path = value.arrayValue == nil ? "from" : "from[\(index)]"
      guard let text = member.stringValue else { throw .invalid(path, "Here a text is expected.", remedy: remedy) }
      let sender = try Fields.checked(text, at: path, limit: 60)
      guard !senders.contains(sender) else {
        throw .invalid(path, "This number stands here twice.", remedy: "Name it once.")
      }
      senders.append(sender)
    }
    return senders
  }
}

extension CampaignSpec {
  /// Who is meant: the members of one or several audiences, of these a saved segment's, of these `filter`'s.
  public struct AudiencePart: Sendable, Equatable {
    /// A segment as the draft found it under its name: a later change of it moves nobody in or out.
    public struct Saved: Sendable, Equatable {
      public let name: String
      /// Nil until it is looked up.
      public var segment: Segment?
    }
    /// In the order written: a person in several counts for the first.
    public var ids: [Audience.ID]
    public var saved: Saved?
    public var filter: Segment?

    /// All that narrows the audience; both hold.
    public var segments: [Segment] { [saved?.segment, filter].compactMap { $0 } }

    public init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(json, at: path, known: ["id", "where", "segment"], later: ["exclude", "sample", "not"])
      let value = try fields.required("id", "Write the audience's id, or a list of ids.")
      let members = value.arrayValue ?? [value]
      guard (1...50).contains(members.count) else {
        throw .invalid(
          fields.path(to: "id"), "From 1 to 50 audiences are expected.", remedy: "Write an id or a list of ids.")
      }
      ids = []
      for (index, member) in members.enumerated() {
        let place = fields.path(to: "id") + (value.arrayValue == nil ? "" : "[\(index)]")
        let id: Audience.ID = try Fields.identifier(member, at: place)
        guard !ids.contains(id) else {
          throw .invalid(place, "This audience stands here twice.", remedy: "Name it once.")
        }
        ids.append(id)
      }
      switch fields["segment"] {
      case nil: break
      case .object?:
        let place = fields.path(to: "segment")
        let parts = try Fields(fields["segment"] ?? .null, at: place, known: ["name", "where"])
        let name = try parts.requiredText("name", limit: 100, remedy: "Name the saved segment.")
        let filter = try parts.required("where", "Write the segment's name alone, as a text.")
        saved = Saved(name: name, segment: try Segment.read(filter, at: place + ".where"))
      case _?:
        saved = Saved(name: try fields.requiredText("segment", limit: 100, remedy: "Name the saved segment."))
      }
      filter = try fields["where"].flatMap { value throws(Problem) in
        try Segment.read(value, at: fields.path(to: "where"))
      }
    }

    public var json: JSONValue {
      var object: JSONObject = [
        "id": ids.count == 1 ? .string(ids[0].description) : .array(ids.map { .string($0.description) })
      ]
      if let saved {
        let name = JSONValue.string(saved.name)
        object.append("segment", saved.segment.map { ["name": name, "where": $0.json] } ?? name)
      }
      if let filter { object.append("where", filter.json) }
      return .object(object)
    }
  }

  /// How fast, over all numbers of the campaign together.
  public struct Pace: Sendable, Equatable {
    public enum Unit: String, CaseIterable, Sendable {
      case second = "per_second"
      case minute = "per_minute"
      case hour = "per_hour"
      public var seconds: Int {
        switch self {
        case .second: 1
        case .minute: 60
        case .hour: 3600
        }
      }
    }
    public enum Jitter: String, CaseIterable, Sendable { case none, human }

    /// Messages in any window of one `unit`. Nil until `applyDefaults`; a stored campaign always has it, or the next.
    public var limit: Int?
    public var unit: Unit
    /// Instead: so slow that the last leave about then. Planned anew while it runs.
    public var spreadUntil: Instant?
    public var jitter: Jitter?

    public init(json: JSONValue, at path: String) throws(Problem) {
      let units = Unit.allCases.map(\.rawValue)
      let fields = try Fields(json, at: path, known: units + ["spread_until", "jitter"], later: ["per_day", "warm_up"])
      (limit, unit) = (nil, .second)
      for candidate in Unit.allCases {
        guard let value = try fields.integer(candidate.rawValue, in: 1...Int64(10_000 * candidate.seconds)) else {
          continue
        }
        guard limit == nil else {
          throw .invalid(
            fields.path(to: candidate.rawValue), "The pace stands here twice.",
            remedy: "Write one of \(units.joined(separator: ", ")).")
        }
        (limit, unit) = (Int(value), candidate)
      }
      spreadUntil = try fields.instant("spread_until")
      if spreadUntil != nil, limit != nil {
        throw .invalid(
          fields.path(to: "spread_until"), "The pace stands here twice.",
          remedy: "Write either spread_until or \(unit.rawValue).")
      }
      jitter = try fields.word("jitter", Jitter.self)
    }

    public var json: JSONValue? {
      var object = JSONObject()
      if let limit { object.append(unit.rawValue, .number(String(limit))) }
      if let spreadUntil { object.append("spread_until", .string(spreadUntil.rfc3339())) }
      if let jitter { object.append("jitter", .string(jitter.rawValue)) }
      return object.fields.isEmpty ? nil : .object(object)
    }
  }
}
