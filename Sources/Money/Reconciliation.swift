import Domain

/// Explains why Meta's figure and ours differ for one day, number, country, category and type.
///
/// The parts add up to the difference, in messages and in money, to the last digit: what no rule explains is a part too.
public enum Reconciliation {
  public enum Reason: String, Hashable, Sendable, CaseIterable {
    /// We handed it over and no final receipt came.
    case receiptMissing = "receipt_missing"
    /// Nobody here sent it: a desk or a bot on the same number.
    case foreign
    /// A receipt says delivered and Meta does not count it, or not yet.
    case notCounted = "not_counted_by_meta"
    /// Its receipt of delivery was lost and one of reading came, on a later day: no difference over both days.
    case otherDay = "other_day"
    /// Delivered, and without a price here: no card, no rate in it, or the receipts that carried the category were lost.
    case unpriced
    /// Meta's price fell with the month's volume, as the counts say; ours falls when the month closes.
    case volumeTier = "volume_tier"
    case rounding
    /// Meta's price is not the one of our card.
    case price
  }

  public struct Part: Hashable, Sendable {
    public let reason: Reason
    public let volume: Int64
    /// Nil where nobody knows it.
    public let amount: Amount?

    public init(_ reason: Reason, volume: Int64, amount: Amount?) {
      (self.reason, self.volume, self.amount) = (reason, volume, amount)
    }
  }

  public struct Meta: Sendable {
    public var volume: Int64
    /// Nil where Meta tells none.
    public var cost: Amount?
    /// Meta says that some of it fell into a tier above the first.
    public var isTiered: Bool
    public init(volume: Int64, cost: Amount?, isTiered: Bool = false) {
      (self.volume, self.cost, self.isTiered) = (volume, cost, isTiered)
    }
  }

  public struct Ours: Sendable {
    public var volume: Int64
    public var cost: Amount
    /// Of the volume, those without a price.
    public var unpriced: Int64
    /// Handed over for this number, country and category by that day, and without a final receipt.
    public var waiting: Int64
    /// The list price of the day; zero for what is free, nil when not known.
    public var rate: Amount?
    /// Counted by Meta on this day and here on a later one; negative on the later.
    public var otherDay: Int64
    /// The most that the month's volume takes off Meta's price of these messages: not positive. Nil: no tier is known.
    public var tier: Amount?

    public init(
      volume: Int64, cost: Amount, unpriced: Int64, waiting: Int64, rate: Amount?, otherDay: Int64 = 0,
      tier: Amount? = nil
    ) {
      (self.volume, self.cost, self.unpriced, self.waiting, self.rate) = (volume, cost, unpriced, waiting, rate)
      (self.otherDay, self.tier) = (otherDay, tier)
    }
  }

  /// Less than this of a currency's unit is rounding.
  static let roundingBelow = Amount(billionths: 10_000_000)

  /// Empty when the two agree.
  public static func explain(_ meta: Meta, _ ours: Ours) -> [Part] {
    var parts: [Part] = []
    let more = meta.volume - ours.volume - ours.otherDay
    func add(_ reason: Reason, _ volume: Int64) {
      guard volume != 0 else { return }
      parts.append(Part(reason, volume: volume, amount: meta.cost == nil ? nil : ours.rate.map { $0 * Int(volume) }))
    }
    add(.otherDay, ours.otherDay)
    if more > 0 {
      let missing = min(more, max(0, ours.waiting))
      add(.receiptMissing, missing)
      add(.foreign, more - missing)
    } else {
      add(.notCounted, more)
    }
    guard let cost = meta.cost else { return parts }
    var rest = cost - ours.cost - parts.reduce(.zero) { $0 + ($1.amount ?? .zero) }
    func take(_ reason: Reason, _ amount: Amount) {
      guard amount != .zero else { return }
      parts.append(Part(reason, volume: 0, amount: amount))
      rest = rest - amount
    }
    // Without a rate nothing more can be said of the money.
    guard let rate = ours.rate else {
      take(.unpriced, rest)
      return parts
    }
    take(.unpriced, rate * Int(ours.unpriced))
    if rest < .zero, let tier = ours.tier { take(.volumeTier, max(rest, tier)) }
    if max(rest, -rest) < roundingBelow {
      take(.rounding, rest)
    } else if rest < .zero, ours.tier == nil, meta.isTiered {
      // Its tier was never loaded here, so Meta's word is all there is.
      take(.volumeTier, rest)
    } else {
      take(.price, rest)
    }
    return parts
  }

  /// Parts of many lines by reason, in the order of the list.
  public static func sum(_ parts: [Part]) -> [Part] {
    Reason.allCases.compactMap { reason in
      let own = parts.filter { $0.reason == reason }
      guard !own.isEmpty else { return nil }
      let amounts = own.compactMap(\.amount)
      return Part(
        reason, volume: own.reduce(0) { $0 + $1.volume }, amount: amounts.isEmpty ? nil : amounts.reduce(.zero, +))
    }
  }
}
