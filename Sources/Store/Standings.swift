import Domain
import Money
import Postgres

/// The folded state of messages and the ledger's postings, written together by one folder at a time.
public enum Standings {
  /// What charging came to. A later receipt may turn `unpriced` into one of the others, nothing else changes.
  public enum ChargeState: Int16, Sendable {
    case none = 0, charged = 1, free = 2, unpriced = 3
    public init(_ charge: Charge) {
      switch charge {
      case .charged: self = .charged
      case .free: self = .free
      case .unpriced: self = .unpriced
      }
    }
  }

  /// The furthest a message has come, as stored; times are Meta's, to the second.
  public struct State: Sendable, Equatable {
    public var standing: Standing = .none
    public var sentAt: Instant?
    public var deliveredAt: Instant?
    public var readAt: Instant?
    public var failedAt: Instant?
    /// Meta's error code of the failure; 0 for none.
    public var code: Int32 = 0
    public var category: Category?
    public var pricingType: PricingType?
    public var market: Market?
    public var charge: ChargeState = .none
    public var rate: RateRow.ID?
    public var chargeDay: CivilDate?
    /// The number that its receipts name.
    public var number: Number.ID?
    public init() {}
  }

  /// A posting with where it is booked: the account whose bill it is on, the day in that account's zone, and the month
  /// whose statement bears it.
  public struct Booked: Sendable {
    public let posting: Posting
    public let account: Account.ID
    public let day: CivilDate
    public let month: BillingMonth

    public init(_ posting: Posting, on basis: Basis, booked day: CivilDate) {
      (self.posting, self.day, account) = (posting, day, basis.account)
      month = BillingMonth.bearing(delivered: posting.kind.day, booked: day, closed: basis.closed).month
    }
  }

  public struct Known: Sendable {
    public let key: MessageKey
    public let phone: PhoneNumber
    public let state: State
  }

  /// What a campaign's charges depend on.
  public struct Basis: Sendable {
    public let business: Business.ID
    public let account: Account.ID
    public let category: Category
    public let currency: Currency
    public let zone: String
    /// The account's last month with a statement.
    public let closed: BillingMonth?
  }

  public static func basis(of campaign: Campaign.ID, on connection: Connection) async throws(DatabaseError) -> Basis? {
    basis(try await connection.run(basisStatement(campaign)))
  }

  public static func basis(of campaign: Campaign.ID, in tx: Transaction) async throws(DatabaseError) -> Basis? {
    basis(try await tx.run(basisStatement(campaign)))
  }

  private static func basisStatement(_ campaign: Campaign.ID) -> Statement {
    Statement(
      """
      select c.business_id, c.account_id, c.category, a.currency, a.zone,
        (select max(s.month) from statement s where s.account_id = c.account_id)
      from campaign c join account a using (account_id) where c.campaign_id = $1
      """, [.int8(campaign.rawValue)])
  }

  private static func basis(_ rows: Rows) -> Basis? {
    guard let row = rows.first, let category = Category(rawValue: row.int16(2)), let currency = Currency(row.text(3))
    else { return nil }
    return Basis(
      business: Business.ID(row.int64(0)), account: Account.ID(row.int64(1)), category: category, currency: currency,
      zone: row.text(4), closed: row.optionalDate(5).map { BillingMonth(of: $0) })
  }

