import CloudAPI
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Schedule
import Store

/// Holds a campaign's request against what exists: numbers, template, audience. Each failure names its field.
struct CampaignCheck: Sendable {
  struct Checked: Sendable {
    var draft: Campaigns.Draft
    let numbers: [Numbers.Entry]
    let template: Templates.Entry
    let message: TemplateMessage
    let plan: FreezePlan
  }

  let services: APIServices
  let business: Business.ID

  /// `isDryRun`: a template that Meta has not approved yet is no obstacle; the forecast says so.
  func check(_ given: CampaignSpec, isDryRun: Bool = false, now: Instant = .now) async throws -> Checked {
    var spec = given
    try checkTimes(spec.schedule, spec.pace, now: now)
    let numbers = try await numbers(spec.from)
    let account = numbers[0].account
    let template = try await template(spec.template, account: account, isDryRun: isDryRun)
    let definition = try template.definition()
    spec.template.order(header: definition.headerNames, body: definition.body.names)
    let message = try CampaignCheck.message(spec.template, definition)
    try await AudienceCheck(services: services, business: business).check(&spec.audience)
    try await calendars(spec.schedule)
    try spec.budget?.check(billedIn: [numbers[0].currency], at: "budget.")
    try spec.applyDefaults(
      category: template.seen.category, policy: try await ContactPolicies.read(of: business, on: services.pool).limits,
      perSecondLimit: numbers.reduce(0) { $0 + $1.limit },
      perSecondFree: numbers.reduce(0) { $0 + $1.free })
    if spec.schedule.perDay == .tier { spec.schedule.perDay = .people(try tier(of: numbers)) }
    let draft = Campaigns.Draft(
      spec: spec, account: account, template: template.id, category: template.seen.category, numbers: numbers.map(\.id))
    let own = try await Numbers.list(of: business, on: services.pool).map(\.phone)
    var plan = FreezePlan(
      spec, category: template.seen.category, business: business, accountZone: numbers[0].zone, senderPhones: own,
      bodyRoom: ParameterFault.bodyLimit - definition.body.fixedLength, now: now)
    plan.pilot = FreezePlan.sampling(
      spec.guarding.pilot, isTemplateKnown: try await Templates.wasSent(template.id, on: services.pool))
    return Checked(draft: draft, numbers: numbers, template: template, message: message, plan: plan)
  }

  // MARK: Times

  private func checkTimes(_ schedule: CampaignSpec.SchedulePart, _ pace: CampaignSpec.Pace, now: Instant) throws(Problem) {
    if case .at(let start)? = schedule.start, start < now - .seconds(300) {
      throw Problem.invalid(
        "schedule.start_at", "This start is in the past.", remedy: "Write a time to come, or \"now\".")
    }
    if let end = schedule.end, end <= now {
      throw Problem.invalid(
        "schedule.end_at", "This end is in the past.", remedy: "Write a time to come, or leave it out.")
    }
    if let until = pace.spreadUntil {
      var start = now
      if case .at(let planned)? = schedule.start { start = max(start, planned) }
      guard until > start else {
        throw Problem.invalid(
          "pace.spread_until", "This is not after the start.", remedy: "Write when the last message shall leave.")
      }
      if let end = schedule.end, until > end {
        throw Problem.invalid(
          "pace.spread_until", "The campaign ends before: the rest would expire.",
          remedy: "Write a time that is not after schedule.end_at.")
      }
      if schedule.perDay != nil {
        throw Problem.invalid(
          "pace.spread_until", "People a day and a time to spread over do not go together.",
          remedy: "Leave out one of schedule.per_day and pace.spread_until.")
      }
      if schedule.repeats != nil {
        throw Problem.invalid(
          "pace.spread_until", "A campaign that repeats has no one time to spread over.",
          remedy: "Write a pace, e.g. \"per_minute\".")
      }
    }
    if let zone = schedule.repeats?.zone, Zones.named(zone) == nil {
      throw Problem.invalid(
        "schedule.repeat.zone", "There is no time zone of this name.", remedy: "Write an IANA name, e.g. Africa/Cairo.")
    }
    if case .named(let name)? = schedule.window?.zone {
      do throws(ZoneError) {
        _ = try Zone(named: name)
      } catch {
        throw Problem.invalid(
          "schedule.window.zone", "There is no time zone of this name.",
          remedy: "Write \"recipient\" or an IANA name, e.g. \"Africa/Cairo\".")
      }
    }
  }

