import Domain
import JSON

/// Reads the body of a webhook whose signature was verified. About 1 µs per receipt.
///
/// Not Sendable: one per thread, because it reuses its parser.
public final class WebhookReader {
  private let reader = JSONReader()

  public init() {}

  /// Every event in the order of the body. A part that can't be read becomes `unreadable`; the rest is kept.
  /// `onlyFailures`: receipts of any other standing are passed over, which is most of what comes.
  public func read(_ body: [UInt8], onlyFailures: Bool = false) throws(WebhookError) -> [WebhookEvent] {
    do {
      return try events(body, onlyFailures)
    } catch let first as JSONError {
      // A name or text that was cut in the middle of an emoji leaves half an escape behind, which makes the whole body
      // invalid: a thousand receipts are not lost for that.
      if let repaired = SurrogateRepair.repaired(body) {
        do { return try events(repaired, onlyFailures) } catch let error as WebhookError { throw error } catch {
          throw .notJSON(reason: "\(first)")
        }
      }
      throw .notJSON(reason: "\(first)")
    } catch let error as WebhookError {
      throw error
    } catch {
      preconditionFailure("a JSON reader throws JSON errors only: \(error)")
    }
  }

  private func events(_ body: [UInt8], _ onlyFailures: Bool) throws -> [WebhookEvent] {
    try reader.read(body) { root in
      guard let entries = root["entry"], entries.kind == .array else { throw WebhookError.noWebhook }
      var events: [WebhookEvent] = []
      entries.forEach { entry in
        let wabaID = entry["id"]?.tolerantString ?? ""
        let time = entry["time"]?.timestamp
        guard let changes = entry["changes"], changes.kind == .array else {
          return events.append(.unreadable(wabaID: wabaID, field: "", reason: "an entry without changes"))
        }
        changes.forEach { WebhookReader.change($0, wabaID, time, onlyFailures, &events) }
      }
      return events
    }
  }

  /// Fields whose values are people's conversations or products we don't use.
  private static let unused: Set<String> = [
    "automatic_events", "calls", "flows", "group_lifecycle_update", "group_participants_update",
    "group_settings_update",
    "group_status_update", "history", "message_echoes", "smb_app_state_sync", "smb_message_echoes", "tracking_events",
  ]

  private static func change(
    _ change: JSONElement, _ wabaID: String, _ time: Instant?, _ onlyFailures: Bool, _ events: inout [WebhookEvent]
  ) {
    guard let field = change["field"]?.string else {
      return events.append(.unreadable(wabaID: wabaID, field: "", reason: "a change without a field"))
    }
    guard let value = change["value"], value.kind == .object else {
      return events.append(.unreadable(wabaID: wabaID, field: field, reason: "a change without a value"))
    }
    let source = Source(wabaID: wabaID, field: field, value: value)
    switch field {
    case "messages":
      value["statuses"]?.forEach { status in
        if onlyFailures, status["status"]?.equals("failed") != true { return }
        events.append(source.status(status))
      }
      value["messages"]?.forEach { events.append(source.inbound($0)) }
      value["errors"]?.forEach { error in
        let event = MetaError(error).map {
          WebhookEvent.failure(wabaID: wabaID, phoneNumberID: source.phoneNumberID, $0)
        }
        events.append(event ?? source.unreadable("an error without a code"))
      }
    case "user_preferences": value["user_preferences"]?.forEach { events.append(source.preference($0)) }
    case let other where unused.contains(other): events.append(.ignored(wabaID: wabaID, field: other))
    default:
      events.append(.account(AccountChange(wabaID: wabaID, field: field, time: time, value: value.copied())))
    }
  }
}

/// One change's value and what all its members share.
private struct Source {
  let wabaID: String
  let field: String
  let value: JSONElement
  let phoneNumberID: String?

  init(wabaID: String, field: String, value: JSONElement) {
    (self.wabaID, self.field, self.value) = (wabaID, field, value)
    phoneNumberID = value["metadata"]?["phone_number_id"]?.tolerantString
  }

  func unreadable(_ reason: String) -> WebhookEvent { .unreadable(wabaID: wabaID, field: field, reason: reason) }

  func status(_ status: JSONElement) -> WebhookEvent {
    guard let wamid = status["id"]?.string, !wamid.isEmpty else { return unreadable("a status without an id") }
    guard let standing = status["status"].flatMap(Source.standing) else { return unreadable("an unknown status") }
    guard let timestamp = status["timestamp"]?.timestamp else { return unreadable("a status without a time") }
    return .status(
      StatusReceipt(
        wabaID: wabaID, phoneNumberID: phoneNumberID, wamid: wamid,
        callback: status["biz_opaque_callback_data"]?.string,
        standing: standing, timestamp: timestamp, recipient: status["recipient_id"].flatMap(Source.phone),
        recipientUserID: status["recipient_user_id"]?.string, pricing: status["pricing"].flatMap(Source.pricing),
        error: status["errors"]?.first.flatMap { MetaError($0) }))
  }

