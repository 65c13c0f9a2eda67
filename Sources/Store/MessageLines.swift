import Domain
import Money
import Postgres

/// The rows of the messages report: one per attempt that was handed over, streamed by COPY. Only numbers and words of
/// closed lists become SQL text; COPY takes no parameters.
public struct MessageLines: Sendable {
  public enum Format: Sendable { case csv, ndjson }

  public static let columns = [
    "campaign_id", "campaign", "recipient_ref", "attempt", "phone", "country", "number", "state", "reason", "handed_at",
    "sent_at", "delivered_at", "read_at", "failed_at", "market", "category", "pricing_type", "charge_day", "rate_card",
    "rate", "estimate", "charge", "charge_state", "currency", "message_id",
  ]

  public var format = Format.csv
  /// Days of the hand-over, in the account's zone.
  public var from: CivilDate?
  public var to: CivilDate?
  public var showsPhones = false
  /// Phones as the text of a formula: a spreadsheet would make them numbers.
  public var isForSpreadsheet = false
  public var delimiter = ","

  public init() {}

  /// A line: what a reader has last.
  public struct Cursor: Sendable, Equatable, CustomStringConvertible {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let attempt: Int16

    /// `recipient_ref` and `attempt` of the line, with a hyphen between. Nil for anything else.
    public init?(_ text: some StringProtocol) {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3, let campaign = Int64(parts[0]), let seq = Int32(parts[1]), let attempt = Int16(parts[2]),
        campaign > 0, seq > 0, attempt > 0
      else { return nil }
      (self.campaign, self.seq, self.attempt) = (Campaign.ID(campaign), seq, attempt)
    }

    public var description: String { "\(campaign)-\(seq)-\(attempt)" }
  }

  /// A campaign as the report reads it.
  public struct Source: Sendable {
    public let campaign: Campaign.ID
    public let category: Category
    public let currency: Currency
    public let zone: String
    /// The last position.
    public let recipients: Int32
  }

  /// The campaigns of a business that have recipients, in order; `after` leaves out those before it.
  public static func sources(
    of business: Business.ID, campaign: Campaign.ID?, after: Campaign.ID?, _ tx: Transaction
  ) async throws(DatabaseError) -> [Source] {
    let rows = try await tx.run(
      """
      select c.campaign_id, c.category, a.currency, a.zone, r.seq
      from campaign c join account a using (account_id)
      cross join lateral (
        select seq from recipient r where r.campaign_id = c.campaign_id order by seq desc limit 1
      ) r
      where c.business_id = $1 and ($2::int8 is null or c.campaign_id = $2) and ($3::int8 is null or c.campaign_id >= $3)
      order by c.campaign_id
      """, .int8(business.rawValue), campaign.map { .int8($0.rawValue) } ?? .null,
      after.map { .int8($0.rawValue) } ?? .null)
    return rows.compactMap { row in
      guard let category = Category(rawValue: row.int16(1)), let currency = Currency(row.text(2)) else { return nil }
      return Source(
        campaign: Campaign.ID(row.int64(0)), category: category, currency: currency, zone: row.text(3),
        recipients: row.int32(4))
    }
  }

  /// The COPY statement of the positions `lo...hi`; of `lo` only attempts after `attempt`.
  public func copy(_ source: Source, _ lo: Int32, _ hi: Int32, after attempt: Int16 = 0, pricing: Pricing) -> String {
    let query = query(source, lo, hi, after: attempt, pricing: pricing)
    switch format {
    case .csv: return "copy (\(query)) to stdout (format csv, delimiter e'\(delimiter == "\t" ? "\\t" : delimiter)')"
    case .ndjson:
      // JSON escapes every control character, so with these two as quote and delimiter COPY changes no byte.
      return "copy (select row_to_json(x) from (\(query)) x) to stdout (format csv, quote e'\\x01', delimiter e'\\x02')"
    }
  }

