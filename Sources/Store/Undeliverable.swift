import Domain
import Postgres

/// Phones that Meta could not deliver to: no WhatsApp, an old version, terms not accepted; Meta doesn't say which.
public enum Undeliverable {
  /// Meta's code for it.
  public static let code: Int32 = 131_026

  /// For the caller's batch: the contacts of these messages, as of when Meta said so. Few in any batch.
  static func noting(_ messages: [(seq: Int32, at: Instant)], of campaign: Campaign.ID) -> Statement {
    Statement(
      """
      insert into undeliverable as u (contact_id, at)
      select r.contact_id, max(x.at) from unnest($2::int4[], $3::timestamptz[]) x (seq, at)
      join recipient r on r.campaign_id = $1 and r.seq = x.seq group by 1 order by 1
      on conflict (contact_id) do update set at = excluded.at where u.at < excluded.at
      """,
      [.int8(campaign.rawValue), .int4s(messages.map(\.seq)), .timestamps(messages.map(\.at))])
  }
}
