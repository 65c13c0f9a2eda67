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
    /// Taken by Meta and held while it checks the template's quality.
    public var held: Int
    /// Nil: not known.
    public var reads: Reads?

    public init(
      accepted: Int = 0, delivered: Int, optedOut: Int, failures: [Int32: Int], held: Int = 0, reads: Reads? = nil
    ) {
      (self.accepted, self.delivered, self.optedOut, self.failures) = (accepted, delivered, optedOut, failures)
      (self.held, self.reads) = (held, reads)
    }

    public init(_ sums: GuardEvidence.Sums) {
      self.init(
        accepted: sums.accepted, delivered: sums.delivered, optedOut: sums.optedOut, failures: sums.failures)
    }
  }

  /// Of the campaign's first people, a good while after their deliveries, and of earlier campaigns of its numbers.
  public struct Reads: Sendable, Equatable {
    public var delivered: Int
    public var read: Int
    public var usualDelivered: Int
    public var usualRead: Int

    public init(delivered: Int, read: Int, usualDelivered: Int, usualRead: Int) {
      (self.delivered, self.read) = (delivered, read)
      (self.usualDelivered, self.usualRead) = (usualDelivered, usualRead)
    }

    public var usualRate: Double { usualDelivered > 0 ? Double(usualRead) / Double(usualDelivered) : 0 }

    /// Surely below half of what is usual; fewer people, or a shorter past, prove nothing.
    var areFalling: Bool {
      guard delivered >= 200, usualDelivered >= 1000 else { return false }
      return ExactBound.upper(bad: read, of: delivered, confidence: 0.999) < usualRate / 2
    }
  }

  /// Three held answers are Meta's doubt about the template, not chance.
  static let heldEvidence = 3

  public struct Finding: Sendable, Equatable {
    public let rule: GuardRule
    public let bad: Int
    public let outcomes: Int
    /// The share that is too much, where there is one; of what is usual for readers.
    public let limit: Amount?
    /// What Meta did not deliver, by the codes that tell of the audience: shown with every finding.
    public var failures: [Int32: Int] = [:]

    /// Figures for the record.
    public var evidence: JSONValue {
      var object: JSONObject = [
        "rule": .string(rule.rawValue), "bad": .number(String(bad)), "of": .number(String(outcomes)),
      ]
      if let limit { object.append("limit", .string(limit.text(minimumDecimals: 2))) }
      var codes = JSONObject()
      for (code, count) in failures.sorted(by: { $0.key < $1.key }) {
        codes.append(String(code), .number(String(count)))
      }
      if !codes.fields.isEmpty { object.append("failed_by_code", .object(codes)) }
      return .object(object)
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
    let told = outcomes.failures.filter { [131_026, 131_049, 130_472].contains($0.key) }
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
      certainty == .suspected ? held(outcomes) : nil, certainty == .suspected ? reads(outcomes) : nil,
    ].compactMap { $0 }.map { finding in
      var finding = finding
      finding.failures = told
      return finding
    }
  }

  /// What only warns: Meta's own doubt, and readers who stay away.
  private func held(_ outcomes: Outcomes) -> Finding? {
    guard outcomes.held >= GuardRules.heldEvidence else { return nil }
    return Finding(rule: .heldForQuality, bad: outcomes.held, outcomes: outcomes.accepted, limit: nil)
  }

  private func reads(_ outcomes: Outcomes) -> Finding? {
    guard let reads = outcomes.reads, reads.areFalling else { return nil }
    return Finding(
      rule: .readRate, bad: reads.delivered - reads.read, outcomes: reads.delivered,
      limit: Amount(billionths: Int128((1 - reads.usualRate / 2) * 1e9)))
  }

  private func finding(
    _ rule: GuardRule, bad: Int, of outcomes: Int, limit: Amount, _ certainty: Certainty
  ) -> Finding? {
    let test = SequentialTest(limit: Double(Int64(limit.billionths)) / 1e9, falseAlarm: certainty.rawValue)
    return test.isAbove(bad: bad, of: outcomes) ? Finding(rule: rule, bad: bad, outcomes: outcomes, limit: limit) : nil
  }
}
