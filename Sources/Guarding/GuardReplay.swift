import Domain
import JSON
import Store

/// A past campaign judged again: the rules that judge live ones, over what the record says came when. Pure.
///
/// What it would have changed afterwards is not guessed: at half the pace fewer would have left, and fewer stops come.
public struct GuardReplay: Sendable {
  private let rules: GuardRules
  public init(_ guarding: CampaignSpec.Guarding) { rules = GuardRules(guarding) }

  public func run(_ history: GuardHistory) -> GuardHistory.Replay {
    var replay = GuardHistory.Replay()
    var outcomes = GuardRules.Outcomes(delivered: 0, optedOut: 0, failures: [:])
    let paused = history.pauses.first?.at
    for moment in history.moments {
      // Of the step in which it was paused everything had left before: nothing leaves after.
      if let paused, replay.leftBeforePause == nil, moment.at - history.step >= paused { replay.leftBeforePause = replay.left }
      replay.left += moment.left
      outcomes.accepted += moment.accepted
      outcomes.delivered += moment.delivered
      outcomes.optedOut += moment.optedOut
      outcomes.failures.merge(moment.failures, uniquingKeysWith: +)
      if replay.pause == nil, let found = stop(outcomes, moment, replay.left) { replay.pause = found }
      if replay.pause == nil, replay.slow == nil, let near = rules.judge(outcomes, .suspected).first {
        replay.slow = .init(rule: near.rule, at: moment.at, evidence: near.evidence, left: replay.left)
      }
    }
    if paused != nil, replay.leftBeforePause == nil { replay.leftBeforePause = replay.left }
    return replay
  }

  private func stop(_ outcomes: GuardRules.Outcomes, _ moment: GuardHistory.Moment, _ left: Int) -> GuardHistory.Replay.Stop? {
    if let colour = moment.colour, let rule = rule(of: colour) {
      return .init(rule: rule, at: moment.at, evidence: ["quality": .string(colour)], left: left)
    }
    return rules.judge(outcomes).first.map {
      .init(rule: $0.rule, at: moment.at, evidence: $0.evidence, left: left)
    }
  }

  private func rule(of colour: String) -> GuardRule? {
    switch colour {
    case "RED": .qualityRed
    case "YELLOW" where rules.guarding.pauseAt == .yellow: .qualityYellow
    default: nil
    }
  }
}
