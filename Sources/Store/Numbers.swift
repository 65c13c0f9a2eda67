import Domain
import Governor
import JSON
import Postgres

/// The tree of accounts: business, portfolio, WhatsApp Business Account, number; and the tokens that open them.
public enum Numbers {
  /// What registering reads from Meta, and what the caller gave.
  public struct Registration: Sendable {
    public var phoneNumberID: String
    public var wabaID: String
    /// Meta's id of the portfolio; when it is not known each account counts as a portfolio of its own.
    public var portfolio: String?
    public var accountName = ""
    public var currency: String
    public var zone: String
    public var subscribed: Bool
    public var phone: PhoneNumber
    public var label = ""
    public var sealedToken: [UInt8]
    public var tokenDigest: [UInt8]
    public var seen: Observation

    public init(
      phoneNumberID: String, wabaID: String, portfolio: String?, currency: String, zone: String, subscribed: Bool,
      phone: PhoneNumber, sealedToken: [UInt8], tokenDigest: [UInt8], seen: Observation
    ) {
      (self.phoneNumberID, self.wabaID, self.portfolio) = (phoneNumberID, wabaID, portfolio)
      (self.currency, self.zone, self.subscribed, self.phone) = (currency, zone, subscribed, phone)
      (self.sealedToken, self.tokenDigest, self.seen) = (sealedToken, tokenDigest, seen)
    }
  }

  /// A number as Meta shows it at some time, in Meta's words.
  public struct Observation: Sendable {
    public var verifiedName = ""
    public var status = "UNKNOWN"
    public var quality = "UNKNOWN"
    public var tier = ""
    public var throughput = "STANDARD"
    /// The whole answer.
    public var raw: JSONValue

    public init(raw: JSONValue) { self.raw = raw }

    /// From what the number's node says; nil where it says nothing.
    public init(
      display: String, verifiedName: String?, status: String?, quality: String, tier: String, perSecond: Int?
    ) {
      raw = [
        "display_phone_number": .string(display), "status": status.map { .string($0) } ?? .null,
        "quality": .string(quality), "tier": .string(tier),
        "messages_per_second": perSecond.map { .number(String($0)) } ?? .null,
      ]
      self.verifiedName = verifiedName ?? ""
      self.status = status ?? "UNKNOWN"
      self.quality = quality.uppercased()
      self.tier = tier
      throughput = perSecond == 1000 ? "HIGH" : "STANDARD"
    }

    /// Messages a second that Meta allows at this throughput level (meta-cloud-api §3).
    public var perSecond: Int32 { throughput == "HIGH" ? 1000 : 80 }
  }

  public struct Entry: Sendable {
    public let id: Number.ID
    public let account: Account.ID
    public let portfolio: Portfolio.ID
    public let token: Token.ID
    public let phoneNumberID: String
    public let wabaID: String
    public let phone: PhoneNumber
    public let label: String
    public let verifiedName: String
    public let status: String
    public let quality: String
    public let tier: String
    public let throughput: String
    public let perSecond: Int
    public let perSecondOwn: Int?
    public let reservePercent: Int
    /// Its ramp and the first day of it, in the account's zone.
    public let warmUp: (ramp: WarmUp, from: CivilDate)?
    public let currency: String
    public let zone: String
    public let observedAt: Instant?
    public let createdAt: Instant

    /// Messages a second: Meta's limit or ours, when that is lower.
    public var limit: Int { min(perSecond, perSecondOwn ?? perSecond) }
    /// What campaigns may use of it; the rest is kept for desk replies.
    public var free: Int { max(1, limit * (100 - reservePercent) / 100) }
  }

