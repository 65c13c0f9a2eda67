import Domain
import Money
import Postgres
import Reactor
import Schedule
import Store

/// Compares what Meta says it charged with the ledger, explains what differs, and keeps it.
public enum Reconciling {
  /// One of Meta's figures, its instant as a day of the account's zone.
  public struct Point: Sendable {
    public var key: Reconciliations.Key
    public var volume: Int64
    public var cost: Amount?
    /// In a volume tier above the first.
    public var isTiered: Bool

    public init(key: Reconciliations.Key, volume: Int64, cost: Amount?, isTiered: Bool = false) {
      (self.key, self.volume, self.cost, self.isTiered) = (key, volume, cost, isTiered)
    }
  }

  /// A difference beyond both is told.
  public struct Threshold: Sendable {
    public var messages: Int64 = 10
    public var thousandths: Int64 = 10
    public init() {}
  }

  /// Receipts still come for yesterday; Meta's figures are approximate for today.
  public static func period(now: Instant, zone: Zone) -> (from: CivilDate, to: CivilDate) {
    let today = zone.day(of: now).daysSince1970
    return (CivilDate(daysSince1970: today - 37), CivilDate(daysSince1970: today - 1))
  }

  @discardableResult
  public static func run(
    _ account: Statements.Account, from: CivilDate, to: CivilDate, meta points: [Point],
    threshold: Threshold = Threshold(), on pool: Pool
  ) async throws -> Reconciliations.Result {
    let ours = try await Reconciliations.delivered(of: account.id, from: from, to: to, on: pool)
    let (days, phones) = try await Reconciliations.waiting(
      of: account.id, zone: account.zone, from: from, to: to, on: pool)
    var waiting = days
    let pricing = try await RateCards.prices(on: pool).pricing
    var theirs: [Reconciliations.Key: Reconciliation.Meta] = [:]
    for point in points where point.key.day >= from && point.key.day <= to {
      var sum = theirs[point.key] ?? Reconciliation.Meta(volume: 0, cost: point.cost.map { _ in .zero })
      sum.volume += point.volume
      sum.isTiered = sum.isTiered || point.isTiered
      sum.cost = sum.cost.flatMap { sum in point.cost.map { sum + $0 } }
      theirs[point.key] = sum
    }
    let shifts = shifts(theirs, ours)
    let (rules, counts) = try await VolumeRules.counted(with: account, from: from, to: to, on: pool)
    let markets = { (key: Reconciliations.Key) -> Market? in
      ours[key]?.market ?? phones[key.country].map { pricing.markets.market(of: $0, on: key.day) }
    }
    var tiers = TierShares(rules, counts, from: from)
    for (key, meta) in theirs { if let market = markets(key) { tiers.add(key, market, meta.volume) } }
    var lines: [Reconciliations.Line] = []
    var (metaSum, volume, cost) = (Reconciliation.Meta(volume: 0, cost: .zero), Int64(0), Amount.zero)
    for key in Set(theirs.keys).union(ours.keys).sorted() {
      let meta = theirs[key] ?? Reconciliation.Meta(volume: 0, cost: .zero)
      let own = ours[key]
      let market = markets(key)
      let rate = rate(key, market, account.currency, pricing)
      let place = key.category.map {
        Reconciliations.Waiting(number: key.number, country: key.country, category: $0)
      }
      var open: Int64 = 0
      for entry in place.flatMap({ waiting[$0] }) ?? [] where entry.day <= key.day { open += entry.count }
      let side = Reconciliation.Ours(
        volume: own?.volume ?? 0, cost: own?.cost ?? .zero, unpriced: own?.unpriced ?? 0, waiting: open, rate: rate,
        otherDay: shifts[key] ?? 0, tier: market.flatMap { tiers.most(key, $0) })
      let parts = Reconciliation.explain(meta, side)
      if let market, let taken = parts.first(where: { $0.reason == .volumeTier })?.amount { tiers.take(taken, key, market) }
      // A message explains one day only.
      if let place, let missing = parts.first(where: { $0.reason == .receiptMissing }) {
        waiting[place] = less(waiting[place] ?? [], missing.volume)
      }
      metaSum.volume += meta.volume
      metaSum.cost = metaSum.cost.flatMap { sum in meta.cost.map { sum + $0 } }
      volume += own?.volume ?? 0
      cost += own?.cost ?? .zero
      if !parts.isEmpty {
        lines.append(
          Reconciliations.Line(
            key: key, meta: meta, volume: own?.volume ?? 0, cost: own?.cost ?? .zero, parts: parts))
      }
    }
    let result = Reconciliations.Result(
      from: from, to: to, meta: metaSum, volume: volume, cost: cost, parts: Reconciliation.sum(lines.flatMap(\.parts)),
      lines: lines)
    try await Reconciliations.keep(result, of: account, alerts: exceeds(result, threshold), on: pool)
    return result
  }

  /// What was read on a later day than it was delivered, its receipt of delivery lost.
  private static func shifts(
    _ theirs: [Reconciliations.Key: Reconciliation.Meta], _ ours: [Reconciliations.Key: Reconciliations.Delivered]
  ) -> [Reconciliations.Key: Int64] {
    // The same place on one day that does not matter.
    func place(_ key: Reconciliations.Key) -> Reconciliations.Key {
      Reconciliations.Key(
        day: CivilDate(daysSince1970: 0), number: key.number, country: key.country, category: key.category, type: key.type)
    }
    var places: [Reconciliations.Key: [DayShift.Day]] = [:]
    for key in Set(theirs.keys).union(ours.keys) {
      places[place(key), default: []].append(
        DayShift.Day(
          day: key.day, more: (theirs[key]?.volume ?? 0) - (ours[key]?.volume ?? 0), byRead: ours[key]?.byRead ?? 0))
    }
    var shifts: [Reconciliations.Key: Int64] = [:]
    for (place, days) in places where days.count > 1 {
      for (day, count) in DayShift.between(days) {
        shifts[
          Reconciliations.Key(
            day: day, number: place.number, country: place.country, category: place.category, type: place.type)] = count
      }
    }
    return shifts
  }

  static func exceeds(_ result: Reconciliations.Result, _ threshold: Threshold) -> Bool {
    let messages = abs(result.meta.volume - result.volume)
    if messages > threshold.messages, messages * 1000 > result.meta.volume * threshold.thousandths { return true }
    guard let cost = result.meta.cost else { return false }
    let difference = max(cost - result.cost, result.cost - cost)
    return difference > Amount(billionths: 1_000_000_000) && difference * 1000 > cost * Int(threshold.thousandths)
  }

  /// The oldest go first.
  private static func less(_ days: [(day: CivilDate, count: Int64)], _ count: Int64) -> [(day: CivilDate, count: Int64)] {
    var rest = count
    return days.compactMap { day, own in
      let taken = min(own, rest)
      rest -= taken
      return own > taken ? (day, own - taken) : nil
    }
  }

  private static func rate(
    _ key: Reconciliations.Key, _ market: Market?, _ currency: Currency, _ pricing: Pricing
  ) -> Amount? {
    guard key.type == .regular else { return .zero }
    guard let market, let category = key.category else { return nil }
    return pricing.book.rate(market, category, in: currency, on: key.day)?.amount
  }
}
