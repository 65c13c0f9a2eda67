import Domain
import Population
import Reactor

/// What becomes of an accepted message: planned when it is taken, by the person's nature and the dice; then it happens.
extension World {
  /// Adds the message's events to the wheel.
  func plan(_ index: Int, _ entry: Entry, at now: Int64) {
    var person = people[entry.to, default: PersonState()]
    person.received += 1
    let isOffer = entry.category == UInt8(Category.marketing.rawValue)
    if isOffer {
      if now - person.offersFrom > scaled(.seconds(86_400)) { (person.offers, person.offersFrom) = (0, now) }
      person.offers &+= 1
    }
    people[entry.to, default: PersonState()] = person

    let fate = Fate(
      of: entry.to, Nature(of: entry.to, seed: seed, settings.people),
      Fate.Person(
        received: person.received, offers: person.offers, isBlocking: person.isBlocking,
        stoppedNatively: person.stoppedNatively, isUnitedStates: Calling.isUnitedStates(entry.to)),
      isOffer: isOffer, seed: seed, skippedDeliveredRate: settings.receipts.skippedDeliveredRate, settings.people)
    if let failure = fate.failure {
      journal[index].failure = failure.code
      return wheel.add(.failed, index, at: now + scaled(milliseconds: failure.after))
    }
    let sentAt = now + scaled(milliseconds: fate.sentAfter)
    wheel.add(.sent, index, at: sentAt)
    guard let delivered = fate.deliveredAfter else { return }
    // Not reached within its life: dropped, and nobody is told.
    if entry.template != .max, delivered > templates[Int(entry.template)].life { return }
    let deliveredAt = sentAt + scaled(milliseconds: delivered)
    if fate.skipsDelivered {
      journal[index].state |= Entry.skipsDelivered
      wheel.add(.read, index, at: deliveredAt)
    } else {
      wheel.add(.delivered, index, at: deliveredAt)
      if let read = fate.readAfter { wheel.add(.read, index, at: deliveredAt + scaled(milliseconds: read)) }
    }
  }

  func happen(_ event: Wheel.Event) {
    let index = event.index
    switch event.kind {
    case .sent:
      journal[index].state |= Entry.sent
      journal[index].sentAt = calendar.seconds
      journal.sent += 1
      note(journal[index]) { $0.sent += 1 }
      tell(.tellSent, index)
    case .delivered: deliver(index, told: true)
    case .read:
      if journal[index].state & Entry.delivered == 0 { deliver(index, told: false) }
      journal[index].state |= Entry.read
      journal[index].readAt = calendar.seconds
      journal.read += 1
      note(journal[index]) { $0.read += 1 }
      tell(.tellRead, index)
    case .failed:
      journal[index].state |= Entry.failed
      journal[index].sentAt = calendar.seconds
      journal.failed[journal[index].failure, default: 0] += 1
      reached.failed(journal[index].to, sentAt: journal[index].boot)
      tell(.tellFailed, index)
    case .tellSent, .tellDelivered, .tellRead, .tellFailed: emit(event)
    case .release: release(index)
    case .pressStop: pressStop(journal[index].to, on: lines[Int(journal[index].number)], message: index)
    case .writeStop: write(stop: true, index)
    case .reply: write(stop: false, index)
    case .nativeStop: prefer(journal[index].to, lines[Int(journal[index].number)], stop: true)
    case .block: block(journal[index].to, on: lines[Int(journal[index].number)], template: Int(journal[index].template))
    }
  }

  private func deliver(_ index: Int, told: Bool) {
    let now = calendar.now
    journal[index].state |= Entry.delivered | Entry.billed
    journal[index].deliveredAt = UInt32(now.nanoseconds / 1_000_000_000)
    journal.delivered += 1
    let entry = journal[index]
    let line = lines[Int(entry.number)]
    let cost = line.account.bill.charge(entry, line, at: now, counts: &tierCounts)
    note(entry) { ($0.delivered, $0.cost) = ($0.delivered + 1, $0.cost + cost) }
    if told { tell(.tellDelivered, index) }
    people[entry.to, default: PersonState()].lastMessage = UInt32(index + 1)
    if entry.category == UInt8(Category.marketing.rawValue) { react(index, entry, line) }
  }

  /// What a person does about an offer, and what the delivery does to the scores.
  private func react(_ index: Int, _ entry: Entry, _ line: Line) {
    let model = settings.people
    line.score.delivered(model)
    if entry.template != .max { templates[Int(entry.template)].score.delivered(model) }
    let person = people[entry.to, default: PersonState()]
    let nature = Nature(of: entry.to, seed: seed, model)
    let (reaction, after) = Reaction.of(
      entry.to, nature, received: person.received, offers: person.offers, hasStopped: person.stoppedAt > 0, seed: seed,
      model)
    let at = BootInstant.now.nanoseconds + scaled(milliseconds: after)
    switch reaction {
    case .none: break
    case .block: wheel.add(.block, index, at: at)
    case .reply: wheel.add(.reply, index, at: at)
    case .stop:
      let hasButton = entry.template != .max && templates[Int(entry.template)].stopButton != nil
      switch nature.stopStyle {
      case .button where hasButton: wheel.add(.pressStop, index, at: at)
      case .native: wheel.add(.nativeStop, index, at: at)
      case .button, .text: wheel.add(.writeStop, index, at: at)
      }
    }
  }

