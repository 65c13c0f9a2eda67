import Glibc

/// Whether a rate of bad outcomes is above its limit, judged again after every outcome without waiting for a number fixed
/// beforehand: Wald's likelihood ratio of "at the limit" against "at half of it", with one boundary.
///
/// Its error is stated, not tuned: at a true rate of half the limit or less, the ratio is a martingale (or falls), so it
/// ever passes `1 / falseAlarm` with a probability of at most `falseAlarm`, however often one looks (Ville). At the limit
/// or above it grows with every outcome and passes at last; how soon is `expectedDecision`. Between half and the limit
/// either answer is right.
public struct SequentialTest: Sendable {
  /// Above this share of bad outcomes the campaign must stop; 0 to 1, both excluded.
  public let limit: Double
  /// The probability, per campaign, of stopping one that is at half its limit or below.
  public let falseAlarm: Double
  /// Fewer bad outcomes prove nothing whatever their share: 3 of 4 is chance or a test.
  public let evidence: (outcomes: Int, bad: Int)

  public init(limit: Double, falseAlarm: Double = 0.001, evidence: (outcomes: Int, bad: Int) = (100, 5)) {
    precondition(falseAlarm > 0 && falseAlarm < 1, "a probability of false alarm is between 0 and 1, not \(falseAlarm)")
    // At a limit of everything there is nothing to stop for; just below it the logarithms still stand.
    (self.limit, self.falseAlarm, self.evidence) = (min(limit, 0.999), falseAlarm, evidence)
  }

  /// The logarithm of how much likelier these outcomes are at the limit than at half of it.
  public func logRatio(bad: Int, of outcomes: Int) -> Double {
    let good = Double(outcomes - bad)
    return Double(bad) * log(2) + good * log((1 - limit) / (1 - limit / 2))
  }

  public func isAbove(bad: Int, of outcomes: Int) -> Bool {
    outcomes >= evidence.outcomes && bad >= evidence.bad && logRatio(bad: bad, of: outcomes) >= log(1 / falseAlarm)
  }

  /// About how many outcomes pass before a campaign at `rate` is stopped; nil when it is not.
  public func expectedDecision(at rate: Double) -> Int? {
    let gain = rate * log(2) + (1 - rate) * log((1 - limit) / (1 - limit / 2))
    return gain > 0 ? max(evidence.outcomes, Int((log(1 / falseAlarm) / gain).rounded(.up))) : nil
  }
}
