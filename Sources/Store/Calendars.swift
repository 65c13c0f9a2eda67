import Domain
import Postgres
import Schedule

/// Blackout calendars as users load them. The newest row of a name holds.
public enum Calendars {
  public static let mostCalendars = 20

  public struct Entry: Sendable {
    public let name: String
    /// The file as it was loaded.
    public let body: String
    public let lines: Int
    public let by: String
    public let at: Instant
  }

  public static func list(of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> [Entry] {
    try await pool.run(select, .int8(business.rawValue)).map(entry)
  }

  /// The calendars of a business, ready to ask.
  public static func blackouts(of business: Business.ID, on pool: Pool) async throws -> [BlackoutCalendar] {
    try await list(of: business, on: pool).map { try calendar($0) }
  }

  public static func blackouts(of business: Business.ID, on connection: Connection) async throws -> [BlackoutCalendar] {
    try await connection.run(select, .int8(business.rawValue)).map { try calendar(entry($0)) }
  }

  /// Replaces a calendar, or makes it; `body` nil removes it. Campaigns that run take it up with their next look.
  public static func replace(
    _ name: String, with body: String?, lines: Int, of business: Business.ID, by actor: String, on pool: Pool
  ) async throws(DatabaseError) {
    _ = try await pool.batch([
      Statement(
        "insert into calendar (business_id, name, body, lines, by) values ($1, $2, $3, $4, $5)",
        [
          .int8(business.rawValue), .text(name), body.map { .text($0) } ?? .null, .int4(Int32(lines)), .text(actor),
        ]),
      Audit.entry(
        business: business, actor: actor, action: body == nil ? "calendar_removed" : "calendar_replaced", subject: name),
    ])
  }

  private static let select = """
    select name, body, lines, by, at from (
      select distinct on (name) name, body, lines, by, at from calendar where business_id = $1
      order by name, calendar_id desc
    ) c where body is not null order by name
    """

  private static func entry(_ row: Row) -> Entry {
    Entry(name: row.text(0), body: row.text(1), lines: Int(row.int32(2)), by: row.text(3), at: row.instant(4))
  }

  /// Every calendar was checked when it was loaded. One that can't be read all the same (a newer version wrote it) is an
  /// error, so that nothing is sent into a day that it may close.
  private static func calendar(_ entry: Entry) throws(CalendarFile.Malformed) -> BlackoutCalendar {
    BlackoutCalendar(name: entry.name, blackouts: try CalendarFile.blackouts(entry.body))
  }
}
