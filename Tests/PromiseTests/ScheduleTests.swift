import Domain
import JSON
import Postgres
import Reactor
import Schedule
import Store
import Testing

/// Hours and calendars on the real path: nobody is written to while theirs are closed, also when a calendar is replaced
/// while the campaign runs.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A schedule` {
  @Test func `follows a calendar that is replaced while the campaign runs`() async throws {
    let world = try await World(people: 600)
    try await world.startNode()
    let campaign = try await world.launch(pace: 60, schedule: #"{"start_at": "now", "window": "always", "calendars": "all"}"#)
    try await world.until("sending") { try await world.journal().count >= 30 }
    let today = CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400))
    let days = CivilDate(daysSince1970: today.daysSince1970 - 1).description + "/"
      + CivilDate(daysSince1970: today.daysSince1970 + 1).description
    try await Calendars.replace(
      "eid", with: "date,country,from,to,kind\n\(days),EG,,,public_holiday\n", lines: 1,
      of: world.installation.business, by: "test", on: world.pool)
    // The lanes look four times a second; after that nothing leaves.
    try await world.desk.sleep(for: .milliseconds(1500))
    let before = try await world.journal().count
    try await world.desk.sleep(for: .seconds(2))
    let after = try await world.journal().count
    #expect(after == before && after < 600, "\(before), then \(after)")
    try await Calendars.replace(
      "eid", with: nil, lines: 0, of: world.installation.business, by: "test", on: world.pool)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let arrivals = try await world.journal().filter(\.isAccepted)
    #expect(Set(arrivals.map(\.to)).count == arrivals.count, "nobody twice")
    #expect(try await world.states(campaign).values.reduce(0, +) == 600, "nobody lost")
    try await world.end()
  }

  @Test func `sorts people by the zone they name, else by their phone's`() async throws {
    let world = try await World(people: 20)
    _ = try await world.pool.run(
      """
      update contact set attributes = attributes || jsonb_build_object('zone', case contact_id % 4 when 0 then 'Asia/Riyadh'
        when 1 then 'Nowhere/At_All' when 2 then 'Africa/Cairo' else '' end)
      """)
    try await world.startNode()
    let campaign = try await world.launch(
      pace: 500, schedule: #"{"start_at": "now", "window": {"start": "09:00", "end": "08:59"}}"#)
    try await world.until("prepared") { try await world.campaignState(campaign).rawValue >= CampaignState.sending.rawValue }
    let rows = try await world.pool.run(
      "select zone, sum(hi - lo + 1)::int8 from run where campaign_id = $1 group by 1 order by 1", .int8(campaign.rawValue))
    #expect(rows.map { "\($0.text(0)) \($0.int64(1))" } == ["Africa/Cairo 15", "Asia/Riyadh 5"])
    try await world.end()
  }
}
