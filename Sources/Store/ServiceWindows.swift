import Domain
import Postgres

/// Who wrote to a number in the last 24 hours, and so may be answered without a template.
public enum ServiceWindows {
  public struct Opened: Sendable {
    public let person: PersonKey
    /// Meta's id of the number that was written to.
    public let phoneNumberID: String
    public let at: Instant

    public init(person: PersonKey, phoneNumberID: String, at: Instant) {
      (self.person, self.phoneNumberID, self.at) = (person, phoneNumberID, at)
    }
  }

  /// For the caller's batch. A message that comes late or twice never shortens a window, and one from the future opens
  /// none that is longer than a day.
  public static func opening(_ opened: [Opened], business: Business.ID) -> Statement {
    Statement(
      """
      insert into service_window as w (number_id, person_key, until)
      select n.number_id, x.p, max(least(x.at, clock_timestamp())) + interval '24 hours'
      from unnest($2::uuid[], $3::text[], $4::timestamptz[]) x (p, n, at)
      join number n on n.phone_number_id = x.n and n.business_id = $1
      group by 1, 2 order by 1, 2
      on conflict (number_id, person_key) do update set until = excluded.until where excluded.until > w.until
      """,
      [
        .int8(business.rawValue), .uuids(opened.map(\.person)), .texts(opened.map(\.phoneNumberID)),
        .timestamps(opened.map(\.at)),
      ])
  }

  /// Until when the person may be answered from this number; nil when they never wrote to it, or long ago.
  public static func until(_ person: PersonKey, number: Number.ID, on pool: Pool) async throws(DatabaseError) -> Instant? {
    try await pool.run(
      "select until from service_window where number_id = $1 and person_key = $2", .int8(number.rawValue), .uuid(person)
    ).first?.instant(0)
  }

  /// Removes windows that closed a day ago.
  public static func forget(on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("delete from service_window where until < now() - interval '1 day'")
  }
}
