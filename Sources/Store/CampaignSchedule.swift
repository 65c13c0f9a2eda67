import Domain
import JSON
import Schedule

extension CampaignSpec {
  /// When messages may leave.
  public struct SchedulePart: Sendable, Equatable {
    public enum Start: Sendable, Equatable {
      /// As soon as it is launched. It must be written: nothing is sent by accident.
      case now
      case at(Instant)
    }

    /// Hours of the day, in a zone.
    public struct Hours: Sendable, Equatable {
      public enum Place: Sendable, Equatable {
        /// Each person's own; of a country with several zones, all of them must agree.
        case recipient
        /// An IANA name.
        case named(String)
      }
      /// Minutes after midnight. An end before the start is one of the next day: 20:30–00:30 belongs to the day it
      /// starts.
      public var start: Int
      public var end: Int
      public var zone: Place
      public var days: Opening.Days

      static let standard = Hours(start: 9 * 60, end: 21 * 60, zone: .recipient, days: .listed(.all))
    }

    /// Whose blackouts hold.
    public enum Calendars: Sendable, Equatable {
      /// All that the business has loaded, those of tomorrow included.
      case all
      case named([String])
    }

    /// Launched again and again, by a recurrence rule whose start is `start`.
    public struct Repeats: Sendable, Equatable {
      /// RFC 5545, as `Schedule.Recurrence` takes it.
      public let rule: String
      /// Nil: the account's.
      public let zone: String?
    }

    /// How many people become due each day.
    public enum PerDay: Sendable, Equatable {
      case people(Int)
      /// As many as Meta's limit of the numbers allows; resolved when the request is checked.
      case tier
    }

    /// What happens to those whose time has passed when they could leave at last.
    public enum LateRule: String, CaseIterable, Sendable { case run, skip, hold }

    /// Nil in a draft that does not say it yet; the launch must.
    public var start: Start?
    /// Nil: at any hour.
    public var window: Hours?
    public var calendars: Calendars
    public var end: Instant?
    public var ifLate: LateRule
    public var repeats: Repeats?
    public var perDay: PerDay?

    init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(
        json, at: path, known: ["start_at", "window", "calendars", "end_at", "if_late", "repeat", "per_day"],
        later: ["recurrence"])
      if fields["start_at"]?.stringValue == "now" {
        start = .now
      } else {
        start = try fields.instant("start_at").map { .at($0) }
      }
      switch fields["window"] {
      case nil: window = .standard
      case .string("always"): window = nil
      case let value?: window = try Hours(json: value, at: fields.path(to: "window"))
      }
      // "At any hour" is meant as written, unless calendars are named beside it.
      calendars = try CampaignSpec.SchedulePart.calendars(fields) ?? (window == nil ? .named([]) : .all)
      end = try fields.instant("end_at")
      if case .at(let start)? = start, let end, end <= start {
        throw .invalid(
          fields.path(to: "end_at"), "It ends before it starts.",
          remedy: "Write an end after start_at, or leave it out.")
      }
      ifLate = try fields.word("if_late", LateRule.self) ?? .hold
      repeats = try fields["repeat"].map { (value) throws(Problem) in
        try Repeats(json: value, at: fields.path(to: "repeat"))
      }
      if repeats != nil, start == .now {
        throw .invalid(
          fields.path(to: "start_at"), "A campaign that repeats names its first start.",
          remedy: "Write a time: its time of day is that of every launch.")
      }
      if fields["per_day"]?.stringValue == "tier" {
        perDay = .tier
      } else {
        perDay = try fields.integer("per_day", in: 1...10_000_000).map { .people(Int($0)) }
      }
    }

    var json: JSONValue {
      var object = JSONObject()
      switch start {
      case .now: object.append("start_at", "now")
      case .at(let instant): object.append("start_at", .string(instant.rfc3339()))
      case nil: break
      }
      object.append("window", window?.json ?? "always")
      switch calendars {
      case .all: object.append("calendars", "all")
      case .named(let names): object.append("calendars", .array(names.map { .string($0) }))
      }
      if let end { object.append("end_at", .string(end.rfc3339())) }
      object.append("if_late", .string(ifLate.rawValue))
      if let repeats { object.append("repeat", repeats.json) }
      switch perDay {
      case .people(let people): object.append("per_day", .number(String(people)))
      case .tier: object.append("per_day", "tier")
      case nil: break
      }
      return .object(object)
    }

