import Domain
import JSON
import Money
import Postgres
import Reactor
import Schedule
import Store

/// What a lane knows of the budgets over its campaigns, and holds of their pools.
struct Spending {
  /// A block that no claim spent from for so long goes back: another lane may need it.
  static let idle: Int64 = 2_000_000_000
  /// A pool that gave nothing is asked again after this.
  static let dryRest: Int64 = 500_000_000

  var sources: [Campaign.ID: [Allotments.Source]] = [:]
  var pools: [Int64: Allotments.Source] = [:]
  var purse = Purse()
  var rates: (stamp: Int64, pricing: Pricing)?
  var prices: [Campaign.ID: (stamp: Int64, dearest: DearestPrices)] = [:]

  /// Money for money, one for each message where messages are counted.
  func amounts(_ prices: [Amount?], of pool: Int64) -> [Amount?] {
    pools[pool]?.currency == nil ? prices.map { $0.map { _ in Spending.message } } : prices
  }

  static let message = Amount(billionths: 1_000_000_000)

  mutating func spend(_ reservation: Allotments.Reservation, at now: Int64) {
    for pool in reservation.pools {
      let amount =
        pools[pool]?.currency == nil ? Spending.message * reservation.people : reservation.reserved
      purse.spend(amount, from: pool, at: now)
    }
  }
}

/// Claims under budgets: what they reserve is drawn first, a block at a time, so that all lanes together never reserve
/// more than there is. Without a budget nothing of this happens.
extension Lane {
  /// Which budgets stand over the campaigns now; what is not used goes back.
  func lookAtBudgets() async throws {
    spending.sources = try await Allotments.sources(of: numberID, on: line.claims)
    for (campaign, sources) in spending.sources {
      for (index, source) in sources.enumerated() {
        let pool: Int64
        if let known = source.pool { pool = known } else { pool = try await Allotments.open(source, on: line.claims) }
        spending.pools[pool] = source
        spending.sources[campaign]?[index] = Allotments.Source(source, pool: pool)
      }
    }
    for (pool, amount) in spending.purse.idle(for: Spending.idle, at: now) {
      try await knowing(pool) {
        _ = try await Allotments.giveBack(amount, to: pool, number: numberID, epoch: epoch, on: line.claims)
        spending.purse.gaveBack(pool)
      }
    }
    spending.prices = spending.prices.filter { spending.sources[$0.key] != nil }
  }

  /// False while a pool has nothing for this campaign. A run is not taken then; where only this number's budget has run
  /// out, what it holds goes on to the campaign's other numbers.
  func maySpend(_ plan: CampaignPlan) async throws -> Bool {
    guard let sources = spending.sources[plan.campaign] else { return !plan.hasBudget }
    if plan.hasBudget, !sources.contains(where: { $0.scope == .campaign }) { return false }
    for source in sources {
      guard let pool = source.pool, let dry = spending.purse.dry(pool) else { continue }
      if now >= dry.until {
        let didDraw = try await draw(pool, source, price: dry.price)
        if didDraw { continue }
      }
      if source.scope == .number { try await leaveRuns(plan.campaign) }
      return false
    }
    return true
  }

  /// The campaign's other numbers go on with what this one can't pay. Who is claimed is reserved for, and stays.
  private func leaveRuns(_ campaign: Campaign.ID) async throws {
    var held = parked.removeValue(forKey: campaign) ?? []
    if let take = queue.streams[campaign]?.take { held.append(take) }
    queue.setTake(nil, of: campaign)
    for take in held where take.cursor <= take.hi { try await giveBack(take) }
  }

