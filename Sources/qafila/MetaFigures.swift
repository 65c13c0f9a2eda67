import CloudAPI
import Domain
import JSON
import Money
import Postgres
import Reactor
import Reports
import Schedule
import Store

/// Reads what Meta says it charged and has it compared with the ledger: where Meta's protocol and the reports meet.
enum MetaFigures {
  /// Each account once in 20 hours, unless somebody asked. An account that Meta does not answer for is left out, and the
  /// job tries again later.
  static func reconcile(_ graph: GraphClient, tokens: Tokens, isAsked: Bool, threshold: Reconciling.Threshold, on pool: Pool)
    async throws
  {
    let now = Instant.now
    var failure: GraphError?
    for account in try await Statements.accounts(of: nil, on: pool) {
      if !isAsked, let last = try await Reconciliations.latest(of: account.id, on: pool)?.ranAt,
        now - last < .seconds(20 * 3600)
      {
        continue
      }
      guard let sealed = try await Numbers.sealedToken(of: account.id, on: pool), let token = tokens.open(sealed) else {
        continue
      }
      let zone = try Zone(named: account.zone)
      let (from, to) = Reconciling.period(now: now, zone: zone)
      let end = zone.first(of: CivilDate(daysSince1970: to.daysSince1970 + 1), secondsOfDay: 0)
      do throws(GraphError) {
        let points = try await graph.pricing(
          ofAccount: account.wabaID, from: zone.first(of: from, secondsOfDay: 0), to: end, token: token)
        try await compare(account, points, zone, from, to, threshold, pool)
        try await readTemplates(account, now, graph, token, pool)
      } catch {
        Log.write("reconciliation_waits", [("account", account.wabaID), ("error", "\(error)")])
        failure = error
      }
    }
    if let failure { throw failure }
  }

  /// Meta counts templates by days in UTC; a month of them is read again, because readings and clicks still come.
  private static func readTemplates(
    _ account: Statements.Account, _ now: Instant, _ graph: GraphClient, _ token: String, _ pool: Pool
  ) async throws(GraphError) {
    let today = Int(now.seconds / 86_400)
    let (from, to) = (CivilDate(daysSince1970: today - 30), CivilDate(daysSince1970: today))
    do {
      let templates = try await TemplateFigures.used(by: account.id, since: from, on: pool)
      guard !templates.isEmpty else { return }
      let points = try await graph.templateFigures(
        ofAccount: account.wabaID, templates: templates, from: Instant(seconds: Int64(from.daysSince1970) * 86_400),
        to: Instant(seconds: Int64(to.daysSince1970 + 1) * 86_400), token: token)
      try await TemplateFigures.setInsights(account.id, points != nil, on: pool)
      guard let points else { return }
      let days = points.map { point in
        TemplateFigures.Day(
          metaID: point.templateID, day: CivilDate(daysSince1970: Int(point.start.seconds / 86_400)), sent: point.sent,
          delivered: point.delivered, read: point.read, cost: point.cost,
          clicks: .array(
            point.clicks.map {
              ["type": .string($0.type), "button": .string($0.button), "count": .number(String($0.count))]
            }))
      }
      try await TemplateFigures.keep(days, of: account.id, from: from, to: to, on: pool)
      Log.write("templates_read", [("account", account.wabaID), ("days", String(days.count))])
    } catch let error as GraphError {
      throw error
    } catch {
      throw .unanswered("the templates' figures could not be stored: \(error)")
    }
  }

  private static func compare(
    _ account: Statements.Account, _ points: [PricingPoint], _ zone: Zone, _ from: CivilDate, _ to: CivilDate,
    _ threshold: Reconciling.Threshold, _ pool: Pool
  ) async throws(GraphError) {
    let figures = points.map { point in
      Reconciling.Point(
        key: Reconciliations.Key(
          day: zone.day(of: point.start), number: point.phone?.digits ?? 0, country: point.country ?? "",
          category: point.category, type: point.type ?? .regular), volume: point.volume, cost: point.cost,
        isTiered: point.isTiered)
    }
    do {
      let result = try await Reconciling.run(account, from: from, to: to, meta: figures, threshold: threshold, on: pool)
      Log.write(
        "reconciled",
        [
          ("account", account.wabaID), ("meta_volume", String(result.meta.volume)),
          ("our_volume", String(result.volume)), ("lines", String(result.lines.count)),
        ])
    } catch {
      throw .unanswered("the comparison could not be stored: \(error)")
    }
  }
}
