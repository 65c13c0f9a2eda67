import CloudAPI
import Domain
import JSON
import Postgres
import Schedule
import Store

/// Freezes a launched campaign when its time has come: people, order, parameter values and the template's text.
enum Preparation {
  static func run(
    _ campaign: Campaign.ID, lateAfter: Duration, now: Instant, pool: Pool,
    log: @Sendable (String, [(String, String)]) -> Void
  ) async throws {
    guard try await Preparing.begin(campaign, on: pool), let subject = try await Preparing.subject(campaign, on: pool) else {
      return
    }
    let spec: CampaignSpec
    let definition: TemplateDefinition
    do {
      spec = try CampaignSpec(json: try JSONValue(parsing: subject.spec))
      definition = try TemplateDefinition(
        name: subject.template.name, language: subject.template.language, parameterFormat: subject.template.format,
        components: try JSONValue(parsing: subject.template.components))
    } catch {
      return try await Preparing.fail(campaign, code: "unreadable", text: "The stored campaign can't be read: \(error)", on: pool)
    }
    guard subject.template.status == "APPROVED" else {
      return try await Preparing.fail(
        campaign, code: "template_not_approved",
        text: "Meta's status of the template \(subject.template.name) is \(subject.template.status), not APPROVED.", on: pool)
    }
    // The wait of a launch is not lateness: late is what starts long after both.
    let planned = max(subject.startAt ?? now, subject.launchedAt ?? now)
    if now - planned > lateAfter + .seconds(60) {
      switch spec.schedule.ifLate {
      case .run: break
      case .skip:
        return try await Preparing.fail(
          campaign, code: "late", text: "Its start at \(planned) was missed, and it says to skip then.", on: pool)
      case .hold:
        try await Preparing.holdLate(
          campaign, business: subject.business, reason: "Its start at \(planned) was missed; someone must resume it.", on: pool)
      }
    }
    let plan = FreezePlan(spec, subject, definition)
    do {
      let done = try await Freeze.run(plan, campaign: campaign, frozen: frozen(subject), on: pool)
      try await Tending.analyze(campaign, on: pool)
      log(
        "campaign_prepared",
        [
          ("campaign", campaign.description), ("recipients", String(done.recipients)), ("excluded", String(done.excluded)),
        ])
    } catch FreezeError.overtaken {
      log("campaign_overtaken", [("campaign", campaign.description)])
    }
  }

  /// What sending needs of the campaign from now on, whatever becomes of the template: the text's version it was launched
  /// with and the request with its defaults.
  static func frozen(_ subject: Preparing.Subject) throws -> [UInt8] {
    let template: JSONObject = [
      "name": .string(subject.template.name), "language": .string(subject.template.language),
      "parameter_format": .string(subject.template.format), "version": .number(String(subject.template.version)),
      "components": try JSONValue(parsing: subject.template.components),
    ]
    return JSONValue.object(["template": .object(template), "spec": try JSONValue(parsing: subject.spec)]).rendered()
  }
}

extension FreezePlan {
  /// What the campaign's request and the template's text make of the freeze.
  init(_ spec: CampaignSpec, _ subject: Preparing.Subject, _ definition: TemplateDefinition) {
    let marketing = subject.category == .marketing || subject.category == .marketingLite
    var other = subject.accountZone
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
      business: subject.business, audiences: spec.audience.ids, marketing: marketing,
      requireOptIn: spec.requireOptIn ?? marketing, otherZone: other)
    attributes = spec.audience.conditions.map { ($0.attribute, $0.value) }
    values = spec.template.parameters.ordered.map(\.source)
    let headers = spec.template.parameters.header.count
    bodyValues = headers..<headers + spec.template.parameters.body.count
    bodyRoom = ParameterFault.bodyLimit - definition.body.fixedLength
    senderPhones = subject.senderPhones
    // Meta delivers no marketing to phones of the United States (131049), so nobody there is tried.
    if marketing { blockedCountries = ["US"] }
    self.zones = zones
  }
}
