import Domain
import Governor
import Simulation
import Testing

@Suite struct `A jitter` {
  @Test func `never moves a send before its slot, out of order, or by its slack`() {
    for seed in UInt64(1)...3 {
      var jitter = Jitter(.human, seed: seed, limit: 80, per: .seconds(1))
      let step = EmissionInterval(perSecond: 64).nanoseconds
      var (last, total): (Int64, Int64) = (-1, 0)
      var moved = Set<Int64>()
      for index in 0..<100_000 {
        let offset = jitter.offset(step: step)
        let sent = Int64(index) * step + offset
        if offset < 0 || offset >= 8 * step || sent < last { Issue.record("seed \(seed), send \(index): \(offset)") }
        (last, total) = (sent, total + offset)
        moved.insert(offset)
      }
      // It moves most sends, by one to four steps on average; a machine's even ticking is not what one sees.
      #expect(moved.count > 50_000)
      #expect((step...4 * step).contains(total / 100_000), "mean \(total / 100_000)")
    }
  }

  @Test func `keeps order when the step changes`() {
    var (jitter, chance) = (Jitter(.human, seed: 5, limit: 80, per: .seconds(1)), SplitMix64(seed: 6))
    var (slot, last): (Int64, Int64) = (0, 0)
    for _ in 0..<100_000 {
      let step = chance.within(12_500_000...100_000_000)
      let sent = slot + jitter.offset(step: step)
      #expect(sent >= last)
      (slot, last) = (slot + step, sent)
    }
  }

