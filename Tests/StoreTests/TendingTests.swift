import Domain
import Postgres
import Store
import Testing

@Suite struct `A campaign's end` {
  @Test func `is found at once for a campaign that is younger than the statistics`() async throws {
    let store = try await TestStore()
    let first = try await store.sending(people: 60_000)
    let facts = """
      insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome)
      select campaign_id, 1, now(), seq, 0, 1, 5 from recipient where campaign_id = $1
      """
    _ = try await store.pool.run(facts, .int8(first.rawValue))
    _ = try await store.pool.run("analyze")
    // A second one to the same people: its facts are there before anybody has counted them.
    let second = Campaign.ID(
      try await store.pool.run(
        """
        insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers,
          created_by)
        select next_campaign_id(), business_id, 'Two', 5, spec, account_id, template_id, category, numbers, created_by
        from campaign where campaign_id = $1 returning campaign_id
        """, .int8(first.rawValue))[0].int64(0))
    _ = try await store.pool.run(
      """
      insert into recipient (campaign_id, contact_id, phone, seq, person_key, vars)
      select $2, contact_id, phone, seq, person_key, vars from recipient where campaign_id = $1
      """, .int8(first.rawValue), .int8(second.rawValue))
    try await Tending.analyze(second, on: store.pool)
    _ = try await store.pool.run(facts, .int8(second.rawValue))
    // A loop over both lists walks 1.8 billion pairs; a join of them is done long before.
    var settings = ConnectionSettings(url: store.url)
    settings.statementTimeout = .seconds(15)
    let bounded = Pool(settings, size: 1, on: TestStore.reactor)
    #expect(try await Tending.endSending(second, on: bounded))
    #expect(try await CampaignCounts.read(second, on: bounded).states == [.accepted: 60_000])
    #expect(try await Tending.skipRest(second, reason: .expired, on: bounded) == 0)
    #expect(try await !Tending.complete(second, patience: .seconds(3600), on: bounded))
    await bounded.close()
    await store.close()
  }
}
