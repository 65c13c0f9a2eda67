import Domain
import Postgres
import Reactor
import Store

/// Streams the messages report from the database to a reader, in constant memory: a slow reader slows the query.
public actor MessageReport {
  public struct Request: Sendable {
    public var business: Business.ID
    /// Nil: all of the business.
    public var campaign: Campaign.ID?
    public var from: CivilDate?
    public var to: CivilDate?
    public var showsPhones: Bool
    public var format: MessageLines.Format
    /// A byte order mark and phones as text, so that a spreadsheet keeps both.
    public var isForSpreadsheet = false

    public init(
      business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?, showsPhones: Bool,
      format: MessageLines.Format
    ) {
      (self.business, self.campaign, self.from, self.to) = (business, campaign, from, to)
      (self.showsPhones, self.format) = (showsPhones, format)
    }
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }
  private let settings: ConnectionSettings
  private var running = 0

  /// Reports at once; each has a connection of its own while it runs.
  public static let bound = 4

  public init(database: ConnectionSettings, on reactor: Reactor) {
    self.reactor = reactor
    var own = database
    own.applicationName = "qafila-report"
    own.statementTimeout = .seconds(3600)
    settings = own
  }

  /// Answers the number of lines. Throws a problem when too many reports run already.
  @discardableResult
  public func stream(_ request: Request, to take: @Sendable ([UInt8]) async throws -> Void) async throws -> Int {
    guard running < MessageReport.bound else {
      throw Problem(
        503, "too_many_reports", "Too many reports run at once.", detail: "\(MessageReport.bound) reports are running.",
        remedy: "Try again when one has ended.")
    }
    running += 1
    defer { running -= 1 }
    let connection = Connection(settings, on: reactor)
    if request.isForSpreadsheet, request.format == .csv { try await take([0xEF, 0xBB, 0xBF]) }
    let copy = MessageLines.copy(
      business: request.business, campaign: request.campaign, from: request.from, to: request.to,
      showsPhones: request.showsPhones, format: request.format)
    do {
      let lines = try await connection.copyOut(copy) { try await take($0) }
      await connection.close()
      return lines
    } catch {
      await connection.close()
      throw error
    }
  }
}
