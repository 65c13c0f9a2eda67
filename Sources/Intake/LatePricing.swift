import Domain
import Money
import Postgres
import Store

/// Prices again what a newly loaded card, tier or calling code may have changed: messages without a price, and those
/// charged by a card that a newer one replaces for their day.
///
/// Each page is one commit that holds the folds' fence from its first statement, so no fold and no second run of this
/// works on the same rows: a message is priced once however often this runs, and a crash leaves whole pages.
public enum LatePricing {
  public struct Counts: Sendable, Equatable {
    public var looked = 0
    public var changed = 0
    public init() {}
  }

  public static let page = 10_000

  @discardableResult
  public static func run(now: Instant, on pool: Pool) async throws -> Counts {
    var counts = Counts()
    for campaign in try await Ledger.campaigns(on: pool) {
      var after: MessageKey? = MessageKey(campaign: campaign, seq: 0, attempt: 1)
      while let start = after {
        let (next, looked, changed) = try await step(campaign, after: start, now: now, on: pool)
        counts.looked += looked
        counts.changed += changed
        after = next
      }
    }
    return counts
  }

  /// One page; the key to go on after, nil at the end.
  private static func step(
    _ campaign: Campaign.ID, after: MessageKey, now: Instant, on pool: Pool
  ) async throws -> (MessageKey?, Int, Int) {
    var tries = 0
    while true {
      do {
        return try await pool.withConnection { connection in
          try await connection.transaction { tx in
            let k = try await Ledger.fence(tx)
            guard let basis = try await Standings.basis(of: campaign, in: tx) else { return (nil, 0, 0) }
            var pricer = Pricer(try await RateCards.prices(in: tx))
            let known = try await Standings.charged(in: campaign, after: after, limit: page, tx)
            var postings = PostingBatch()
            var changed: [(MessageKey, Standings.State)] = []
            for message in known {
              var state = message.state
              try pricer.price(&state, message, basis, &postings)
              if state != message.state { changed.append((message.key, state)) }
            }
            let day = pricer.day(of: now, in: basis.zone)
            try await Ledger.reprice(
              changed, campaign: campaign,
              postings: postings.postings.map { Standings.Booked($0, on: basis, booked: day) }, k: k,
              business: basis.business, tx)
            return (known.count < page ? nil : known.last?.key, known.count, changed.count)
          }
        }
      } catch let error as DatabaseError {
        // A fold had taken the same place in the log in the same moment; it has committed by now.
        guard case .rejected(.uniqueViolation, _) = error, tries < 50 else { throw error }
        tries += 1
      }
    }
  }
}
