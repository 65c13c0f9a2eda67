import Domain
import Intake
import Money
import Postgres
import Reactor
import Store
import Testing

@Suite struct `A message without a price` {
  /// 2026-10-05, noon in Riyadh.
  private let noon: Int64 = 1_791_190_800

  private func delivered(_ books: Books, _ account: Books.Account, people: Int) async throws -> Campaign.ID {
    let id = try await books.campaign("Riyadh", of: account, to: (0..<people).map { 966_501_000_000 + Int64($0) })
    try await books.receive(
      (1...people).map {
        Books.Receipt(
          campaign: id, seq: $0, number: account.numbers[0].phoneNumberID, status: "delivered", at: noon,
          category: "marketing", type: "regular")
      })
    try await books.foldAll()
    return id
  }

  private let card = "effective_from,market,category,currency,rate\n2026-10-01,Saudi Arabia,marketing,SAR,0.2161\n"

  @Test func `is counted apart, never zero, and priced once when its card comes`() async throws {
    let books = try await Books()
    let riyadh = try await books.account("501", currency: "SAR", zone: "Asia/Riyadh")
    _ = try await delivered(books, riyadh, people: 25)
    #expect(try await books.ledger()["SAR"] == Books.Sums(unpriced: 25))
    #expect(try await books.load(card) == [.added])
    #expect(try await books.load(card) == [.unchanged])
    // The card alone asks for it; and running again, or two at once, changes nothing more.
    #expect(
      try await books.pool.run("select count(*) from job where kind = 'price' and ended_at is null")[0].int64(0) == 1)
    async let one = LatePricing.run(now: .now, on: books.pool)
    async let two = LatePricing.run(now: .now, on: books.pool)
    let changed = try await one.changed + two.changed
    #expect(changed == 25)
    #expect(try await LatePricing.run(now: .now, on: books.pool).changed == 0)
    let priced = Books.Sums(amount: Amount("5.4025")!, charged: 25)
    #expect(try await books.ledger()["SAR"] == priced)
    let reasons = try await books.pool.run("select distinct reason from posting where amount <> 0")
    #expect(reasons.map { $0.int16(0) } == [PostingReason.priced.rawValue])
    // A receipt that comes afterwards finds the charge standing.
    try await books.receive([
      Books.Receipt(campaign: Campaign.ID(1), seq: 1, number: "5010", status: "read", at: noon + 5)
    ])
    try await books.foldAll()
    #expect(try await books.ledger()["SAR"] == priced)
    await books.close()
  }

  @Test func `is charged anew when a wrong card is replaced, and the old one stays on record`() async throws {
    let books = try await Books()
    let riyadh = try await books.account("502", currency: "SAR", zone: "Asia/Riyadh")
    _ = try await books.load(card)
    let id = try await delivered(books, riyadh, people: 4)
    #expect(try await books.ledger()["SAR"] == Books.Sums(amount: Amount("0.8644")!, charged: 4))
    let right = card.replacing("0.2161", with: "0.2061")
    await #expect(throws: Rates.Overlap.self) { try await books.load(right) }
    #expect(try await books.load(right, replaces: true) == [.replaced])
    // The folder still has the old book; what the job wrote meanwhile makes it read again.
    #expect(try await LatePricing.run(now: .now, on: books.pool).changed == 4)
    try await books.receive([
      Books.Receipt(campaign: id, seq: 2, number: "5020", status: "read", at: noon + 60)
    ])
    try await books.foldAll()
    #expect(try await books.ledger()["SAR"] == Books.Sums(amount: Amount("0.8244")!, charged: 4))
    #expect(try await books.pool.run("select count(*) from rate_card where currency = 'SAR'")[0].int64(0) == 2)
    #expect(
      try await books.pool.run("select count(distinct reason) from posting where reason = 4")[0].int64(0) == 1)
    await books.close()
  }

  @Test func `stands under the same charge in whatever order its receipts come`() async throws {
    let books = try await Books()
    let cairo = try await books.account("503", currency: "USD", zone: "Africa/Cairo")
    func receipts(_ id: Campaign.ID) -> [Books.Receipt] {
      // 23:59:59 on 30 September and just after midnight, in Cairo; the read came first by Meta's own clock.
      let midnight: Int64 = 1_790_802_000
      return [
        Books.Receipt(
          campaign: id, seq: 1, number: "5030", status: "sent", at: midnight - 9, category: "utility", type: "regular"),
        Books.Receipt(
          campaign: id, seq: 1, number: "5030", status: "delivered", at: midnight + 3, category: "marketing",
          type: "regular"),
        Books.Receipt(campaign: id, seq: 1, number: "5030", status: "read", at: midnight - 1),
        Books.Receipt(campaign: id, seq: 1, number: "5030", status: "delivered", at: midnight + 3),
      ]
    }
    var seen: Set<String> = []
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1], [1, 2, 0, 3], [3, 1, 2, 0]] {
      let id = try await books.campaign("order \(order)", of: cairo, to: [966_501_000_001], category: .utility)
      for place in order {
        try await books.receive([receipts(id)[place]])
        try await books.foldAll()
      }
      let rows = try await books.pool.run(
        """
        select day::text || ' ' || category || ' ' || sum(count) || ' ' || sum(amount) from posting
        where campaign_id = $1 group by day, category having sum(count) <> 0
        """, .int8(id.rawValue))
      seen.formUnion(rows.map { $0.text(0) })
      #expect(rows.count == 1)
    }
    #expect(seen == ["2026-09-30 1 1 0.0501"])
    await books.close()
  }
}
