import Domain
import JSON
import Schedule

/// What sending needs of a campaign from its freeze on, whatever becomes of the template: the text it was launched with
/// and the request with its defaults.
public enum FrozenCampaign {
  public static func json(
    name: String, language: String, parameterFormat: String, version: Int, components: JSONValue, spec: JSONValue
  ) -> JSONValue {
    [
      "template": [
        "name": .string(name), "language": .string(language), "parameter_format": .string(parameterFormat),
        "version": .number(String(version)), "components": components,
      ],
      "spec": spec,
    ]
  }
}

extension FreezePlan {
  /// What a campaign's request makes of its freeze. `bodyRoom`: the characters that the template's own text leaves.
  public init(
    _ spec: CampaignSpec, category: Category, business: Business.ID, accountZone: String, senderPhones: [PhoneNumber],
    bodyRoom: Int
  ) {
    let marketing = category == .marketing || category == .marketingLite
    var other = accountZone
    var zones: [(digits: Int, zone: String)] = []
    switch spec.schedule.window?.zone {
    case .named(let name): other = name
    case .recipient, nil:
      // Without a window everybody is of one class: no zone to wait for, no order but the contacts'.
      if spec.schedule.window != nil {
        zones = PhoneZones.byLeadingDigits.map { ($0.digits, $0.zones.joined(separator: ",")) }
      }
    }
    self.init(
      business: business, audiences: spec.audience.ids, marketing: marketing,
      requireOptIn: spec.requireOptIn ?? marketing,
      otherZone: other)
    attributes = spec.audience.conditions.map { ($0.attribute, $0.value) }
    values = spec.template.parameters.ordered.map(\.source)
    let headers = spec.template.parameters.header.count
    bodyValues = headers..<headers + spec.template.parameters.body.count
    self.bodyRoom = bodyRoom
    self.senderPhones = senderPhones
    // Meta delivers no marketing to phones of the United States (131049), so nobody there is tried.
    if marketing { blockedCountries = ["US"] }
    self.zones = zones
  }
}
