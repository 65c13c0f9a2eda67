import Consent
import Domain
import Postgres

/// A business's own stop words: data, read anew by every intake within a second of a change.
public enum StopWordTable {
  public struct Entry: Sendable {
    public let phrase: String
    public let written: String
    public let verdict: StopVerdict
    public let by: String
    public let at: Instant
  }

  /// A word to be stored. Nil when nothing of it is a letter or digit: an empty word would answer every message.
  public struct New: Sendable {
    public let phrase: String
    public let written: String
    public let verdict: StopVerdict

    public init?(_ written: String, _ verdict: StopVerdict) {
      phrase = StopText(written).phrase
      guard !phrase.isEmpty else { return nil }
      (self.written, self.verdict) = (written, verdict)
    }
  }

  /// Words of one business are few; more than this are refused.
  public static let most = 1000

  /// For the caller's batch. The same phrase again gets the new verdict.
  public static func storing(_ words: [New], of business: Business.ID, by actor: String) -> Statement {
    var latest: [String: New] = [:]
    for word in words { latest[word.phrase] = word }
    let ordered = latest.values.sorted { $0.phrase < $1.phrase }
    return Statement(
      """
      insert into stop_word (business_id, phrase, written, verdict, by)
      select $1, p, w, v, $5 from unnest($2::text[], $3::text[], $4::int2[]) x (p, w, v)
      on conflict (business_id, phrase) do update
        set written = excluded.written, verdict = excluded.verdict, by = excluded.by, at = now()
      """,
      [
        .int8(business.rawValue), .texts(ordered.map(\.phrase)), .texts(ordered.map(\.written)),
        .int2s(ordered.map { number(of: $0.verdict) }), .text(actor),
      ])
  }

  public static func removing(_ phrases: [String], of business: Business.ID) -> Statement {
    Statement(
      "delete from stop_word where business_id = $1 and phrase = any($2)", [.int8(business.rawValue), .texts(phrases)])
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(select, .int8(business.rawValue)).map(entry)
  }

  public static func list(of business: Business.ID, on connection: Connection) async throws(DatabaseError) -> [Entry] {
    try await connection.run(select, .int8(business.rawValue)).map(entry)
  }

  private static let select =
    "select phrase, written, verdict, by, at from stop_word where business_id = $1 order by phrase"

  private static func entry(_ row: Row) -> Entry {
    Entry(
      phrase: row.text(0), written: row.text(1), verdict: verdict(of: row.int16(2)), by: row.text(3), at: row.instant(4))
  }

  // Stored numbers: never renumber.
  private static func number(of verdict: StopVerdict) -> Int16 {
    switch verdict {
    case .none: 0
    case .stop: 1
    case .stopPlus: 2
    case .ask: 3
    case .start: 4
    }
  }

  private static func verdict(of number: Int16) -> StopVerdict {
    StopVerdict.allCases.first { self.number(of: $0) == number } ?? .none
  }
}
