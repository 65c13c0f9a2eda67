import Domain
import JSON
import Postgres
import Store
import Testing

@Suite struct `A number's colour` {
  @Test func `stops campaigns and not the codes and answers that people wait for`() async throws {
    let store = try await TestStore()
    let campaign = try await store.sending(people: 1)
    _ = try await store.pool.run(
      """
      insert into campaign (campaign_id, business_id, kind, name, state, spec, account_id, template_id, category, numbers,
        created_by)
      select next_campaign_id(), business_id, k, 'urgent', 5, '{}', account_id, template_id, 2, numbers, 'test'
      from campaign, unnest(array[3, 4]) k where campaign_id = $1
      """, .int8(campaign.rawValue))
    let number = try await Numbers.list(of: store.business, on: store.pool)[0].id
    var seen = Numbers.Observation(raw: ["quality": "RED"])
    (seen.status, seen.quality) = ("CONNECTED", "RED")
    try await NumberWatch.record(seen, of: number, stops: nil, on: store.pool)
    for id in try await store.pool.run("select campaign_id from campaign") {
      _ = try await store.pool.batch([NumberWatch.judgeColours(of: Campaign.ID(id.int64(0)))])
    }
    let stopped = try await store.pool.run("select scope_id from open_pause where scope = 7").map { $0.int64(0) }
    #expect(stopped == [campaign.rawValue])
    await store.close()
  }
}
