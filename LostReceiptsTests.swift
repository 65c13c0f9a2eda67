import CloudAPI
import Domain
import HTTPClient
import Money
import Postgres
import Reactor
import Reports
import Store
import Testing

/// Promise 5 against an independent bill: the Sandbox charges by its own arithmetic and loses receipts.
@Suite(.serialized) struct `Lost receipts` {
  @Test func `are named by the reconciliation: to the message, and to the last digit of the bill`() async throws {
    let world = try await World(people: 400)
    // The number as the Sandbox's bill names it; a zone whose offset is the Sandbox's in every season.
    _ = try await world.pool.batch([
      Statement("update number set phone = 201090000000"), Statement("update account set zone = 'Africa/Tripoli'"),
    ])
    try await world.sandboxPost("faults", #"{"receipts_lost_rate": 0.3}"#)
    try await world.startNode()
    let campaign = try await world.launch(pace: 400)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let account = try await Statements.accounts(of: world.installation.business, on: world.pool)[0]
    let graph = GraphClient(world.client, url: "http://127.0.0.1:\(world.sandboxPort)", version: "v26.0")
    let today = CivilDate(daysSince1970: Int((Instant.now.seconds + 7200) / 86_400))
    let (from, to) = (CivilDate(daysSince1970: today.daysSince1970 - 2), CivilDate(daysSince1970: today.daysSince1970 + 1))
    func bill() async throws -> [Reconciling.Point] {
      try await graph.pricing(
        ofAccount: account.wabaID, from: .now - .seconds(2 * 86_400), to: .now + .seconds(86_400), token: World.token
      ).map { point in
        Reconciling.Point(
          key: .init(
            day: CivilDate(daysSince1970: Int((point.start.seconds + 7200) / 86_400)), number: point.phone?.digits ?? 0,
            country: point.country ?? "", category: point.category, type: point.type ?? .regular),
          volume: point.volume, cost: point.cost)
      }
    }
    func volume(_ points: [Reconciling.Point]) -> Int64 { points.reduce(0) { $0 + $1.volume } }
    // People come online one by one, so deliveries go on: the books are compared between two bills that are the same.
    var result: Reconciliations.Result?
    try await world.until("a bill that stands still", within: .seconds(90)) {
      let before = try await bill()
      let isFolded = try await world.pool.run(
        """
        select not exists (
          select from (select stream, max(k) k from receipt_batch group by stream) b
          where b.k > coalesce((select max(upto) from fold_log f where f.stream = b.stream), 0))
        """)[0].bool(0)
      guard isFolded, volume(before) > 100 else { return false }
      let found = try await Reconciling.run(account, from: from, to: to, meta: before, on: world.pool)
      result = found
      print("RECON", found.meta, found.volume, found.cost, found.parts, found.lines.map(\.key))
      let settled = found.meta.volume > found.volume && found.parts.map(\.reason) == [.receiptMissing]
      return try await volume(bill()) == volume(before) && settled
    }
    let found = try #require(result)
    let missing = found.meta.volume - found.volume
    #expect(missing > 0 && found.parts.count == 1)
    // Egypt's marketing rate of the quarter, from the ledger's own row; the bill's arithmetic is the Sandbox's.
    let rate = try await world.pool.run("select distinct amount from rate where rate_id in (select rate_id from posting)")
    #expect(rate.count == 1)
    let price = rate[0].amount(0)
    #expect(found.meta.cost == price * Int(found.meta.volume) && found.cost == price * Int(found.volume))
    #expect(found.parts == [.init(.receiptMissing, volume: missing, amount: price * Int(missing))])
    // As many stand without a final receipt, at least: those are the messages.
    let waiting = try await world.states(campaign)
    #expect((waiting[.accepted] ?? 0) + (waiting[.sent] ?? 0) >= Int(missing))
    try await world.end()
  }
}
