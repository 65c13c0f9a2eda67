import Domain
import Governor
import Store

/// What one lane has claimed and not yet handed over: slots, gate answers, limits. Pure: events in, decisions out, `now`
/// (nanoseconds of the boot clock) comes as an argument. The lane around it does the I/O.
struct LaneQueue {
  struct Limits: Sendable {
    /// Slots are claimed this far ahead.
    var horizon: Int64 = 500_000_000
    /// A message is asked about at the gate this long before its slot.
    var gateAhead: Int64 = 150_000_000
    /// A gate answer older than this is asked for again.
    var gateRefresh: Int64 = 120_000_000
    /// Nothing is handed over on a gate answer older than this (promise 2).
    var gateValid: Int64 = 250_000_000
    /// Behind its slot by more than this, a campaign's remaining slots move instead of bunching.
    var catchUp: Int64 = 50_000_000
    var claimLength = 2000
    var gateLength = 1000
    /// Urgent messages of one standing campaign in the lane.
    var urgentAhead = 200
    /// Handed over and not answered: at least and at most so many at once, by how quick the answers are.
    var inFlightLeast = 64
    var inFlight = 1000
    /// What the path to Meta may vary by: it widens the number's emission interval, T = ceil((W + D) / R).
    var pathAllowance: Duration = LaneShare.pathAllowance
    init() {}
  }

  struct Message: Sendable {
    let campaign: Campaign.ID
    let recipient: LaneLog.Recipient
    let claim: Int64
    /// Not before this; boot clock.
    var sendAt: Int64
    /// Not at or after this: the hours of its people end. Boot clock.
    let until: Int64
    /// When the gate's question was put, if it let the message pass; before everything otherwise.
    var gatedAt = Int64.min
  }

  /// One campaign's share of the lane.
  struct Stream {
    var plan: CampaignPlan
    var bucket: Bucket
    var jitter: Jitter
    /// The campaign's own window law, when it has a pace of its own.
    var ring: GuardRing?
    var pending: [Message] = []
    var head = 0
    /// Came back without having left: they get new slots before anything new is claimed.
    var returned: [Message] = []
    var take: LaneLog.Take?
    var isHalted = false
    /// Nothing of it could be claimed at the last try: closed hours, or everything is under way.
    var isDry = false
    /// The lane was last divided without it.
    var sharesNothing = false
    /// The earliest end of the hours of what is pending.
    var closesAt = Int64.max
    /// Its template does not work before; boot clock.
    var restsUntil = Int64.min

    var waiting: Int { pending.count - head }
    var isEmpty: Bool { waiting == 0 && returned.isEmpty }
    var isIdle: Bool { isHalted || (isDry && isEmpty) }
  }

  enum Decision {
    case handOver(Message, CampaignPlan)
    /// This person got too much of this number: the message leaves the lane and comes back then.
    case hold(Message, until: Int64)
    /// Nothing may leave before this instant.
    case wait(until: Int64)
    /// Nothing to do until something is claimed, gated or answered.
    case idle
  }

  let limits: Limits
  private(set) var streams: [Campaign.ID: Stream] = [:]
  private(set) var inFlight = 0
  /// Nobody more may be written to for now, outside their service windows: campaigns wait.
  var isCrowded = false
  private var window: AnswerWindow
  private var ring: GuardRing
  private var pacer: Bucket
  private var reserved: ReservedShare?
  private var reservePercent = 0
  private var throttle = Throttle()
  private var breather = Breather()
  private var pairs = PairLimit()
  private var perSecond: Int
  private var seed: UInt64

  init(perSecond: Int, limits: Limits, seed: UInt64) {
    (self.perSecond, self.limits, self.seed) = (perSecond, limits, seed)
    window = AnswerWindow(least: min(limits.inFlightLeast, limits.inFlight), most: limits.inFlight)
    ring = GuardRing(limit: perSecond, window: .seconds(1))
    pacer = Bucket(interval: LaneQueue.interval(perSecond, limits))
  }

  private static func interval(_ perSecond: Int, _ limits: Limits) -> EmissionInterval {
    EmissionInterval(limit: perSecond, per: .seconds(1), pathAllowance: limits.pathAllowance)
  }

