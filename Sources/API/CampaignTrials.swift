import CloudAPI
import Crypto
import Domain
import HTTPServer
import JSON
import Phone
import Postgres
import Reactor
import Store

/// What a campaign will look like before it goes: five real people on the screen, a few named phones for real.
struct CampaignTrials: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  static let mostPhones = 20

  func add(to router: inout Router) {
    router.add("POST", "/v1/campaigns/{id}/preview", .key(.draftCampaigns), replay: .unkept, preview)
    router.add("POST", "/v1/campaigns/{id}/test", .key(.draftCampaigns), test)
  }

  /// Rendered for the longest, the emptiest, an Arabic, a Latin and a random person: of those who would be written to
  /// while it is a draft, of the frozen ones, with the frozen text, from its launch on.
  private func preview(_ call: Call) async throws -> HTTPResponse {
    let id: Campaign.ID = try call.id("campaign")
    guard let entry = try await Campaigns.read(id, of: call.caller.business, on: services.pool) else {
      throw Problem.notFound("campaign")
    }
    let sample: (String) async throws -> [Freeze.Sampled]
    let (name, message): (String, TemplateMessage)
    if let text = FrozenText(try await Campaigns.frozen(id, on: services.pool)) {
      guard entry.preparedAt != nil else {
        throw Problem(
          409, "people_not_frozen", "The campaign's people are not frozen yet.",
          detail: "It is \(entry.state.word).", remedy: "Ask again in a moment, or look at the state's reason.")
      }
      sample = { try await Freeze.frozenSample(id, order: $0, limit: 5, on: services.pool) }
      (name, message) = (text.reading.name, text.message)
    } else {
      let checked = try await check(call)
      sample = { try await Freeze.sample(checked.plan, order: $0, limit: 5, on: services.pool) }
      (name, message) = (checked.template.seen.name, checked.message)
    }
    var items: [JSONValue] = []
    var seen: Set<Contact.ID> = []
    for order in ["longest", "emptiest", "arabic", "latin", "random"] {
      // A few of each order, so that the same person does not stand for two of them.
      let people = try await sample(order)
      guard let person = people.first(where: { !seen.contains($0.contact) }) else { continue }
      seen.insert(person.contact)
      var object = CampaignTrials.rendered(message, person.values.map { $0 ?? "" })
      object.append("chosen_as", .string(order))
      object.append("contact", .id(person.contact))
      object.append("phone", call.shown(person.phone))
      items.append(.object(object))
    }
    return .json(200, ["template": .string(name), "items": .array(items)])
  }

  /// Sends to the phones named, at once and apart from the campaign's own counts, as a campaign of the kind `test`.
  /// Values come from the contact of that phone, else from a person of the audience, else from `attributes`.
  private func test(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(try call.json(), known: ["phones", "attributes", "default_region"])
    guard let list = fields["phones"]?.arrayValue, (1...CampaignTrials.mostPhones).contains(list.count) else {
      throw Problem.invalid(
        "phones", "Here a list of phones is expected.", remedy: "Write from 1 to \(CampaignTrials.mostPhones) phones.")
    }
    let region = try fields.text("default_region", limit: 2)
    var phones: [PhoneNumber] = []
    for (index, value) in list.enumerated() {
      guard let text = value.stringValue else {
        throw Problem.invalid("phones[\(index)]", "A phone is a text.", remedy: "Write it in quotation marks, with +.")
      }
      let phone = try ConsentRoutes.read(text, region: region, at: "phones[\(index)]")
      if !phones.contains(phone) { phones.append(phone) }
    }
    let checked = try await check(call)
    let attributes = fields["attributes"]
    let sample = try await Freeze.sample(checked.plan, order: "random", limit: 1, on: services.pool).first?.values
    let known = try await Trials.attributes(of: phones, business: call.caller.business, on: services.pool)
    var people: [Trials.Person] = []
    let ordered = checked.draft.spec.template.parameters.ordered
    for phone in phones {
      let own = known[phone].map { JSONValue.stored($0) }
      var values: [String] = []
      for (index, parameter) in ordered.enumerated() {
        let given = parameter.source.value { attributes?[$0]?.stringValue ?? own?[$0]?.stringValue }
        guard let value = given ?? sample?[index] else {
          throw Problem(
            422, "parameter_missing", "A parameter has no value.",
            detail: "Neither the phone's contact nor the audience has a value for it.", field: parameter.field,
            remedy: "Send \"attributes\" with a value for the test.")
        }
        values.append(value)
      }
      if let fault = checked.message.fault(values) {
        throw Problem(
          422, "parameter_invalid", "Meta refuses this parameter.",
          detail: "A value of the test is refused (\(fault.reason.word)).",
          field: "attributes", remedy: "Send other \"attributes\" for the test.")
      }
      people.append(
        Trials.Person(
          phone: phone, key: services.installation.personKeys.key(of: phone),
          country: PhoneReader.country(of: phone) ?? "",
          values: values))
    }
    guard let parent = try await Campaigns.read(try call.id("campaign"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("campaign")
    }
    var draft = checked.draft
    // At once, whatever the hour: those who asked for it are waiting.
    draft.spec.schedule.start = .now
    draft.spec.schedule.window = nil
    draft.spec.schedule.calendars = .named([])
    draft.spec.schedule.end = nil
    (draft.spec.schedule.repeats, draft.spec.schedule.perDay) = (nil, nil)
    draft.spec.requireOptIn = false
    draft.spec.limits.frequencyCap = .some(nil)
    let id = try await Trials.start(
      draft, template: checked.template, people: people, of: parent.id, business: call.caller.business,
      by: call.caller.actor, on: services.pool)
    let view = try await CampaignRoutes.view(id, call, services)
    return .json(201, .object(view.json(nil, at: .now, full: true)))
  }

  private func check(_ call: Call) async throws -> CampaignCheck.Checked {
    guard let entry = try await Campaigns.read(try call.id("campaign"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("campaign")
    }
    var spec = try CampaignSpec(json: .stored(entry.spec))
    // Times that have passed are the launch's matter.
    (spec.schedule.start, spec.schedule.end) = (nil, nil)
    return try await CampaignCheck(services: services, business: call.caller.business).check(spec)
  }

  private static func rendered(_ message: TemplateMessage, _ values: [String]) -> JSONObject {
    let preview = message.preview(values)
    return [
      "header": .text(preview.header), "media": .text(preview.media), "body": .string(preview.body),
      "footer": .text(preview.footer), "buttons": .array(preview.buttons.map { .string($0) }),
    ]
  }
}
