/// Divides a number's rate over the campaigns that have something to send: by weight, and whoever wants less than their
/// part leaves the rest to the others, again by weight (max-min fairness).
///
/// Whole nanoseconds and billionths of the number's rate, rounded so that the parts never exceed it together.
public enum FairShare {
  public struct Part: Hashable, Sendable {
    /// At least 1: three beside one gets three of four messages.
    public let weight: Int
    /// The step of its own pace: it wants no more.
    public let own: EmissionInterval

    public init(weight: Int, own: EmissionInterval) {
      precondition(weight > 0, "a weight is positive, not \(weight)")
      (self.weight, self.own) = (weight, own)
    }
  }

  private static let whole: Int64 = 1_000_000_000

  /// Each part's step on a number whose own interval is `number`, in the order given.
  public static func steps(_ parts: [Part], number: EmissionInterval) -> [EmissionInterval] {
    // What each wants of the number, in billionths.
    let wants = parts.map { part in
      let own = Int128(part.own.nanoseconds)
      return Int64(min(Int128(whole), (Int128(number.nanoseconds) * Int128(whole) + own - 1) / own))
    }
    var shares = [Int64](repeating: 0, count: parts.count)
    var left = whole
    var weights = parts.reduce(0) { $0 + Int64($1.weight) }
    // Those who want least for their weight first: what they leave is known before the others are served.
    let order = parts.indices.sorted { a, b in
      let (first, second) = (Int128(wants[a]) * Int128(parts[b].weight), Int128(wants[b]) * Int128(parts[a].weight))
      return first == second ? a < b : first < second
    }
    for index in order {
      let weight = Int64(parts[index].weight)
      shares[index] = min(wants[index], Int64(Int128(left) * Int128(weight) / Int128(weights)))
      left -= shares[index]
      weights -= weight
    }
    return parts.indices.map { index in
      // Nobody is left without any.
      let share = Int128(max(1, shares[index]))
      let step = (Int128(number.nanoseconds) * Int128(whole) + share - 1) / share
      return max(parts[index].own, EmissionInterval(nanoseconds: Int64(clamping: step)))
    }
  }
}
