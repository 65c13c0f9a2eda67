import Domain
import JSON
import Money
import Postgres
import Reactor
import Testing

@testable import Store

/// Budgets as rows: blocks drawn from one pool, spent by claims, given back by whoever lost the lane, and what ended
/// messages leave of their reservations.
@Suite struct `An allotment` {
  /// A campaign of 20 people with a budget of 12.00 USD; node 1 owns its lane.
  private struct Stage {
    let store: TestStore
    let connection: Connection
    let number: Number.ID
    let campaign: Campaign.ID
    let take: LaneLog.Take
    let source: Allotments.Source
    let pool: Int64

    init(_ limit: Budget = .amount(Amount("12")!, Currency("USD")!)) async throws {
      store = try await TestStore()
      campaign = try await store.sending(people: 20)
      connection = TestStore.connection(store.url)
      number = try #require(try await LiveCampaigns.numbers(on: connection).first).lane.number
      try await Budgets.set(
        limit, over: .campaign, campaign.rawValue, of: store.business, by: "test", reason: "", on: store.pool)
      _ = try await LaneLog.takeover(number, after: nil, node: 1, on: connection)
      take = try #require(
        try await LaneLog.takeRun(campaign, zones: ["Africa/Cairo"], number: number, on: connection))
      source = try #require(try await Allotments.sources(of: number, on: connection)[campaign]?.first)
      pool = try await Allotments.open(source, on: connection)
    }

    func draw(_ price: String, epoch: Int32 = 1, lanes: Int = 1) async throws -> Amount {
      try await Allotments.draw(
        pool, number: number, epoch: epoch, lanes: lanes, price: Amount(price)!, on: connection)
    }

    /// Claims `count` people from `lo` on, each reserved at `price`.
    func claim(_ lo: Int32, _ count: Int, at price: String, k: Int64) async throws {
      var take = take
      take.cursor = lo
      _ = try await LaneLog.claim(
        number, k: k, epoch: 1, node: 1, doneK: 0, take: take, hi: lo + Int32(count) - 1, slot0: 0, step: 1,
        reserving: Allotments.Reservation(pools: [pool], prices: Array(repeating: Amount(price)!, count: count)),
        on: connection)
    }

    var used: Amount {
      get async throws { try await store.pool.run("select used from pool where pool_id = \(pool)")[0].amount(0) }
    }

