import Domain
import Governor
import Money
import Postgres
import Reactor
import Reports
import Simulation
import Store
import Testing

@Suite struct `A reconciliation` {
  private func money(_ text: String) -> Amount { Amount(text)! }

  private func parts(
    _ volume: Int64, _ cost: String?, ours: Int64, _ own: String, unpriced: Int64 = 0, waiting: Int64 = 0,
    rate: String? = "0.0644", _ category: Domain.Category = .marketing
  ) -> [Reconciliation.Part] {
    Reconciliation.explain(
      .init(volume: volume, cost: cost.map(money)),
      .init(volume: ours, cost: money(own), unpriced: unpriced, waiting: waiting, rate: rate.map(money)),
      category: category)
  }

  @Test func `names each difference by its reason`() {
    #expect(parts(10, "0.644", ours: 10, "0.644").isEmpty)
    #expect(
      parts(12, "0.7728", ours: 10, "0.644", waiting: 5) == [.init(.receiptMissing, volume: 2, amount: money("0.1288"))])
    #expect(
      parts(13, "0.8372", ours: 10, "0.644", waiting: 1) == [
        .init(.receiptMissing, volume: 1, amount: money("0.0644")), .init(.foreign, volume: 2, amount: money("0.1288")),
      ])
    #expect(parts(9, "0.5796", ours: 10, "0.644") == [.init(.notCounted, volume: -1, amount: money("-0.0644"))])
    #expect(
      parts(3, "0.6483", ours: 3, "0", unpriced: 3, rate: nil) == [.init(.unpriced, volume: 0, amount: money("0.6483"))])
    #expect(parts(10, "0.65", ours: 10, "0.644") == [.init(.rounding, volume: 0, amount: money("0.006"))])
    #expect(parts(10, "0.9", ours: 10, "0.644") == [.init(.price, volume: 0, amount: money("0.256"))])
    #expect(
      parts(1000, "3", ours: 1000, "3.6", rate: "0.0036", .utility) == [
        .init(.volumeTier, volume: 0, amount: money("-0.6"))
      ])
    #expect(parts(12, nil, ours: 10, "0.644", waiting: 5) == [.init(.receiptMissing, volume: 2, amount: nil)])
  }

  @Test func `adds up to the difference, in messages and to the last digit`() {
    for seed in UInt64(1)...500 {
      var chance = SplitMix64(seed: seed)
      let meta = Reconciliation.Meta(volume: chance.below(50), cost: Amount(billionths: Int128(chance.below(9_000_000_000))))
      let ours = Reconciliation.Ours(
        volume: chance.below(50), cost: Amount(billionths: Int128(chance.below(9_000_000_000))), unpriced: chance.below(3),
        waiting: chance.below(20), rate: chance.once(in: 5) ? nil : Amount(billionths: Int128(chance.below(90_000_000))))
      let parts = Reconciliation.explain(meta, ours, category: chance.one(of: Domain.Category.allCases))
      #expect(parts.reduce(0) { $0 + $1.volume } == meta.volume - ours.volume, "seed \(seed)")
      #expect(parts.reduce(.zero) { $0 + ($1.amount ?? .zero) } == meta.cost! - ours.cost, "seed \(seed)")
    }
  }

  @Test func `finds lost receipts to the message, strangers on the number, and keeps what it found`() async throws {
    let books = try await Books()
    let cairo = try await books.account("601", currency: "USD", zone: "Africa/Cairo")
    let phones = (0..<30).map { n -> Int64 in (n < 20 ? 201_001_000_000 : 966_501_000_000) + Int64(n) }
    let id = try await books.campaign("October", of: cairo, to: phones)
    _ = try await books.pool.batch([
      Statement(
        """
        insert into contact (contact_id, business_id, phone, person_key, country) overriding system value
        select seq, $2, phone, person_key, case when phone::text like '20%' then 'EG' else 'SA' end
        from recipient where campaign_id = $1
        """, [.int8(id.rawValue), .int8(books.installation.business.rawValue)]),
      // Handed over on 5 October, when all were delivered.
      Statement("update fact set at = '2026-10-05T10:00:00Z'"),
    ])
    // The receipts of four to Egypt and of all to Saudi Arabia were lost; two more say only "sent".
    var receipts: [Books.Receipt] = []
    for seq in 1...16 {
      receipts.append(
        Books.Receipt(
          campaign: id, seq: seq, number: "6010", status: seq > 14 ? "sent" : "delivered", at: 1_791_190_800,
          category: "marketing", type: "regular"))
    }
    try await books.receive(receipts)
    try await books.foldAll()
    let account = try await Statements.accounts(of: books.installation.business, on: books.pool)[0]
    let number = try await Numbers.list(of: books.installation.business, on: books.pool)[0].phone.digits
    func point(_ country: String, _ volume: Int64, _ cost: String, _ category: Domain.Category) -> Reconciling.Point {
      Reconciling.Point(
        key: .init(day: CivilDate("2026-10-05")!, number: number, country: country, category: category, type: .regular),
        volume: volume, cost: money(cost))
    }
    // Meta delivered all thirty; a desk sent three utility messages on the same number.
    let result = try await Reconciling.run(
      account, from: CivilDate("2026-10-01")!, to: CivilDate("2026-10-31")!,
      meta: [
        point("EG", 20, "1.288", .marketing), point("SA", 10, "0.576", .marketing), point("EG", 3, "0.0108", .utility),
      ], on: books.pool)
    #expect(result.meta.volume == 33 && result.volume == 14 && result.cost == money("0.9016"))
    #expect(
      result.parts.filter { $0.reason == .receiptMissing } == [
        .init(.receiptMissing, volume: 16, amount: money("0.9624"))
      ])
    #expect(result.parts.first { $0.reason == .foreign }?.volume == 3)
    let sum = result.parts.reduce(Amount.zero) { $0 + ($1.amount ?? .zero) }
    #expect(sum == result.meta.cost! - result.cost)
    let kept = try await Reconciliations.latest(of: account.id, on: books.pool)
    #expect(kept?.parts == result.parts && kept?.lines.count == 3 && kept?.ranAt != nil)
    #expect(
      try await books.pool.run("select count(*) from audit where action = 'reconciliation_differs'")[0].int64(0) == 1)
    await books.close()
  }
}
