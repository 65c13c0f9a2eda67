import Alerting
import Crypto
import HTTPClient
import Postgres
import Reports

/// What one process of the service does and stands on.
struct ServeSettings: Sendable {
  enum Role: String, CaseIterable, Sendable { case api, intake, scheduler, sender }

  var roles: Set<Role>
  var database: ConnectionSettings
  var address: String
  var port: UInt16
  var graphURL: String
  var graphVersion: String
  var caFile: String?
  var appSecrets: [String]
  var verifyToken: String
  var sealKey: SealKey
  /// How long a message may stay unknown while receipts flow.
  var unknownAfter: Duration = .seconds(3600)
  /// How often a person is tried again whom Meta held for a day.
  var marketingRetries = 2
  /// Nil: erasures are remembered by the database alone.
  var erasureRecord: ErasureRecord?
  /// A difference between Meta's bill and the ledger beyond this is told.
  var reconcileThreshold = Reconciling.Threshold()
  var tierHeadroomPercent = 2

  /// Nil: nobody is written to.
  var mail: Mailer.Settings?
  /// Where endpoints may lead.
  var targets = TargetRule()

  init(_ invocation: Invocation) throws(UsageError) {
    roles = []
    for word in invocation.options["role"] ?? [] {
      guard let role = Role(rawValue: word) else {
        throw UsageError(
          "There is no role \(word).", remedy: "Roles: \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
      }
      roles.insert(role)
    }
    if roles.isEmpty { roles = Set(Role.allCases) }
    database = ConnectionSettings(url: try invocation.required(.databaseURL))
    (address, port) = try ServeSettings.listen(try invocation.required(.listen))
    graphURL = try ServeSettings.withoutSlash(try invocation.required(.graphURL))
    graphVersion = try invocation.required(.graphVersion)
    mail = try MailSettings.read(invocation)
    caFile = try invocation.setting(.caFile)
    sealKey = try KeysCommand.sealKey(invocation)
    guard let seconds = Int64(try invocation.required(.unknownAfter)), (1...604_800).contains(seconds) else {
      throw UsageError("QAFILA_UNKNOWN_AFTER is from 1 to 604800 seconds.", remedy: "Leave it out for an hour.")
    }
    unknownAfter = .seconds(seconds)
    marketingRetries = try ServeSettings.marketingRetries(invocation)
    erasureRecord = try invocation.setting(.erasureRecord).map { ErasureRecord(path: $0) }
    reconcileThreshold = try ServeSettings.threshold(invocation)
    targets = try ServeSettings.targets(invocation)
    guard let headroom = Int(try invocation.required(.tierHeadroom)), (0...50).contains(headroom) else {
      throw UsageError("QAFILA_TIER_HEADROOM is from 0 to 50 percent.", remedy: "Leave it out for 2.")
    }
    tierHeadroomPercent = headroom
    // Only the intake verifies webhooks. Two secrets, with a comma between, hold while the app's secret is changed.
    let needsIntake = roles.contains(.intake)
    appSecrets = []
    verifyToken = ""
    if needsIntake {
      appSecrets = try invocation.required(.appSecret).split(separator: ",").map(String.init)
      verifyToken = try invocation.required(.verifyToken)
    }
  }

  init(
    roles: Set<Role>, database: ConnectionSettings, address: String, port: UInt16, graphURL: String,
    graphVersion: String,
    appSecrets: [String], verifyToken: String, sealKey: SealKey
  ) {
    (self.roles, self.database, self.address, self.port) = (roles, database, address, port)
    (self.graphURL, self.graphVersion) = (graphURL, graphVersion)
    (self.appSecrets, self.verifyToken, self.sealKey) = (appSecrets, verifyToken, sealKey)
  }

  static func marketingRetries(_ invocation: Invocation) throws(UsageError) -> Int {
    guard let retries = Int(try invocation.required(.marketingRetries)), (0...10).contains(retries) else {
      throw UsageError("QAFILA_MARKETING_RETRIES is from 0 to 10.", remedy: "Leave it out for 2.")
    }
    return retries
  }

  static func threshold(_ invocation: Invocation) throws(UsageError) -> Reconciling.Threshold {
    var threshold = Reconciling.Threshold()
    guard let messages = Int64(try invocation.required(.reconcileMessages)), (0...1_000_000_000).contains(messages) else {
      throw UsageError("QAFILA_RECONCILE_MESSAGES is a number of messages.", remedy: "Leave it out for 10.")
    }
    guard let share = Int64(try invocation.required(.reconcileShare)), (0...1000).contains(share) else {
      throw UsageError("QAFILA_RECONCILE_SHARE is from 0 to 1000 thousandths.", remedy: "Leave it out for 10, one percent.")
    }
    (threshold.messages, threshold.thousandths) = (messages, share)
    return threshold
  }

  static func targets(_ invocation: Invocation) throws(UsageError) -> TargetRule {
    var rule = TargetRule()
    for text in try invocation.required(.endpointNetworks).split(separator: ",") {
      guard let network = Network(text.filter { $0 != " " }) else {
        throw UsageError("\(text) is no network.", remedy: "Write e.g. QAFILA_ENDPOINT_NETWORKS=10.1.2.0/24,127.0.0.1")
      }
      rule.allowed.append(network)
    }
    return rule
  }

  /// `127.0.0.1:8080`, `[::1]:8080`.
  static func listen(_ text: String) throws(UsageError) -> (String, UInt16) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
      throw UsageError("\(text) is no address to listen on.", remedy: "Write e.g. 127.0.0.1:8080.")
    }
    var address = String(text[..<colon])
    if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }
    return (address.isEmpty ? "127.0.0.1" : address, port)
  }

  private static func withoutSlash(_ url: String) throws(UsageError) -> String {
    var url = url
    while url.hasSuffix("/") { url.removeLast() }
    guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
      throw UsageError("\(url) is no address of a Graph API.", remedy: "Write e.g. https://graph.facebook.com.")
    }
    return url
  }
}