  /// The end of a quality hold: the message goes its way, or fails with its template paused.
  private func release(_ index: Int) {
    let entry = journal[index]
    let template = templates[Int(entry.template)]
    let now = BootInstant.now.nanoseconds
    guard template.pacing?.pauses == true else { return plan(index, entry, at: now) }
    if template.status == "APPROVED" { change(template, status: "PAUSED", title: "FIRST_PAUSE") }
    journal[index].failure = 132015
    wheel.add(.failed, index, at: now)
  }

  // MARK: People act, by themselves or by POST /sandbox/people

  private func write(stop: Bool, _ index: Int) {
    let entry = journal[index]
    let nature = Nature(of: entry.to, seed: seed, settings.people)
    let texts = stop ? Nature.stopTexts : Nature.otherTexts
    var draw = Draw(seed, UInt64(bitPattern: entry.to), 1 << 50)
    let list = nature.speaksArabic ? texts.arabic : texts.english
    write(list[draw.below(list.count)], from: entry.to, to: lines[Int(entry.number)], isStop: stop)
  }

  /// A text; `isStop` is what the person means by it.
  func write(_ text: String, from phone: Int64, to line: Line, isStop: Bool) {
    openWindow(phone, line)
    if isStop { noteStop(phone) }
    inbound(.text(text), from: phone, to: line, isStop: isStop)
  }

  /// A press of the message's stop button, or of its first quick reply.
  func pressStop(_ phone: Int64, on line: Line, message index: Int) {
    let entry = journal[index]
    var label = "Stop promotions"
    if entry.template != .max {
      let template = templates[Int(entry.template)]
      label = template.label(ofButton: template.stopButton ?? 0) ?? label
    }
    let payload = journal.payload(entry)
    note(entry) { [label] in $0.quickReplies[label, default: 0] += 1 }
    openWindow(phone, line)
    noteStop(phone)
    let id = MessageID.text(phone: entry.to, index: index, seed: seed)
    inbound(
      .button(payload: payload.isEmpty ? Array(label.utf8) : payload, label: label, of: id), from: phone, to: line,
      isStop: true)
  }

  func prefer(_ phone: Int64, _ line: Line, stop: Bool) {
    people[phone, default: PersonState()].stoppedNatively = stop
    if stop {
      noteStop(phone)
    } else {
      people[phone, default: PersonState()].stoppedAt = 0
      people[phone, default: PersonState()].stopAcknowledgedAt = 0
    }
    preference(phone, line, stop: stop)
  }

  /// Blocking is silent: only the scores know.
  func block(_ phone: Int64, on line: Line, template: Int) {
    guard !people[phone, default: PersonState()].isBlocking else { return }
    people[phone, default: PersonState()].isBlocking = true
    line.score.blocked(settings.people)
    if template < templates.count { templates[template].score.blocked(settings.people) }
    judge(line)
    if template < templates.count { judge(templates[template]) }
  }

  private func noteStop(_ phone: Int64) {
    if people[phone, default: PersonState()].stoppedAt == 0 {
      people[phone, default: PersonState()].stoppedAt = BootInstant.now.nanoseconds
    }
  }

  func openWindow(_ phone: Int64, _ line: Line) {
    line.pairs[phone, default: Pair()].windowUntil = BootInstant.now.nanoseconds + 86_400_000_000_000
  }

  // MARK: Quality

  private func judge(_ line: Line) {
    guard !line.isQualityPinned else { return }
    let colour = line.score.colour(settings.people)
    if colour != line.quality {
      let was = line.quality
      line.quality = colour
      if colour == "RED", line.status == "CONNECTED" {
        line.status = "FLAGGED"
        numberUpdate(line, event: "FLAGGED")
      } else if was == "RED", line.status == "FLAGGED" {
        line.status = "CONNECTED"
        numberUpdate(line, event: "UNFLAGGED")
      }
    }
    if colour == "RED", line.score.value >= settings.people.restrictedAt {
      line.restrictedUntil = max(
        line.restrictedUntil, BootInstant.now.nanoseconds + scaled(settings.people.restriction))
    }
  }

  private func judge(_ template: Template) {
    let colour = template.score.colour(settings.people)
    guard colour != template.quality else { return }
    let was = template.quality
    template.quality = colour
    qualityUpdate(template, from: was)
    guard colour == "RED", template.status == "APPROVED" else { return }
    template.pauses += 1
    guard template.pauses < 3 else { return change(template, status: "DISABLED", title: "DISABLED") }
    change(template, status: "PAUSED", title: template.pauses == 1 ? "FIRST_PAUSE" : "SECOND_PAUSE")
    let pause = scaled(settings.people.templatePause) * Int64(template.pauses)
    reactor.schedule(at: BootInstant(nanoseconds: BootInstant.now.nanoseconds + pause)) { [weak self, weak template] in
      guard let self, let template, template.status == "PAUSED" else { return }
      template.score.reset()
      template.quality = "GREEN"
      self.change(template, status: "APPROVED", title: "UNPAUSE")
    }
  }

  func change(_ template: Template, status: String, title: String? = nil) {
    template.status = status
    templateUpdate(template, title: title)
  }
}
