import Domain
import JSON
import Store

/// Whether a pilot's step has shown that the campaign may go on: pure, so that stored outcomes can be judged again.
///
/// It turns the guard's question round. The guard stops when it is sure that a rate is bad; a pilot goes on only when it
/// is sure that the rate is not: the exact upper bound of the share of bad outcomes lies below the limit. Whoever gave no
/// outcome yet is nobody's proof and counts on neither side.
public struct PilotRule: Sendable {
  /// What is known of all steps opened so far.
  public struct Evidence: Sendable, Equatable {
    public var step: Int
    /// Frozen for these steps.
    public var people: Int
    /// Handed over, skipped, or put off by Meta or a cap for longer than a pilot waits.
    public var done: Int
    public var outcomes: GuardRules.Outcomes
    public var read: Int
    /// Meta holds them while it checks the template's quality: nothing is known of them.
    public var held: Int
    /// When the last of them was done; nil while some are left.
    public var sentAt: Instant?

    public init(
      step: Int, people: Int, done: Int, outcomes: GuardRules.Outcomes, read: Int = 0, held: Int = 0,
      sentAt: Instant? = nil
    ) {
      (self.step, self.people, self.done, self.outcomes) = (step, people, done, outcomes)
      (self.read, self.held, self.sentAt) = (read, held, sentAt)
    }
  }

  public enum Verdict: Sendable, Equatable {
    case sending
    /// Looked at again then.
    case waits(until: Instant)
    case passed(JSONValue)
    case failed(JSONValue)
  }

  /// Fewer outcomes than this share of the people written to prove nothing: it waits on.
  public static let leastKnown = 0.5
  /// Then what is known decides, and too little known is a failure.
  public static let longestWait: Duration = .seconds(86_400)

  public let guarding: CampaignSpec.Guarding
  public let pilot: CampaignSpec.Guarding.Pilot
  public init(_ guarding: CampaignSpec.Guarding, _ pilot: CampaignSpec.Guarding.Pilot) {
    (self.guarding, self.pilot) = (guarding, pilot)
  }

  /// Our fault, or what harms quality (product §1.3): 131026 has its own limit, 131049 and 130472 have none.
  static func isBad(_ code: Int32) -> Bool {
    code == 131_048 || code == 131_050 || code == 100 || code == 131_008 || code == 131_009
      || (132_000...132_999).contains(code)
  }

  public func judge(_ evidence: Evidence, at now: Instant) -> Verdict {
    guard evidence.done >= evidence.people, let sentAt = evidence.sentAt else { return .sending }
    guard now >= sentAt + pilot.wait else { return .waits(until: sentAt + pilot.wait) }
    let outcomes = evidence.outcomes
    let unreachable = outcomes.failures[131_026] ?? 0
    let faults = outcomes.failures.reduce(0) { PilotRule.isBad($1.key) ? $0 + $1.value : $0 }
    let bad = outcomes.optedOut + faults
    // A stop is heard at once, a delivery when its receipt is folded.
    let reached = max(outcomes.delivered, outcomes.optedOut) + faults
    let known = max(reached, outcomes.delivered + outcomes.failures.values.reduce(0, +))
    let isOverdue = now >= sentAt + PilotRule.longestWait
    let tooLittle = Double(known) < PilotRule.leastKnown * Double(outcomes.accepted)
    if evidence.held > 0 || tooLittle, !isOverdue {
      return .waits(until: min(now + pilot.wait, sentAt + PilotRule.longestWait))
    }
    let confidence = PilotRule.double(pilot.confidence)
    let limit = guarding.maxBad(of: pilot)
    let bound = ExactBound.upper(bad: bad, of: reached, confidence: confidence)
    let lost = ExactBound.upper(bad: unreachable, of: reached + unreachable, confidence: confidence)
    let figures: JSONValue = [
      "rule": .string(GuardRule.pilot.rawValue), "step": .number(String(evidence.step)),
      "people": .number(String(evidence.people)), "bad": .number(String(bad)), "of": .number(String(reached)),
      "opted_out": .number(String(outcomes.optedOut)), "read": .number(String(evidence.read)),
      "upper_bound": .number(PilotRule.rounded(bound)), "limit": .string(limit.text(minimumDecimals: 2)),
      "confidence": .string(pilot.confidence.text(minimumDecimals: 2)), "undeliverable": .number(String(unreachable)),
      "undeliverable_bound": .number(PilotRule.rounded(lost)),
      "undeliverable_limit": .string(guarding.maxUndeliverable.text(minimumDecimals: 2)),
      "held_by_meta": .number(String(evidence.held)), "no_outcome": .number(String(max(0, outcomes.accepted - known))),
    ]
    let holds = bound < PilotRule.double(limit) && lost < PilotRule.double(guarding.maxUndeliverable)
    return holds && evidence.held == 0 && !tooLittle ? .passed(figures) : .failed(figures)
  }

  private static func double(_ share: Amount) -> Double { Double(Int64(share.billionths)) / 1e9 }

  private static func rounded(_ rate: Double) -> String { String((rate * 100_000).rounded() / 100_000) }
}
