import CloudAPI
import Crypto
import Domain
import HTTPServer
import JSON
import Phone
import Postgres
import Reactor
import Store

/// One message to one person, ahead of every campaign; and what became of a message, whatever its kind.
struct MessageRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("POST", "/v1/messages", .key(.sendMessages), send)
    router.add("GET", "/v1/messages/{id}", .key(.read), show)
  }

  private func send(_ call: Call) async throws -> HTTPResponse {
    let fields = try Fields(
      try call.json(), known: ["from", "to", "default_region", "template", "text"],
      later: ["media", "interactive", "reply_to", "expires_at"])
    let from = try fields.requiredText("from", limit: 60, remedy: "Name the number to send from.")
    let to = try fields.requiredText("to", limit: 60, remedy: "Write the phone with + and country code.")
    let phone = try ConsentRoutes.read(to, region: try fields.text("default_region", limit: 2), at: "to")
    let check = CampaignCheck(services: services, business: call.caller.business)
    let number = try await check.numbers([from], at: { _ in "from" })[0]
    guard phone != number.phone else {
      throw Problem.invalid("to", "This is the number itself.", remedy: "Write somebody else's phone.")
    }
    let person = services.installation.personKeys.key(of: phone)
    var template: Templates.Entry?
    let values: [String]
    switch (fields["template"], try text(fields)) {
    case (let json?, nil):
      let part = try CampaignSpec.TemplatePart(json: json, at: "template")
      let entry = try await check.template(part, account: number.account, isDryRun: false)
      (template, values) = (entry, try UrgentTemplate.values(of: part, entry))
    case (nil, let text?):
      try await checkWindow(person, number)
      values = [text]
    case (nil, nil):
      throw Problem.missing("template", remedy: "Write \"template\", or \"text\" to somebody who just wrote.")
    case (.some, .some):
      throw Problem.invalid("text", "Both a template and a text are given.", remedy: "Write one of them.")
    }
    if try await Urgent.isForbidden(person, business: call.caller.business, on: services.pool) {
      throw Problem(
        422, "opted_out", "This person must not be written to.", detail: "They said stop to everything.", field: "to",
        remedy: "Reach them another way. A new consent goes to POST /v1/consents.")
    }
    try await checkPauses(number, template, call)
    let message = Urgent.Message(
      number: number, template: template, phone: phone, person: person, country: PhoneReader.country(of: phone) ?? "",
      values: values)
    guard
      let id = try await Urgent.send(message, business: call.caller.business, by: call.caller.actor, on: services.pool)
    else { throw MessageRoutes.cancelled }
    return .json(
      202,
      [
        "id": .string(id.description), "kind": .string(CampaignKind.urgent.word), "state": .string(RecipientState.queued.word),
        "state_reason": [
          "code": .string(RecipientState.queued.word), "text": .string(Sentences.recipient(.queued, call.language)),
        ],
        "from": .string(number.phoneNumberID), "to": call.shown(phone),
      ])
  }

  private static let cancelled = Problem(
    409, "urgent_cancelled", "Urgent messages of this number were just cancelled.",
    detail: "Somebody cancelled them in this moment; nothing was stored.", remedy: "Send it again.")

  /// Line breaks are a text's own, other than in a template's parameter.
  private func text(_ fields: Fields) throws(Problem) -> String? {
    guard let text = try fields.text("text", limit: 4096) else { return nil }
    guard ReplyMessage(text) != nil else {
      throw .invalid("text", "The text is longer than Meta takes.", remedy: "Write at most 4,096 characters.")
    }
    return text
  }

  /// Without a template only within a day of the person's last message (Meta: 131047).
  private func checkWindow(_ person: PersonKey, _ number: Numbers.Entry) async throws {
    let until = try await ServiceWindows.until(person, number: number.id, on: services.pool)
    if let until, until > .now { return }
    throw Problem(
      422, "service_window_closed", "This person may be written to with a template only.",
      detail: until.map { "The 24 hours since they wrote to this number ended at \($0.rfc3339())." }
        ?? "They did not write to this number in the last 24 hours.",
      field: "text", remedy: "Send a utility template instead of \"text\".")
  }

  /// Who waits behind a pause is no urgent message's reader: better told at once, and sent another way.
  private func checkPauses(_ number: Numbers.Entry, _ template: Templates.Entry?, _ call: Call) async throws {
    let pauses = try await Pauses.open(of: call.caller.business, on: services.pool)
    guard !pauses.isEmpty else { return }
    let standing = try await Urgent.standing(number.id, template: template, on: services.pool)
    let over = pauses.first { pause in
      switch pause.scope {
      case .template: pause.scopeID == template?.id.rawValue
      // Twenty of our own bad requests in a row stop a campaign, this one too.
      case .campaign: pause.scopeID == standing?.rawValue
      default: NumberView.covers(pause, number)
      }
    }
    guard let over else { return }
    throw Problem(
      409, "sending_paused", "Sending is paused.",
      detail: "Stopped by \(over.actor): \(CampaignView.words(over, call.language)). Nothing was stored.",
      field: over.scope == .template ? "template.name" : "from",
      remedy: over.scope == .campaign
        ? "Have an operator resume campaign \(over.scopeID); then send it again."
        : "Use another number, or have an operator resume it; then send it again.")
  }

  // MARK: What became of it

  private func show(_ call: Call) async throws -> HTTPResponse {
    guard let id = Urgent.ID(call.parameters["id"] ?? ""),
      let sent = try await Urgent.read(id, of: call.caller.business, on: services.pool)
    else { throw Problem.notFound("message") }
    let person = sent.person
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool)
    let number = person.number ?? (sent.numbers.count == 1 ? sent.numbers[0] : nil)
    var object: JSONObject = [
      "id": .string(id.description), "kind": .string(sent.kind.word), "campaign": .id(id.campaign),
      "campaign_name": .string(sent.campaignName), "state": .string(person.state.word), "state_reason": person.stateReason(in: call.language),
      "from": numbers.first { $0.id == number }.map { .string($0.phoneNumberID) } ?? .null,
      "to": call.shown(person.phone), "attempt": person.attempt.map { .count($0) } ?? .null,
      "message_id": .text(sent.wamid), "handed_at": .time(person.handedAt), "sent_at": .time(person.sentAt),
      "delivered_at": .time(person.deliveredAt), "read_at": .time(person.readAt), "failed_at": .time(person.failedAt),
      "content": UrgentTemplate.content(sent),
    ]
    if call.may(.readMoney) {
      object.append(
        "cost", person.cost.map { ["amount": .string($0.text()), "currency": .string(sent.currency)] } ?? .null)
    }
    return .json(200, .object(object))
  }
}
