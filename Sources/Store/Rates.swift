import Domain
import JSON
import Money
import Postgres
import Reactor

/// Meta's list prices: what is there, and what finance loads.
public enum Rates {
  public struct Entry: Sendable {
    public let currency: String
    public let effectiveFrom: CivilDate
    public let market: Market
    public let category: Category
    public let amount: Amount
    public let source: String
    public let isComplete: Bool
  }

  public static func list(currency: String?, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    let rows = try await pool.run(
      """
      select c.currency, c.effective_from, r.market, r.category, r.amount, c.source, c.complete
      from current_rate_card c join rate r using (rate_card_id)
      where $1::text is null or c.currency = $1
      order by c.currency, c.effective_from, r.market, r.category
      """, currency.map { .text($0) } ?? .null)
    return rows.map { row in
      Entry(
        currency: row.text(0), effectiveFrom: row.date(1), market: Market(rawValue: row.int16(2)) ?? .other,
        category: Category(rawValue: row.int16(3)) ?? .marketing, amount: row.amount(4), source: row.text(5),
        isComplete: row.bool(6))
    }
  }

  /// A set of prices as a whole.
  public struct CardEntry: Sendable {
    public let currency: String
    public let effectiveFrom: CivilDate
    public let revision: Int
    public let isComplete: Bool
    public let prices: Int
    public let tiers: Int
    public let source: String
    public let loadedBy: String
    public let loadedAt: Instant
  }

  /// The cards that hold, the newest first.
  public static func cards(currency: String?, on pool: Pool) async throws(DatabaseError) -> [CardEntry] {
    let rows = try await pool.run(
      """
      select c.currency, c.effective_from, c.revision::int4, c.complete,
        (select count(*) from rate r where r.rate_card_id = c.rate_card_id),
        (select count(*) from rate_tier t where t.currency = c.currency and t.effective_from = c.effective_from),
        c.source, c.loaded_by, c.loaded_at
      from current_rate_card c where $1::text is null or c.currency = $1
      order by c.currency, c.effective_from desc
      """, currency.map { .text($0) } ?? .null)
    return rows.map { row in
      CardEntry(
        currency: row.text(0), effectiveFrom: row.date(1), revision: Int(row.int32(2)), isComplete: row.bool(3),
        prices: Int(row.int64(4)), tiers: Int(row.int64(5)), source: row.text(6), loadedBy: row.text(7),
        loadedAt: row.instant(8))
    }
  }

  // MARK: Loading

  /// What loading a card came to.
  public enum Loaded: Hashable, Sendable {
    case added
    /// The next revision of a card that was there with other prices.
    case replaced
    /// The same prices were there already.
    case unchanged
  }

  /// A card of the same currency and day is there with other prices, and nobody said to replace it. Nothing was loaded.
  public struct Overlap: Error, Equatable {
    public let currency: String
    public let effectiveFrom: CivilDate
    public let loadedBy: String
    /// The first price that differs, for a person to look at.
    public let example: String
  }

  /// Loads every card and tier of a file, or none, and lets what they change be priced again. Cards of a file that are
  /// there already with the same prices change nothing, so that loading twice is loading once.
  public static func load(
    _ file: RateFile, replaces: Bool, business: Business.ID, by actor: String, dryRun: Bool = false, on pool: Pool
  ) async throws -> [Loaded] {
    try await pool.transaction { tx in
      // Two files at once would each see the other's card missing.
      _ = try await tx.run("select pg_advisory_xact_lock(7222)")
      var outcomes: [Loaded] = []
      for card in file.cards { outcomes.append(try await load(card, replaces, actor, dryRun, tx)) }
      let tiers = try await load(file.tiers, replaces, dryRun, tx)
      guard !dryRun, tiers || outcomes.contains(where: { $0 != .unchanged }) else { return outcomes }
      let key = try await tx.run("select pg_current_xact_id()::text")[0].text(0)
      _ = try await tx.batch([
        Jobs.enqueue("price", key: "rates-" + key, due: .now),
        Audit.entry(
          business: business, actor: actor, action: "rates_loaded",
          detail: [
            "cards": .string(file.cards.map { "\($0.currency) \($0.effectiveFrom)" }.joined(separator: ", ")),
            "prices": .number(String(file.cards.reduce(0) { $0 + $1.rates.count })),
            "tiers": .number(String(file.tiers.count)),
          ]),
      ])
      return outcomes
    }
  }

