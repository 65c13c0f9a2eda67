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
    rate: String? = "0.0644", otherDay: Int64 = 0, tier: String? = nil, isTiered: Bool = false
  ) -> [Reconciliation.Part] {
    Reconciliation.explain(
      .init(volume: volume, cost: cost.map(money), isTiered: isTiered),
      .init(
        volume: ours, cost: money(own), unpriced: unpriced, waiting: waiting, rate: rate.map(money), otherDay: otherDay,
        tier: tier.map(money)))
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
      parts(1000, "3", ours: 1000, "3.6", rate: "0.0036", tier: "-0.6") == [
        .init(.volumeTier, volume: 0, amount: money("-0.6"))
      ])
    #expect(
      parts(1000, "3", ours: 1000, "3.6", rate: "0.0036", tier: "-0.4") == [
        .init(.volumeTier, volume: 0, amount: money("-0.4")), .init(.price, volume: 0, amount: money("-0.2")),
      ], "no more than the counts come to")
    #expect(
      parts(1000, "3", ours: 1000, "3.6", rate: "0.0036", isTiered: true) == [
        .init(.volumeTier, volume: 0, amount: money("-0.6"))
      ], "a tier that was never loaded here: Meta's word")
    #expect(parts(1000, "3", ours: 1000, "3.6", rate: "0.0036") == [.init(.price, volume: 0, amount: money("-0.6"))])
    #expect(
      parts(10, "0.644", ours: 10, "0.5796", unpriced: 1) == [.init(.unpriced, volume: 0, amount: money("0.0644"))],
      "the receipts that carried its category were lost")
    #expect(
      parts(11, "0.7084", ours: 8, "0.5152", waiting: 1, otherDay: 2) == [
        .init(.otherDay, volume: 2, amount: money("0.1288")), .init(.receiptMissing, volume: 1, amount: money("0.0644")),
      ])
    #expect(parts(12, nil, ours: 10, "0.644", waiting: 5) == [.init(.receiptMissing, volume: 2, amount: nil)])
  }

  @Test func `adds up to the difference, in messages and to the last digit`() {
    for seed in UInt64(1)...500 {
      var chance = SplitMix64(seed: seed)
      let meta = Reconciliation.Meta(volume: chance.below(50), cost: Amount(billionths: Int128(chance.below(9_000_000_000))))
      let ours = Reconciliation.Ours(
        volume: chance.below(50), cost: Amount(billionths: Int128(chance.below(9_000_000_000))), unpriced: chance.below(3),
        waiting: chance.below(20), rate: chance.once(in: 5) ? nil : Amount(billionths: Int128(chance.below(90_000_000))),
        otherDay: chance.within(-3...3),
        tier: chance.once(in: 3) ? nil : -Amount(billionths: Int128(chance.below(900_000_000))))
      let parts = Reconciliation.explain(meta, ours)
      #expect(parts.reduce(0) { $0 + $1.volume } == meta.volume - ours.volume, "seed \(seed)")
      #expect(parts.reduce(.zero) { $0 + ($1.amount ?? .zero) } == meta.cost! - ours.cost, "seed \(seed)")
    }
  }

  @Test func `pairs what Meta counts on a day with what was only known to be read later`() {
    func day(_ number: Int, _ more: Int64, read: Int64) -> DayShift.Day {
      DayShift.Day(day: CivilDate(daysSince1970: number), more: more, byRead: read)
    }
    let days = [day(3, -2, read: 5), day(1, 4, read: 0), day(2, -3, read: 1), day(4, -1, read: 0)]
    let moved = DayShift.between(days)
    #expect(moved.map { [$0.key.daysSince1970: $0.value] }.sorted { $0.keys.first! < $1.keys.first! } == [[1: 3], [2: -1], [3: -2]])
    #expect(DayShift.between([day(1, -3, read: 3), day(2, 3, read: 0)]).isEmpty, "nothing is read before it is delivered")
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

  @Test func `knows what volume takes off Meta's price, from counts, and calls the rest by another name`() async throws {
    let books = try await Books()
    let cairo = try await books.account("602", currency: "USD", zone: "Africa/Cairo")
    _ = try await books.load(
      """
      effective_from,market,category,currency,rate,above
      2026-10-01,Egypt,utility,USD,0.0036,
      2026-10-01,Egypt,utility,USD,0.0030,10
      2026-10-01,Egypt,utility,USD,0.0020,25

      """, replaces: true)
    let id = try await books.campaign(
      "October", of: cairo, to: (0..<32).map { 201_001_000_000 + $0 }, category: .utility)
    _ = try await books.pool.batch([
      Statement(
        """
        insert into contact (contact_id, business_id, phone, person_key, country) overriding system value
        select seq, $2, phone, person_key, 'EG' from recipient where campaign_id = $1
        """, [.int8(id.rawValue), .int8(books.installation.business.rawValue)]),
      Statement("update fact set at = '2026-10-05T10:00:00Z'"),
    ])
    // Twelve on the 5th, eighteen on the 6th; the receipts of two more were lost.
    try await books.receive(
      (1...30).map {
        Books.Receipt(
          campaign: id, seq: $0, number: "6020", status: "delivered", at: $0 <= 12 ? 1_791_190_800 : 1_791_277_200,
          category: "utility", type: "regular")
      })
    try await books.foldAll()
    let account = try await Statements.accounts(of: books.installation.business, on: books.pool)[0]
    let number = try await Numbers.list(of: books.installation.business, on: books.pool)[0].phone.digits
    func point(_ day: String, _ volume: Int64, _ cost: String) -> Reconciling.Point {
      Reconciling.Point(
        key: .init(day: CivilDate(day)!, number: number, country: "EG", category: .utility, type: .regular),
        volume: volume, cost: money(cost))
    }
    func run(_ sixth: String) async throws -> [[Reconciliation.Part]] {
      // On the 5th ten at 0.0036 and two at 0.0030; on the 6th thirteen at 0.0030 and seven at 0.0020.
      try await Reconciling.run(
        account, from: CivilDate("2026-10-05")!, to: CivilDate("2026-10-31")!,
        meta: [point("2026-10-05", 12, "0.042"), point("2026-10-06", 20, sixth)], on: books.pool
      ).lines.map(\.parts)
    }
    let fifth: [Reconciliation.Part] = [.init(.volumeTier, volume: 0, amount: money("-0.0012"))]
    let sixth: [Reconciliation.Part] = [
      .init(.receiptMissing, volume: 2, amount: money("0.0072")), .init(.volumeTier, volume: 0, amount: money("-0.019")),
    ]
    #expect(try await run("0.053") == [fifth, sixth])
    #expect(
      try await run("0.033") == [fifth, sixth + [.init(.price, volume: 0, amount: money("-0.02"))]],
      "volume does not explain what goes beyond the counts")
    await books.close()
  }
}