  /// Named calendars exist. One that is removed later closes nothing any more.
  private func calendars(_ schedule: CampaignSpec.SchedulePart) async throws {
    guard case .named(let names) = schedule.calendars, !names.isEmpty else { return }
    let known = try await Calendars.list(of: business, on: services.pool).map(\.name)
    for (index, name) in names.enumerated() where !known.contains(name) {
      throw Problem(
        422, "calendar_unknown", "There is no such calendar.", detail: "No calendar has this name.",
        field: "schedule.calendars[\(index)]",
        remedy: NearestWord.to(name, among: known).map { "Did you mean \"\($0)\"?" }
          ?? "Load it with POST /v1/calendars/{name}, or write \"all\".")
    }
  }

  /// The people of a day by Meta's limit, less the headroom: a message accepted today may count tomorrow.
  private func tier(of numbers: [Numbers.Entry]) throws(Problem) -> Int {
    guard let people = numbers.compactMap({ PeopleLimit.people(ofTier: $0.tier) }).max() else {
      throw .invalid(
        "schedule.per_day", "Meta has not told a limit of these numbers, or there is none.",
        remedy: "Write a number of people.")
    }
    return PeopleLimit.usable(people, headroomPercent: services.tierHeadroomPercent)
  }

  // MARK: Numbers

  func numbers(_ from: [String], at field: (Int) -> String = { "from[\($0)]" }) async throws -> [Numbers.Entry] {
    var numbers: [Numbers.Entry] = []
    for (index, word) in from.enumerated() {
      let path = field(index)
      let found = try await Numbers.find(word, of: business, on: services.pool)
      guard let entry = found.first else {
        throw Problem(
          422, "number_unknown", "A number is not registered here.",
          detail: "No registered number has this id, phone or label.",
          field: path, remedy: "Register it with POST /v1/numbers, or take one from GET /v1/numbers.")
      }
      guard found.count == 1 else {
        throw Problem(
          422, "label_not_unique", "Several numbers have this label.",
          detail: "\(found.count) numbers have this label.",
          field: path, remedy: "Write the phone_number_id.")
      }
      guard ["CONNECTED", "FLAGGED", "UNKNOWN"].contains(entry.status) else {
        throw Problem(
          422, "number_not_connected", "A number is not connected at Meta.",
          detail: "Meta's status of it is \(entry.status).",
          field: path, remedy: "Register it at Meta (its PIN is needed), then register it here again.")
      }
      guard !numbers.contains(where: { $0.id == entry.id }) else {
        throw Problem.invalid(path, "This number stands here twice.", remedy: "Name it once.")
      }
      if let first = numbers.first, first.account != entry.account {
        throw Problem(
          422, "numbers_of_several_accounts", "The numbers belong to different accounts.",
          detail: "Templates and the bill belong to one WhatsApp Business Account.", field: path,
          remedy: "Make one campaign for each account.")
      }
      numbers.append(entry)
    }
    return numbers
  }

  // MARK: Template