  func inbound(_ message: JSONElement) -> WebhookEvent {
    guard let id = message["id"]?.string, !id.isEmpty else { return unreadable("a message without an id") }
    guard let timestamp = message["timestamp"]?.timestamp else { return unreadable("a message without a time") }
    let contact = contact(message["from"])
    var inbound = InboundMessage(
      wabaID: wabaID, phoneNumberID: phoneNumberID, id: id,
      from: (message["from"] ?? contact?["wa_id"]).flatMap(Source.phone),
      fromUserID: message["from_user_id"]?.string ?? contact?["user_id"]?.string,
      contextID: message["context"]?["id"]?.string, kind: .other, text: nil, payload: nil, timestamp: timestamp,
      newPhone: nil, newUserID: nil)
    let type = message["type"]?.string ?? ""
    inbound.kind = InboundMessage.Kind(rawValue: type) ?? .other
    switch inbound.kind {
    case .text: inbound.text = message["text"]?["body"]?.string
    case .button:
      inbound.text = message["button"]?["text"]?.string
      inbound.payload = message["button"]?["payload"]?.string
    case .interactive:
      let reply = message["interactive"]?["button_reply"] ?? message["interactive"]?["list_reply"]
      inbound.text = reply?["title"]?.string
      inbound.payload = reply?["id"]?.string
    case .reaction: inbound.text = message["reaction"]?["emoji"]?.string
    case .system:
      inbound.newPhone = (message["system"]?["wa_id"] ?? message["system"]?["new_wa_id"]).flatMap(Source.phone)
      inbound.newUserID = message["system"]?["user_id"]?.string
    case .other:
      // A caption is text too: "STOP" under a picture is a stop.
      inbound.text = message[named: type]?["caption"]?.string
    case .unsupported: break
    }
    return .inbound(inbound)
  }

  func preference(_ preference: JSONElement) -> WebhookEvent {
    guard let choice = preference["value"]?.string.flatMap({ MarketingPreference.Choice(rawValue: $0) }) else {
      return unreadable("an unknown preference")
    }
    guard let timestamp = preference["timestamp"]?.timestamp else { return unreadable("a preference without a time") }
    let contact = contact(preference["wa_id"])
    return .preference(
      MarketingPreference(
        wabaID: wabaID, phoneNumberID: phoneNumberID,
        phone: (preference["wa_id"] ?? contact?["wa_id"]).flatMap(Source.phone),
        userID: preference["user_id"]?.string ?? contact?["user_id"]?.string, choice: choice, timestamp: timestamp))
  }

  /// The contact of a sender; when the sender has no phone, the only contact there is.
  private func contact(_ sender: JSONElement?) -> JSONElement? {
    var count = 0
    var match: JSONElement?
    var only: JSONElement?
    let phone = sender.flatMap(Source.phone)
    value["contacts"]?.forEach { contact in
      count += 1
      only = contact
      if phone != nil, contact["wa_id"].flatMap(Source.phone) == phone { match = contact }
    }
    return match ?? (count == 1 ? only : nil)
  }

  private static func phone(_ element: JSONElement) -> PhoneNumber? {
    element.tolerantString.flatMap { PhoneNumber(e164: $0) }
  }

  private static func standing(_ word: JSONElement) -> Standing? {
    if word.equals("delivered") { return .delivered }
    if word.equals("sent") { return .sent }
    if word.equals("read") { return .read }
    if word.equals("failed") { return .failed }
    if word.equals("played") { return .played }
    return nil
  }

  // Hyphen here, underscore in the analytics.
  private static let categories = Dictionary(uniqueKeysWithValues: Category.allCases.map { ($0.word, $0) })
    .merging(["authentication-international": .authenticationInternational]) { $1 }
  private static let pricingTypes = Dictionary(uniqueKeysWithValues: PricingType.allCases.map { ($0.word, $0) })

  private static func pricing(_ element: JSONElement) -> ReceiptPricing? {
    guard element.kind == .object else { return nil }
    var pricing = ReceiptPricing(billable: element["billable"]?.bool)
    if let word = element["category"]?.string {
      pricing.category = categories[word]
      if pricing.category == nil { pricing.unknownWord = word }
    }
    if let word = element["type"]?.string {
      pricing.type = pricingTypes[word]
      if pricing.type == nil { pricing.unknownWord = word }
    }
    return pricing
  }
}

/// Replaces escaped surrogates that stand alone by U+FFFD, keeping the length.
enum SurrogateRepair {
  /// Nil when there was nothing to repair.
  static func repaired(_ body: [UInt8]) -> [UInt8]? {
    var body = body
    var changed = false
    var index = 0
    while index + 1 < body.count {
      guard body[index] == UInt8(ascii: "\\") else {
        index += 1
        continue
      }
      guard let unit = unit(body, index) else {
        index += 2  // Another escape: its second byte may be a backslash.
        continue
      }
      if (0xD800..<0xDC00).contains(unit), let next = self.unit(body, index + 6), (0xDC00..<0xE000).contains(next) {
        index += 12
        continue
      }
      if (0xD800..<0xE000).contains(unit) {
        body.replaceSubrange(index..<(index + 6), with: "\\ufffd".utf8)
        changed = true
      }
      index += 6
    }
    return changed ? body : nil
  }

  /// The value of the `\uXXXX` at `index`.
  private static func unit(_ body: [UInt8], _ index: Int) -> UInt16? {
    guard index + 6 <= body.count, body[index] == UInt8(ascii: "\\"), body[index + 1] == UInt8(ascii: "u") else {
      return nil
    }
    return UInt16(String(decoding: body[(index + 2)..<(index + 6)], as: UTF8.self), radix: 16)
  }
}