  // MARK: Plans

  /// Takes the campaigns as they are now: new ones get a stream, those that ended lose it once it is empty.
  mutating func adopt(_ plans: [CampaignPlan], perSecond: Int) {
    let isOther = perSecond != self.perSecond
    if isOther {
      self.perSecond = perSecond
      ring = ring.under(limit: perSecond, window: .seconds(1))
      pacer = Bucket(interval: LaneQueue.interval(perSecond, limits), tat: pacer.tat)
    }
    if let percent = plans.first?.reservePercent, reserved == nil || percent != reservePercent || isOther {
      (reservePercent, reserved) = (percent, ReservedShare(percent: percent, of: perSecond))
    }
    let live = Dictionary(uniqueKeysWithValues: plans.map { ($0.campaign, $0) })
    for (campaign, stream) in streams where live[campaign] == nil && stream.isEmpty { streams[campaign] = nil }
    for plan in plans {
      if var stream = streams[plan.campaign] {
        change(&stream, to: plan)
        streams[plan.campaign] = stream
      } else if let pace = plan.pace(perSecond: perSecond, allowance: limits.pathAllowance) {
        seed &+= 1
        var stream = Stream(
          plan: plan, bucket: Bucket(interval: pace.interval),
          jitter: Jitter(plan.jitter, seed: seed, limit: pace.fullest, per: pace.window),
          ring: pace.isOwn ? GuardRing(limit: pace.fullest, window: pace.window) : nil)
        stream.isHalted = plan.isPaused
        streams[plan.campaign] = stream
      }
    }
    share()
  }

  /// Campaigns share the lane by steps of their own, by weight; what one does not use the others have. One that has
  /// nothing to send now counts for none, and gets its part from the claim on that finds something. Urgent messages take
  /// the number's own step: what they may take ahead of others is the reserve's matter.
  private mutating func share() {
    var (working, idle): ([(Campaign.ID, FairShare.Part)], [(Campaign.ID, FairShare.Part)]) = ([], [])
    for (campaign, stream) in streams {
      guard let pace = stream.plan.pace(perSecond: perSecond, allowance: limits.pathAllowance) else { continue }
      if stream.plan.isUrgent {
        streams[campaign]!.bucket.interval = pacer.interval
        continue
      }
      let part = FairShare.Part(weight: stream.plan.weight, own: pace.interval)
      streams[campaign]!.sharesNothing = stream.isIdle
      if stream.isIdle { idle.append((campaign, part)) } else { working.append((campaign, part)) }
    }
    for (campaign, step) in zip(working.map(\.0), FairShare.steps(working.map(\.1), number: pacer.interval)) {
      streams[campaign]!.bucket.interval = step
    }
    for (campaign, part) in idle {
      streams[campaign]!.bucket.interval = FairShare.steps(working.map(\.1) + [part], number: pacer.interval).last!
    }
  }

  /// Whether the last try to claim of a campaign found anybody.
  mutating func tried(_ campaign: Campaign.ID, found: Bool) {
    guard let stream = streams[campaign], !stream.plan.isUrgent else { return }
    let isIdle = stream.isIdle
    streams[campaign]!.isDry = !found
    if streams[campaign]!.isIdle != isIdle || isIdle != stream.sharesNothing { share() }
  }

  /// A campaign as it is now, its pace perhaps another one. Slots already given keep their times; what was sent stays
  /// known to the ring. Without a part in the pace it stands still and keeps that memory.
  private mutating func change(_ stream: inout Stream, to plan: CampaignPlan) {
    let old = stream.plan.pace(perSecond: perSecond, allowance: limits.pathAllowance)
    let new = plan.pace(perSecond: perSecond, allowance: limits.pathAllowance)
    stream.isHalted = plan.isPaused || new == nil
    if let new, new.isOwn, old.map({ $0.fullest != new.fullest || $0.limit != new.limit || $0.window != new.window }) ?? true
    {
      stream.ring =
        stream.ring?.under(limit: new.fullest, window: new.window) ?? GuardRing(limit: new.fullest, window: new.window)
      seed &+= 1
      stream.jitter = Jitter(plan.jitter, seed: seed, limit: new.fullest, per: new.window)
      // A slower pace begins a step of its own after the last slot of the old.
      stream.bucket.tat += max(0, new.interval.nanoseconds - stream.bucket.interval.nanoseconds)
    }
    stream.plan = plan
  }