  func template(_ part: CampaignSpec.TemplatePart, account: Account.ID, isDryRun: Bool) async throws
    -> Templates.Entry
  {
    let named = try await Templates.named(part.name, account: account, on: services.pool)
    guard !named.isEmpty else {
      let known = try await Templates.list(of: business, on: services.pool).filter { $0.account == account }
      let nearest = NearestWord.to(part.name, among: known.map(\.seen.name))
      throw Problem(
        422, "template_unknown", "There is no such template.", detail: "The account has no template of this name.",
        field: "template.name",
        remedy: nearest.map { "Did you mean \"\($0)\"? Else synchronise: POST /v1/templates/sync." }
          ?? "Synchronise the templates (POST /v1/templates/sync), or check the name at Meta.")
    }
    guard let entry = named.first(where: { $0.seen.language == part.language.replacing("-", with: "_") }) else {
      throw Problem(
        422, "template_language_unknown", "The template does not exist in this language.",
        detail: "It exists in: \(named.map(\.seen.language).joined(separator: ", ")).", field: "template.language",
        remedy: "Write one of these.")
    }
    guard entry.seen.status == "APPROVED" || isDryRun else {
      throw Problem(
        422, "template_not_approved", "The template cannot be sent.",
        detail: "Meta's status of it is \(entry.seen.status).",
        field: "template.name", remedy: "Only APPROVED templates can be sent; synchronise after Meta's approval.")
    }
    return entry
  }

  /// The template with its values' sources; says which parameters are too many or too few.
  static func message(_ part: CampaignSpec.TemplatePart, _ definition: TemplateDefinition) throws(Problem)
    -> TemplateMessage
  {
    func count(_ place: String, _ wanted: [String], _ given: [CampaignSpec.TemplatePart.Parameter]) throws(Problem) {
      let field = "template.parameters." + place
      if definition.isNamed, let stray = given.first(where: { $0.name == nil || !wanted.contains($0.name ?? "") }) {
        let names = wanted.map { "\"\($0)\"" }.joined(separator: ", ")
        throw Problem(
          422, "parameter_unknown", "The template has no such parameter.",
          detail: "The template's \(place) has named parameters: \(names.isEmpty ? "none" : names).",
          field: stray.name.map { field + "." + $0 } ?? field,
          remedy: stray.name.flatMap { NearestWord.to($0, among: wanted) }.map { "Did you mean \"\($0)\"?" }
            ?? (wanted.isEmpty ? "Leave it out." : "Write an object with these names."))
      }
      if !definition.isNamed, given.contains(where: { $0.name != nil }) {
        throw Problem(
          422, "parameter_unknown", "The template has no named parameters.",
          detail: "The template's parameters are positional.", field: field,
          remedy: "Write a list of \(wanted.count) parameters.")
      }
      guard given.count == wanted.count else {
        throw Problem(
          422, "parameter_count", "The template takes another number of parameters.",
          detail: "The template's \(place) takes \(wanted.count) parameters, the request has \(given.count).",
          field: field,
          remedy: wanted.isEmpty
            ? "Leave it out." : "Write \(wanted.count): \(wanted.map { "{{\($0)}}" }.joined(separator: ", ")).")
      }
    }
    try count("header", definition.headerNames, part.parameters.header)
    try count("body", definition.body.names, part.parameters.body)
    if let stop = part.stopButton, !definition.isQuickReply(stop) {
      let replies = definition.buttons.indices.filter { definition.isQuickReply($0) }.map { String($0) }
      throw Problem(
        422, "stop_button_invalid", "The stop button is not a quick reply.",
        detail: "The template has no quick-reply button with the index \(stop).", field: "template.stop_button",
        remedy: replies.isEmpty
          ? "Leave it out, or add a quick reply to the template at Meta."
          : "Its quick replies are: \(replies.joined(separator: ", ")).")
    }
    try media(part.parameters.media, definition)
    do throws(TemplateError) {
      return try TemplateMessage(definition, TemplateFill(part))
    } catch {
      throw Problem(error)
    }
  }