    func close() async {
      await connection.close()
      await store.close()
    }
  }

  @Test func `is drawn in whole messages until not one is left, and never beyond the budget`() async throws {
    let stage = try await Stage()
    var blocks: [Amount] = []
    while true {
      let block = try await stage.draw("0.7", lanes: 2)
      if block == .zero { break }
      blocks.append(block)
    }
    // 17 messages of 0.70 are 11.90: the tenth that remains is nobody's.
    #expect(blocks.reduce(.zero, +) == Amount("11.9")! && blocks.first == Amount("1.4")!)
    #expect(try await stage.used == Amount("11.9")!)
    #expect(try await stage.draw("0.1") == Amount("0.1")!, "a cheaper message still fits")
    await stage.close()
  }

  @Test func `is not drawn by an owner that was overtaken, and what it held comes back less what it spent`() async throws {
    let stage = try await Stage()
    #expect(try await stage.draw("0.5") == Amount("3")!)
    try await stage.claim(1, 4, at: "0.5", k: 2)
    let half = Amount("0.5")!
    let back = try await Allotments.giveBack(
      half, to: stage.pool, number: stage.number, epoch: 1, on: stage.connection)
    #expect(back == half)
    #expect(try await Allotments.left(stage.pool, number: stage.number, epoch: 1, on: stage.connection) == Amount("0.5")!)
    #expect(try await stage.draw("0.5", lanes: 19) == Amount("0.5")!)
    // While it owns the lane nobody takes it away.
    try await Budgets.tend(on: stage.store.pool)
    #expect(try await stage.used == Amount("3")!)
    let head = try await LaneLog.head(of: stage.number, on: stage.connection)
    _ = try await LaneLog.takeover(stage.number, after: head, node: 2, on: stage.connection)
    do {
      _ = try await stage.draw("0.5")
      Issue.record("an owner that was overtaken drew")
    } catch let error as DatabaseError { #expect(LaneLog.isFenced(error)) }
    try await Budgets.tend(on: stage.store.pool)
    try await Budgets.tend(on: stage.store.pool)
    #expect(try await stage.used == Amount("2")!, "four messages of 0.50")
    await stage.close()
  }

  @Test func `of the last message goes to one of two nodes that draw at the same time`() async throws {
    let stage = try await Stage(.messages(1))
    let (number, pool) = (stage.number, stage.pool)
    let other = TestStore.connection(stage.store.url)
    let one = Amount("1")!
    _ = try await stage.connection.run("begin")
    let first = try await Allotments.draw(pool, number: number, epoch: 1, lanes: 1, price: one, on: stage.connection)
    let second = Task {
      try await Allotments.draw(pool, number: number, epoch: 1, lanes: 1, price: one, on: other)
    }
    // The other one asked, and waits for whoever was first.
    while try await stage.store.pool.run(
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )[0].int64(0) == 0 { try await TestStore.reactor.sleep(for: .milliseconds(5)) }
    _ = try await stage.connection.run("commit")
    let late = try await second.value
    #expect(first == one && late == .zero)
    #expect(try await stage.used == one)
    await other.close()
    await stage.close()
  }

  @Test func `comes back for messages that ended without a charge, and counts what Meta charged beyond it`() async throws {
    let stage = try await Stage()
    _ = try await stage.draw("1")
    _ = try await stage.draw("1")
    _ = try await stage.draw("1")
    try await stage.claim(1, 6, at: "1", k: 2)
    let before = try await stage.used
    let pool = stage.store.pool
    // 1 refused for good, 2 skipped, 3 failed by receipt, 4 refused and tried again, 5 charged 0.25, 6 charged 1.50.
    let id = stage.campaign.rawValue
    for sql in [
      "insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome) select $1, 1, now(), s, 0, 1, o "
        + "from (values (1, 3), (3, 5), (4, 3), (5, 5), (6, 5)) x (s, o)",
      "insert into skip (campaign_id, seq, reason) values ($1, 2, 1)",
      "insert into due (campaign_id, seq, attempt, due_at, reason) values ($1, 4, 2, now(), 5)",
    ] { _ = try await pool.run(sql, .int8(id)) }
    let rates = try await pool.run(
      """
      with c as (
        insert into rate_card (currency, effective_from, source, complete, revision)
        values ('USD', '2020-01-01', 'test', false, 1) returning rate_card_id
      )
      insert into rate (rate_card_id, market, category, amount)
      select rate_card_id, m, 1, a from c, (values (1, 0.25), (2, 1.50)) x (m, a) returning rate_id
      """)
    _ = try await pool.run(
      """
      insert into standing (campaign_id, seq, attempt, standing, charge, rate_id)
      values ($1, 3, 1, 20, 0, null), ($1, 5, 1, 30, 1, $2), ($1, 6, 1, 30, 1, $3)
      """, .int8(id), .int8(rates[0].int64(0)), .int8(rates[1].int64(0)))
    try await Budgets.settle(stage.campaign, on: pool)
    try await Budgets.settle(stage.campaign, on: pool)
    // Back: 1 + 1 + 1 + 0.75; beyond: 0.50.
    #expect(try await stage.used == before - Amount("3.25")!)
    #expect(try await Budgets.of(stage.campaign, on: pool)?.overrun == Amount("0.5")!)
    // On its way a second time: nothing of it has ended.
    _ = try await pool.run("delete from due where campaign_id = $1", .int8(id))
    _ = try await pool.run(
      """
      insert into lane_log (number_id, k, epoch, kind, node, done_k, campaign_id, seqs, attempts)
      values ($2, 3, 1, 2, 1, 0, $1, '{4}', '{2}')
      """, .int8(id), .int8(stage.number.rawValue))
    try await Budgets.settle(stage.campaign, on: pool)
    #expect(try await stage.used == before - Amount("3.25")!)
    _ = try await pool.run(
      "insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome) values ($1, 1, now(), 4, 0, 2, 3)",
      .int8(id))
    try await Budgets.settle(stage.campaign, on: pool)
    #expect(try await stage.used == before - Amount("4.25")!)
    await stage.close()
  }

  @Test func `of a number's budget is this month's, and a budget keeps its kind`() async throws {
    let stage = try await Stage()
    let number = stage.number
    let business = stage.store.business
    try await Budgets.set(
      .amount(Amount("5")!, Currency("USD")!), over: .number, number.rawValue, of: business, by: "test", reason: "",
      on: stage.store.pool)
    let sources = try await Allotments.sources(of: number, on: stage.connection)[stage.campaign] ?? []
    #expect(sources.map(\.scope) == [.campaign, .number] || sources.map(\.scope) == [.number, .campaign])
    let monthly = try #require(sources.first { $0.scope == .number })
    #expect(monthly.month?.day == 1)
    let pool = try await Allotments.open(monthly, on: stage.connection)
    #expect(try await Allotments.open(monthly, on: stage.connection) == pool, "once")
    let listed = try await Budgets.list(of: business, on: stage.store.pool)
    #expect(listed.count == 1 && listed[0].subject == "106540352242922" && listed[0].month == monthly.month)
    await #expect(throws: Problem.self) {
      try await Budgets.set(
        .messages(5), over: .number, number.rawValue, of: business, by: "test", reason: "", on: stage.store.pool)
    }
    await stage.close()
  }

  @Test func `of a month counts what urgent messages were charged, once, and its stop ends with the month`() async throws {
    let stage = try await Stage()
    let pool = stage.store.pool
    try await Budgets.set(
      .amount(Amount("5")!, Currency("USD")!), over: .number, stage.number.rawValue, of: stage.store.business, by: "test",
      reason: "", on: pool)
    // Two urgent messages of 0.0036 each, one of which was priced anew; and last month's, which is none of this month's.
    _ = try await pool.run(
      """
      with c as (
        insert into campaign (campaign_id, business_id, kind, name, state, spec, account_id, template_id, category, numbers,
          created_by)
        select next_campaign_id(), business_id, 3, 'urgent', 5, '{}', account_id, template_id, 2, numbers, 'test'
        from campaign where campaign_id = $1 returning campaign_id, business_id, account_id
      )
      insert into posting (fold_k, business_id, campaign_id, number_id, count, amount, day, currency, market, category,
        pricing_type, charge, account_id, booked_on, month, reason)
      select 1, business_id, campaign_id, $2, n, a, d, 'USD', 1, 2, 1, 1, account_id, d, d, 1
      from c, (select (now() at time zone 'Africa/Cairo')::date as today) t,
        (values (2, 0.0072, 0), (-1, -0.0036, 0), (1, 0.0040, 0), (9, 9, 40)) x (n, a, back),
        lateral (select today - back as d) y
      """, .int8(stage.campaign.rawValue), .int8(stage.number.rawValue))
    for _ in 1...2 { try await Budgets.countUnreserved(on: pool) }
    let entry = try #require(try await Budgets.list(of: stage.store.business, on: pool).first)
    #expect(entry.urgent == Amount("0.0076")! && entry.used == entry.urgent && entry.overrun == .zero)

    // Stopped by this month's budget it stays so; by last month's it goes on.
    let month = try #require(entry.month)
    let before = CivilDate(daysSince1970: month.daysSince1970 - 1)
    for (stopped, goesOn) in [(month, false), (before, true)] {
      _ = try await Budgets.pause(
        stage.campaign, .budgetExhausted,
        ["scope": "number", "id": "1", "month": .string(String(stopped.description.prefix(7)))], on: pool)
      #expect(try await Budgets.beginMonth(on: pool) == (goesOn ? [stage.campaign] : []))
      let open = try await pool.run("select count(*) from open_pause where cause = 'budget'")[0].int64(0)
      #expect(open == (goesOn ? 0 : 1))
      _ = try await pool.run("insert into pause_end select pause_id, '', 'test' from open_pause")
    }
    #expect(try await Budgets.beginMonth(on: pool).isEmpty, "once")
    await stage.close()
  }
}