  /// How far a range may be claimed, and what that reserves; nil when nothing of it can be, no reservation where no budget
  /// stands.
  func reserve(_ take: LaneLog.Take, upTo hi: Int32, _ plan: CampaignPlan) async throws
    -> (hi: Int32, reservation: Allotments.Reservation?)?
  {
    guard let sources = spending.sources[plan.campaign], !sources.isEmpty else { return (hi, nil) }
    let recipients = try await LaneLog.recipients(take.campaign, take.cursor, hi, on: line.claims)
    var prices = [Amount?](repeating: nil, count: Int(hi - take.cursor) + 1)
    if let currency = sources.lazy.compactMap(\.currency).first {
      guard var book = try await book(plan, sources[0]) else { return try await unpriced(take, currency) }
      for recipient in recipients {
        let place = Int(recipient.seq - take.cursor)
        guard let price = book.price(of: recipient.phone) else {
          // Those before are claimed; with this one at the front nothing is.
          guard prices[..<place].contains(where: { $0 != nil }) else { return try await unpriced(take, currency) }
          prices.removeSubrange(place...)
          break
        }
        prices[place] = price
      }
      spending.prices[plan.campaign]?.dearest = book
    } else {
      for recipient in recipients { prices[Int(recipient.seq - take.cursor)] = .zero }
    }
    let pools = sources.compactMap(\.pool)
    for source in sources {
      guard let pool = source.pool else { continue }
      let amounts = spending.amounts(prices, of: pool)
      var covered = spending.purse.covered(amounts, by: pool)
      if covered < amounts.count, let price = amounts[covered] {
        let didDraw = try await draw(pool, source, price: price)
        if didDraw { covered = spending.purse.covered(amounts, by: pool) }
      }
      prices.removeSubrange(covered...)
    }
    // Positions of nobody alone are worth a claim only when they end the run.
    guard prices.contains(where: { $0 != nil }) || (recipients.isEmpty && !prices.isEmpty) else { return nil }
    return (take.cursor + Int32(prices.count) - 1, Allotments.Reservation(pools: pools, prices: prices))
  }

  /// One block of whole messages; false when the pool has not even one.
  private func draw(_ pool: Int64, _ source: Allotments.Source, price: Amount) async throws -> Bool {
    var drawn = Amount.zero
    try await knowing(pool) {
      drawn = try await Allotments.draw(
        pool, number: numberID, epoch: epoch, lanes: source.lanes, price: price, on: line.claims)
      spending.purse.drew(drawn, from: pool, at: now)
    }
    guard drawn == .zero else { return true }
    spending.purse.ranDry(pool, price: price, until: now + Spending.dryRest, at: now)
    return false
  }

  /// A draw or a return that may or may not have been committed: the record says what is left.
  private func knowing(_ pool: Int64, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as DatabaseError {
      if LaneLog.isFenced(error) { throw error }
      while true {
        try await line.reactor.sleep(for: .milliseconds(100))
        do throws(DatabaseError) {
          let left = try await Allotments.left(pool, number: numberID, epoch: epoch, on: line.claims)
          spending.purse.knows(left, of: pool, at: now)
          return
        } catch {
          switch error {
          case .interrupted, .unreachable, .cancelled, .rejected(.queryCanceled, _): continue
          case .rejected: throw error
          }
        }
      }
    }
  }

  /// The prices by the cards as they are now; nil when the budget's currency is not the one that is billed.
  private func book(_ plan: CampaignPlan, _ source: Allotments.Source) async throws -> DearestPrices? {
    let sources = spending.sources[plan.campaign] ?? []
    guard let currency = Currency(source.billed), let zone = line.zones.zone(source.zone),
      sources.allSatisfy({ $0.currency == nil || $0.currency == source.billed })
    else { return nil }
    let stamp = sources.map(\.rates).max() ?? 0
    if spending.rates?.stamp != stamp {
      spending.rates = (stamp, try await RateCards.prices(on: line.claims).pricing)
    }
    let day = zone.day(of: .now)
    if let known = spending.prices[plan.campaign], known.stamp == stamp, known.dearest.day == day { return known.dearest }
    let fresh = DearestPrices(
      spending.rates?.pricing ?? Pricing(book: RateBook()), category: plan.category, currency: currency, day: day)
    spending.prices[plan.campaign] = (stamp, fresh)
    return fresh
  }

  /// A budget covers only what has a price: the campaign stops and says so.
  private func unpriced(_ take: LaneLog.Take, _ currency: String) async throws
    -> (hi: Int32, reservation: Allotments.Reservation?)?
  {
    let didPause = try await Budgets.pause(
      take.campaign, .budgetUnpriced, ["currency": .string(currency), "from_position": .number(String(take.cursor))],
      on: line.claims)
    if didPause { line.log("budget_unpriced", [("campaign", take.campaign.description)]) }
    return nil
  }
}
