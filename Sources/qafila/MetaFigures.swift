import CloudAPI
import Domain
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
      } catch {
        Log.write("reconciliation_waits", [("account", account.wabaID), ("error", "\(error)")])
        failure = error
      }
    }
    if let failure { throw failure }
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
