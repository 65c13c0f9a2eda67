import CloudAPI
import Domain
import JSON
import Postgres
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
    let plan = FreezePlan(
      spec, category: subject.category, business: subject.business, accountZone: subject.accountZone,
      senderPhones: subject.senderPhones, bodyRoom: ParameterFault.bodyLimit - definition.body.fixedLength)
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
    FrozenCampaign.json(
      name: subject.template.name, language: subject.template.language, parameterFormat: subject.template.format,
      version: subject.template.version, components: try JSONValue(parsing: subject.template.components),
      spec: try JSONValue(parsing: subject.spec)
    ).rendered()
  }
}
