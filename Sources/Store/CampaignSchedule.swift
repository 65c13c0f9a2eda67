import Domain
import JSON

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

      static let standard = Hours(start: 9 * 60, end: 21 * 60, zone: .recipient)
    }

    /// What happens to those whose time has passed when they could leave at last.
    public enum LateRule: String, CaseIterable, Sendable { case run, skip, hold }

    /// Nil in a draft that does not say it yet; the launch must.
    public var start: Start?
    /// Nil: at any hour.
    public var window: Hours?
    public var end: Instant?
    public var ifLate: LateRule

    init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(
        json, at: path, known: ["start_at", "window", "end_at", "if_late"],
        later: ["recurrence", "repeat", "calendar", "days"])
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
      end = try fields.instant("end_at")
      if case .at(let start)? = start, let end, end <= start {
        throw .invalid(
          fields.path(to: "end_at"), "It ends before it starts.",
          remedy: "Write an end after start_at, or leave it out.")
      }
      ifLate = try fields.word("if_late", LateRule.self) ?? .hold
    }

    var json: JSONValue {
      var object = JSONObject()
      switch start {
      case .now: object.append("start_at", "now")
      case .at(let instant): object.append("start_at", .string(instant.rfc3339()))
      case nil: break
      }
      object.append("window", window?.json ?? "always")
      if let end { object.append("end_at", .string(end.rfc3339())) }
      object.append("if_late", .string(ifLate.rawValue))
      return .object(object)
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
    let fields = try Fields(json, at: path, known: ["start", "end", "zone"], later: ["days", "calendar"])
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
  }

  var json: JSONValue {
    func clock(_ minutes: Int) -> JSONValue {
      func two(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
      return .string(two(minutes / 60) + ":" + two(minutes % 60))
    }
    let place: String
    switch zone {
    case .recipient: place = "recipient"
    case .named(let name): place = name
    }
    return ["start": clock(start), "end": clock(end), "zone": .string(place)]
  }
}
