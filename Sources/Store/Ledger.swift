import Domain
import Money
import Postgres

/// The ledger's postings: appended, never changed.
public enum Ledger {
  /// Whoever changes standings or closes a month, and is no folder, takes the next place in the folds' log first. The
  /// folder's commit then waits for this one and fails on the key; it reads again.
  ///
  /// Throws a unique violation when a fold was first: try again.
  public static func fence(_ tx: Transaction) async throws(DatabaseError) -> Int64 {
    try await tx.run(
      """
      insert into fold_log (k, stream, upto, day)
      select coalesce(max(k), 0) + 1, 0, coalesce(max(k), 0) + 1, current_date from fold_log returning k
      """)[0].int64(0)
  }

  /// Campaigns with charges or with messages that lack a price.
  public static func campaigns(on pool: Pool) async throws(DatabaseError) -> [Campaign.ID] {
    try await pool.run("select distinct campaign_id from posting where charge in (1, 3) and campaign_id > 0 order by 1")
      .map { Campaign.ID($0.int64(0)) }
  }

  /// The corrections of one page, with the messages they are about.
  public static func reprice(
    _ changed: [(MessageKey, Standings.State)], campaign: Campaign.ID, postings: [Standings.Booked], k: Int64,
    business: Business.ID, _ tx: Transaction
  ) async throws(DatabaseError) {
    guard !changed.isEmpty else { return }
    _ = try await tx.batch([
      Statement(
        """
        update standing s set charge = x.charge, rate_id = x.rate, market = x.market, charge_day = x.day
        from unnest($2::int4[], $3::int2[], $4::int2[], $5::int8[], $6::int2[], $7::date[])
          x (seq, attempt, charge, rate, market, day)
        where s.campaign_id = $1 and s.seq = x.seq and s.attempt = x.attempt
        """,
        [
          .int8(campaign.rawValue), .int4s(changed.map { Int32(clamping: $0.0.seq) }), .int2s(changed.map(\.0.attempt)),
          .int2s(changed.map(\.1.charge.rawValue)), .optionalInt8s(changed.map { $0.1.rate?.rawValue }),
          .optionalInt2s(changed.map { $0.1.market?.rawValue }), .optionalDates(changed.map(\.1.chargeDay)),
        ]), posting(postings, k: k, business: business),
    ])
  }

  static func posting(_ booked: [Standings.Booked], k: Int64, business: Business.ID) -> Statement {
    let kinds = booked.map(\.posting.kind)
    return Statement(
      """
      insert into posting (fold_k, business_id, campaign_id, number_id, day, market, category, pricing_type, charge,
        rate_id, count, amount, currency, account_id, booked_on, month, reason)
      select $1, $2, * from unnest($3::int8[], $4::int8[], $5::date[], $6::int2[], $7::int2[], $8::int2[], $9::int2[],
        $10::int8[], $11::int8[], $12::numeric[], $13::text[], $14::int8[], $15::date[], $16::date[], $17::int2[])
      """,
      [
        .int8(k), .int8(business.rawValue), .int8s(kinds.map(\.campaign.rawValue)),
        .int8s(kinds.map(\.number.rawValue)), .dates(kinds.map(\.day)), .int2s(kinds.map(\.market.rawValue)),
        .optionalInt2s(kinds.map { $0.category?.rawValue }), .int2s(kinds.map(\.type.rawValue)),
        .int2s(kinds.map { Standings.ChargeState($0.charge).rawValue }),
        .optionalInt8s(kinds.map { $0.charge.rate?.id?.rawValue }), .int8s(booked.map { Int64($0.posting.count) }),
        .numerics(booked.map(\.posting.amount)), .texts(kinds.map(\.currency.code)),
        .int8s(booked.map(\.account.rawValue)), .dates(booked.map(\.day)), .dates(booked.map(\.month.firstDay)),
        .int2s(kinds.map(\.reason.rawValue)),
      ])
  }
}