  @Test func `has nothing to give at the very limit`() {
    var jitter = Jitter(.human, seed: 1, limit: 80, per: .seconds(1))
    for _ in 0..<1000 { #expect(jitter.offset(step: 12_500_000) == 0) }
    #expect(!Jitter.allows(.human, pace: EmissionInterval(perSecond: 65), under: EmissionInterval(perSecond: 80)))
    #expect(Jitter.allows(.none, pace: EmissionInterval(perSecond: 80), under: EmissionInterval(perSecond: 80)))
    for limit in stride(from: 5, through: 1000, by: 5) {
      let pace = EmissionInterval(perSecond: limit * 4 / 5)
      #expect(Jitter.allows(.human, pace: pace, under: EmissionInterval(perSecond: limit)), "\(limit)")
    }
  }

  @Test func `moves nothing when the profile is none, and repeats itself from its seed`() {
    var none = Jitter(.none, seed: 1, limit: 80, per: .seconds(1))
    for _ in 0..<100 { #expect(none.offset(step: 50_000_000) == 0) }
    var one = Jitter(.human, seed: 9, limit: 80, per: .seconds(1))
    var other = one
    for _ in 0..<100 { #expect(one.offset(step: 50_000_000) == other.offset(step: 50_000_000)) }
  }
}

@Suite struct `A governed line` {
  /// Seven worlds, together more than a million steps; each judged by a second, dumber model.
  @Test(arguments: [
    (limit: 80, window: Duration.seconds(1), pace: 64, jitter: Jitter.Profile.human),
    (limit: 80, window: .seconds(1), pace: 80, jitter: .none),
    (limit: 1000, window: .seconds(1), pace: 800, jitter: .human),
    (limit: 1000, window: .seconds(1), pace: 943, jitter: .none),
    (limit: 20, window: .seconds(1), pace: 3, jitter: .human),
    (limit: 3, window: .seconds(1), pace: 3, jitter: .none),
    (limit: 7, window: .milliseconds(300), pace: 11, jitter: .human),
  ])
  func `keeps every sliding window through freezes, throttle answers and idle times`(
    limit: Int, window: Duration, pace: Int, jitter: Jitter.Profile
  ) {
    var faults = Line.Faults()
    faults.freeze = Int64(pace) * 8
    faults.throttled = Int64(pace) * 100
    faults.idle = 300
    faults.lateness = EmissionInterval(perSecond: pace).nanoseconds / 4
    for seed in UInt64(1)...3 {
      var line = Line(
        limit: limit, per: window, pace: EmissionInterval(perSecond: pace), jitter: jitter, faults: faults, seed: seed)
      var last = Int64.min
      for step in 0..<60_000 {
        let sent = line.step()
        if sent.at < sent.slot || sent.at < last {
          Issue.record("seed \(seed), step \(step): before its slot or out of order")
        }
        last = sent.at
      }
      #expect(line.law.fullest <= limit, "seed \(seed)")
      // Nobody starves: what no freeze and no throttle answer explains is jitter, lateness and a catch-up of one
      // window.
      #expect(line.longestWait < 2_000_000_000 + window.nanoseconds, "seed \(seed)")
    }
  }

  @Test(arguments: [(80, 64, Jitter.Profile.human), (80, 80, .none), (80, 1, .human), (1000, 800, .human)])
  func `keeps its mean pace and needs no ring when the world is calm`(limit: Int, pace: Int, jitter: Jitter.Profile) {
    let interval = EmissionInterval(perSecond: pace)
    var line = Line(limit: limit, per: .seconds(1), pace: interval, jitter: jitter, faults: Line.Faults(), seed: 3)
    let first = line.step()
    var last = first
    for _ in 1..<20_000 { last = line.step() }
    let expected = 19_999 * interval.nanoseconds
    #expect(last.slot - first.slot == expected)
    #expect(abs((last.at - first.at) - expected) * 1000 < expected)
    #expect(line.ringHeld == 0)
    #expect(line.law.fullest <= limit)
  }
}

@Suite struct `A throttle` {
  let second: Int64 = 1_000_000_000

  @Test func `halves the rate once for one burst of refusals`() {
    var throttle = Throttle()
    throttle.handle(.throttled(handedOver: 9 * second), at: 10 * second)
    for _ in 0..<40 { throttle.handle(.throttled(handedOver: 10 * second - 1), at: 10 * second + 5) }
    #expect(throttle.share(at: 11 * second) == 500_000)
    #expect(throttle.earliest(after: 10 * second) == 11 * second + 5)
    throttle.handle(.throttled(handedOver: 12 * second), at: 12 * second)
    #expect(throttle.share(at: 12 * second) == 250_000)
    #expect(throttle.interval(EmissionInterval(perSecond: 80), at: 12 * second).nanoseconds == 50_000_000)
  }

  @Test func `wins its rate back slowly and evenly`() {
    var throttle = Throttle()
    throttle.handle(.throttled(handedOver: 0), at: 0)
    #expect(throttle.share(at: 30 * second) == 500_000)
    #expect(throttle.share(at: 90 * second) == 600_000)
    #expect(throttle.recovered(at: 90 * second) == 330 * second)
    #expect(throttle.share(at: 330 * second) == Throttle.full)
    #expect(throttle.recovered(at: 330 * second) == nil)
  }

  @Test func `in every sequence of events stays between its least and its full rate`() {
    let events: [Throttle.Event] = [
      .throttled(handedOver: 0), .throttled(handedOver: .max), .slowed(toMillionths: 300_000), .slowed(toMillionths: 1),
      .restored,
    ]
    var sequences = 0
    everySequence(of: events, upTo: 6) { sequence in
      var throttle = Throttle()
      var now: Int64 = 0
      for (index, event) in sequence.enumerated() {
        now += index.isMultiple(of: 2) ? 1 : 45 * 1_000_000_000
        let before = throttle.share(at: now)
        throttle.handle(event, at: now)
        let after = throttle.share(at: now)
        let lawful = event == .restored ? after == Throttle.full : after <= before
        if !lawful || after < Throttle.least || throttle.earliest(after: now) > now + Throttle.rest {
          Issue.record("\(sequence): \(before) became \(after)")
        }
      }
      if throttle.recovered(at: now).map({ throttle.share(at: $0) != Throttle.full }) ?? false {
        Issue.record("\(sequence)")
      }
      sequences += 1
    }
    #expect(sequences == 1 + 5 + 25 + 125 + 625 + 3125 + 15_625)
  }
}

@Suite struct `A cap on what is in flight` {
  enum Event { case handOver, answered, unknown, receipt }

  @Test func `in every sequence bounds what can become unknown`() {
    everySequence(of: [Event.handOver, .answered, .unknown, .receipt], upTo: 6) { sequence in
      var cap = InFlightCap(limit: 2, unsettledLimit: 2)
      for event in sequence {
        switch event {
        case .handOver: if cap.permits { cap.handedOver() }
        case .answered: if cap.inFlight > 0 { cap.ended(.answered) }
        case .unknown: if cap.inFlight > 0 { cap.ended(.unknown) }
        case .receipt: cap.settled()
        }
        if cap.inFlight > 2 || cap.unsettled + cap.inFlight > 3 { Issue.record("\(sequence)") }
      }
    }
  }

  @Test func `holds the lane until receipts settle enough`() {
    var cap = InFlightCap(limit: 200)
    for _ in 0..<150 { cap.handedOver() }
    for _ in 0..<150 { cap.ended(.unknown) }
    #expect(cap.holds && !cap.permits)
    cap.settled(51)
    #expect(cap.permits)
  }

  @Test func `crashes on an ending without a beginning`() async {
    await #expect(processExitsWith: .failure) {
      var cap = InFlightCap(limit: 1)
      cap.ended(.answered)
    }
  }
}