  public static func numbers(on connection: Connection) async throws(DatabaseError) -> [String: Number.ID] {
    let rows = try await connection.run("select phone_number_id, number_id from number")
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.text(0), Number.ID($0.int64(1))) })
  }

  /// What is stored of the messages named, in one campaign; those whose recipient does not exist are left out.
  public static func known(_ keys: [MessageKey], in campaign: Campaign.ID, on connection: Connection)
    async throws(DatabaseError) -> [Known]
  {
    let rows = try await connection.run(
      """
      select u.seq, u.attempt, r.phone, s.standing, s.sent_at, s.delivered_at, s.read_at, s.failed_at, s.code, s.category,
        s.pricing_type, s.market, s.charge, s.rate_id, s.charge_day, s.number_id
      from unnest($2::int4[], $3::int2[]) u (seq, attempt)
      cross join lateral (select phone from recipient r where r.campaign_id = $1 and r.seq = u.seq) r
      left join lateral (
        select * from standing s where s.campaign_id = $1 and s.seq = u.seq and s.attempt = u.attempt
      ) s on true
      """, .int8(campaign.rawValue), .int4s(keys.map { Int32(clamping: $0.seq) }), .int2s(keys.map(\.attempt)))
    return rows.map { known($0, in: campaign) }
  }

  /// The next messages of a campaign, by key, that stand charged or without a price.
  public static func charged(in campaign: Campaign.ID, after: MessageKey, limit: Int, _ tx: Transaction)
    async throws(DatabaseError) -> [Known]
  {
    let rows = try await tx.run(
      """
      select s.seq, s.attempt, r.phone, s.standing, s.sent_at, s.delivered_at, s.read_at, s.failed_at, s.code, s.category,
        s.pricing_type, s.market, s.charge, s.rate_id, s.charge_day, s.number_id
      from standing s join recipient r on r.campaign_id = $1 and r.seq = s.seq
      where s.campaign_id = $1 and (s.seq, s.attempt) > ($2, $3) and s.charge in (1, 3)
      order by s.seq, s.attempt limit $4
      """, .int8(campaign.rawValue), .int4(Int32(clamping: after.seq)), .int2(after.attempt), .int8(Int64(limit)))
    return rows.map { known($0, in: campaign) }
  }

  static func known(_ row: Row, in campaign: Campaign.ID) -> Known {
    var state = State()
    if let standing = row.optionalInt16(3) {
      state.standing = Standing(rawValue: standing)!
      state.sentAt = row.optionalInstant(4)
      state.deliveredAt = row.optionalInstant(5)
      state.readAt = row.optionalInstant(6)
      state.failedAt = row.optionalInstant(7)
      state.code = row.int32(8)
      state.category = row.optionalInt16(9).flatMap(Category.init(rawValue:))
      state.pricingType = row.optionalInt16(10).flatMap(PricingType.init(rawValue:))
      state.market = row.optionalInt16(11).flatMap(Market.init(rawValue:))
      state.charge = ChargeState(rawValue: row.int16(12))!
      state.rate = row.optionalInt64(13).map { RateRow.ID($0) }
      state.chargeDay = row.optionalDate(14)
      state.number = row.optionalInt64(15).map { Number.ID($0) }
    }
    return Known(
      key: MessageKey(campaign: campaign, seq: Int64(row.int32(0)), attempt: row.int16(1)),
      phone: PhoneNumber(digits: row.int64(2))!, state: state)
  }

  /// One fold: the cursor, the standings and the postings in one commit. The folds' own key is the fence: when another
  /// folder was first the whole commit fails with a unique violation and nothing changed.
  public static func fold(
    k: Int64, upto: [ReceiptLog.Fold], changed: [Campaign.ID: [(MessageKey, State)]],
    postings: [Booked], tally: Tallies.Batch = Tallies.Batch(), business: Business.ID,
    strays: [(reason: String, receipt: [UInt8])], flow: [Number.ID], holds: [MarketingHolds.Hold] = [], retries: Int = 0,
    on connection: Connection
  ) async throws(DatabaseError) {
    var statements = [
      Statement(
        "insert into fold_log (k, stream, upto, day) select * from unnest($1::int8[], $2::int8[], $3::int8[], $4::date[])",
        [
          .int8s(upto.indices.map { k + Int64($0) }), .int8s(upto.map(\.stream)), .int8s(upto.map(\.k)),
          .dates(upto.map(\.day)),
        ])
    ]
    for campaign in changed.keys.sorted() {
      let rows = changed[campaign]!.sorted { $0.0 < $1.0 }
      statements.append(
        Statement(
          """
          insert into standing (campaign_id, seq, attempt, standing, sent_at, delivered_at, read_at, failed_at, code,
            category, pricing_type, market, charge, rate_id, charge_day, number_id)
          select $1, * from unnest($2::int4[], $3::int2[], $4::int2[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::int4[], $10::int2[], $11::int2[], $12::int2[], $13::int2[],
            $14::int8[], $15::date[], $16::int8[])
          on conflict (campaign_id, seq, attempt) do update set standing = excluded.standing, sent_at = excluded.sent_at,
            delivered_at = excluded.delivered_at, read_at = excluded.read_at, failed_at = excluded.failed_at,
            code = excluded.code, category = excluded.category, pricing_type = excluded.pricing_type,
            market = excluded.market, charge = excluded.charge, rate_id = excluded.rate_id,
            charge_day = excluded.charge_day, number_id = excluded.number_id
          """,
          [
            .int8(campaign.rawValue), .int4s(rows.map { Int32(clamping: $0.0.seq) }), .int2s(rows.map(\.0.attempt)),
            .int2s(rows.map(\.1.standing.rawValue)), .optionalTimestamps(rows.map(\.1.sentAt)),
            .optionalTimestamps(rows.map(\.1.deliveredAt)), .optionalTimestamps(rows.map(\.1.readAt)),
            .optionalTimestamps(rows.map(\.1.failedAt)), .int4s(rows.map(\.1.code)),
            .optionalInt2s(rows.map { $0.1.category?.rawValue }), .optionalInt2s(rows.map { $0.1.pricingType?.rawValue }),
            .optionalInt2s(rows.map { $0.1.market?.rawValue }), .int2s(rows.map(\.1.charge.rawValue)),
            .optionalInt8s(rows.map { $0.1.rate?.rawValue }), .optionalDates(rows.map(\.1.chargeDay)),
            .optionalInt8s(rows.map { $0.1.number?.rawValue }),
          ]))
    }
    statements += MarketingHolds.statements(holds, retries: retries, byReceipt: true)
    for campaign in changed.keys.sorted() {
      let lost = changed[campaign]!.compactMap { key, state in
        state.code == Undeliverable.code ? state.failedAt.map { (Int32(clamping: key.seq), $0) } : nil
      }
      if !lost.isEmpty { statements.append(Undeliverable.noting(lost, of: campaign)) }
    }
    if !postings.isEmpty { statements.append(Ledger.posting(postings, k: k, business: business)) }
    if !tally.isEmpty { statements.append(tally.statement) }
    if !strays.isEmpty {
      statements.append(
        Statement(
          "insert into stray_receipt (reason, receipt) select * from unnest($1::text[], $2::jsonb[])",
          [.texts(strays.map(\.reason)), .jsonbs(strays.map(\.receipt))]))
    }
    if !flow.isEmpty {
      statements.append(
        Statement(
          """
          insert into receipt_flow as w (number_id, received_at) select unnest($1::int8[]), clock_timestamp()
          on conflict (number_id) do update set received_at = excluded.received_at
            where w.received_at < excluded.received_at - interval '1 second'
          """, [.int8s(flow.map(\.rawValue))]))
    }
    _ = try await connection.batch(statements)
  }

  /// Forgets the folds behind the newest of each stream, and streams that are folded and old.
  public static func tidy(keepingFrom k: Int64, on connection: Connection) async throws(DatabaseError) {
    _ = try await connection.run(
      """
      delete from fold_log f where f.k < $1
        and exists (select from fold_log n where n.stream = f.stream and n.upto > f.upto)
      """, .int8(k))
  }
}
