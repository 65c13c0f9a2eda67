import Domain
import Store

/// What the guard makes of a campaign from look to look, each finding once: its rules one after the other, without a
/// database. For trials in virtual time.
public struct GuardLadder: Sendable {
  public enum Step: Sendable, Equatable {
    case slow(GuardRule)
    case openPilotStep
    case stop(GuardRule)
  }

  private let rules: GuardRules
  private let pilot: PilotRule?
  private var slowed: Set<GuardRule> = []
  private var looksAt: Instant?

  public init(_ guarding: CampaignSpec.Guarding, pilot: CampaignSpec.Guarding.Pilot?) {
    rules = GuardRules(guarding)
    self.pilot = pilot.map { PilotRule(guarding, $0) }
  }

  /// `evidence`: of the pilot's steps, while there are some to come.
  public mutating func look(
    _ outcomes: GuardRules.Outcomes, colour: String, pilot evidence: PilotRule.Evidence?, at now: Instant
  ) -> [Step] {
    if colour == "RED" { return [.stop(.qualityRed)] }
    if colour == "YELLOW", rules.guarding.pauseAt == .yellow { return [.stop(.qualityYellow)] }
    if let found = rules.judge(outcomes).first { return [.stop(found.rule)] }
    var steps = rules.judge(outcomes, .suspected).filter { slowed.insert($0.rule).inserted }.map { Step.slow($0.rule) }
    guard let pilot, let evidence, looksAt.map({ now >= $0 }) ?? true else { return steps }
    looksAt = nil
    switch pilot.judge(evidence, at: now) {
    case .sending: break
    case .waits(let until): looksAt = until
    case .passed: steps.append(.openPilotStep)
    case .failed: steps.append(.stop(.pilot))
    }
    return steps
  }
}