  private static func load(
    _ card: RateCard, _ replaces: Bool, _ actor: String, _ dryRun: Bool, _ tx: Transaction
  ) async throws -> Loaded {
    let rows = try await tx.run(
      """
      select r.market, r.category, r.amount, c.complete, c.revision::int4, c.loaded_by
      from current_rate_card c join rate r using (rate_card_id) where c.currency = $1 and c.effective_from = $2
      """, .text(card.currency.code), .date(card.effectiveFrom))
    var known: [String: Amount] = [:]
    for row in rows { known["\(row.int16(0)).\(row.int16(1))"] = row.amount(2) }
    let given = Dictionary(
      uniqueKeysWithValues: card.rates.map { ("\($0.market.rawValue).\($0.category.rawValue)", $0.amount) })
    if let first = rows.first {
      if known == given, first.bool(3) == card.isComplete { return .unchanged }
      guard replaces else {
        let other = card.rates.first { known["\($0.market.rawValue).\($0.category.rawValue)"] != $0.amount }
        throw Overlap(
          currency: card.currency.code, effectiveFrom: card.effectiveFrom, loadedBy: first.text(5),
          example: other.map { "\($0.market.name), \($0.category.word): \($0.amount)" } ?? "a price that the file lacks")
      }
    }
    if dryRun { return rows.isEmpty ? .added : .replaced }
    _ = try await tx.run(
      """
      with c as (
        insert into rate_card (currency, effective_from, source, complete, revision, loaded_by)
        values ($1, $2, $3, $4, $5, $9) returning rate_card_id
      )
      insert into rate (rate_card_id, market, category, amount)
      select rate_card_id, m, k, a from c, unnest($6::int2[], $7::int2[], $8::numeric[]) x (m, k, a)
      """, .text(card.currency.code), .date(card.effectiveFrom), .text(card.source), .bool(card.isComplete),
      .int2(Int16(clamping: (rows.first?.int32(4) ?? 0) + 1)), .int2s(card.rates.map(\.market.rawValue)),
      .int2s(card.rates.map(\.category.rawValue)), .numerics(card.rates.map(\.amount)), .text(actor))
    return rows.isEmpty ? .added : .replaced
  }

  /// Whether anything was changed.
  private static func load(
    _ tiers: [RateFile.TierRow], _ replaces: Bool, _ dryRun: Bool, _ tx: Transaction
  ) async throws -> Bool {
    var changed = false
    for tier in tiers {
      let rows = try await tx.run(
        """
        select amount from rate_tier
        where currency = $1 and effective_from = $2 and market = $3 and category = $4 and above = $5
        """, .text(tier.currency.code), .date(tier.effectiveFrom), .int2(tier.market.rawValue),
        .int2(tier.category.rawValue), .int8(Int64(tier.above)))
      if rows.first?.amount(0) == tier.amount { continue }
      guard rows.isEmpty || replaces else {
        throw Overlap(
          currency: tier.currency.code, effectiveFrom: tier.effectiveFrom, loadedBy: "an earlier file",
          example: "\(tier.market.name), \(tier.category.word) above \(tier.above): \(tier.amount)")
      }
      changed = true
      if dryRun { continue }
      _ = try await tx.run(
        """
        insert into rate_tier (currency, effective_from, market, category, above, amount, source)
        values ($1, $2, $3, $4, $5, $6, 'file')
        on conflict (currency, effective_from, market, category, above) do update
          set amount = excluded.amount, loaded_at = now()
        """, .text(tier.currency.code), .date(tier.effectiveFrom), .int2(tier.market.rawValue),
        .int2(tier.category.rawValue), .int8(Int64(tier.above)), .numeric(tier.amount))
    }
    return changed
  }

  // MARK: Whether they can be trusted

  /// A currency in which some account of the business is billed.
  public struct InUse: Sendable {
    public let currency: Currency
    public let zone: String
    /// Delivered and without a price.
    public let unpriced: Int64
  }

  public static func inUse(by business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [InUse] {
    let rows = try await pool.run(
      """
      select a.currency, min(a.zone), coalesce((select sum(p.count) from posting p
        where p.business_id = $1 and p.currency = a.currency and p.charge = 3), 0)::int8
      from account a where a.business_id = $1 group by a.currency order by a.currency
      """, .int8(business.rawValue))
    return rows.compactMap { row in
      Currency(row.text(0)).map { InUse(currency: $0, zone: row.text(1), unpriced: row.int64(2)) }
    }
  }
}
