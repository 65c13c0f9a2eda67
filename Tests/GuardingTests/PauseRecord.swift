import Crypto
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Simulation
import Store

/// The real record of one campaign with one number and one template, driven by the events of `PauseMachine` through the
/// same functions as in the service.
final class PauseRecord {
  private static let reactor: Reactor = {
    let reactor = Reactor(name: "pause-record")
    reactor.start()
    return reactor
  }()

  private let url: String
  private let pool: Pool
  private var gates: Connection
  private var business = Business.ID(0)
  private var lane = Gate.Lane(
    business: .init(0), portfolio: .init(0), account: .init(0), token: .init(0), number: .init(0))
  private var template = Template.ID(0)
  private var campaign = Campaign.ID(0)
  private var epoch: Int32 = 1
  private var made: Int64 = 0
  private var asked: Int64 = 0
  private var seen = Numbers.Observation(raw: .object([:]))
  private var isApproved = true

  private var waba: String { "waba\(made)" }
  private var phone: Int64 { 201_000_000_000 + made }

  init() async throws {
    url = try await TestDatabase.shared.fresh(like: "migrated-guard") { url in
      let connection = Connection(ConnectionSettings(url: url), on: PauseRecord.reactor)
      _ = try await Migrator.migrate(connection)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: url), size: 2, on: PauseRecord.reactor)
    gates = Connection(ConnectionSettings(url: url), on: PauseRecord.reactor)
    let key = SealKey(secret: "a secret of at least thirty-two characters")!
    business = try await Installation.open(pool, sealKey: key).business
  }

  func close() async {
    await gates.close()
    await pool.close()
  }

  /// A draft of one's own, launched with a cheaper category than a template can get, and a lane that is owned.
  func begin() async throws {
    made += 1
    let row = try await pool.run(
      """
      with p as (insert into portfolio (business_id, meta_id) values ($1, $2) returning portfolio_id),
      t as (insert into token (business_id, sealed, digest) values ($1, '', convert_to($2, 'UTF8')) returning token_id),
      a as (insert into account (business_id, portfolio_id, waba_id, currency, zone)
        select $1, portfolio_id, $2, 'USD', 'UTC' from p returning account_id, portfolio_id),
      n as (insert into number (business_id, account_id, token_id, phone_number_id, phone, status, quality)
        select $1, account_id, token_id, $2, $3, 'CONNECTED', 'GREEN' from a, t returning number_id, token_id),
      o as (insert into template (business_id, account_id, meta_id, name, language, status, category, components, synced_at)
        select $1, account_id, $2, 'offer', 'ar', 'APPROVED', 2, '[]', now() from a returning template_id),
      c as (insert into campaign (campaign_id, business_id, name, state, spec, account_id, template_id, category, numbers,
          frozen, created_by)
        select next_campaign_id(), $1, 'offer', 1, '{"guard": {"pause_at": "YELLOW"}}', account_id, template_id, 2,
          array[number_id], '{}', 'key:mona' from a, o, n returning campaign_id)
      select portfolio_id, account_id, token_id, number_id, template_id, campaign_id from a, n, o, c
      """, .int8(business.rawValue), .text(waba), .int8(phone))[0]
    lane = Gate.Lane(
      business: business, portfolio: .init(row.int64(0)), account: .init(row.int64(1)), token: .init(row.int64(2)),
      number: .init(row.int64(3)))
    (template, campaign) = (.init(row.int64(4)), .init(row.int64(5)))
    (seen.status, seen.quality, isApproved) = ("CONNECTED", "GREEN", true)
    epoch = try await LaneLog.takeover(lane.number, after: nil, node: 1, on: gates).epoch
  }

  func handle(_ event: PauseMachine.Event, choosing chance: inout SplitMix64) async throws {
    switch event {
    case .launch:
      _ = try await pool.run(
        "update campaign set state = 3, prepared_at = now() where campaign_id = $1 and state = 1",
        .int8(campaign.rawValue))
    case .start:
      guard let starter = try await Preparing.starter(campaign, on: pool), starter.isPrepared else { return }
      if starter.template.status == "APPROVED" {
        _ = try await Preparing.start(campaign, on: pool)
      } else {
        try await Preparing.fail(campaign, code: "template_not_approved", text: "", on: pool)
      }
    case .cancel: _ = try await Campaigns.cancel(campaign, of: business, by: "key:omar", reason: "", on: pool)
    case .restart:
      await gates.close()
      gates = Connection(ConnectionSettings(url: url), on: PauseRecord.reactor)
    case .seesColour(let colour):
      seen.quality = "\(colour)".uppercased()
      try await look()
    case .seesStatus(let status):
      seen.status = "\(status)".uppercased()
      try await look()
    case .toldFlagged:
      seen.status = "FLAGGED"
      try await notify(.numberFlagged(display: String(phone)))
    case .templatePaused: try await turn(approved: false, &chance)
    case .templateApproved: try await turn(approved: true, &chance)
    case .categoryDearer:
      try await notify(.templateCategory(.init(metaID: waba, name: "offer", language: "ar"), .marketing))
    case .aboveRefused: try await refuse(&chance)
    case .marketerPauses: try await pause(.marketer)
    case .operatorPauses: try await pause(.operator)
    case .marketerResumes:
      let open = try await Pauses.open(.campaign, campaign.rawValue, on: pool)
      guard !open.isEmpty, open.allSatisfy({ $0.cause == "marketer" }) else { return }
      try await resume(open)
    case .operatorResumes:
      guard try await Campaigns.read(campaign, of: business, on: pool)?.state != .cancelled else { return }
      try await resume(try await Pauses.open(.campaign, campaign.rawValue, on: pool))
    case .operatorResumesNumber: try await end(.number, lane.number.rawValue)
    case .operatorResumesAbove:
      for (scope, id) in aboves { try await end(scope, id) }
    case .operatorResumesTemplate: try await end(.template, template.rawValue)
    }
  }

  private var aboves: [(PauseScope, Int64)] {
    [(.portfolio, lane.portfolio.rawValue), (.account, lane.account.rawValue), (.token, lane.token.rawValue)]
  }

  /// As the guard does.
  private func look() async throws {
    let stops: GuardRule? = seen.status == "FLAGGED" ? .numberFlagged : seen.status == "RESTRICTED" ? .numberStopped : nil
    try await NumberWatch.record(seen, of: lane.number, stops: stops, on: pool)
    if stops == nil { try await NumberWatch.lift(lane.number, on: pool) }
  }

  private func notify(_ meaning: Notices.Meaning) async throws {
    _ = try await pool.batch(Notices.statements([.init(wabaID: waba, meaning: meaning, digest: nil)]))
  }

  /// By webhook; news also by a synchronisation, which tells nothing of what has not changed.
  private func turn(approved: Bool, _ chance: inout SplitMix64) async throws {
    let status = approved ? "APPROVED" : "PAUSED"
    if approved != isApproved, chance.once(in: 2) {
      let category = try await pool.run("select category from template where template_id = $1", .int8(template.rawValue))
      _ = try await Templates.sync(
        [
          Templates.Seen(
            metaID: waba, name: "offer", language: "ar", status: status, category: Category(rawValue: category[0].int16(0))!,
            quality: "GREEN", parameterFormat: "POSITIONAL", components: Array("[]".utf8))
        ], account: lane.account, business: business, by: "test", on: pool)
    } else {
      try await notify(.templateStatus(.init(metaID: waba, name: "offer", language: "ar"), status: status, detail: ""))
    }
    isApproved = approved
  }

  /// Meta refuses the token, the account or the portfolio; only one of them at a time, so that the machine's one stands
  /// for it.
  private func refuse(_ chance: inout SplitMix64) async throws {
    guard try await now().open.isDisjoint(with: .above) else { return }
    let (scope, id) = aboves[Int(chance.below(3))]
    if scope == .account, chance.once(in: 2) { return try await notify(.accountStopped(event: "ACCOUNT_RESTRICTION")) }
    try await Facts.record(
      [],
      halts: [
        .init(business: business, scope: scope, scopeID: id, rule: "meta_190", reason: "refused", evidence: Array("{}".utf8))
      ], number: lane.number, on: gates)
  }

  private func pause(_ cause: Pauses.Cause) async throws {
    guard let state = try await Campaigns.read(campaign, of: business, on: pool)?.state,
      [.scheduled, .preparing, .sending].contains(state)
    else { return }
    try await Campaigns.pause(
      campaign, of: business, cause: cause, by: "key:\(cause.rawValue)", reason: "", on: pool)
  }

  private func resume(_ open: [Pauses.Entry]) async throws {
    try await Campaigns.resume(campaign, ending: open.map(\.id), of: business, by: "key:omar", reason: "seen", on: pool)
  }

  private func end(_ scope: PauseScope, _ id: Int64) async throws {
    let open = try await Pauses.open(scope, id, on: pool)
    _ = try await pool.batch([Pauses.ending(open.map(\.id), reason: "seen", actor: "key:omar")])
  }

  /// The pauses that stand, and whether the gate lets a message of the campaign leave.
  func now() async throws -> (open: PauseMachine.Pauses, maySend: Bool) {
    let rows = try await pool.run(
      """
      select case when rule = '' then cause else rule end, scope from open_pause
      where (scope, scope_id) in ((2, $1), (3, $2), (4, $3), (5, $4), (6, $5), (7, $6))
      """, .int8(lane.portfolio.rawValue), .int8(lane.account.rawValue), .int8(lane.token.rawValue),
      .int8(lane.number.rawValue), .int8(template.rawValue), .int8(campaign.rawValue))
    var open: PauseMachine.Pauses = []
    for row in rows {
      switch row.text(0) {
      case "marketer": open.insert(.marketer)
      case "operator": open.insert(.operator)
      case "quality_yellow": open.insert(.yellow)
      case "quality_red": open.insert(.red)
      case "template_paused": open.insert(.templatePaused)
      case "template_category": open.insert(.dearer)
      case "cancelled": open.insert(.cancelled)
      case "number_flagged": open.insert(.flagged)
      case "number_stopped": open.insert(.stopped)
      case "template_stopped": open.insert(.template)
      default: open.insert(.above)
      }
    }
    let state = try await pool.run("select state from campaign where campaign_id = $1", .int8(campaign.rawValue))[0].int16(0)
    asked += 1
    let verdicts = try await Gate.ask(
      [
        Gate.Asked(
          campaign: campaign, template: template, seq: Int32(asked), attempt: 1, contact: .init(asked),
          person: PersonKey(high: 0, low: UInt64(asked)), marketing: true)
      ], lane: lane, epoch: epoch, on: gates)
    return (open, state == CampaignState.sending.rawValue && verdicts == [.pass])
  }
}
