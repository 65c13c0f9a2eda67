import Domain
import Postgres
import Reactor
import Store

/// How long a launch takes to become frozen recipients, exclusions and runs, against bare SQL that only writes these rows:
/// `insert … select` from staging tables that hold them in order already, in one transaction.
enum ExpansionTime {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.contacts, optOuts: options.optOuts)
    let (port, sandbox) = (try Files.freePort(), try Files.freePort())
    let service = try await stage.startService(port: port, sandbox: sandbox, roles: ["scheduler"])
    var (floors, times): ([Double], [Double]) = ([], [])
    for round in 1...options.rounds {
      _ = try await stage.pool.run("checkpoint")
      let (campaign, seconds) = try await freeze(stage)
      if round == 1 { try await prepareStaging(campaign, stage) }
      _ = try await stage.pool.run("checkpoint")
      let floor = try await floor(stage)
      Bench.say("  round \(round): \(Line.text(seconds)) s, floor \(Line.text(floor)) s")
      times.append(seconds)
      floors.append(floor)
    }
    Line(name: "expansion", value: times.median, unit: "s", floor: floors.median).print()
    // The same at ten million (`--contacts 10000000`) may be a fifth more.
    Line(name: "expansion.per_million", value: times.median * 1e6 / Double(options.contacts), unit: "s").print()
    Line(name: "expansion.memory", value: service.peakMemory, unit: "MB").print()
    service.stop()
    await stage.end()
  }

  /// From the launch to the campaign whose people are frozen, as an observer of the database sees it.
  static func freeze(_ stage: Stage) async throws -> (Campaign.ID, Double) {
    let started = BootInstant.now
    let campaign = try await stage.launch(perSecond: 80, held: true)
    try await stage.until("expansion", within: .seconds(600), every: .milliseconds(10)) {
      try await stage.pool.run(
        "select prepared_at is not null from campaign where campaign_id = $1", .int8(campaign.rawValue))[0].bool(0)
    }
    let took = Double((BootInstant.now - started).nanoseconds) / 1e9
    let rows = try await stage.pool.run(
      """
      select count(*) = max(seq) and count(*) + (select count(*) from exclusion where campaign_id = $1)
        = (select count(*) from audience_member where audience_id = 1) from recipient where campaign_id = $1
      """, .int8(campaign.rawValue))
    guard rows[0].bool(0) else { throw BenchError("recipients and exclusions don't add up to the audience") }
    return (campaign, took)
  }

  private static func prepareStaging(_ campaign: Campaign.ID, _ stage: Stage) async throws {
    let orders = ["recipient": "seq", "exclusion": "contact_id, audience_id", "run": "run_no"]
    for (table, order) in orders {
      _ = try await stage.pool.run(
        "create unlogged table bench_\(table) as select * from \(table) where campaign_id = \(campaign) order by \(order)")
      _ = try await stage.pool.run("vacuum analyze bench_\(table)")
    }
  }

  private static func floor(_ stage: Stage) async throws -> Double {
    let campaign = try await stage.pool.run("select next_campaign_id()")[0].int64(0)
    let started = BootInstant.now
    try await stage.pool.transaction { tx in
      _ = try await tx.run(
        """
        insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
        select $1, contact_id, phone, seq, class, person_key, vars from bench_recipient
        """, .int8(campaign))
      _ = try await tx.run(
        """
        insert into exclusion (campaign_id, contact_id, audience_id, reason)
        select $1, contact_id, audience_id, reason from bench_exclusion
        """, .int8(campaign))
      _ = try await tx.run(
        "insert into run (campaign_id, run_no, lo, hi, zone) select $1, run_no, lo, hi, zone from bench_run", .int8(campaign))
    }
    return Double((BootInstant.now - started).nanoseconds) / 1e9
  }
}
