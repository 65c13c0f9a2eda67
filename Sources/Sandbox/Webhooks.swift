import Domain
import Population
import Reactor

/// The changes that webhooks carry, in Meta's shapes.
extension World {
  enum Inbound {
    case text(String)
    case button(payload: [UInt8], label: String, of: String)
  }

  // MARK: Receipts

  /// Tells of an event: now, or late, or twice, as the dice say.
  func tell(_ kind: Wheel.Kind, _ index: Int) {
    guard settings.receipts.on else { return }
    let entry = journal[index]
    var draw = Draw(seed, UInt64(bitPattern: entry.to) &+ UInt64(index), 1 << 60 + UInt64(kind.rawValue))
    let (late, again) = (draw.unit(), draw.unit())
    let now = BootInstant.now.nanoseconds
    let delay = scaled(milliseconds: draw.skewed(settings.people.lateDelay))
    if again < settings.receipts.duplicateRate { wheel.add(kind, index, at: now + 2 * delay) }
    if late < settings.receipts.disorderRate {
      wheel.add(kind, index, at: now + delay)
    } else {
      emit(Wheel.Event(kind: kind, index: index))
    }
  }

  func emit(_ event: Wheel.Event) {
    if faults.losesReceipt() {
      post.lost += 1
      return
    }
    if event.kind == .tellDelivered || event.kind == .tellRead { journal[event.index].state |= Entry.told }
    let entry = journal[event.index]
    let line = lines[Int(entry.number)]
    post.receipt(event, silenced: faults.silence, account: line.account) { bytes in
      render(event, entry, line, to: &bytes)
    }
  }

