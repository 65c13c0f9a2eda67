import Domain
import HTTPClient
import Postgres
import Reactor
import Store

/// How long a million lines of the messages report take over HTTP, against PostgreSQL giving the same query's rows by
/// `COPY … TO STDOUT` to a reader that throws them away; and what the service's memory does meanwhile.
enum ReportTime {
  static func run(_ options: Bench.Options) async throws {
    let stage = try await Stage(options)
    try await stage.addPeople(options.contacts)
    let campaign = try await sent(stage)
    let (port, sandbox) = (try Files.freePort(), try Files.freePort())
    let key = try await key(stage)
    let service = try await stage.startService(port: port, sandbox: sandbox, roles: ["api"])
    try await stage.answers("http://127.0.0.1:\(port)/healthz", service)
    let url = "http://127.0.0.1:\(port)/v1/reports/messages?campaign=\(campaign)"
    let before = service.peakMemory
    var (floors, times): ([Double], [Double]) = ([], [])
    for round in 1...options.rounds {
      let floor = try await floor(campaign, options.contacts, stage)
      let took = try await report(url, key, options.contacts, stage)
      Bench.say("  round \(round): \(Line.text(took)) s, floor \(Line.text(floor)) s")
      times.append(took)
      floors.append(floor)
    }
    Line(name: "report_messages", value: times.median, unit: "s", floor: floors.median).print()
    Line(name: "report_messages.memory", value: service.peakMemory, unit: "MB", floor: before).print()
    service.stop()
    await stage.end()
  }

  /// A campaign to everybody as it stands when it is over: handed over, delivered, read, charged.
  static func sent(_ stage: Stage) async throws -> Campaign.ID {
    let id = Campaign.ID(try await stage.pool.run("select next_campaign_id()")[0].int64(0))
    Bench.say("  sending to all of them, on paper")
    _ = try await stage.pool.run(
      """
      insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers,
        recipients, created_by, launched_at)
      values ($1, $2, 'offer', 9, '{}', $3, $4, 1, array[$5], (select count(*) from contact), 'bench', now())
      """, .int8(id.rawValue), .int8(stage.installation.business.rawValue), .int8(stage.account.rawValue),
      .int8(stage.template.rawValue), .int8(stage.number.rawValue))
    _ = try await stage.pool.run(
      """
      insert into recipient (campaign_id, contact_id, phone, seq, person_key, vars)
      select $1, contact_id, phone, contact_id::int as seq, person_key, '{}' from contact order by contact_id
      """, .int8(id.rawValue))
    _ = try await stage.pool.run(
      """
      insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome, wamid)
      select $1, $2, now(), contact_id::int, 0, 1, 5, 'wamid.HBgLMTY0NjcwNDM1OTUVAgARGBI' || md5(phone::text)
      from contact order by contact_id
      """, .int8(id.rawValue), .int8(stage.number.rawValue))
    _ = try await stage.pool.run(
      """
      insert into standing (campaign_id, sent_at, delivered_at, read_at, rate_id, seq, charge_day, attempt, standing,
        category, pricing_type, market, charge, number_id)
      select $1, now(), now(), case when contact_id % 3 > 0 then now() end, r.rate_id, contact_id::int, current_date, 1,
        case when contact_id % 3 > 0 then 40 else 30 end, 1, 1, 24, 1, $2
      from contact cross join (
        select rate_id from rate join rate_card using (rate_card_id) where currency = 'USD' and market = 24 and category = 1
        order by effective_from desc limit 1
      ) r order by contact_id
      """, .int8(id.rawValue), .int8(stage.number.rawValue))
    for table in ["recipient", "fact", "standing"] { _ = try await stage.pool.run("vacuum analyze \(table)") }
    return id
  }

  private static func key(_ stage: Stage) async throws -> String {
    try await Keys(sealKey: stage.sealKey).create(
      name: "bench", role: .admin, business: stage.installation.business, by: "bench", on: stage.pool
    ).key
  }

  /// The whole campaign in one statement, as the planner likes it best.
  private static func floor(_ campaign: Campaign.ID, _ people: Int, _ stage: Stage) async throws -> Double {
    try await stage.pool.withConnection { connection in
      let copy = try await connection.transaction(.repeatableReadOnly) { tx in
        var lines = MessageLines()
        lines.showsPhones = true
        let sources = try await MessageLines.sources(
          of: stage.installation.business, campaign: campaign, after: nil, tx)
        return lines.copy(sources[0], 1, Int32(people), pricing: try await RateCards.prices(in: tx).pricing)
      }
      let started = BootInstant.now
      let rows = try await connection.copyOut(copy) { _ in }
      guard rows == people else { throw BenchError("the floor gave \(rows) lines for \(people) people") }
      return Double((BootInstant.now - started).nanoseconds) / 1e9
    }
  }

  static func report(_ url: String, _ key: String, _ people: Int, _ stage: Stage) async throws -> Double {
    let lines = Lock(0)
    var request = HTTPRequest("GET", url, headers: [("Authorization", "Bearer " + key)], timeout: .seconds(600))
    request.sink = { bytes in
      let count = bytes.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
      lines.with { $0 += count }
      return true
    }
    let started = BootInstant.now
    let answer = try await stage.client.send(request).get()
    let took = Double((BootInstant.now - started).nanoseconds) / 1e9
    guard answer.status == 200, lines.with({ $0 }) == people + 1 else {
      throw BenchError("the report answered \(answer.status) with \(lines.with { $0 }) lines for \(people) people")
    }
    return took
  }
}
