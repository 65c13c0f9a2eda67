import Crypto
import Domain
import Postgres
import Reactor
import Testing

@testable import Store

/// A pilot's people in the freeze.
@Suite struct `A pilot's sample` {
  private static let shares = [("EG", 700), ("SA", 200), ("KW", 95), ("AE", 5)]

  private static func frozen(_ store: TestStore, _ campaign: Campaign.ID, pilot: FreezePlan.Sampling?) async throws {
    var plan = FreezePlan(
      business: store.business, audiences: [Audience.ID(1)], marketing: false, requireOptIn: false,
      otherZone: "Africa/Cairo", now: .now)
    plan.blockedCountries = ["LY"]
    plan.pilot = pilot
    _ = try await store.pool.run("update campaign set state = 4 where campaign_id = $1", .int8(campaign.rawValue))
    #expect(try await Freeze.run(plan, campaign: campaign, on: store.pool) == (1000, 40))
  }

  private static func contacts(_ campaign: Campaign.ID, _ range: ClosedRange<Int>, _ store: TestStore) async throws -> [Int64] {
    try await store.pool.run(
      "select contact_id from recipient where campaign_id = $1 and seq between $2 and $3 order by seq",
      .int8(campaign.rawValue), .int4(Int32(range.lowerBound)), .int4(Int32(range.upperBound))
    ).map { $0.int64(0) }
  }

  @Test func `is random, holds each country's share, stands in front, and is the same again for the same campaign`()
    async throws
  {
    let store = try await TestStore()
    let campaign = try await store.draft()
    var (phones, countries): ([PhoneNumber], [String]) = ([], [])
    for (country, count) in Self.shares + [("LY", 40)] {
      for _ in 0..<count {
        phones.append(PhoneNumber(digits: 201_001_000_000 + Int64(phones.count))!)
        countries.append(country)
      }
    }
    _ = try await store.pool.run(
      """
      with c as (
        insert into contact (business_id, phone, person_key, country) select $1, p, k, c
        from unnest($2::int8[], $3::uuid[], $4::text[]) x (p, k, c) returning contact_id
      )
      insert into audience_member (audience_id, contact_id) select 1, contact_id from c order by contact_id
      """, .int8(store.business.rawValue), .int8s(phones.map(\.digits)),
      .uuids(phones.map { store.installation.personKeys.key(of: $0) }), .texts(countries))
    let pilot = FreezePlan.Sampling(size: 60, above: 999)
    try await Self.frozen(store, campaign, pilot: pilot)

    for (step, range) in [(1, 1...60), (2, 61...300), (3, 301...1000)] {
      let found = try await store.pool.run(
        """
        select c.country, count(*) from recipient r join contact c using (contact_id)
        where campaign_id = $1 and seq between $2 and $3 group by 1
        """, .int8(campaign.rawValue), .int4(Int32(range.lowerBound)), .int4(Int32(range.upperBound))
      ).reduce(into: [String: Int]()) { $0[$1.text(0)] = Int($1.int64(1)) }
      for (country, count) in Self.shares {
        let share = Double(count * range.count) / 1000
        #expect(abs(Double(found[country] ?? 0) - share) <= 1.01, "step \(step): \(found)")
      }
    }
    let runs = try await store.pool.run(
      "select wave, min(lo), max(hi), count(*) from run where campaign_id = $1 group by 1 order by 1",
      .int8(campaign.rawValue)
    ).map { [Int($0.int16(0)), Int($0.int32(1)), Int($0.int32(2)), Int($0.int64(3))] }
    #expect(runs == [[1, 1, 60, 1], [2, 61, 300, 1], [3, 301, 1000, 1]])
    let first = try await Self.contacts(campaign, 1...60, store)
    // Not the first rows: their middle is near the middle of all.
    #expect(first == first.sorted() && (300...700).contains(first[30]))

    // Judged again it is the same sample; another campaign has another.
    let again = try await store.pool.run(
      """
      with gone as (delete from recipient where campaign_id = $1), ex as (delete from exclusion where campaign_id = $1),
        steps as (delete from pilot_step where campaign_id = $1)
      delete from run where campaign_id = $1
      """, .int8(campaign.rawValue))
    #expect(again.affected == 3)
    try await Self.frozen(store, campaign, pilot: pilot)
    #expect(try await Self.contacts(campaign, 1...60, store) == first)
    let other = Campaign.ID(campaign.rawValue + 1)
    _ = try await store.pool.run(
      """
      insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers, created_by)
      select campaign_id + 1, business_id, name, 4, spec, account_id, template_id, category, numbers, created_by from campaign
      where campaign_id = $1
      """, .int8(campaign.rawValue))
    try await Self.frozen(store, other, pilot: pilot)
    #expect(try await Self.contacts(other, 1...60, store) != first)
    await store.pool.close()
  }

  @Test func `is drawn when it is asked for, or when many get a template for the first time`() {
    var asked = CampaignSpec.Guarding.Pilot()
    asked.size = 70
    #expect(FreezePlan.sampling(.always(asked), isTemplateKnown: true) == .init(size: 70, above: 0))
    #expect(FreezePlan.sampling(.never, isTemplateKnown: false) == nil)
    #expect(FreezePlan.sampling(.unlessKnown, isTemplateKnown: true) == nil)
    #expect(FreezePlan.sampling(.unlessKnown, isTemplateKnown: false) == .init(size: 500, above: 5000))
  }
}