  public func query(_ source: Source, _ lo: Int32, _ hi: Int32, after attempt: Int16, pricing: Pricing) -> String {
    var conditions = ["m.campaign_id = \(source.campaign)", "m.seq between \(lo) and \(hi)", "m.attempt is not null"]
    if attempt > 0 { conditions.append("(m.seq, m.attempt) > (\(lo), \(attempt))") }
    let day = "(coalesce(m.handed_at, m.sent_at, m.delivered_at) at time zone a.zone)::date"
    if let from { conditions.append("\(day) >= '\(from)'") }
    if let to { conditions.append("\(day) <= '\(to)'") }
    let estimate = MessageLines.estimate(source, pricing: pricing, day: day)
    return """
      select m.campaign_id, \(name("c.name")) as campaign, m.campaign_id || '-' || m.seq as recipient_ref,
        m.attempt, \(phone) as phone, p.country, n.phone_number_id as number,
        \(MessageLines.words("m.state", RecipientState.self)) as state,
        case when m.state = 4 then \(MessageLines.words("m.skip_reason", SkipReason.self))
          when m.state = 12 then coalesce(nullif(m.failure, 0), m.refusal)::text end as reason,
        \(MessageLines.time("m.handed_at")) as handed_at, \(MessageLines.time("m.sent_at")) as sent_at,
        \(MessageLines.time("m.delivered_at")) as delivered_at, \(MessageLines.time("m.read_at")) as read_at,
        \(MessageLines.time("m.failed_at")) as failed_at, \(MessageLines.words("m.market", Market.self)) as market,
        \(MessageLines.words("m.category", Category.self)) as category,
        \(MessageLines.words("m.pricing_type", PricingType.self)) as pricing_type,
        m.charge_day, k.effective_from as rate_card, \(MessageLines.money("r.amount")) as rate, \(estimate) as estimate,
        case m.charge when 1 then \(MessageLines.money("r.amount")) when 2 then '0.0000' end as charge,
        case m.charge when 1 then 'charged' when 2 then 'free' when 3 then 'unpriced' else 'none' end as charge_state,
        a.currency, m.wamid as message_id
      from message m join campaign c on c.campaign_id = m.campaign_id join account a on a.account_id = c.account_id
      left join contact p on p.contact_id = m.contact_id left join number n on n.number_id = m.number_id
      left join rate r on r.rate_id = m.rate_id left join rate_card k on k.rate_card_id = r.rate_card_id
      where \(conditions.joined(separator: " and ")) order by m.seq, m.attempt
      """
  }

  /// What people typed: on one line, and in CSV never the start of a formula. Numbers are none.
  private func name(_ column: String) -> String {
    let line = "translate(\(column), e'\\r\\n', '  ')"
    guard format == .csv else { return column }
    return "case when \(column) ~ '^[=+@\\t\\r-]' and \(column) !~ '^[+-]?[0-9 .,]+$' then '''' || \(line) else \(line) end"
  }

  private var phone: String {
    let shown = showsPhones ? "'+' || m.phone" : "'+…' || right(m.phone::text, 3)"
    return "case when not \(Erasure.isErased("m.phone")) then "
      + (isForSpreadsheet && format == .csv ? "'=\"' || \(shown) || '\"'" : shown) + " end"
  }

  // MARK: The estimate

  /// The list price on the day of hand-over for the campaign's category, by the calling code: what was expected before a
  /// receipt told. Both look-ups are arrays in the statement, so a million lines cost no join.
  private static func estimate(_ source: Source, pricing: Pricing, day: String) -> String {
    let lead = "rpad(left(m.phone::text, 4), 4, '0')::int + 1"
    let ends = [CivilDate(daysSince1970: 0)] + pricing.days(of: source.currency)
    let cases = ends.reversed().map { start -> String in
      let prices = Market.byNumber.map { market in
        market.flatMap { pricing.book.rate($0, source.category, in: source.currency, on: start)?.amount }
          .map { "'\($0)'" } ?? "null"
      }
      let markets = pricing.markets.flat(on: start).map(String.init).joined(separator: ",")
      return "when \(day) >= '\(start)' then (array[\(prices.joined(separator: ","))]::text[])"
        + "[('{\(markets)}'::int2[])[\(lead)]]"
    }
    return "case \(cases.joined(separator: " ")) end"
  }

  // MARK: Words

  /// At least four decimals.
  static func money(_ column: String) -> String { "round(\(column), greatest(scale(\(column)), 4))::text" }

  static func words<W: Word>(_ column: String, _: W.Type) -> String {
    "case \(column) " + W.allCases.map { "when \($0.rawValue) then '\($0.word)'" }.joined(separator: " ") + " end"
  }

  static func time(_ column: String) -> String {
    "to_char(\(column) at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
  }
}

extension Pricing {
  /// The days on which some price of a currency, or some market, begins.
  fileprivate func days(of currency: Currency) -> [CivilDate] {
    let far = CivilDate(daysSince1970: 100_000)
    let cards = book.cards(of: currency).map(\.effectiveFrom)
    return Set(cards + markets.changes(after: CivilDate(daysSince1970: 0), through: far)).sorted()
  }
}

extension Market {
  /// By their stored numbers, from 1; nil where there is none.
  fileprivate static let byNumber: [Market?] = (1...(allCases.map(\.rawValue).max() ?? 1)).map { Market(rawValue: $0) }
}
