import Domain

/// What a campaign may cost.
public enum Budget: Hashable, Sendable {
  case amount(Amount, Currency)
  case messages(Int)

  /// How many messages of at most `dearest` fit into what is left.
  public static func fitting(_ left: Amount, dearest: Amount) -> Int {
    precondition(dearest >= .zero, "a price is not negative")
    guard left > .zero || dearest == .zero else { return 0 }
    guard dearest > .zero else { return .max }
    return Int(clamping: left.billionths / dearest.billionths)
  }

  /// The next block a lane takes from a budget's pool: a quarter of an even share, so that tens of writes serve a
  /// campaign and little is stranded with lanes that finish early; near the end one message's price. Nil when not even
  /// that is left; zero, which is enough, for what costs nothing.
  public static func block(left: Amount, lanes: Int, dearest: Amount) -> Amount? {
    precondition(lanes > 0, "a block is for a lane")
    guard dearest > .zero else { return .zero }
    guard left >= dearest else { return nil }
    let share = Amount(billionths: left.billionths / Int128(4 * lanes))
    // Whole messages only: a remainder smaller than one price could never be spent by its lane.
    return dearest * max(1, fitting(share, dearest: dearest))
  }
}

/// What a campaign is likely to cost: every person at most once.
public struct Estimate: Hashable, Sendable {
  /// How many of those written to receive it, in thousandths.
  public struct DeliveredShare: Hashable, Sendable {
    public let low: Int
    public let expected: Int
    public let high: Int

    public init(low: Int, expected: Int, high: Int) {
      precondition(
        0 <= low && low <= expected && expected <= high && high <= 1000, "shares rise from 0 to 1,000 thousandths")
      (self.low, self.expected, self.high) = (low, expected, high)
    }

    /// For a list of which nothing is known yet: between three fifths and all.
    public static let unknownList = DeliveredShare(low: 600, expected: 850, high: 1000)
  }

  /// People with one price.
  public struct Group: Hashable, Sendable {
    public let people: Int
    /// On the day of sending; nil is unpriced.
    public let rate: Amount?
    /// The dearest that can apply until the messages expire; nil when not known.
    public let dearest: Amount?

    public init(people: Int, rate: Amount?, dearest: Amount?) {
      (self.people, self.rate, self.dearest) = (people, rate, dearest)
    }
  }

  public let low: Amount
  public let expected: Amount
  /// All delivered at the dearest price: what is reserved if nothing fails, and what a budget must cover to be never
  /// reached.
  public let high: Amount
  public let people: Int
  /// People whose price is not known: they are in none of the sums.
  public let unpriced: Int

  public init(_ groups: [Group], delivered: DeliveredShare = .unknownList) {
    var (low, expected, high) = (Amount.zero, Amount.zero, Amount.zero)
    var (people, unpriced) = (0, 0)
    for group in groups {
      people += group.people
      guard let rate = group.rate else {
        unpriced += group.people
        continue
      }
      // Whole messages: a share of a message is not billed.
      low += rate * (group.people * delivered.low / 1000)
      expected += rate * ((group.people * delivered.expected + 500) / 1000)
      high += max(rate, group.dearest ?? rate) * ((group.people * delivered.high + 999) / 1000)
    }
    (self.low, self.expected, self.high) = (low, expected, high)
    (self.people, self.unpriced) = (people, unpriced)
  }
}