  /// After a takeover: the old owner may have sent a moment ago, so the first slot is a step away.
  mutating func keepDistance(_ campaign: Campaign.ID, at now: Int64) {
    guard let interval = streams[campaign]?.bucket.interval else { return }
    streams[campaign]!.bucket.tat = max(streams[campaign]!.bucket.tat, now + interval.nanoseconds)
  }

  mutating func setTake(_ take: LaneLog.Take?, of campaign: Campaign.ID) { streams[campaign]?.take = take }

  // MARK: Claims

  struct Want: Sendable {
    let campaign: Campaign.ID
    let count: Int
    let step: Int64
    let slot0: Int64

    /// Of the slots wanted, those before the hours end; at least one, which is handed over in time or comes back.
    func count(before until: Int64) -> Int {
      guard until > slot0 else { return 1 }
      return Int(min(Int64(count), (until - slot0 - 1) / step + 1))
    }
  }

  /// What to claim now for a campaign, so that the horizon ahead is reserved; nil when it is. Those that came back take
  /// slots first.
  mutating func want(_ campaign: Campaign.ID, at now: Int64) -> Want? {
    guard var stream = streams[campaign], !stream.isHalted, !stream.plan.isOver(at: now),
      !isCrowded || stream.plan.isUrgent,
      max(breather.until, stream.restsUntil) < now + limits.horizon
    else { return nil }
    if !stream.returned.isEmpty {
      let slots = stream.bucket.reserve(upTo: stream.returned.count, before: now + limits.horizon, at: now)
      for index in 0..<slots.count {
        var message = stream.returned[index]
        message.sendAt = slots[index] + stream.jitter.offset(step: slots.step)
        message.gatedAt = .min
        stream.pending.append(message)
      }
      stream.returned.removeFirst(slots.count)
      streams[campaign] = stream
      return nil
    }
    if stream.plan.isUrgent {
      let free = limits.urgentAhead - stream.waiting
      // All of them from now on: their turn among the others is no promise of theirs.
      return free > 0 ? Want(campaign: campaign, count: free, step: 1, slot0: now) : nil
    }
    let free = min(limits.claimLength, limits.claimLength * 2 - stream.waiting)
    guard free > 0 else { return nil }
    var trial = stream.bucket
    let slots = trial.reserve(upTo: free, before: now + limits.horizon, at: now)
    // Half the horizon may run down before another claim is worth its commit.
    guard slots.count > 0, stream.bucket.tat < now + limits.horizon / 2 else { return nil }
    return Want(campaign: campaign, count: slots.count, step: slots.step, slot0: slots.first)
  }

  /// Takes in what a claim gave. Slots are counted from now again: the claim's own commit took time.
  mutating func claimed(
    _ recipients: [LaneLog.Recipient], claim: Int64, campaign: Campaign.ID, until: Int64 = .max, at now: Int64
  ) {
    tried(campaign, found: true)
    guard var stream = streams[campaign] else { return }
    stream.closesAt = min(stream.closesAt, until)
    let slots = stream.bucket.reserve(recipients.count, at: now)
    for (index, recipient) in recipients.enumerated() {
      let sendAt = slots[index] + stream.jitter.offset(step: slots.step)
      stream.pending.append(Message(campaign: campaign, recipient: recipient, claim: claim, sendAt: sendAt, until: until))
    }
    streams[campaign] = stream
  }

  // MARK: The gate

  /// The messages whose slots lie just ahead and whose gate answer is missing or growing old; at most `gateLength`.
  func toAsk(at now: Int64) -> [Message] {
    var asked: [Message] = []
    let soon = now + limits.gateAhead
    guard breather.until <= soon else { return [] }
    for stream in streams.values where !stream.isHalted && stream.restsUntil <= soon {
      for index in stream.head..<stream.pending.count {
        let message = stream.pending[index]
        if message.sendAt > soon || asked.count == limits.gateLength { break }
        // Who was let through is counted already.
        if isCrowded, message.gatedAt == .min, !stream.plan.isUrgent { continue }
        if message.gatedAt < now - limits.gateRefresh { asked.append(message) }
      }
    }
    return asked
  }

