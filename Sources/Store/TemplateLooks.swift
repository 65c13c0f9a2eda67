import Domain
import Postgres

/// Which account's templates are to be looked at now: of any number of nodes one takes each look.
public enum TemplateLooks {
  public struct Due: Sendable {
    public let account: Account.ID
    public let business: Business.ID
    public let wabaID: String
    public let sealedToken: [UInt8]
  }

  /// Takes the look that has been due longest; nil when none is.
  public static func take(whileSending: Duration, idle: Duration, on pool: Pool) async throws(DatabaseError) -> Due? {
    func seconds(_ duration: Duration) -> Value { .numeric(Amount(billionths: Int128(duration.nanoseconds))) }
    return try await pool.run(
      """
      with due as (
        select x.account_id from account x where exists (select from number n where n.account_id = x.account_id)
          and x.templates_at < now() - make_interval(secs => case when exists (select from campaign c
            where c.account_id = x.account_id and c.state in (3, 4, 5) and c.kind = 1) then $1 else $2 end)
        order by x.templates_at limit 1 for update of x skip locked
      ), t as (
        update account a set templates_at = now() from due where a.account_id = due.account_id
        returning a.account_id, a.business_id, a.waba_id
      )
      select t.account_id, t.business_id, t.waba_id, k.sealed from t
      cross join lateral (select sealed from number n join token using (token_id) where n.account_id = t.account_id
        order by n.number_id limit 1) k
      """, seconds(whileSending), seconds(idle)
    ).first.map {
      Due(
        account: Account.ID($0.int64(0)), business: Business.ID($0.int64(1)), wabaID: $0.text(2), sealedToken: $0.bytes(3))
    }
  }
}