  /// Adds a number with its account, portfolio and token, or renews what is known of it, all in one commit.
  ///
  /// Nil when the number or the account belongs to another business.
  public static func register(_ new: Registration, business: Business.ID, by actor: String, on pool: Pool)
    async throws(DatabaseError)
    -> Number.ID?
  {
    let portfolio = new.portfolio ?? "waba:" + new.wabaID
    let rows = try await pool.batch([
      Statement(
        "insert into portfolio (business_id, meta_id) values ($1, $2) on conflict do nothing",
        [.int8(business.rawValue), .text(portfolio)]),
      Statement(
        "insert into token (business_id, sealed, digest) values ($1, $2, $3) on conflict do nothing",
        [.int8(business.rawValue), .bytea(new.sealedToken), .bytea(new.tokenDigest)]),
      Statement(
        """
        insert into account as a (business_id, portfolio_id, waba_id, name, currency, zone, subscribed_at)
        select $1, portfolio_id, $3, $4, $5, $6, case when $7 then now() end
        from portfolio where business_id = $1 and meta_id = $2
        on conflict (waba_id) do update set portfolio_id = excluded.portfolio_id, currency = excluded.currency,
          name = coalesce(nullif(excluded.name, ''), a.name), zone = excluded.zone,
          subscribed_at = coalesce(excluded.subscribed_at, a.subscribed_at)
          where a.business_id = $1
        """,
        [
          .int8(business.rawValue), .text(portfolio), .text(new.wabaID), .text(new.accountName), .text(new.currency),
          .text(new.zone), .bool(new.subscribed),
        ]),
      Statement(
        """
        insert into number as n (business_id, account_id, token_id, phone_number_id, phone, label, verified_name,
          status, quality, tier, throughput, per_second, observed_at)
        select $1, a.account_id, t.token_id, $4, $5, $6, $7, $8, $9, $10, $11, $12, now()
        from account a, token t
        where a.waba_id = $2 and a.business_id = $1 and t.business_id = $1 and t.digest = $3
        on conflict (phone_number_id) do update set account_id = excluded.account_id, token_id = excluded.token_id,
          phone = excluded.phone, label = coalesce(nullif(excluded.label, ''), n.label),
          verified_name = excluded.verified_name, status = excluded.status, quality = excluded.quality,
          tier = coalesce(nullif(excluded.tier, ''), n.tier), throughput = excluded.throughput,
          per_second = excluded.per_second, observed_at = now()
          where n.business_id = $1
        """,
        [
          .int8(business.rawValue), .text(new.wabaID), .bytea(new.tokenDigest), .text(new.phoneNumberID),
          .int8(new.phone.digits), .text(new.label), .text(new.seen.verifiedName), .text(new.seen.status),
          .text(new.seen.quality), .text(new.seen.tier), .text(new.seen.throughput), .int4(new.seen.perSecond),
        ]),
      Statement(
        """
        insert into number_observation (number_id, source, observation)
        select number_id, 'register', $3 from number where phone_number_id = $2 and business_id = $1
        """, [.int8(business.rawValue), .text(new.phoneNumberID), .jsonb(new.seen.raw.rendered())]),
      Audit.entry(
        business: business, actor: actor, action: "number_registered", subject: new.phoneNumberID,
        detail: ["waba_id": .string(new.wabaID)]),
      Statement(
        "select number_id from number where phone_number_id = $2 and business_id = $1",
        [.int8(business.rawValue), .text(new.phoneNumberID)]),
      Statement(
        "select note_tier(number_id, $3) from number where phone_number_id = $2 and business_id = $1",
        [.int8(business.rawValue), .text(new.phoneNumberID), .text(new.seen.tier)]),
    ])
    return rows[6].first.map { Number.ID($0.int64(0)) }
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(select + " where n.business_id = $1 order by n.number_id", .int8(business.rawValue)).map(entry)
  }

  /// By `phone_number_id`, display number (however it is spaced) or label. Several: the label is not unique.
  public static func find(_ word: String, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> [Entry]
  {
    let digits = word.filter { $0.isASCII && $0.isNumber }
    let spaced = word.allSatisfy { $0.isASCII && ($0.isNumber || " +-()".contains($0)) }
    let phone = spaced ? Int64(digits) : nil
    let rows = try await pool.run(
      select
        + " where n.business_id = $1 and (n.phone_number_id = $2 or n.label = $2 or n.phone = $3) order by n.number_id",
      .int8(business.rawValue), .text(word), phone.map { .int8($0) } ?? .null)
    let all = rows.map(entry)
    let exact = all.filter { $0.phoneNumberID == word }
    return exact.isEmpty ? all : exact
  }

  /// The sealed token of the first number of an account, to talk to Meta about the account.
  public static func sealedToken(of account: Account.ID, on pool: Pool) async throws(DatabaseError) -> [UInt8]? {
    let rows = try await pool.run(
      "select sealed from number join token using (token_id) where account_id = $1 order by number_id limit 1",
      .int8(account.rawValue))
    return rows.first?.bytes(0)
  }

  public struct AccountEntry: Sendable {
    public let id: Account.ID
    public let wabaID: String
    public let currency: String
    public let zone: String
  }

  public static func accounts(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [AccountEntry] {
    let rows = try await pool.run(
      "select account_id, waba_id, currency, zone from account where business_id = $1 order by account_id",
      .int8(business.rawValue))
    return rows.map {
      AccountEntry(id: Account.ID($0.int64(0)), wabaID: $0.text(1), currency: $0.text(2), zone: $0.text(3))
    }
  }

  private static let select = """
    select n.number_id, n.account_id, a.portfolio_id, n.token_id, n.phone_number_id, a.waba_id, n.phone, n.label,
      n.verified_name, n.status, n.quality, n.tier, n.throughput, n.per_second, n.per_second_own, n.reserve_percent,
      a.currency, a.zone, n.observed_at, n.created_at, n.warm_up, n.warm_up_from
    from number n join account a using (account_id)
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: Number.ID(row.int64(0)), account: Account.ID(row.int64(1)), portfolio: Portfolio.ID(row.int64(2)),
      token: Token.ID(row.int64(3)), phoneNumberID: row.text(4), wabaID: row.text(5),
      phone: PhoneNumber(digits: row.int64(6))!, label: row.text(7), verifiedName: row.text(8), status: row.text(9),
      quality: row.text(10), tier: row.text(11), throughput: row.text(12), perSecond: Int(row.int32(13)),
      perSecondOwn: row.optionalInt32(14).map { Int($0) }, reservePercent: Int(row.int16(15)),
      warmUp: WarmUp.stored(row.optionalJsonb(20), row.optionalDate(21)), currency: row.text(16),
      zone: row.text(17), observedAt: row.optionalInstant(18), createdAt: row.instant(19))
  }
}