  /// Takes in the gate's verdicts, `askedAt` being the instant before the question left. Answers the messages that leave
  /// the lane here: suppressed or capped, their row is written; and the urgent ones for whom there is no room among the
  /// people of the day. A campaign waits with its people, and nothing of it is claimed or asked until there is room.
  mutating func judged(_ messages: [Message], _ verdicts: [Gate.Verdict], askedAt: Int64) -> (
    finished: [Message], crowded: [Message]
  ) {
    var crowded: [Message] = []
    var verdictOf: [MessageKey: Gate.Verdict] = [:]
    verdictOf.reserveCapacity(messages.count)
    for (message, verdict) in zip(messages, verdicts) { verdictOf[message.key] = verdict }
    var finished: [Message] = []
    for campaign in Set(messages.map(\.campaign)) {
      guard var stream = streams[campaign] else { continue }
      var kept: [Message] = []
      kept.reserveCapacity(stream.waiting)
      for index in stream.head..<stream.pending.count {
        var message = stream.pending[index]
        switch verdictOf[message.key] {
        case .pass:
          message.gatedAt = askedAt
          kept.append(message)
        case .suppressed, .capped: finished.append(message)
        case .crowded, .crowdedToday:
          guard !stream.plan.isUrgent else {
            crowded.append(message)
            continue
          }
          isCrowded = true
          stream.returned.append(message)
        case .halted:
          stream.isHalted = true
          stream.returned.append(message)
        case .raced, nil: kept.append(message)
        }
      }
      stream.pending = kept
      stream.head = 0
      streams[campaign] = stream
    }
    return (finished, crowded)
  }

  // MARK: The pacer

  /// What may leave now. The caller hands over what it is given, at once, and reports it with `left`.
  mutating func next(at now: Int64) -> Decision {
    var (best, bestAt): (Campaign.ID?, Int64) = (nil, .max)
    var (urgent, urgentAt): (Campaign.ID?, Int64) = (nil, .max)
    for (campaign, stream) in streams where stream.head < stream.pending.count && !stream.isHalted {
      let message = stream.pending[stream.head]
      // What comes too late for its people's hours waits for `closed`; others go past it.
      guard message.gatedAt != .min, now < message.until else { continue }
      let at = max(message.sendAt, stream.restsUntil, stream.ring?.earliest(after: .min) ?? .min)
      if at < bestAt || (at == bestAt && campaign < best!) { (best, bestAt) = (campaign, at) }
      if stream.plan.isUrgent, stream.restsUntil <= now, at < urgentAt || (at == urgentAt && campaign < urgent!) {
        (urgent, urgentAt) = (campaign, at)
      }
    }
    // Ahead of the others, and of the turn that it has among them, within the share that the number keeps for it.
    if let urgent, reserved?.permits(at: now) ?? false { (best, bestAt) = (urgent, streams[urgent]!.restsUntil) }
    guard let campaign = best else { return .idle }
    // The number's laws: its own interval with a little slack for late wake-ups, the throttle's rest, and the ring.
    let slack = min(pacer.interval.nanoseconds * Int64(max(1, perSecond / 50)), limits.catchUp)
    let earliest = max(
      bestAt, pacer.tat - slack, throttle.earliest(after: breather.until), ring.earliest(after: .min))
    if earliest > now { return .wait(until: earliest) }
    // The next answer asks again.
    guard window.permits(beside: inFlight) else { return .idle }
    let message = streams[campaign]!.pending[streams[campaign]!.head]
    // Fail closed: without a fresh answer it stays and is asked about again.
    guard now - message.gatedAt < limits.gateValid else { return .idle }
    let free = pairs.earliest(for: message.recipient.contact.rawValue, at: now)
    if free > now {
      streams[campaign]!.head += 1
      return .hold(message, until: free)
    }
    precondition(ring.permits(at: now), "the guard ring and the pacer disagree")
    return .handOver(message, streams[campaign]!.plan)
  }

