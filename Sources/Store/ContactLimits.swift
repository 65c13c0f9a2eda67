import Domain
import JSON

/// Whom a campaign leaves alone although they are in its audience and may be written to. A business has a policy of
/// these; a campaign that says nothing takes the policy's, and its draft shows what it took.
public struct ContactLimits: Sendable, Equatable {
  /// At most so many marketing messages to one person in any so many days, over all campaigns.
  public struct FrequencyCap: Sendable, Equatable {
    public let messages: Int16
    public let days: Int32

    public init(messages: Int16, days: Int32) { (self.messages, self.days) = (messages, days) }
  }

  /// Each nil where nothing is said; see `filled`.
  public var frequencyCap: FrequencyCap??
  /// Of the phone, ISO 3166.
  public var blockedCountries: [String]?
  /// Phones that Meta could not deliver to within so many days; 0 looks at none.
  public var undeliverableDays: Int?
  /// Hundredths of a percent of all people, by a hash that never changes: who is held out of one campaign is held out of
  /// the next, and a larger share holds out the same people and more.
  public var holdout: Int?

  public init() {}

  /// What holds until a business says otherwise. Meta delivers no marketing to phones of the United States (131049).
  public static let standard: ContactLimits = {
    var limits = ContactLimits()
    limits.frequencyCap = .some(nil)
    limits.blockedCountries = ["US"]
    limits.undeliverableDays = 30
    limits.holdout = 0
    return limits
  }()
  /// What is not marketing leaves nobody alone unless its campaign says so.
  public static let none: ContactLimits = {
    var limits = ContactLimits()
    limits.frequencyCap = .some(nil)
    limits.blockedCountries = []
    limits.undeliverableDays = 0
    limits.holdout = 0
    return limits
  }()

  /// These, and the other's where these say nothing.
  public func filled(from other: ContactLimits) -> ContactLimits {
    var limits = self
    limits.frequencyCap = frequencyCap ?? other.frequencyCap
    limits.blockedCountries = blockedCountries ?? other.blockedCountries
    limits.undeliverableDays = undeliverableDays ?? other.undeliverableDays
    limits.holdout = holdout ?? other.holdout
    return limits
  }
}

/// `{"frequency_cap": {"messages": 2, "days": 7}, "blocked_countries": ["US"], "undeliverable_days": 30,
/// "holdout": {"percent": 5}}`; `"frequency_cap": "none"` takes a cap away.
extension ContactLimits {
  static let names = ["frequency_cap", "blocked_countries", "undeliverable_days", "holdout"]

  public init(json: JSONValue) throws(Problem) {
    try self.init(try Fields(json, known: ContactLimits.names))
  }

  init(_ fields: Fields) throws(Problem) {
    switch fields["frequency_cap"] {
    case nil: break
    case .string("none")?: frequencyCap = .some(nil)
    case let value?:
      let place = fields.path(to: "frequency_cap")
      let remedy = "Write {\"messages\": 2, \"days\": 7}, or \"none\"."
      guard case .object = value else {
        throw .invalid(place, "A frequency cap is so many messages in so many days.", remedy: remedy)
      }
      let parts = try Fields(value, at: place, known: ["messages", "days"], later: ["hours"])
      guard let messages = try parts.integer("messages", in: 1...1000),
        let days = try parts.integer("days", in: 1...365)
      else { throw .missing(parts["messages"] == nil ? place + ".messages" : place + ".days", remedy: remedy) }
      frequencyCap = FrequencyCap(messages: Int16(messages), days: Int32(days))
    }
    if let value = fields["blocked_countries"] {
      let place = fields.path(to: "blocked_countries")
      let remedy = "Write a list of countries' two letters, e.g. [\"US\"], or [] for none."
      guard let list = value.arrayValue, list.count <= 250 else {
        throw .invalid(place, "Here a list of countries is expected.", remedy: remedy)
      }
      var countries: [String] = []
      for (index, member) in list.enumerated() {
        guard let text = member.stringValue, text.utf8.count == 2,
          text.utf8.allSatisfy({ (0x41...0x5A).contains($0 & 0xDF) })
        else { throw .invalid("\(place)[\(index)]", "This is no country.", remedy: remedy) }
        if !countries.contains(text.uppercased()) { countries.append(text.uppercased()) }
      }
      blockedCountries = countries
    }
    undeliverableDays = try fields.integer("undeliverable_days", in: 0...365).map { Int($0) }
    if let value = fields["holdout"] {
      let parts = try Fields(value, at: fields.path(to: "holdout"), known: ["percent"], later: ["group"])
      guard let percent = parts["percent"]?.doubleValue, (0...50).contains(percent) else {
        throw .invalid(
          parts.path(to: "percent"), "Here a share of the people is expected.", remedy: "Write a number from 0 to 50.")
      }
      holdout = Int((percent * 100).rounded())
    }
  }

  /// What is said, in its own names.
  public var json: JSONObject {
    var object = JSONObject()
    switch frequencyCap {
    case nil: break
    case .some(nil): object.append("frequency_cap", "none")
    case .some(let cap?):
      object.append(
        "frequency_cap", ["messages": .number(String(cap.messages)), "days": .number(String(cap.days))])
    }
    if let blockedCountries { object.append("blocked_countries", .array(blockedCountries.map { .string($0) })) }
    if let undeliverableDays { object.append("undeliverable_days", .number(String(undeliverableDays))) }
    if let holdout {
      let (whole, rest) = holdout.quotientAndRemainder(dividingBy: 100)
      let fraction = rest == 0 ? "" : rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)"
      object.append("holdout", ["percent": .number("\(whole)\(fraction)")])
    }
    return object
  }
}
