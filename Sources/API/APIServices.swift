import CloudAPI
import Domain
import Governor
import HTTPServer
import JSON
import Money
import Postgres
import Store

/// What the routes stand on. What other modules of the same row do comes in as closures, so that none imports another.
public struct APIServices: Sendable {
  public var pool: Pool
  public var keys: Keys
  public var tokens: Tokens
  public var installation: Installation
  public var graph: GraphClient
  /// Calls an address that somebody registers, without a byte of a request: nil when it could be reached, else why not;
  /// `address_not_allowed` when nobody may call it.
  public var checkEndpoint: @Sendable (_ url: String) async -> String?
  /// Loads a streamed file of contacts.
  public var importContacts: @Sendable (UploadRequest) async throws -> UploadAnswer
  /// Meta's handshake and receipts; nil where this process has no intake role.
  public var webhook: (@Sendable (HTTPServerRequest) async -> HTTPResponse)?
  /// Opens a report, or throws a problem while that can still be answered; what it gives writes the report.
  public var reportMessages: @Sendable (ReportRequest) async throws -> @Sendable (HTTPBodyWriter) async throws -> Void
  public var reportCosts: @Sendable (ReportRequest) async throws -> [JSONValue]
  /// A month of an account, rendered.
  public var statement: @Sendable (StatementRequest) async throws -> String
  /// Judges a past campaign by other rules.
  public var replayGuard: @Sendable (GuardHistory, CampaignSpec.Guarding) -> GuardHistory.Replay
  /// Prometheus' text of what the roles of this process count.
  public var metrics: @Sendable () async -> String
  /// Writes an erasure where a restore of the database does not reach.
  public var recordErasure: Erasure.Recorder = { _, _ in }
  /// Constant event names, data in fields, never a phone or a body.
  public var log: @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  /// How long a quiet stream of events waits between looks.
  public var eventPoll: Duration = .milliseconds(500)

  /// Kept free of Meta's limit of people in 24 hours, in percent; as the sender has it.
  public var tierHeadroomPercent = PeopleLimit.headroomPercent

  public init(
    pool: Pool, keys: Keys, tokens: Tokens, installation: Installation, graph: GraphClient,
    checkEndpoint: @escaping @Sendable (_ url: String) async -> String? = { _ in nil },
    importContacts: @escaping @Sendable (UploadRequest) async throws -> UploadAnswer,
    webhook: (@Sendable (HTTPServerRequest) async -> HTTPResponse)? = nil,
    reportMessages:
      @escaping @Sendable (ReportRequest) async throws -> @Sendable (HTTPBodyWriter) async throws -> Void,
    reportCosts: @escaping @Sendable (ReportRequest) async throws -> [JSONValue],
    statement: @escaping @Sendable (StatementRequest) async throws -> String = { _ in "" },
    replayGuard: @escaping @Sendable (GuardHistory, CampaignSpec.Guarding) -> GuardHistory.Replay = { _, _ in .init() },
    metrics: @escaping @Sendable () async -> String = { "" },
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void = { _, _ in }
  ) {
    (self.pool, self.keys, self.tokens, self.installation) = (pool, keys, tokens, installation)
    self.checkEndpoint = checkEndpoint
    (self.graph, self.importContacts, self.webhook) = (graph, importContacts, webhook)
    (self.reportMessages, self.reportCosts) = (reportMessages, reportCosts)
    (self.statement, self.replayGuard, self.metrics, self.log) = (statement, replayGuard, metrics, log)
  }
}

/// A file of contacts on its way in.
public struct UploadRequest: Sendable {
  public var business: Business.ID
  /// Nil: the people of the file said stop.
  public var audience: Audience.ID?
  /// The request's parameters: how the file is to be read. Whoever reads it says which are known.
  public var query: [(String, String)]
  public var contentType: String?
  public var by: String
  public var nextChunk: @Sendable () async throws -> [UInt8]?
}

public struct UploadAnswer: Sendable {
  public let upload: Upload.ID
  /// The report, as JSON.
  public let report: JSONValue

  public init(upload: Upload.ID, report: JSONValue) { (self.upload, self.report) = (upload, report) }
}

/// What a report is asked for.
public struct ReportRequest: Sendable {
  public enum Format: String, Sendable, CaseIterable { case csv, ndjson, json }

  public var business: Business.ID
  public var campaign: Campaign.ID?
  public var format: Format
  public var from: CivilDate?
  public var to: CivilDate?
  public var groups: [CostLines.Group]
  /// For days and months; nil: each account's own.
  public var zone: String?
  /// Beside each line the period before.
  public var isComparing: Bool
  /// Whether phones are shown whole.
  public var showsPhones: Bool
  /// For spreadsheets: BOM, phones as text.
  public var isExcel: Bool
  public var delimiter: String
  /// The last line that the reader has whole.
  public var after: MessageLines.Cursor?
}

/// A statement and how it is wanted.
public struct StatementRequest: Sendable {
  public enum Format: String, Sendable, CaseIterable { case json, csv, html }

  public var account: Statements.Account
  public var month: BillingMonth
  public var format: Format
  /// `en` or `ar`; of the page.
  public var language: String
}