  mutating func left(_ message: Message, at now: Int64) {
    ring.note(at: now)
    pairs.handedOver(to: message.recipient.contact.rawValue, at: now)
    pacer.interval = throttle.interval(LaneQueue.interval(perSecond, limits), at: now)
    _ = pacer.reserve(1, at: now - limits.catchUp)
    inFlight += 1
    guard var stream = streams.removeValue(forKey: message.campaign) else { return }
    stream.ring?.note(at: now)
    if stream.plan.isUrgent { reserved?.went(at: now) }
    stream.head += 1
    if stream.head > 512, stream.head * 2 > stream.pending.count {
      stream.pending.removeFirst(stream.head)
      stream.head = 0
    }
    let behind = now - message.sendAt
    if behind > limits.catchUp {
      for index in stream.head..<stream.pending.count { stream.pending[index].sendAt += behind }
      stream.bucket.tat += behind
    }
    streams[message.campaign] = stream
  }

  /// An answer came, or surely never will. `handedOver` nil: it tells nothing of how quick Meta is.
  mutating func answered(handedOver: Int64?, at now: Int64) {
    inFlight -= 1
    if let handedOver { window.answered(after: now - handedOver, at: now) }
  }

  // MARK: Refusals

  /// Meta took a message.
  mutating func accepted(handedOver: Int64) { breather.answered(handedOver: handedOver) }

  mutating func throttled(handedOver: Int64, at now: Int64) {
    throttle.handle(.throttled(handedOver: handedOver), at: now)
  }

  /// Meta refused a message for a reason of its own.
  mutating func troubled(handedOver: Int64, least: Int64 = 0, at now: Int64) {
    breather.troubled(handedOver: handedOver, least: least, at: now)
  }

  /// What a template's campaigns have claimed waits with them.
  mutating func rest(_ template: Template.ID, until: Int64) {
    for campaign in streams.keys where streams[campaign]!.plan.template == template {
      streams[campaign]!.restsUntil = max(streams[campaign]!.restsUntil, until)
    }
  }

  /// Meta refused the person for the pair limit, the `times`th time in a row; until when they are held.
  mutating func pairRefused(_ person: Contact.ID, times: Int, at now: Int64) -> Int64 {
    pairs.refused(person.rawValue, times: times, at: now)
  }

  /// What the owner before handed over in the last minutes, oldest first.
  mutating func learn(_ person: Contact.ID, handedOverAt past: Int64) {
    pairs.learn(person.rawValue, handedOverAt: past)
  }

  /// Surely never left: it takes a new slot, ahead of what has not been claimed.
  /// False when its campaign is not in the lane any more: somebody else's then.
  mutating func cameBack(_ message: Message) -> Bool {
    guard let stream = streams[message.campaign], stream.plan.ownPace?.limit != 0 else { return false }
    streams[message.campaign]!.returned.append(message)
    return true
  }

  /// Takes out what was not handed over before the hours of its people ended: a pause, a throttle or a gate that did not
  /// answer came between. They go back to the queue and wait for the next opening.
  mutating func closed(at now: Int64) -> [Message] {
    var late: [Message] = []
    for (campaign, stream) in streams where stream.closesAt <= now {
      var stream = stream
      let waiting = stream.pending[stream.head...]
      late += waiting.filter { $0.until <= now } + stream.returned.filter { $0.until <= now }
      (stream.pending, stream.head) = (waiting.filter { $0.until > now }, 0)
      stream.returned.removeAll { $0.until <= now }
      stream.closesAt = (stream.pending + stream.returned).map(\.until).min() ?? .max
      streams[campaign] = stream
    }
    return late
  }

  /// Takes everything of a campaign that has not been handed over out of the lane, e.g. when it was cancelled.
  mutating func withdraw(_ campaign: Campaign.ID) -> [Message] {
    guard var stream = streams[campaign] else { return [] }
    let messages = Array(stream.pending[stream.head...]) + stream.returned
    (stream.pending, stream.head, stream.returned) = ([], 0, [])
    streams[campaign] = stream
    return messages
  }

  var isEmpty: Bool { inFlight == 0 && streams.values.allSatisfy(\.isEmpty) }
}

extension LaneQueue.Message {
  var key: MessageKey { MessageKey(campaign: campaign, seq: Int64(recipient.seq), attempt: recipient.attempt) }
}
