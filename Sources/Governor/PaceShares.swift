/// Divides a campaign's pace over its numbers, so that each keeps its part strictly and all together keep the whole
/// without a clock between them.
///
/// Parts are whole messages per window: fractions would break the law. When parts change, one number hears of it later
/// than another, and what it sent stays in the window: a part may rise only once the fall of the others has been in force
/// for a window and everybody has heard of it.
public enum PaceShares {
  /// Parts as they were decided at one time.
  public struct Version: Hashable, Sendable {
    public let pace: Int
    /// By number.
    public let shares: [Int64: Int]

    public init(pace: Int, shares: [Int64: Int]) { (self.pace, self.shares) = (pace, shares) }
  }

  /// By weight, the largest remainders first; a weight of zero gets nothing. The parts' sum is the pace, or zero when
  /// nobody has a weight.
  public static func divide(_ pace: Int, over weights: [Int]) -> [Int] {
    precondition(pace >= 0 && weights.allSatisfy { $0 >= 0 }, "a pace and weights are not negative")
    let total = weights.reduce(0, +)
    guard total > 0 else { return weights.map { _ in 0 } }
    let exact = weights.map { $0.multipliedFullWidth(by: pace) }
    let parts = exact.map { total.dividingFullWidth($0) }
    var shares = parts.map(\.quotient)
    let left = pace - shares.reduce(0, +)
    let order = weights.indices.filter { weights[$0] > 0 }
      .sorted { (parts[$1].remainder, $0) < (parts[$0].remainder, $1) }
    for index in order.prefix(left) { shares[index] += 1 }
    return shares
  }

  /// What a number may send now. `versions` are those still in force: the newest first, and those before it whose
  /// successor is younger than a window and the time everybody needs to hear of it.
  ///
  /// Where even the highest part of each, over all of them, keeps the newest pace, the newest holds at once: so a pace that
  /// was raised, or a single number's, need not wait. Else each keeps to the lowest part it was given.
  public static func share(of number: Int64, in versions: [Version]) -> Int {
    guard let newest = versions.first else { return 0 }
    let numbers = Set(versions.flatMap { $0.shares.keys })
    let highest = numbers.reduce(0) { sum, number in sum + versions.reduce(0) { max($0, $1.shares[number] ?? 0) } }
    if highest <= newest.pace { return newest.shares[number] ?? 0 }
    return versions.reduce(newest.shares[number] ?? 0) { min($0, $1.shares[number] ?? 0) }
  }
}
