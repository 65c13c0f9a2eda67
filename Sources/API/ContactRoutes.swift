import CloudAPI
import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Store

/// One person: shown, given to themselves, forgotten. A phone never stands in a URL, and neither an answer with one nor
/// the hash of a body with nothing but one is kept for replay.
struct ContactRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  /// Campaigns looked through for places that left no trace in the person's own log: for the screen, and for the export.
  static let campaigns = (find: 20, export: 10_000)
  /// Batches of raw receipts looked through for what somebody wrote.
  static let receiptBatches = 500

  func add(to router: inout Router) {
    router.add("POST", "/v1/contacts/find", .key(.findPeople), replay: .unkept, find)
    router.add("POST", "/v1/contacts/export", .key(.handlePrivacy), replay: .unkept, export)
    router.add("POST", "/v1/contacts/erase", .key(.handlePrivacy), replay: .unkept, erase)
    router.add("GET", "/v1/erasures/{id}", .key(.handlePrivacy), erasure)
  }

  /// `{"phone": "…"}`, `{"user_id": "…"}` or both.
  private func subject(_ call: Call) throws -> (Person, PersonKey) {
    let fields = try Fields(try call.json(), known: ["phone", "user_id", "default_region"])
    let region = try fields.text("default_region", limit: 2)
    let phone = try fields.text("phone", limit: 60).map {
      try ConsentRoutes.read($0, region: region, at: fields.path(to: "phone"))
    }
    guard let subject = Person(phone: phone, userID: try ConsentRoutes.userID(fields)) else {
      throw Problem.missing("phone", remedy: "Write the phone with + and country code, or Meta's user_id.")
    }
    return (subject, subject.key(services.installation.personKeys))
  }

  private func find(_ call: Call) async throws -> HTTPResponse {
    let (subject, person) = try subject(call)
    return .json(200, .object(try await file(subject, person, campaigns: ContactRoutes.campaigns.find, call)))
  }

  /// The same of all campaigns, with what the person wrote to us as far as it is still kept.
  private func export(_ call: Call) async throws -> HTTPResponse {
    let (subject, person) = try subject(call)
    var object = try await file(subject, person, campaigns: ContactRoutes.campaigns.export, call)
    object.append("written_to_us", .array(try await written(subject)))
    object.append("exported_at", .time(.now))
    _ = try await services.pool.batch([
      Audit.entry(
        business: call.caller.business, actor: call.caller.actor, action: "contact_exported",
        subject: ConsentRoutes.reference(person))
    ])
    return .json(200, .object(object))
  }

  private func written(_ subject: Person) async throws -> [JSONValue] {
    let reader = WebhookReader()
    let words = [subject.phone.map { String($0.digits) }, subject.userID?.text].compactMap { $0 }
    var written: [JSONValue] = []
    let first = CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400) - 60)
    let bodies = try await ReceiptLog.bodies(
      mentioning: words, since: first, limit: ContactRoutes.receiptBatches, on: services.pool)
    for body in bodies {
      let events: [WebhookEvent]
      // A body that can't be read was told about when it came.
      do { events = try reader.read(body) } catch { continue }
      for case .inbound(let message) in events {
        let isTheirs =
          (message.from != nil && message.from == subject.phone)
          || (message.fromUserID != nil && message.fromUserID == subject.userID?.text)
        guard isTheirs else { continue }
        written.append(
          ["at": .time(message.timestamp), "text": .text(message.text), "kind": .string(message.kind.rawValue)])
      }
    }
    return written
  }

  // MARK: Erasing

  /// From the first commit nothing leaves to them any more; the rest is found by a job.
  private func erase(_ call: Call) async throws -> HTTPResponse {
    let (subject, _) = try subject(call)
    let entry = try await Erasure.begin(
      subject, keys: services.installation.personKeys, of: call.caller.business, by: call.caller.actor, at: .now,
      record: services.recordErasure, on: services.pool)
    return .json(202, ContactRoutes.json(entry))
  }

  private func erasure(_ call: Call) async throws -> HTTPResponse {
    guard let id = call.parameters["id"].flatMap({ Int64($0) }),
      let entry = try await Erasure.read(id, of: call.caller.business, on: services.pool)
    else { throw Problem.notFound("erasure") }
    return .json(200, ContactRoutes.json(entry))
  }

  private static func json(_ entry: Erasure.Entry) -> JSONValue {
    var object: JSONObject = [
      "id": .string(String(entry.id)), "person": .string(ConsentRoutes.reference(entry.person)),
      "state": entry.doneAt == nil ? "running" : "done", "by": .string(entry.by), "at": .time(entry.at),
      "done_at": .time(entry.doneAt),
    ]
    let counts = JSONValue.stored(entry.counts)
    for name in ["contacts", "messages", "receipts"] { object.append(name, counts[name] ?? .null) }
    return .object(object)
  }

  // MARK: The file

  private func file(_ subject: Person, _ key: PersonKey, campaigns: Int, _ call: Call) async throws -> JSONObject {
    let business = call.caller.business
    let file = try await PersonFile.read(subject, key, of: business, campaigns: campaigns, on: services.pool)
    let consents = try await Consents.person(key, of: business, on: services.pool)
    var object: JSONObject = [
      "person": .string(ConsentRoutes.reference(key)), "phone": call.shown(subject.phone),
      "erased_at": .time(file.erasedAt),
      "contacts": .array(
        file.contacts.map { known in
          [
            "contact": .id(known.contact), "phone": call.shown(known.phone), "user_id": .text(known.userID),
            "country": .string(known.country), "suspect": .bool(known.isSuspect), "attributes": .stored(known.attributes),
            "opt_in_at": .time(known.optInAt), "opt_in_source": .text(known.optInSource),
            "created_at": .time(known.createdAt), "audiences": .array(known.audiences.map { .string($0) }),
          ]
        }),
      "opted_out": .array(consents.suppressed.map { ["scope": .string($0.scope.word), "since": .time($0.since)] }),
      "consents": .array(consents.history.map(ConsentRoutes.json)),
    ]
    object.append("messages", .array(file.messages.map { message($0, call) }))
    object.append(
      "left_out",
      .array(
        file.exclusions.map { exclusion in
          let words = Sentences.reason(exclusion.reason.word, call.language)
          return [
            "campaign": .id(exclusion.campaign), "name": .string(exclusion.name), "code": .string(exclusion.reason.word),
            "why": .string(Sentences.recipient(.excluded, call.language, reason: words)), "at": .time(exclusion.at),
          ]
        }))
    return object
  }

  private func message(_ message: PersonFile.Message, _ call: Call) -> JSONValue {
    let words = message.reason.map { Sentences.reason($0, call.language) } ?? ""
    return [
      "campaign": .id(message.campaign), "name": .string(message.name), "kind": .string(message.kind.word),
      "recipient_ref": .string("\(message.campaign)-\(message.seq)"),
      "attempt": message.attempt.map { .count($0) } ?? .null, "state": .string(message.state.word),
      "why": .string(
        Sentences.recipient(
          message.state, call.language, reason: words, time: message.dueAt.map { $0.rfc3339() } ?? "")),
      "text": .text(ContactRoutes.text(of: message)), "handed_at": .time(message.handedAt),
      "delivered_at": .time(message.deliveredAt), "read_at": .time(message.readAt),
      "cost": message.cost.map { ["amount": .string($0.text()), "currency": .string(message.currency)] } ?? .null,
    ]
  }

  /// What the person was sent, out of the frozen text and their own values; nil when they are gone.
  private static func text(of message: PersonFile.Message) -> String? {
    if message.kind == .confirmation { return message.values.first }
    guard let text = FrozenText(message.frozen), message.values.count >= text.message.valueCount else { return nil }
    return text.message.preview(message.values).body
  }
}
