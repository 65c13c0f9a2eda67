import Domain
import JSON
import Store

/// Judges a campaign's outcomes: pure, so that stored ones can be judged again under other limits.
///
/// What can stop a campaign is our fault or harms quality (product §1.3). Each limit names its error classes: opt-outs are
/// stops and 131050; undeliverable is 131026 alone. 131049 and 130472 are Meta's own choice and count nowhere.
public struct GuardRules: Sendable {
  public struct Outcomes: Sendable, Equatable {
    /// Handed over and taken by Meta.
    public var accepted: Int
    public var delivered: Int
    public var optedOut: Int
    public var failures: [Int32: Int]
    public init(accepted: Int = 0, delivered: Int, optedOut: Int, failures: [Int32: Int]) {
      (self.accepted, self.delivered, self.optedOut, self.failures) = (accepted, delivered, optedOut, failures)
    }

    public init(_ sums: GuardEvidence.Sums) {
      self.init(
        accepted: sums.accepted, delivered: sums.delivered, optedOut: sums.optedOut, failures: sums.failures)
    }
  }

  public struct Finding: Sendable, Equatable {
    public let rule: GuardRule
    public let bad: Int
    public let outcomes: Int
    public let limit: Amount

    /// Figures for the record.
    public var evidence: JSONValue {
      [
        "rule": .string(rule.rawValue), "bad": .number(String(bad)), "of": .number(String(outcomes)),
        "limit": .string(limit.text(minimumDecimals: 2)),
      ]
    }
  }

  public let guarding: CampaignSpec.Guarding
  public init(_ guarding: CampaignSpec.Guarding) { self.guarding = guarding }

  /// How sure a finding is: of a campaign at half its limit, so many are found by chance.
  public enum Certainty: Double, Sendable {
    /// To slow down: one in twenty costs time, nothing else.
    case suspected = 0.05
    /// To stop.
    case found = 0.001
  }

  public func judge(_ outcomes: Outcomes, _ certainty: Certainty = .found) -> [Finding] {
    let stops = outcomes.optedOut + (outcomes.failures[131_050] ?? 0)
    let unreachable = outcomes.failures[131_026] ?? 0
    return [
      // A stop is heard at once, a delivery when its receipt is folded: people reached are those whom Meta took, less those
      // who failed, so that receipts which wait are no alarm.
      finding(
        .optOutRate, bad: stops,
        of: max(outcomes.delivered, outcomes.accepted - outcomes.failures.values.reduce(0, +), stops),
        limit: guarding.maxOptOut, certainty),
      finding(
        .undeliverableRate, bad: unreachable, of: outcomes.delivered + unreachable, limit: guarding.maxUndeliverable,
        certainty),
    ].compactMap { $0 }
  }

  private func finding(
    _ rule: GuardRule, bad: Int, of outcomes: Int, limit: Amount, _ certainty: Certainty
  ) -> Finding? {
    let test = SequentialTest(limit: Double(Int64(limit.billionths)) / 1e9, falseAlarm: certainty.rawValue)
    return test.isAbove(bad: bad, of: outcomes) ? Finding(rule: rule, bad: bad, outcomes: outcomes, limit: limit) : nil
  }
}
