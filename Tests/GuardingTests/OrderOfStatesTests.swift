import Crypto
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Simulation
import Store
import Testing

@Suite struct `Every order of states` {
  typealias Event = PauseMachine.Event

  /// All orders of whatever length, not only those up to six: every state that any order reaches is met once, and every
  /// event is tried in it.
  @Test func `leaves nothing sending on a pause, and nothing stuck`() {
    var known: Set<UInt32> = [PauseMachine().key]
    var front = [PauseMachine()]
    var (steps, failures) = (0, 0)
    while let before = front.popLast() {
      for event in Event.all {
        var after = before
        after.handle(event)
        steps += 1
        if let broken = Self.broken(before, event, after), failures < 10 {
          failures += 1
          Issue.record("\(broken): \(before) by \(event) to \(after)")
        }
        if known.insert(after.key).inserted { front.append(after) }
      }
      if let stuck = Self.stuck(before), failures < 10 {
        failures += 1
        Issue.record("\(stuck): \(before)")
      }
    }
    print("\(known.count) states, \(steps) steps")
    #expect(known.count > 1000)
  }

  /// Nil when the step keeps the law.
  private static func broken(_ before: PauseMachine, _ event: Event, _ after: PauseMachine) -> String? {
    let ended = before.open.subtracting(after.open)
    let opened = after.open.subtracting(before.open)
    switch event {
    case .templatePaused, .aboveRefused, .categoryDearer, .marketerPauses, .operatorPauses, .cancel, .seesStatus(.restricted),
      .toldFlagged:
      if after.maySend { return "sends after a reason to stop" }
    case .seesColour(let colour):
      if after.maySend, colour != .green, !(before.colour == colour && before.isColourTold) { return "sends at a new colour" }
      if before.colour == colour, before.isColourTold, after.status == before.status, !opened.subtracting(.stopped).isEmpty {
        return "a look without news stops again"
      }
    case .start:
      if after.maySend, after.rule != nil, !before.isColourTold { return "starts at a colour that nobody was told of" }
    case .marketerResumes:
      if !ended.subtracting(.marketer).isEmpty { return "a marketer ends what others stopped" }
    case .restart: if after != before { return "a restart changes something" }
    default: break
    }
    switch event {
    case .operatorResumes, .operatorResumesNumber, .operatorResumesAbove, .operatorResumesTemplate, .marketerResumes: break
    default:
      // Meta's own all-clear ends what Meta's own stop opened over what it concerns, nothing else does.
      if !ended.subtracting([.stopped, .template]).isEmpty { return "ended by nobody" }
    }
    if before.isOver, after.maySend || !after.isOver { return "comes back from its end" }
    return nil
  }

  /// Nil when a person gets it going again: at once where Meta only warns, after Meta's all-clear where it forbids.
  private static func stuck(_ state: PauseMachine) -> String? {
    guard !state.isOver else { return nil }
    var going = state
    let start: [Event] = going.life == .sending ? [] : [.launch, .templateApproved, .start]
    for event in start + [
      .templateApproved, .operatorResumes, .operatorResumesNumber, .operatorResumesAbove, .operatorResumesTemplate,
    ] { going.handle(event) }
    if !going.maySend { return "no way out" }
    // And the next look does not take it back.
    let isForbidden = going.status == .restricted
    going.handle(.seesColour(going.colour))
    if !isForbidden, !going.maySend { return "the next look takes a person's word back" }
    going.handle(.seesStatus(.connected))
    return going.maySend ? nil : "Meta's all-clear does not help"
  }

  /// The record does what the machine says: pauses that stand and the gate's answer, after every event of seeded orders.
  @Test func `is in the record as in the machine`() async throws {
    let seed: UInt64 = 20_261_126
    var chance = SplitMix64(seed: seed)
    let record = try await PauseRecord()
    // Those that a marketer with bad luck would meet, then chance's.
    var orders: [[Event]] = [
      [.launch, .start, .seesColour(.red), .operatorResumes, .seesColour(.red), .restart],
      [.seesColour(.yellow), .launch, .start, .operatorResumes, .seesColour(.yellow), .seesColour(.red)],
      [.launch, .start, .seesStatus(.flagged), .operatorResumesNumber, .seesStatus(.flagged), .toldFlagged],
      [.launch, .start, .seesColour(.yellow), .seesColour(.green), .seesColour(.yellow), .operatorResumes],
      [.launch, .start, .templatePaused, .templateApproved, .operatorResumes, .templatePaused],
      [.launch, .templatePaused, .start, .templateApproved, .operatorResumes, .start],
      [.launch, .start, .seesStatus(.restricted), .operatorResumesNumber, .seesStatus(.restricted), .seesStatus(.connected)],
    ]
    for _ in 0..<80 {
      // Half of them from a campaign that sends: there most can go wrong.
      let begun: [Event] = chance.once(in: 2) ? [.launch, .start] : []
      orders.append(begun + (begun.count..<6).map { _ in chance.one(of: Event.all) })
    }
    for order in orders {
      var machine = PauseMachine()
      try await record.begin()
      for (index, event) in order.enumerated() {
        machine.handle(event)
        try await record.handle(event, choosing: &chance)
        let (open, maySend) = try await record.now()
        #expect(open == machine.open && maySend == machine.maySend, "seed \(seed): \(order[...index]): \(machine)")
        guard open == machine.open, maySend == machine.maySend else { break }
      }
    }
    await record.close()
  }
}
