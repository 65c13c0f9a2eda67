import Crypto
import Domain
import JSON
import Population
import Postgres
import Reactor
import Sandbox
import Store
import Testing

/// The frequency cap is decided by the key of a person's newest touch: two lanes can't both pass it.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A frequency cap` {
  @Test func `lets one of two campaigns through that ask in the same moment`() async throws {
    let world = try await World(people: 3, numbers: 2)
    let (first, second) = try await (world.lane(of: world.numbers[0]), world.lane(of: world.numbers[1]))
    let (a, b) = (
      Connection(ConnectionSettings(url: world.url), on: world.desk),
      Connection(ConnectionSettings(url: world.url), on: world.desk)
    )
    for lane in [first, second] { _ = try await LaneLog.takeover(lane.number, after: nil, node: 1, on: a) }
    let ids = try await world.pool.run("select next_campaign_id() from generate_series(1, 2)")
    let campaigns = ids.map { Campaign.ID($0.int64(0)) }
    let soon = Instant(nanoseconds: Instant.now.nanoseconds + 86_400_000_000_000)
    func asked(_ campaign: Campaign.ID, endAt: Instant? = nil) -> [Gate.Asked] {
      (1...3).map { index in
        Gate.Asked(
          campaign: campaign, template: world.template, seq: Int32(index), attempt: 1,
          contact: Contact.ID(Int64(index)),
          person: world.installation.personKeys.key(of: world.phone(index)), marketing: true,
          cap: .init(messages: 1, days: 7), endAt: index == 3 ? endAt : nil)
      }
    }

    // The first lane's answer stands and is not committed when the second asks.
    _ = try await a.run("begin")
    #expect(try await Gate.ask(asked(campaigns[0]), lane: first, epoch: 1, on: a) == [.pass, .pass, .pass])
    let question = Task { try await Gate.ask(asked(campaigns[1]), lane: second, epoch: 1, on: b) }
    try await world.until("the second lane waits for the first one's keys") {
      try await world.pool.run("select count(*) from pg_locks where not granted")[0].int64(0) > 0
    }
    _ = try await a.run("commit")
    #expect(try await question.value == [.raced, .raced, .raced])
    // Asked again it sees the first one's touches: who can wait is held until they are a week old, who can't is skipped.
    let again = asked(campaigns[1], endAt: soon)
    #expect(try await Gate.ask(again, lane: second, epoch: 1, on: b) == [.capped, .capped, .capped])
    let held = try await world.pool.run(
      """
      select d.seq, d.reason, d.due_at = t.at + interval '7 days' from due d join touch t on t.contact_id = d.seq
      where d.campaign_id = $1 order by 1
      """, .int8(campaigns[1].rawValue))
    #expect(held.map { $0.int32(0) } == [1, 2] && held.allSatisfy { $0.int16(1) == 7 && $0.bool(2) })
    let skipped = try await world.pool.run(
      "select seq, reason from skip where campaign_id = $1", .int8(campaigns[1].rawValue))
    #expect(
      skipped.map { $0.int32(0) } == [3] && skipped.allSatisfy { $0.int16(1) == SkipReason.frequencyCap.rawValue })
    // The first one's own touch is not held against it, however often it asks.
    #expect(try await Gate.ask(asked(campaigns[0]), lane: first, epoch: 1, on: a) == [.pass, .pass, .pass])
    // A lane that lost its number puts nobody back.
    _ = try await world.pool.run("delete from due")
    #expect(try await Gate.ask(again, lane: second, epoch: 7, on: b) == nil)
    #expect(try await world.pool.run("select count(*) from due")[0].int64(0) == 0)
    await a.close()
    await b.close()
    try await world.end()
  }

  @Test func `holds over two campaigns to the same people on two lanes`() async throws {
    let world = try await World(people: 300, numbers: 2, people: .obliging)
    let other = world.numbers[1]
    let capped = #", "frequency_cap": {"messages": 1, "days": 7}"#
    let first = try await world.launch(pace: 150, name: "one", from: world.numbers[0], more: capped)
    let second = try await world.launch(pace: 150, name: "two", from: other, more: capped)
    try await world.startNode()
    func sums() async throws -> (facts: Int64, held: Int64, skipped: Int64) {
      let row = try await world.pool.run(
        "select (select count(*) from fact), (select count(*) from due where reason = 7), (select count(*) from skip)"
      )[0]
      return (row.int64(0), row.int64(1), row.int64(2))
    }
    try await world.until("everybody has a message in one campaign and waits in the other") {
      let sums = try await sums()
      return sums.facts >= 300 && sums.held + sums.skipped >= 300
    }
    let arrivals = try await world.journal()
    #expect(arrivals.count == 300 && Set(arrivals.map(\.to)).count == 300, "somebody got two")
    for campaign in [first, second] {
      let states = try await world.states(campaign)
      #expect(states.values.reduce(0, +) == 300)
    }

    // A week later the others' time has come: they are written to, also where the lane found nothing due before.
    _ = try await world.pool.run("update touch set at = at - interval '8 days'")
    _ = try await world.pool.run("update due set due_at = now() where seq % 2 = 0")
    try await world.until("half of them are written to") {
      try await world.pool.run("select count(*) from due where seq % 2 = 0")[0].int64(0) == 0
    }
    _ = try await world.pool.run("update due set due_at = now()")
    try await world.until("everybody is written to twice") {
      let sums = try await sums()
      return sums.facts + sums.skipped == 600 && sums.held == 0
    }
    let messages = try await world.journal()
    #expect(messages.count == 600)
    #expect(Dictionary(grouping: messages, by: \.to).values.allSatisfy { $0.count == 2 })
    try await world.end()
  }
}

