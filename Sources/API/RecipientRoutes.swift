import Domain
import HTTPServer
import JSON
import Postgres
import Store

/// One row per person of a campaign, with the reason.
struct RecipientRoutes: Sendable {
  let services: APIServices
  let counts: CountsCache
  init(_ services: APIServices, _ counts: CountsCache) { (self.services, self.counts) = (services, counts) }

  func add(to router: inout Router) {
    router.add("GET", "/v1/campaigns/{id}/recipients", .key(.read), list)
  }

  private func list(_ call: Call) async throws -> HTTPResponse {
    guard let entry = try await Campaigns.read(try call.id("campaign"), of: call.caller.business, on: services.pool)
    else {
      throw Problem.notFound("campaign")
    }
    var states: Set<RecipientState>?
    if let text = call.query("state") {
      var chosen: Set<RecipientState> = []
      for word in text.split(separator: ",") {
        guard let state = RecipientState(word: word) else {
          throw Problem.invalid(
            "state", "This state is not known.",
            remedy: "Write some of \(RecipientState.allCases.map(\.word).joined(separator: ", ")).")
        }
        chosen.insert(state)
      }
      states = chosen
    }
    var cursor: Recipients.Cursor?
    if let text = call.query("cursor") {
      guard let read = Recipients.Cursor(text) else { throw Call.badCursor }
      cursor = read
    }
    let limit = try call.limit(standard: 100, most: 1000)
    let page = try await Recipients.page(of: entry.id, after: cursor, states: states, limit: limit, on: services.pool)
    let numbers = try await Numbers.list(of: call.caller.business, on: services.pool)
    return .page(
      page.entries.map { .object(json($0, entry, numbers, call)) }, next: page.next?.text)
  }

  private func json(
    _ person: Recipients.Entry, _ campaign: Campaigns.Entry, _ numbers: [Numbers.Entry], _ call: Call
  ) -> JSONObject {
    var object: JSONObject = [
      "recipient_ref": person.seq > 0 ? .string("\(campaign.id)-\(person.seq)") : .null, "contact": .id(person.contact),
      "phone": call.shown(person.phone), "state": .string(person.state.word),
    ]
    object.append("state_reason", person.stateReason(in: call.language))
    guard person.state != .excluded else {
      object.append("audience", person.audience.map { .id($0) } ?? .null)
      return object
    }
    object.append("attempt", person.attempt.map { .count($0) } ?? .null)
    object.append("from", numbers.first { $0.id == person.number }.map { .string($0.phoneNumberID) } ?? .null)
    object.append("handed_at", .time(person.handedAt))
    object.append("sent_at", .time(person.sentAt))
    object.append("delivered_at", .time(person.deliveredAt))
    object.append("read_at", .time(person.readAt))
    object.append("failed_at", .time(person.failedAt))
    if call.may(.readMoney) {
      object.append(
        "cost", person.cost.map { ["amount": .string($0.text()), "currency": .string(campaign.currency)] } ?? .null)
    }
    return object
  }
}

extension Recipients.Entry {
  /// Why this person stands where they stand, and until when.
  func stateReason(in language: Language) -> JSONValue {
    let words = reason.map { Sentences.reason($0, language) } ?? ""
    var object: JSONObject = [
      "code": .string(reason ?? state.word),
      "text": .string(Sentences.recipient(state, language, reason: words, time: dueAt.map { $0.rfc3339() } ?? "")),
    ]
    if let dueAt { object.append("until", .time(dueAt)) }
    return .object(object)
  }
}
