import Domain
import JSON
import Postgres
import Reactor
import Simulation
import Store
import Testing

@Suite struct `A service that is restarted` {
  /// A campaign and the scope of the pause that stands over it alone.
  private struct Held {
    let campaign: Campaign.ID
    let scope: PauseScope
    let id: Int64
    let cause: Pauses.Cause
  }

  @Test func `sends nothing that any kind of pause forbids, and goes on when it ends`() async throws {
    let world = try await World(people: 1500, numbers: 5)
    let free = try await world.launch(pace: 20, from: world.number)
    let held = try await stage(world)
    try await world.startNode()
    let all = [free] + held.map(\.campaign)
    try await flowing(all, world)

    for one in held {
      if one.cause == .guarding {
        _ = try await GuardEvidence.pause(
          one.campaign, business: world.installation.business, rule: .optOutRate, evidence: [:], on: world.pool)
      } else {
        _ = try await world.pool.batch([
          Pauses.opening(
            one.scope, one.id, business: world.installation.business, cause: one.cause, reason: "test", actor: "test")
        ])
      }
    }
    try await world.stopNodes()
    let before = try await counts(world)
    try await world.startNode()
    // That it sends again shows that the others could.
    try await flowing([free], world)
    let after = try await counts(world)
    for one in held {
      let sent = after[one.campaign, default: 0] - before[one.campaign, default: 0]
      #expect(sent == 0, "\(sent) left under a pause over the \(one.scope) by \(one.cause)")
    }
    #expect(after[free, default: 0] > before[free, default: 0])

    let open = try await Pauses.open(of: world.installation.business, on: world.pool)
    _ = try await world.pool.batch([Pauses.ending(open.map(\.id), reason: "over", actor: "test")])
    try await flowing(all, world)

    // The stop of everything, too.
    _ = try await Pauses.stopAll(reason: "night", actor: "test", on: world.pool)
    try await world.stopNodes()
    let stopped = try await counts(world)
    try await world.startNode()
    // The new sender owns every lane again and has looked at what it may send.
    try await world.until("the lanes are owned") {
      try await world.pool.run(
        """
        select from number n where exists (select from (select node, kind, k from lane_log l where l.number_id = n.number_id
          order by k desc limit 1) l where l.kind not in (3, 4))
        """
      ).count == 5
    }
    // What it claimed has come to its slots by then.
    try await world.desk.sleep(for: .milliseconds(700))
    #expect(try await counts(world) == stopped)
    let everything = try await Pauses.open(of: world.installation.business, on: world.pool)
    _ = try await world.pool.batch([Pauses.ending(everything.map(\.id), reason: "morning", actor: "test")])
    try await flowing(all, world)
    try await world.end()
  }

  /// Each with something of its own to be paused over: a campaign, a template, a number, and numbers with an account, a
  /// portfolio and a token of their own.
  private func stage(_ world: World) async throws -> [Held] {
    var held: [Held] = []
    for cause in [Pauses.Cause.marketer, .operator, .guarding] {
      let campaign = try await world.launch(pace: 20, name: cause.rawValue, from: world.number)
      held.append(Held(campaign: campaign, scope: .campaign, id: campaign.rawValue, cause: cause))
    }
    let other = try await world.pool.run(
      """
      insert into template (business_id, account_id, meta_id, name, language, status, category, components, synced_at)
      select business_id, account_id, '2', 'other', language, status, category, components, now() from template
      returning template_id
      """)[0].int64(0)
    let templated = try await world.launch(pace: 20, name: "template", from: world.number)
    _ = try await world.pool.run(
      "update campaign set template_id = $2 where campaign_id = $1", .int8(templated.rawValue), .int8(other))
    held.append(Held(campaign: templated, scope: .template, id: other, cause: .operator))
    for (index, scope) in [PauseScope.number, .account, .portfolio, .token].enumerated() {
      let number = world.numbers[index + 1]
      let ids = try await world.pool.run(
        """
        with p as (insert into portfolio (business_id, meta_id) values ($1, $2) returning portfolio_id),
        a as (insert into account (business_id, portfolio_id, waba_id, currency, zone)
          select $1, portfolio_id, $2, 'USD', 'UTC' from p returning account_id, portfolio_id),
        t as (insert into token (business_id, sealed, digest)
          select $1, sealed, convert_to($2, 'UTF8') from token limit 1 returning token_id)
        update number n set account_id = a.account_id, token_id = t.token_id from a, t where n.number_id = $3
        returning n.number_id, a.account_id, a.portfolio_id, t.token_id
        """, .int8(world.installation.business.rawValue), .text("own-\(index)"), .int8(number.rawValue))[0]
      let campaign = try await world.launch(pace: 20, name: scope.word, from: number)
      held.append(Held(campaign: campaign, scope: scope, id: ids.int64(index), cause: .operator))
    }
    return held
  }

  /// Each of them sends more than it has.
  private func flowing(_ campaigns: [Campaign.ID], _ world: World) async throws {
    let before = try await counts(world)
    try await world.until("every campaign sends") {
      let now = try await counts(world)
      return campaigns.allSatisfy { now[$0, default: 0] >= before[$0, default: 0] + 10 }
    }
  }

  private func counts(_ world: World) async throws -> [Campaign.ID: Int] {
    try await world.journal().reduce(into: [:]) { counts, arrival in
      guard let key = MessageKey(callbackData: arrival.callback, installation: world.installation.name) else { return }
      counts[key.campaign, default: 0] += 1
    }
  }
}