/// Consent is looked at a second time when a run is opened.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A run that is opened` {
  @Test func `gives nobody a slot who said stop since the freeze`() async throws {
    let world = try await World(people: 20)
    let lane = try await world.lane(of: world.numbers[0])
    let connection = Connection(ConnectionSettings(url: world.url), on: world.desk)
    _ = try await LaneLog.takeover(lane.number, after: nil, node: 1, on: connection)
    let campaign = Campaign.ID(try await world.pool.run("select next_campaign_id()")[0].int64(0))
    _ = try await world.pool.batch([
      Statement(
        """
        insert into recipient (campaign_id, contact_id, phone, seq, person_key, vars)
        select $1, contact_id, phone, contact_id, person_key, '{}' from contact
        """, [.int8(campaign.rawValue)]),
      Consents.recording(
        [(3, ConsentScope.marketing), (7, .everything)].map { index, scope in
          Consents.Word(
            person: world.installation.personKeys.key(of: world.phone(index)), scope: scope, event: .stop, source: .api,
            evidence: .object([:]), at: .now)
        }, business: world.installation.business),
    ])
    let take = LaneLog.Take(campaign: campaign, run: 1, take: 1, cursor: 1, hi: 20, zone: "Africa/Cairo")
    let business = world.installation.business
    #expect(try await LaneLog.skipStopped(take, business: business, marketing: false, on: connection) == 1)
    #expect(try await LaneLog.skipStopped(take, business: business, marketing: true, on: connection) == 1)
    let claimed = try await LaneLog.claim(
      lane.number, k: 2, epoch: 1, node: 1, doneK: 1, take: take, hi: 20, slot0: 0, step: 1, on: connection)
    let expected: [Int32] = (Int32(1)...20).filter { $0 != 3 && $0 != 7 }
    #expect(claimed.map(\.seq) == expected)
    await connection.close()
    try await world.end()
  }
}

extension World {
  func lane(of number: Number.ID) async throws -> Gate.Lane {
    let row = try await pool.run(
      """
      select n.business_id, a.portfolio_id, n.account_id, n.token_id from number n join account a using (account_id)
      where n.number_id = $1
      """, .int8(number.rawValue))[0]
    return Gate.Lane(
      business: Business.ID(row.int64(0)), portfolio: Portfolio.ID(row.int64(1)), account: Account.ID(row.int64(2)),
      token: Token.ID(row.int64(3)), number: number)
  }
}
