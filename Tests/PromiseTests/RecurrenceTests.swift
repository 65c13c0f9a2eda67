import Domain
import Postgres
import Reactor
import Store
import Testing

/// A campaign that repeats is launched once for each planned time, whoever runs and whoever dies.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A campaign that repeats` {
  static let schedule =
    #"{"start_at": "\#(start)", "window": "always", "if_late": "run", "repeat": {"rule": "FREQ=DAILY;COUNT=400"}}"#
  /// Yesterday: each campaign has one time behind it that counts, and one more today.
  static let start = (Instant(seconds: Instant.now.seconds - 2 * 86_400 - 60)).rfc3339()

  private func repeating(_ world: World, _ count: Int) async throws -> [Campaign.ID] {
    var ids: [Campaign.ID] = []
    for number in 0..<count {
      let id = try await world.launch(pace: 100, name: "repeats \(number)", schedule: Self.schedule)
      let start = try #require(Instant(rfc3339: Self.start))
      // As the API's launch does it for a request that repeats.
      _ = try await world.pool.batch([
        Statement("delete from job where key = $1", [.text(id.description)]),
        Statement("update campaign set start_at = $2 where campaign_id = $1", [.int8(id.rawValue), .timestamptz(start)]),
        Statement("insert into recurrence values ($1, $2)", [.int8(id.rawValue), .timestamptz(start)]),
      ])
      ids.append(id)
    }
    return ids
  }

  @Test func `is launched once for each planned time by two schedulers, one of which is killed again and again`() async throws {
    let world = try await World(people: 3)
    let parents = try await repeating(world, 40)
    var doomed = ConnectionSettings(url: world.url)
    doomed.applicationName = "doomed"
    let killed = Pool(doomed, size: 2, on: world.desk)
    let killer = Task {
      var kills = 0
      while !Task.isCancelled {
        let rows = try await world.pool.run(
          "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'doomed'")
        kills += Int(rows[0].int64(0))
        try await world.desk.sleep(for: .milliseconds(7))
      }
      return kills
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for pool in [killed, killed, world.pool, world.pool] {
        group.addTask {
          var idle = 0
          while idle < 20 {
            do {
              if try await Recurrences.launchNext(on: pool) == nil { idle += 1 } else { idle = 0 }
            } catch is DatabaseError {
              // Killed in the middle: what it did is undone, or done whole.
            }
            try await world.desk.sleep(for: .milliseconds(3))
          }
        }
      }
      try await group.waitForAll()
    }
    killer.cancel()
    let kills = (try? await killer.value) ?? 1  // Cancelled while it slept: it did kill.
    #expect(kills > 0)
    let rows = try await world.pool.run(
      """
      select count(*), count(distinct (campaign_id, planned_at)), count(child_id),
        (select count(*) from campaign where parent_id = any($1)),
        (select count(*) from recurrence where next_at > now())
      from occurrence
      """, .int8s(parents.map(\.rawValue)))
    // Three times lie behind each: the last of them launches, the two before were missed.
    #expect(rows[0].int64(0) == 120 && rows[0].int64(1) == 120, "\(rows[0].int64(0))")
    #expect(rows[0].int64(2) == 40 && rows[0].int64(3) == 40, "\(rows[0].int64(3)) campaigns were made")
    #expect(rows[0].int64(4) == 40)
    await killed.close()
    try await world.end()
  }

  @Test func `sends its occurrence to everybody, and waits for the next`() async throws {
    let world = try await World(people: 20)
    let parent = try await repeating(world, 1)[0]
    try await world.startNode()
    try await world.until("sent") { try await world.journal().filter(\.isAccepted).count == 20 }
    #expect(try await world.campaignState(parent) == .scheduled)
    let child = try await world.pool.run(
      "select spec->'schedule', name from campaign where parent_id = $1", .int8(parent.rawValue))
    #expect(child.count == 1 && !String(decoding: child[0].jsonb(0), as: UTF8.self).contains("repeat"))
    try await world.end()
  }

  @Test func `holds its launches while it is paused`() async throws {
    let world = try await World(people: 1)
    let parent = try await repeating(world, 1)[0]
    try await Campaigns.pause(
      parent, of: world.installation.business, cause: .operator, by: "test", reason: "", on: world.pool)
    #expect(try await Recurrences.launchNext(on: world.pool) == nil)
    let open = try await Pauses.open(.campaign, parent.rawValue, on: world.pool)
    try await Campaigns.resume(
      parent, ending: open.map(\.id), of: world.installation.business, by: "test", reason: "go", on: world.pool)
    #expect(try await Recurrences.launchNext(on: world.pool) != nil)
    try await world.end()
  }

  @Test func `that drips writes to so many people a day`() async throws {
    let world = try await World(people: 50)
    try await world.startNode()
    let campaign = try await world.launch(
      pace: 500, schedule: #"{"start_at": "now", "window": "always", "per_day": 20}"#)
    try await world.until("the first day is sent") { try await world.journal().filter(\.isAccepted).count >= 20 }
    let runs = try await world.pool.run(
      "select lo, hi, opens_at > now() from run where campaign_id = $1 order by run_no", .int8(campaign.rawValue))
    #expect(runs.map { "\($0.int32(0))-\($0.int32(1)) \($0.bool(2))" } == ["1-20 false", "21-40 true", "41-50 true"])
    // The second day comes.
    _ = try await world.pool.run(
      "update run set opens_at = now() where campaign_id = $1 and lo = 21", .int8(campaign.rawValue))
    try await world.until("the second day is sent") { try await world.journal().filter(\.isAccepted).count >= 40 }
    #expect(try await world.journal().filter(\.isAccepted).count == 40)
    #expect(try await world.campaignState(campaign) == .sending)
    try await world.end()
  }
}
