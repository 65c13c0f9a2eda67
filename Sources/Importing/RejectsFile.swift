import Domain
import Postgres

/// The rows an import could not use, as CSV to correct and send again.
public enum RejectsFile {
  /// Streams `line,reason,remedy,row` to `take`, in the file's order. Nothing but the header when the business has no such
  /// upload. A row that a spreadsheet would take for a formula gets an apostrophe; one that begins with a number doesn't.
  public static func write(
    _ upload: Upload.ID, of business: Business.ID, from pool: Pool, _ take: ([UInt8]) async throws -> Void
  ) async throws {
    // COPY takes no parameters; both are numbers.
    let rows = """
      select r.line, r.reason, r.remedy, case when r.raw ~ '^([=@\t]|[+-][^0-9])' then '''' || r.raw else r.raw end as row
      from upload_reject r join upload u using (upload_id)
      where u.upload_id = \(upload.rawValue) and u.business_id = \(business.rawValue) order by r.line
      """
    _ = try await pool.withConnection { connection in
      try await connection.copyOut("copy (\(rows)) to stdout with (format csv, header true)", take)
    }
  }
}
