import Crypto
import Domain
import Postgres
import Reactor
import Testing

@testable import Store

/// Who got a message from one of a campaign's numbers before gets the next from the same, unless that one is lost.
@Suite struct `People and their number` {
  @Test func `stay together, and part when the number can't send, on the record`() async throws {
    let store = try await TestStore()
    let campaign = try await store.draft()
    let first = try #require(try await Numbers.list(of: store.business, on: store.pool).first).id
    let second = try await store.number("106540352242933", phone: 201_001_234_568)
    let third = try await store.number("106540352242944", phone: 201_001_234_569)
    let phones = (0..<10).map { PhoneNumber(digits: 201_001_000_000 + Int64($0))! }
    _ = try await store.pool.run(
      """
      with c as (
        insert into contact (business_id, phone, person_key, country) select $1, p, k, 'EG'
        from unnest($2::int8[], $3::uuid[]) x (p, k) returning contact_id
      )
      insert into audience_member (audience_id, contact_id) select 1, contact_id from c order by contact_id
      """, .int8(store.business.rawValue), .int8s(phones.map(\.digits)),
      .uuids(phones.map { store.installation.personKeys.key(of: $0) }))
    // The first four were last written to by the second number; the fifth by one that is not of this campaign, before it by
    // the second.
    _ = try await store.pool.run(
      """
      insert into touch (contact_id, campaign_id, number_id, at, n, seq, epoch, attempt)
      select contact_id, 1, case when x.n = 1 then $1 else $2 end, now(), x.n, 1, 1, 1
      from contact, (values (1), (2)) x (n) where contact_id <= 4
      union all
      select 5, 1, case when x.n = 1 then $2 else $3 end, now(), x.n, 1, 1, 1 from (values (1), (2)) x (n)
      """, .int8(first.rawValue), .int8(second.rawValue), .int8(third.rawValue))
    var plan = FreezePlan(
      business: store.business, audiences: [Audience.ID(1)], marketing: false, requireOptIn: false,
      otherZone: "Africa/Cairo", now: .now)
    plan.numbers = [first, second]
    _ = try await store.pool.run(
      "update campaign set state = 4, numbers = $2 where campaign_id = $1", .int8(campaign.rawValue),
      .int8s([first.rawValue, second.rawValue]))
    #expect(try await Freeze.run(plan, campaign: campaign, on: store.pool).recipients == 10)
    _ = try await store.pool.run(
      "update campaign set state = 5, frozen = '{}' where campaign_id = $1", .int8(campaign.rawValue))
    let runs = try await store.pool.run(
      """
      select r.number_id, array_agg(p.contact_id order by p.contact_id) from run r
      join recipient p on p.campaign_id = r.campaign_id and p.seq between r.lo and r.hi where r.campaign_id = $1 group by 1
      """, .int8(campaign.rawValue)
    ).reduce(into: [Int64?: [Int64]]()) { $0[$1.optionalInt64(0)] = $1.int64s(1) }
    #expect(runs == [nil: [6, 7, 8, 9, 10], second.rawValue: [1, 2, 3, 4, 5]], "\(runs)")

    let connection = TestStore.connection(store.url)
    func take(_ number: Number.ID) async throws -> LaneLog.Take? {
      try await LaneLog.takeRun(campaign, zones: ["Africa/Cairo"], number: number, on: connection)
    }
    let free = try #require(try await take(first))
    #expect(free.hi - free.cursor + 1 == 5)
    #expect(try await take(first) == nil, "those of the second are not the first's")
    // One of them waits; the first number's lane must not fetch them either.
    let place = try await store.pool.run(
      "select lo from run where campaign_id = $1 and number_id = $2", .int8(campaign.rawValue), .int8(second.rawValue)
    )[0].int32(0)
    _ = try await store.pool.run(
      "insert into due (campaign_id, seq, attempt, due_at, reason) values ($1, $2, 1, now(), 1)", .int8(campaign.rawValue),
      .int4(place))
    _ = try await LaneLog.takeover(first, after: nil, node: 1, on: connection)
    func due() async throws -> Int {
      try await LaneLog.claimDue(
        first, k: 2, epoch: 1, node: 1, doneK: 0, campaign: campaign, zones: nil, staying: true, limit: 10, slot0: 0, step: 1,
        on: connection
      ).count
    }
    #expect(try await due() == 0)
    #expect(try await LiveCampaigns.campaigns(from: first, on: connection).first?.hasStaying == true)
    #expect(try await LiveCampaigns.campaigns(from: first, on: connection).first?.freeZones == [])

    _ = try await store.pool.batch([
      Pauses.opening(.number, second.rawValue, business: store.business, cause: .operator, reason: "lost", actor: "test")
    ])
    #expect(try await LiveCampaigns.campaigns(from: first, on: connection).first?.freeZones == ["Africa/Cairo"])
    #expect(try await due() == 1)
    let moved = try #require(try await take(first))
    #expect(moved.hi - moved.cursor + 1 == 5)
    let record = try await store.pool.run(
      "select moved_from from run_take where campaign_id = $1 and moved_from is not null", .int8(campaign.rawValue))
    #expect(record.map { $0.int64(0) } == [second.rawValue])
    let told = try await store.pool.run(
      """
      select evidence->>'from', evidence->>'to', evidence->>'people' from campaign_event
      where campaign_id = $1 and event = 'people_moved'
      """, .int8(campaign.rawValue))
    #expect(told.map { [$0.text(0), $0.text(1), $0.text(2)] } == [["106540352242933", "106540352242922", "5"]])
    await connection.close()
    await store.close()
  }
}
