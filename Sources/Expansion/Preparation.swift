import CloudAPI
import Domain
import JSON
import Postgres
import Store

/// Freezes a launched campaign's people, their order and parameter values, as soon as it is launched: whoever is
/// loaded, and whatever is edited, between launch and start changes nothing of it. Who says stop meanwhile is the gate's
/// matter.
enum Preparation {
  static func run(
    _ campaign: Campaign.ID, now: Instant, pool: Pool, log: @Sendable (String, [(String, String)]) -> Void
  ) async throws {
    guard let subject = try await Preparing.begin(campaign, on: pool) else { return }
    var launched: FrozenCampaign.Reading
    let definition: TemplateDefinition
    do {
      launched = try FrozenCampaign.read(subject.frozen)
      definition = try TemplateDefinition(
        name: launched.name, language: launched.language, parameterFormat: launched.parameterFormat,
        components: launched.components)
    } catch {
      return try await Preparing.fail(
        campaign, code: "unreadable", text: "The stored campaign can't be read: \(error)", on: pool)
    }
    // The record keeps no order of named parameters; the text's own is everybody's.
    launched.spec.template.order(header: definition.headerNames, body: definition.body.names)
    var plan = FreezePlan(
      launched.spec, category: subject.category, business: subject.business, accountZone: subject.accountZone,
      senderPhones: subject.senderPhones, bodyRoom: ParameterFault.bodyLimit - definition.body.fixedLength, now: now)
    if subject.numbers.count > 1 { plan.numbers = subject.numbers }
    plan.pilot = FreezePlan.sampling(launched.spec.guarding.pilot, isTemplateKnown: subject.isTemplateKnown)
    do {
      let done = try await Freeze.run(plan, campaign: campaign, on: pool)
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
}

/// Lets a frozen campaign send when its time has come.
enum Start {
  /// False when its people are still being frozen: to be asked again.
  static func run(
    _ campaign: Campaign.ID, lateAfter: Duration, now: Instant, pool: Pool,
    log: @Sendable (String, [(String, String)]) -> Void
  ) async throws -> Bool {
    guard let waiting = try await Preparing.starter(campaign, on: pool) else { return true }
    guard waiting.isPrepared else { return false }
    let spec = try FrozenCampaign.read(waiting.frozen).spec
    guard waiting.template.status == "APPROVED" else {
      try await Preparing.fail(
        campaign, code: "template_not_approved",
        text: "Meta's status of the template \(waiting.template.name) is \(waiting.template.status), not APPROVED.",
        on: pool)
      return true
    }
    // The wait of a launch is not lateness: late is what starts long after both.
    let planned = max(waiting.startAt ?? now, waiting.launchedAt ?? now)
    if now - planned > lateAfter + .seconds(60) {
      switch spec.schedule.ifLate {
      case .run: break
      case .skip:
        try await Preparing.fail(
          campaign, code: "late", text: "Its start at \(planned) was missed, and it says to skip then.", on: pool)
        return true
      case .hold:
        try await Preparing.holdLate(
          campaign, business: waiting.business, reason: "Its start at \(planned) was missed; someone must resume it.",
          on: pool)
      }
    }
    if try await Preparing.start(campaign, on: pool) { log("campaign_started", [("campaign", campaign.description)]) }
    return true
  }
}
