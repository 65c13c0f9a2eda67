import Domain
import JSON
import Postgres

/// The ledger of what people said, and the suppressions that follow from it.
public enum Consents {
  public struct Word: Sendable {
    public let person: PersonKey
    public let scope: ConsentScope
    public let event: ConsentEvent
    public let source: ConsentSource
    public let evidence: [UInt8]
    /// When the person said it; the later word holds.
    public let at: Instant

    public init(
      person: PersonKey, scope: ConsentScope, event: ConsentEvent, source: ConsentSource, evidence: JSONValue,
      at: Instant
    ) {
      (self.person, self.scope, self.event, self.source, self.at) = (person, scope, event, source, at)
      self.evidence = evidence.rendered()
    }
  }

  /// For the caller's batch: the words are on the record and hold with its commit. People must differ in one call.
  public static func recording(_ words: [Word], business: Business.ID) -> Statement {
    Statement(
      "select record_consent($1, $2, $3, $4, $5, $6, $7)",
      [
        .int8(business.rawValue), .uuids(words.map(\.person)), .int2s(words.map(\.scope.rawValue)),
        .int2s(words.map(\.event.rawValue)), .int2s(words.map(\.source.rawValue)), .jsonbs(words.map(\.evidence)),
        .timestamps(words.map(\.at)),
      ])
  }

  /// Marks a stored contact as marketable since `at`, unless it is already; for the caller's batch.
  public static func optIn(_ person: Person, source: String, at: Instant, business: Business.ID) -> Statement {
    Statement(
      """
      update contact set opt_in_at = $3, opt_in_source = $4, updated_at = now()
      where business_id = $1 and (phone = $2 or user_id = $5) and opt_in_at is null
      """,
      [
        .int8(business.rawValue), person.phone.map { .int8($0.digits) } ?? .null, .timestamptz(at), .text(source),
        person.userID.map { .text($0.text) } ?? .null,
      ])
  }

  public struct Suppression: Sendable {
    public let person: PersonKey
    public let scope: ConsentScope
    public let since: Instant
    public let source: ConsentSource
    public let recordedAt: Instant
    /// The cursor.
    public let consent: Int64
    /// Of the contact, when one is stored.
    public let phone: PhoneNumber?
  }

  /// Who must not be written to now, the newest word first, those below `before`. With phones it reads all contacts
  /// once.
  public static func optOuts(of business: Business.ID, before: Int64?, limit: Int, withPhones: Bool, on pool: Pool)
    async throws(DatabaseError) -> [Suppression]
  {
    let rows = try await pool.run(
      """
      with page as materialized (
        select s.person_key, s.scope, s.at, s.consent_id from suppression s
        where s.business_id = $1 and s.active and s.consent_id < $2 order by s.consent_id desc limit $3
      )
      select p.person_key, p.scope, p.at, c.source, c.recorded_at, p.consent_id, k.phone
      from page p join consent c using (consent_id)
      left join (
        select person_key, max(phone) phone from contact
        where $4 and business_id = $1 and person_key = any (array(select person_key from page)) group by 1
      ) k on k.person_key = p.person_key
      order by p.consent_id desc
      """, .int8(business.rawValue), .int8(before ?? .max), .int8(Int64(limit)), .bool(withPhones))
    return rows.map { row in
      Suppression(
        person: row.personKey(0), scope: ConsentScope(rawValue: row.int16(1)) ?? .marketing, since: row.instant(2),
        source: ConsentSource(rawValue: row.int16(3)) ?? .api, recordedAt: row.instant(4), consent: row.int64(5),
        phone: row.optionalInt64(6).flatMap { PhoneNumber(digits: $0) })
    }
  }

  public struct Entry: Sendable {
    public let scope: ConsentScope
    public let event: ConsentEvent
    public let source: ConsentSource
    public let evidence: [UInt8]
    public let at: Instant
    public let recordedAt: Instant
  }

  /// All that one person said, by whichever of their names, the newest first, and what holds now.
  public static func person(_ key: PersonKey, of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> (suppressed: [(scope: ConsentScope, since: Instant)], history: [Entry])
  {
    let rows = try await pool.batch([
      Statement(
        "select scope, at from suppression where business_id = $1 and person_key = $2 and active order by scope",
        [.int8(business.rawValue), .uuid(key)]),
      Statement(
        """
        select scope, event, source, evidence, source_at, recorded_at from consent
        where business_id = $1 and person_key in (select name from names_of($1, array[$2::uuid]))
        order by consent_id desc limit 200
        """, [.int8(business.rawValue), .uuid(key)]),
    ])
    let history = rows[1].map { row in
      Entry(
        scope: ConsentScope(rawValue: row.int16(0)) ?? .marketing, event: ConsentEvent(rawValue: row.int16(1)) ?? .stop,
        source: ConsentSource(rawValue: row.int16(2)) ?? .api, evidence: row.jsonb(3), at: row.instant(4),
        recordedAt: row.instant(5))
    }
    return (rows[0].map { (ConsentScope(rawValue: $0.int16(0)) ?? .marketing, $0.instant(1)) }, history)
  }
}
