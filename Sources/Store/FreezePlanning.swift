import Domain
import JSON
import Schedule

/// What sending needs of a campaign from its launch on, whatever becomes of the template: the text it was launched with
/// and the request with its defaults.
public struct FrozenCampaign: Sendable {
  public let template: Template.ID
  public let category: Category
  /// `{"template": {"name", "language", "parameter_format", "version", "components"}, "spec"}`
  public let json: [UInt8]

  public init(_ spec: CampaignSpec, _ template: Templates.Entry) throws {
    self.template = template.id
    category = template.seen.category
    let frozen: JSONValue = ["template": try FrozenCampaign.text(template), "spec": spec.json]
    json = frozen.rendered()
  }

  /// A template's text as it is now.
  static func text(_ template: Templates.Entry) throws -> JSONValue {
    let seen = template.seen
    return [
      "name": .string(seen.name), "language": .string(seen.language), "parameter_format": .string(seen.parameterFormat),
      "version": .number(String(template.version)), "components": try JSONValue(parsing: seen.components),
    ]
  }

  /// What `json` says, for those who render or plan by it.
  public struct Reading: Sendable {
    public var spec: CampaignSpec
    public let name: String
    public let language: String
    public let parameterFormat: String?
    public let version: Int
    public let components: JSONValue
  }

  public static func read(_ json: [UInt8]) throws -> Reading {
    let frozen = try JSONValue(parsing: json)
    guard let text = frozen["template"], let spec = frozen["spec"] else {
      throw JSONError(reason: "template or spec is missing")
    }
    return Reading(
      spec: try CampaignSpec(json: spec), name: text["name"]?.stringValue ?? "",
      language: text["language"]?.stringValue ?? "", parameterFormat: text["parameter_format"]?.stringValue,
      version: Int(text["version"]?.int64Value ?? 0), components: text["components"] ?? .null)
  }
}

extension FreezePlan {
  /// What a campaign's request makes of its freeze. `bodyRoom`: the characters that the template's own text leaves.
  public init(
    _ spec: CampaignSpec, category: Category, business: Business.ID, accountZone: String, senderPhones: [PhoneNumber],
    bodyRoom: Int, now: Instant
  ) {
    let marketing = category == .marketing || category == .marketingLite
    var other = accountZone
    var zones: [(digits: Int, zone: String)] = []
    var ownZones: [String] = []
    switch spec.schedule.window?.zone {
    case .named(let name): other = name
    case .recipient, nil:
      // Without hours to keep everybody is of one class: no zone to wait for, no order but the contacts'.
      if spec.schedule.isTimed {
        ownZones = ZoneCountries.zones
        zones = PhoneZones.byLeadingDigits.map { ($0.digits, $0.zones.joined(separator: ",")) }
      }
    }
    self.init(
      business: business, audiences: spec.audience.ids, marketing: marketing,
      requireOptIn: spec.requireOptIn ?? marketing,
      otherZone: other, now: now)
    segments = spec.audience.segments
    values = spec.template.parameters.ordered.map(\.source)
    let headers = spec.template.parameters.header.count
    bodyValues = headers..<headers + spec.template.parameters.body.count
    self.bodyRoom = bodyRoom
    self.senderPhones = senderPhones
    // A request of before these were written down means what was the rule then.
    let limits = spec.limits.filled(from: marketing ? .standard : .none)
    blockedCountries = limits.blockedCountries ?? []
    if let days = limits.undeliverableDays, days > 0 { undeliverableSince = now - .seconds(86_400 * days) }
    holdout = limits.holdout ?? 0
    if let cap = limits.frequencyCap ?? nil, let end = spec.schedule.end { frequencyCap = (cap, end) }
    (self.zones, self.ownZones) = (zones, ownZones)
    if case .people(let people)? = spec.schedule.perDay { drip = Drip(perDay: people) }
    if case .at(let instant)? = spec.schedule.start { start = instant }
    dripZone = accountZone
  }
}
