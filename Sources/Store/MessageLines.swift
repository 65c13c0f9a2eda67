import Domain
import Money
import Postgres

/// The rows of the messages report: one per attempt that was handed over, streamed by COPY. Only numbers and words of
/// closed lists become SQL text; COPY takes no parameters.
public enum MessageLines {
  public enum Format: Sendable { case csv, ndjson }

  public static let columns = [
    "campaign_id", "campaign", "recipient_ref", "attempt", "phone", "country", "number", "state", "reason", "handed_at",
    "sent_at", "delivered_at", "read_at", "failed_at", "market", "category", "pricing_type", "charge_day", "rate_card",
    "rate", "charge", "charge_state", "currency", "message_id",
  ]

  /// The COPY statement. `campaign` nil: all of the business. Days are those of the hand-over, in the account's zone.
  public static func copy(
    business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?, showsPhones: Bool, format: Format
  ) -> String {
    var conditions = ["c.business_id = \(business.rawValue)", "m.attempt is not null"]
    if let campaign { conditions.append("m.campaign_id = \(campaign.rawValue)") }
    let day = "(coalesce(m.handed_at, m.sent_at, m.delivered_at) at time zone a.zone)::date"
    if let from { conditions.append("\(day) >= '\(from)'") }
    if let to { conditions.append("\(day) <= '\(to)'") }
    let query = """
      select m.campaign_id, c.name as campaign, m.campaign_id || '-' || m.seq as recipient_ref, m.attempt,
        \(showsPhones ? "'+' || m.phone" : "'+…' || right(m.phone::text, 3)") as phone, p.country,
        n.phone_number_id as number, \(words("m.state", RecipientState.self)) as state,
        case when m.state = 4 then \(words("m.skip_reason", SkipReason.self))
          when m.state = 12 then coalesce(nullif(m.failure, 0), m.refusal)::text end as reason,
        \(time("m.handed_at")) as handed_at, \(time("m.sent_at")) as sent_at, \(time("m.delivered_at")) as delivered_at,
        \(time("m.read_at")) as read_at, \(time("m.failed_at")) as failed_at, \(words("m.market", Market.self)) as market,
        \(words("m.category", Category.self)) as category, \(words("m.pricing_type", PricingType.self)) as pricing_type,
        m.charge_day, k.effective_from as rate_card, r.amount::text as rate,
        case m.charge when 1 then r.amount::text when 2 then '0.0000' end as charge,
        case m.charge when 1 then 'charged' when 2 then 'free' when 3 then 'unpriced' else 'none' end as charge_state,
        a.currency, m.wamid as message_id
      from message m join campaign c on c.campaign_id = m.campaign_id join account a on a.account_id = c.account_id
      left join contact p on p.contact_id = m.contact_id left join number n on n.number_id = m.number_id
      left join rate r on r.rate_id = m.rate_id left join rate_card k on k.rate_card_id = r.rate_card_id
      where \(conditions.joined(separator: " and "))
      """
    switch format {
    case .csv: return "copy (\(query)) to stdout (format csv, header)"
    case .ndjson:
      // JSON escapes every control character, so with these two as quote and delimiter COPY changes no byte.
      return "copy (select row_to_json(x) from (\(query)) x) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')"
    }
  }

  private static func words<W: Word>(_ column: String, _: W.Type) -> String {
    "case \(column) " + W.allCases.map { "when \($0.rawValue) then '\($0.word)'" }.joined(separator: " ") + " end"
  }

  private static func time(_ column: String) -> String {
    "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
  }
}

/// Sums of the ledger, grouped by what finance asks for.
public enum CostLines {
  public enum Group: String, CaseIterable, Sendable { case campaign, market, category, number, day, month }

  public struct Line: Sendable {
    /// In the order asked for; campaigns by id with the name behind it.
    public let groups: [(Group, String)]
    public let currency: String
    public let charged: Int64
    public let free: Int64
    /// Delivered, and no card holds a rate: never zero, never guessed.
    public let unpriced: Int64
    public let amount: Amount
  }

  public static func read(
    by groups: [Group], business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?, on pool: Pool
  ) async throws -> [Line] {
    let keys = groups.map { group in
      switch group {
      case .campaign: "p.campaign_id::text"
      case .market: "p.market::text"
      case .category: "coalesce(p.category::text, '')"
      case .number: "coalesce(n.phone_number_id, '')"
      case .day: "p.day::text"
      case .month: "to_char(p.day, 'YYYY-MM')"
      }
    }
    let places = (groups.indices.map { String($0 + 1) } + [String(groups.count + 1)]).joined(separator: ", ")
    let rows = try await pool.run(
      Statement(
        """
        select \(keys.map { $0 + ", " }.joined())p.currency,
          coalesce(sum(p.count) filter (where p.charge = 1), 0)::int8,
          coalesce(sum(p.count) filter (where p.charge = 2), 0)::int8,
          coalesce(sum(p.count) filter (where p.charge = 3), 0)::int8, sum(p.amount)
        from posting p left join number n using (number_id)
        where p.business_id = $1 and ($2::int8 is null or p.campaign_id = $2) and ($3::date is null or p.day >= $3)
          and ($4::date is null or p.day <= $4)
        group by \(places) having sum(p.count) <> 0 or sum(p.amount) <> 0 order by \(places)
        """,
        [
          .int8(business.rawValue), campaign.map { .int8($0.rawValue) } ?? .null, from.map { .date($0) } ?? .null,
          to.map { .date($0) } ?? .null,
        ]))
    return rows.map { row in
      let count = groups.count
      return Line(
        groups: groups.enumerated().map { ($1, word($1, row.text($0))) }, currency: row.text(count),
        charged: row.int64(count + 1), free: row.int64(count + 2), unpriced: row.int64(count + 3),
        amount: row.amount(count + 4))
    }
  }

  private static func word(_ group: Group, _ text: String) -> String {
    switch group {
    case .market: Int16(text).flatMap(Market.init(rawValue:))?.word ?? text
    case .category: Int16(text).flatMap(Category.init(rawValue:))?.word ?? "unknown"
    case .campaign, .number, .day, .month: text
    }
  }
}
