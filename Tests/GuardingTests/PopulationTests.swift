import GuardTrial
import Population
import Store
import Testing

/// Promise 4 in small: the whole table, 100 seeds each, is `deploy/bench guard_population`.
@Suite struct `A population under the guard` {
  private static func trial(_ seed: UInt64, strangers: Double, people: Int = 50_000) -> PopulationTrial {
    var trial = PopulationTrial(seed: seed)
    trial.model.strangers = strangers
    trial.people = people
    return trial
  }

  @Test func `is left alone by a badly targeted campaign before the number is RED, and after 2,000 messages at most`() {
    let guarded = (1...20).map { Self.trial($0, strangers: 0.3).run(guarding: .init(), pilot: .init()) }
    #expect(guarded.count { $0.haltedBy != nil && $0.redAt == nil && $0.sent <= 2000 } >= 19, "\(guarded)")
    // Without the guard the same campaigns reach RED: else the above would prove nothing.
    #expect((1...20).count { Self.trial($0, strangers: 0.3).run().redAt != nil } >= 19)
  }

  @Test func `is not kept from a healthy campaign`() {
    let results = (1...20).map { Self.trial($0, strangers: 0, people: 6000).run(guarding: .init(), pilot: .init()) }
    #expect(results.count { $0.haltedBy != nil || $0.redAt != nil } <= 1, "\(results)")
    #expect(results.count { $0.sent == 6000 } >= 19)
  }

  @Test func `is the same again for the same seed`() {
    let first = Self.trial(7, strangers: 0.3).run(guarding: .init(), pilot: .init())
    let again = Self.trial(7, strangers: 0.3).run(guarding: .init(), pilot: .init())
    #expect(first.sent == again.sent && first.haltedBy == again.haltedBy)
  }
}
