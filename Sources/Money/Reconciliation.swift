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
    /// Delivered, and our card holds no rate.
    case unpriced
    /// Meta's price fell with the month's volume; ours falls when the month closes.
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
    public init(volume: Int64, cost: Amount?) { (self.volume, self.cost) = (volume, cost) }
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

    public init(volume: Int64, cost: Amount, unpriced: Int64, waiting: Int64, rate: Amount?) {
      (self.volume, self.cost, self.unpriced, self.waiting, self.rate) = (volume, cost, unpriced, waiting, rate)
    }
  }

  /// Less than this of a currency's unit is rounding.
  static let roundingBelow = Amount(billionths: 10_000_000)

  /// Empty when the two agree.
  public static func explain(_ meta: Meta, _ ours: Ours, category: Category?) -> [Part] {
    var parts: [Part] = []
    let more = meta.volume - ours.volume
    func add(_ reason: Reason, _ volume: Int64) {
      guard volume != 0 else { return }
      parts.append(Part(reason, volume: volume, amount: meta.cost == nil ? nil : ours.rate.map { $0 * Int(volume) }))
    }
    if more > 0 {
      let missing = min(more, max(0, ours.waiting))
      add(.receiptMissing, missing)
      add(.foreign, more - missing)
    } else {
      add(.notCounted, more)
    }
    guard let cost = meta.cost else { return parts }
    let rest = cost - ours.cost - parts.reduce(.zero) { $0 + ($1.amount ?? .zero) }
    guard rest != .zero else { return parts }
    let reason: Reason
    if ours.unpriced > 0 || ours.rate == nil {
      reason = .unpriced
    } else if max(rest, -rest) < roundingBelow {
      reason = .rounding
    } else if rest < .zero, category == .utility || category == .authentication {
      reason = .volumeTier
    } else {
      reason = .price
    }
    parts.append(Part(reason, volume: 0, amount: rest))
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
