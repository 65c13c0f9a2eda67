import Domain
import Guarding
import Store

extension PopulationTrial {
  /// Runs it under the guard's own rules; `pilot`: with a sample first.
  public func run(guarding: CampaignSpec.Guarding, pilot: CampaignSpec.Guarding.Pilot?) -> Result {
    var trial = self
    trial.steps = pilot.map { CampaignSpec.Guarding.steps(of: $0.size) } ?? []
    var ladder = GuardLadder(guarding, pilot: pilot)
    func instant(_ second: Int) -> Instant { Instant(seconds: 1_767_225_600 + Int64(second)) }
    return trial.run { look in
      let outcomes = GuardRules.Outcomes(
        accepted: look.sums.accepted, delivered: look.sums.delivered, optedOut: look.sums.optedOut,
        failures: look.sums.failures)
      let isPiloting = look.step <= trial.steps.count
      let evidence = PilotRule.Evidence(
        step: look.step, people: look.sums.accepted, done: look.sums.accepted, outcomes: outcomes, read: look.sums.read,
        sentAt: look.sentAt.map(instant))
      return ladder.look(
        outcomes, colour: look.colour, pilot: isPiloting ? evidence : nil, at: instant(look.second)
      ).map { step in
        switch step {
        case .slow: .halvePace
        case .openPilotStep: .openStep
        case .stop(let rule): .halt(rule.rawValue)
        }
      }
    }
  }
}
