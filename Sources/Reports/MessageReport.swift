import Domain
import Money
import Postgres
import Reactor
import Store

/// Streams the messages report from the database to a reader, in constant memory and in order: a slow reader slows the
/// query. All of it is one snapshot.
///
/// The order is that of campaigns, recipients and attempts, so that a reader who was cut off goes on after the last line
/// that he has whole.
public actor MessageReport {
  public enum Format: Sendable { case csv, ndjson, json }

  public struct Request: Sendable {
    public var business: Business.ID
    /// Nil: all of the business.
    public var campaign: Campaign.ID?
    public var from: CivilDate?
    public var to: CivilDate?
    public var showsPhones: Bool
    public var format: Format
    /// A byte order mark and phones as text, so that a spreadsheet keeps both.
    public var isForSpreadsheet = false
    public var delimiter = ","
    /// Goes on after this line; then CSV has no header.
    public var after: MessageLines.Cursor?

    public init(
      business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?, showsPhones: Bool, format: Format
    ) {
      (self.business, self.campaign, self.from, self.to) = (business, campaign, from, to)
      (self.showsPhones, self.format) = (showsPhones, format)
    }
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  private let settings: ConnectionSettings
  private nonisolated let running = Lock(0)

  /// Reports at once; each has a connection of its own while it runs.
  public static let bound = 4
  /// Positions of one statement: its joins stay small, and their number does not matter.
  public static let slice: Int32 = 50_000

  public init(database: ConnectionSettings, on reactor: Reactor) {
    self.reactor = reactor
    var own = database
    own.applicationName = "qafila-report"
    own.statementTimeout = .seconds(3600)
    // A slice is short: its people are looked up by key, in order. To read any table whole for it, as a hash or a merge
    // would, costs a million rows each time; and compiling takes longer than the slice.
    own.options += [("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off"), ("random_page_cost", "1.1")]
    settings = own
  }

  /// Writes the report to whoever takes it; answers the number of lines.
  public typealias Producer = @Sendable (_ take: @Sendable ([UInt8]) async throws -> Void) async throws -> Int

  /// Takes a place among the reports that run at once, before anything of an answer is sent; it is given back when the
  /// producer is dropped. Throws a problem when too many reports run already.
  public nonisolated func open(_ request: Request) throws(Problem) -> Producer {
    guard let place = Place(running) else {
      throw Problem(
        503, "too_many_reports", "Too many reports run at once.", detail: "\(MessageReport.bound) reports are running.",
        remedy: "Try again when one has ended.")
    }
    return { take in
      defer { withExtendedLifetime(place) {} }
      return try await self.stream(request, to: take)
    }
  }

  private final class Place: Sendable {
    private let running: Lock<Int>

    init?(_ running: Lock<Int>) {
      let isFree = running.with { running in
        guard running < MessageReport.bound else { return false }
        running += 1
        return true
      }
      guard isFree else { return nil }
      self.running = running
    }

    deinit { running.with { $0 -= 1 } }
  }

  private func stream(_ request: Request, to take: @Sendable ([UInt8]) async throws -> Void) async throws -> Int {
    let connection = Connection(settings, on: reactor)
    do {
      let lines = try await connection.transaction(.repeatableReadOnly) { try await write(request, $0, take) }
      await connection.close()
      return lines
    } catch {
      await connection.close()
      throw error
    }
  }

  private func write(
    _ request: Request, _ tx: Transaction, _ take: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Int {
    var lines = MessageLines()
    lines.format = request.format == .csv ? .csv : .ndjson
    (lines.from, lines.to, lines.showsPhones) = (request.from, request.to, request.showsPhones)
    (lines.isForSpreadsheet, lines.delimiter) = (request.isForSpreadsheet, request.delimiter)
    let pricing = try await RateCards.prices(in: tx).pricing
    let sources = try await MessageLines.sources(
      of: request.business, campaign: request.campaign, after: request.after?.campaign, tx)
    switch request.format {
    case .csv where request.after == nil:
      if request.isForSpreadsheet { try await take([0xEF, 0xBB, 0xBF]) }
      try await take(Array((MessageLines.columns.joined(separator: request.delimiter) + "\r\n").utf8))
    case .json: try await take([UInt8(ascii: "[")])
    case .csv, .ndjson: break
    }
    var ends = LineEnds(request.format)
    var count = 0
    for source in sources {
      var (lo, attempt) = (Int32(1), Int16(0))
      if let after = request.after, after.campaign == source.campaign { (lo, attempt) = (after.seq, after.attempt) }
      while lo <= source.recipients {
        let hi = min(source.recipients, lo + MessageReport.slice - 1)
        let copy = lines.copy(source, lo, hi, after: attempt, pricing: pricing)
        count += try await tx.copyOut(copy) { try await take(ends.set(in: $0)) }
        (lo, attempt) = (hi + 1, 0)
      }
    }
    if request.format == .json { try await take(Array("]\n".utf8)) }
    return count
  }
}

/// Turns the line ends of COPY into those of the format: CRLF in CSV (RFC 4180), commas between the members of an array.
/// No cell holds a line end, so each one found ends a row.
struct LineEnds {
  private let format: MessageReport.Format
  private var isFirst = true

  init(_ format: MessageReport.Format) { self.format = format }

  mutating func set(in rows: [UInt8]) -> [UInt8] {
    let lf: UInt8 = 0x0A
    if format == .ndjson { return rows }
    var set: [UInt8] = []
    set.reserveCapacity(rows.count + rows.count / 64 + 64)
    var start = rows.startIndex
    while start < rows.endIndex {
      let end = rows[start...].firstIndex(of: lf) ?? rows.endIndex
      if format == .json, !isFirst { set.append(UInt8(ascii: ",")) }
      isFirst = false
      set.append(contentsOf: rows[start..<end])
      if format == .csv { set.append(0x0D) }
      set.append(lf)
      start = end + 1
    }
    return set
  }
}