  /// One `messages` change with one status.
  func render(_ event: Wheel.Event, _ entry: Entry, _ line: Line, to bytes: inout [UInt8]) {
    begin(line, to: &bytes)
    if event.kind != .tellFailed { contact(entry.to, to: &bytes) }
    bytes.append(#","statuses":[{"id":""#)
    MessageID.append(phone: entry.to, index: event.index, seed: seed, to: &bytes)
    let word: StaticString
    let at: UInt32
    var carriesPrice = false
    switch event.kind {
    case .tellSent: (word, at, carriesPrice) = ("sent", entry.sentAt, true)
    case .tellDelivered: (word, at, carriesPrice) = ("delivered", entry.deliveredAt, true)
    case .tellRead: (word, at, carriesPrice) = ("read", entry.readAt, entry.state & Entry.skipsDelivered != 0)
    default: (word, at) = ("failed", entry.sentAt)
    }
    bytes.append(#"","status":""#)
    bytes.append(word)
    bytes.append(#"","timestamp":""#)
    bytes.append(decimal: Int64(at))
    bytes.append(#"","recipient_id":""#)
    bytes.append(decimal: waID(entry.to))
    bytes.append(#"","recipient_user_id":""#)
    bytes.append(contentsOf: Nature.userID(of: entry.to, seed: seed).utf8)
    bytes.append("\"")
    if entry.callbackCount > 0 {
      bytes.append(#","biz_opaque_callback_data":""#)
      bytes.append(escaping: journal.callback(entry))
      bytes.append("\"")
    }
    if carriesPrice {
      let type = PricingType(rawValue: Int16(entry.pricingType)) ?? .regular
      let category = Category(rawValue: Int16(entry.category)) ?? .service
      bytes.append(type == .regular ? #","pricing":{"billable":true,"# : #","pricing":{"billable":false,"#)
      bytes.append(#""pricing_model":"PMP","type":""#)
      bytes.append(contentsOf: type.word.utf8)
      bytes.append(#"","category":""#)
      bytes.append(category.inReceipts)
      bytes.append("\"}")
    }
    if event.kind == .tellFailed { append(Failure.of(entry.failure), to: &bytes) }
    bytes.append("}]")
    end(to: &bytes)
  }

  private func append(_ failure: Failure, to bytes: inout [UInt8]) {
    bytes.append(#","errors":[{"code":"#)
    bytes.append(decimal: Int64(failure.code))
    bytes.append(#","title":""#)
    bytes.append(escaping: failure.title.utf8)
    bytes.append(#"","message":""#)
    bytes.append(escaping: failure.title.utf8)
    bytes.append(#"","error_data":{"details":""#)
    bytes.append(escaping: failure.details.utf8)
    bytes.append(#""},"href":"\/documentation\/business-messaging\/whatsapp\/support\/error-codes"}]"#)
  }

  private func begin(_ line: Line, to bytes: inout [UInt8]) {
    bytes.append(#"{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":""#)
    bytes.append(decimal: line.digits)
    bytes.append(#"","phone_number_id":""#)
    bytes.append(contentsOf: line.id.utf8)
    bytes.append("\"}")
  }

  private func contact(_ phone: Int64, to bytes: inout [UInt8]) {
    bytes.append(#","contacts":[{"profile":{"name":""#)
    bytes.append(escaping: Nature.name(of: phone, seed: seed).utf8)
    bytes.append(#""},"wa_id":""#)
    bytes.append(decimal: waID(phone))
    bytes.append(#"","user_id":""#)
    bytes.append(contentsOf: Nature.userID(of: phone, seed: seed).utf8)
    bytes.append("\"}]")
  }

  private func end(to bytes: inout [UInt8], field: StaticString = "messages") {
    bytes.append("},\"field\":\"")
    bytes.append(field)
    bytes.append("\"}")
  }

  // MARK: People

  /// A message of a person's. Returns its id.
  @discardableResult
  func inbound(_ message: Inbound, from phone: Int64, to line: Line, isStop: Bool) -> String {
    lastInbound += 1
    let id = MessageID.text(phone: phone, index: 1 << 40 + lastInbound, seed: seed)
    post.change(account: line.account, stop: isStop ? phone : nil) { bytes in
      begin(line, to: &bytes)
      contact(phone, to: &bytes)
      bytes.append(#","messages":[{"#)
      if case .button(_, _, let of) = message {
        bytes.append(#""context":{"from":""#)
        bytes.append(decimal: line.digits)
        bytes.append(#"","id":""#)
        bytes.append(escaping: of.utf8)
        bytes.append(#""},"#)
      }
      bytes.append(#""from":""#)
      bytes.append(decimal: waID(phone))
      bytes.append(#"","from_user_id":""#)
      bytes.append(contentsOf: Nature.userID(of: phone, seed: seed).utf8)
      bytes.append(#"","id":""#)
      bytes.append(contentsOf: id.utf8)
      bytes.append(#"","timestamp":""#)
      bytes.append(decimal: Int64(calendar.seconds))
      switch message {
      case .text(let text):
        bytes.append(#"","type":"text","text":{"body":""#)
        bytes.append(escaping: text.utf8)
      case .button(let payload, let label, _):
        bytes.append(#"","type":"button","button":{"payload":""#)
        bytes.append(escaping: payload)
        bytes.append(#"","text":""#)
        bytes.append(escaping: label.utf8)
      }
      bytes.append("\"}}]")
      end(to: &bytes)
    }
    return id
  }

  func preference(_ phone: Int64, _ line: Line, stop: Bool) {
    post.change(account: line.account, stop: stop ? phone : nil) { bytes in
      begin(line, to: &bytes)
      contact(phone, to: &bytes)
      bytes.append(#","user_preferences":[{"wa_id":""#)
      bytes.append(decimal: waID(phone))
      bytes.append(
        stop
          ? #"","detail":"User requested to stop marketing messages","category":"marketing_messages","value":"stop""#
          : #"","detail":"User requested to resume marketing messages","category":"marketing_messages","value":"resume""#
      )
      bytes.append(#","timestamp":"#)
      bytes.append(decimal: Int64(calendar.seconds))
      bytes.append("}]")
      end(to: &bytes, field: "user_preferences")
    }
  }

  // MARK: Numbers and templates

  func numberUpdate(_ line: Line, event: StaticString) {
    post.change(account: line.account) { bytes in
      bytes.append(#"{"value":{"display_phone_number":""#)
      bytes.append(decimal: line.digits)
      bytes.append(#"","event":""#)
      bytes.append(event)
      bytes.append(#"","max_daily_conversations_per_business":""#)
      bytes.append(escaping: line.tier.utf8)
      bytes.append("\"")
      end(to: &bytes, field: "phone_number_quality_update")
    }
  }

  private func begin(_ template: Template, _ name: StaticString, _ text: String, to bytes: inout [UInt8]) {
    bytes.append("{\"value\":{\"")
    bytes.append(name)
    bytes.append("\":\"")
    bytes.append(escaping: text.utf8)
    bytes.append(#"","message_template_id":"#)
    bytes.append(contentsOf: template.id.utf8)
    bytes.append(#","message_template_name":""#)
    bytes.append(escaping: template.name.utf8)
    bytes.append(#"","message_template_language":""#)
    // Meta's own webhooks write it with a hyphen.
    bytes.append(escaping: template.language.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 })
    bytes.append("\"")
  }

  func templateUpdate(_ template: Template, title: String?) {
    post.change(account: accounts[template.account]) { bytes in
      begin(template, "event", template.status, to: &bytes)
      bytes.append(#","reason":"NONE","message_template_category":""#)
      bytes.append(contentsOf: template.category.word.uppercased().utf8)
      bytes.append("\"")
      if let title {
        bytes.append(#","other_info":{"title":""#)
        bytes.append(escaping: title.utf8)
        bytes.append("\"}")
      }
      end(to: &bytes, field: "message_template_status_update")
    }
  }

  func qualityUpdate(_ template: Template, from was: String) {
    post.change(account: accounts[template.account]) { bytes in
      begin(template, "previous_quality_score", was, to: &bytes)
      bytes.append(#","new_quality_score":""#)
      bytes.append(contentsOf: template.quality.utf8)
      bytes.append("\"")
      end(to: &bytes, field: "message_template_quality_update")
    }
  }

  func categoryUpdate(_ template: Template, from was: Category) {
    post.change(account: accounts[template.account]) { bytes in
      begin(template, "previous_category", was.word.uppercased(), to: &bytes)
      bytes.append(#","new_category":""#)
      bytes.append(contentsOf: template.category.word.uppercased().utf8)
      bytes.append("\"")
      end(to: &bytes, field: "template_category_update")
    }
  }

  /// Any change, as given by POST /sandbox/webhooks.
  func rawChange(_ account: Account, field: String, value: [UInt8]) {
    post.change(account: account) { bytes in
      bytes.append("{\"value\":")
      bytes.append(contentsOf: value)
      bytes.append(",\"field\":\"")
      bytes.append(escaping: field.utf8)
      bytes.append("\"}")
    }
  }
}