    private static func calendars(_ fields: Fields) throws(Problem) -> Calendars? {
      let path = fields.path(to: "calendars")
      let remedy = "Write \"all\", or a list of the calendars' names; an empty list means none."
      guard let value = fields["calendars"] else { return nil }
      if value.stringValue == "all" { return .all }
      guard let members = value.arrayValue, members.count <= 20 else {
        throw .invalid(path, "Here \"all\" or a list of at most 20 names is expected.", remedy: remedy)
      }
      var names: [String] = []
      for (index, member) in members.enumerated() {
        guard let text = member.stringValue else {
          throw .invalid("\(path)[\(index)]", "A calendar's name is a text.", remedy: remedy)
        }
        names.append(try Fields.checked(text, at: "\(path)[\(index)]", limit: 60))
      }
      return .named(names)
    }

    /// Whether the clocks of where people are matter at all: then they are sorted by zone.
    public var isTimed: Bool { window != nil || calendars != .named([]) }

    /// What the schedule and the calendars as they are now say together.
    public func opening(_ loaded: [BlackoutCalendar]) -> Opening {
      let kept =
        switch calendars {
        case .all: loaded
        case .named(let names): loaded.filter { names.contains($0.name) }
        }
      guard let window else { return Opening(window: nil, calendars: kept) }
      // Minutes that the request checked always make a window; days are never none.
      var listed = Weekdays.all
      if case .listed(let days) = window.days { listed = days }
      return Opening(
        window: Window(start: window.start, end: window.end, days: listed), days: window.days, calendars: kept)
    }
  }
}

extension CampaignSpec.SchedulePart.Hours {
  init(json: JSONValue, at path: String) throws(Problem) {
    guard case .object = json else {
      throw .invalid(
        path, "A window is an object or the word \"always\".",
        remedy: "Write {\"start\": \"09:00\", \"end\": \"21:00\", \"zone\": \"recipient\"} or \"always\".")
    }
    let fields = try Fields(json, at: path, known: ["start", "end", "zone", "days"], later: ["calendar"])
    let remedy = "Write hours and minutes, e.g. 09:00."
    func minutes(_ name: String) throws(Problem) -> Int {
      let text = try fields.requiredText(name, limit: 10, remedy: remedy)
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].utf8.count == 2, parts[1].utf8.count == 2, let hour = Int(parts[0]),
        let minute = Int(parts[1]), (0...24).contains(hour), (0...59).contains(minute), hour < 24 || minute == 0
      else { throw .invalid(fields.path(to: name), "This is not a time of the day.", remedy: remedy) }
      return hour * 60 + minute
    }
    start = try minutes("start") % 1440
    end = try minutes("end") % 1440
    guard start != end else {
      throw .invalid(
        fields.path(to: "end"), "The window is empty.", remedy: "Write another end, or \"window\": \"always\".")
    }
    let word = try fields.text("zone", limit: 60) ?? "recipient"
    zone = word == "recipient" ? .recipient : .named(word)
    days = try Self.days(fields)
  }

  private static func days(_ fields: Fields) throws(Problem) -> Opening.Days {
    guard let value = fields["days"] else { return .listed(.all) }
    if value.stringValue == "workdays" { return .workdays }
    let words = value.arrayValue?.compactMap(\.stringValue) ?? []
    guard let days = Weekdays(words: words), !days.isEmpty, words.count == value.arrayValue?.count else {
      throw .invalid(
        fields.path(to: "days"), "These are not days of the week.",
        remedy: "Write a list of mon, tue, wed, thu, fri, sat, sun, or \"workdays\".")
    }
    return .listed(days)
  }

  public var json: JSONValue {
    func clock(_ minutes: Int) -> JSONValue {
      func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
      return .string(two(minutes / 60) + ":" + two(minutes % 60))
    }
    let place: String
    switch zone {
    case .recipient: place = "recipient"
    case .named(let name): place = name
    }
    var object: JSONObject = ["start": clock(start), "end": clock(end), "zone": .string(place)]
    switch days {
    case .workdays: object.append("days", "workdays")
    case .listed(.all): break
    case .listed(let days): object.append("days", .array(days.words.map { .string($0) }))
    }
    return .object(object)
  }
}

extension CampaignSpec.SchedulePart.Repeats {
  init(json: JSONValue, at path: String) throws(Problem) {
    let remedy = "Write e.g. {\"rule\": \"FREQ=WEEKLY;BYDAY=TU\", \"zone\": \"Africa/Cairo\"}."
    let fields = try Fields(json, at: path, known: ["rule", "zone"])
    rule = try fields.requiredText("rule", limit: 300, remedy: remedy)
    do {
      _ = try Recurrence(rule)
    } catch {
      throw .invalid(fields.path(to: "rule"), "This rule can't be followed: \(error.reason)", remedy: remedy)
    }
    zone = try fields.text("zone", limit: 60)
  }

  var json: JSONValue {
    var object: JSONObject = ["rule": .string(rule)]
    if let zone { object.append("zone", .string(zone)) }
    return .object(object)
  }
}