  /// A picture where the template has a picture, a video where it has a video.
  private static func media(_ given: CampaignSpec.TemplatePart.Media?, _ definition: TemplateDefinition) throws(Problem)
  {
    let field = "template.parameters.header"
    guard case .media(let wanted)? = definition.header else {
      guard given == nil else {
        throw Problem(
          422, "parameter_unknown", "The template has no such parameter.",
          detail: "The template's header is no picture or file.",
          field: field, remedy: "Leave it out.")
      }
      return
    }
    guard given?.kind.rawValue != wanted.rawValue else { return }
    throw Problem(
      422, "parameter_count", "The template takes another number of parameters.",
      detail: "The template's header takes a file: \(wanted.rawValue).", field: field,
      remedy: "Write {\"\(wanted.rawValue)\": {\"link\": \"https://…\"}} or {\"\(wanted.rawValue)\": {\"id\": \"…\"}}.")
  }
}

extension TemplateFill {
  /// The frozen values stand in the order header, body, buttons, named ones in the order of the template's text.
  /// Literals stay literals: they are then checked once, here, instead of for each person.
  init(_ part: CampaignSpec.TemplatePart) {
    let parameters = part.parameters
    let sources = parameters.ordered.map(\.source)
    func value(_ index: Int) -> TemplateValue {
      if case .literal(let text) = sources[index] { return .literal(text) }
      return .person(index)
    }
    let (headers, bodies) = (parameters.header.count, parameters.body.count)
    var buttons: [Int: TemplateValue] = [:]
    for (place, button) in parameters.buttons.enumerated() { buttons[button.index] = value(headers + bodies + place) }
    let media = parameters.media.map { media in
      TemplateMedia(
        media.id.map { .id(.literal($0)) } ?? .link(.literal(media.link ?? "")),
        filename: media.filename.map { .literal($0) })
    }
    self.init(
      header: (0..<headers).map(value), media: media, body: (0..<bodies).map { value(headers + $0) }, buttons: buttons,
      stopButton: part.stopButton)
  }
}

extension Problem {
  fileprivate init(_ error: TemplateError) {
    func path(_ slot: TemplateSlot) -> String { "template.parameters." + slot.description }
    switch error {
    case .malformed:
      self.init(
        422, "template_unreadable", "The template cannot be read.",
        detail: "Meta's text of the template is not understood.",
        field: "template.name", remedy: "Synchronise the templates, or use another.")
    case .unsupported(let feature):
      self.init(
        422, "not_supported", "This is not supported yet.",
        detail: "The template has a part that is not supported yet: \(feature).",
        field: "template.name", remedy: "not supported yet; use a template without \(feature)")
    case .missing(let slot):
      self.init(
        422, "parameter_count", "The template takes another number of parameters.", detail: "A value is missing.",
        field: path(slot), remedy: "Give the value that this place of the template takes.")
    case .unexpected(let slot):
      self.init(
        422, "parameter_count", "The template takes another number of parameters.",
        detail: "The template takes no value here.",
        field: path(slot), remedy: "Leave it out.")
    case .notAQuickReply(let index):
      self.init(
        422, "stop_button_invalid", "The stop button is not a quick reply.", detail: "Button \(index) is none.",
        field: "template.stop_button", remedy: "Write the index of a quick reply.")
    case .fault(let fault):
      let place: String
      switch fault {
      case .missing(let slot), .invalid(let slot, _): place = path(slot)
      case .tooLong(let part, _, _): place = "template.parameters.\(part.rawValue)"
      }
      self.init(
        422, "parameter_invalid", "Meta refuses this parameter.",
        detail: "Meta refuses this value (\(fault.reason.word)).",
        field: place, remedy: "Write one line without tabs, with at most 4 spaces in a row, within Meta's length.")
    }
  }
}

extension Templates.Entry {
  /// Its text as Meta keeps it, understood.
  func definition() throws(Problem) -> TemplateDefinition {
    do {
      return try TemplateDefinition(
        name: seen.name, language: seen.language, parameterFormat: seen.parameterFormat,
        components: .stored(seen.components))
    } catch {
      throw Problem(
        422, "template_unreadable", "The template cannot be read.",
        detail: "Meta's text of the template is not understood.",
        field: "template.name", remedy: "Synchronise the templates, or use another.")
    }
  }
}
