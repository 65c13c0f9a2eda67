import Glibc

/// A setting by flag or environment. What is secret is never taken from the command line, which every user of a machine
/// can read: it comes from the environment, or from a file that a flag or the environment names.
struct Setting: Sendable {
  let variable: String
  let flag: String
  let help: String
  var standard: String?
  var isSecret = false

  /// How the help and the refusals name it.
  var sources: String {
    isSecret ? "\(variable), \(variable)_FILE or --\(flag)-file PATH" : "--\(flag) or \(variable)"
  }

  /// The option that a command gets for it.
  var options: [Option] {
    let file = Option("\(flag)-file", "PATH", "\(help), read from a file (\(variable)_FILE)")
    if isSecret { return [file] }
    let shown = standard.map { "; \($0) unless set" } ?? ""
    return [Option(flag, "VALUE", "\(help) (\(variable)\(shown))")]
  }

  func value(_ options: [String: [String]]) throws(UsageError) -> String? {
    if let given = options[flag]?.last { return given }
    if let path = options[flag + "-file"]?.last { return try Setting.contents(of: path) }
    if let text = Setting.environment(variable), !text.isEmpty { return text }
    if let path = Setting.environment(variable + "_FILE"), !path.isEmpty { return try Setting.contents(of: path) }
    return standard
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  /// The file's text without line breaks at its end.
  static func contents(of path: String) throws(UsageError) -> String {
    guard let bytes = Files.read(path) else {
      throw UsageError("The file \(path) cannot be read: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
    var text = String(decoding: bytes, as: UTF8.self)
    while text.last?.isNewline == true { text.removeLast() }
    return text
  }

  static let databaseURL = Setting(
    variable: "QAFILA_DATABASE_URL", flag: "database-url", help: "PostgreSQL's address, as libpq takes it")
  static let listen = Setting(
    variable: "QAFILA_LISTEN", flag: "listen", help: "address and port to listen on", standard: "127.0.0.1:8080")
  static let graphURL = Setting(
    variable: "QAFILA_GRAPH_URL", flag: "graph-url", help: "Meta's Graph API, or a Sandbox",
    standard: "https://graph.facebook.com")
  static let graphVersion = Setting(
    variable: "QAFILA_GRAPH_VERSION", flag: "graph-version", help: "version of the Graph API", standard: "v26.0")
  static let appSecret = Setting(
    variable: "QAFILA_APP_SECRET", flag: "app-secret", help: "the Meta app's secret, which signs webhooks",
    isSecret: true)
  static let verifyToken = Setting(
    variable: "QAFILA_VERIFY_TOKEN", flag: "verify-token", help: "the word of the webhook's handshake", isSecret: true)
  static let sealKey = Setting(
    variable: "QAFILA_SEAL_KEY", flag: "seal-key",
    help: "seals tokens at rest: 64 hexadecimal digits or at least 32 characters",
    isSecret: true)
  static let unknownAfter = Setting(
    variable: "QAFILA_UNKNOWN_AFTER", flag: "unknown-after",
    help: "seconds after which a message whose answer was lost, and whose receipt never came, ends as unresolved",
    standard: "3600")
  static let marketingRetries = Setting(
    variable: "QAFILA_MARKETING_RETRIES", flag: "marketing-retries",
    help: "how often a person is tried again, a day later each, whom Meta holds from offers (131049)", standard: "2")
  static let erasureRecord = Setting(
    variable: "QAFILA_ERASURE_RECORD", flag: "erasure-record",
    help: "a file outside the database's backups that remembers who was erased, as keyed hashes: read at the start, so that "
      + "a restored backup brings nobody back")
  static let reconcileMessages = Setting(
    variable: "QAFILA_RECONCILE_MESSAGES", flag: "reconcile-messages",
    help: "messages by which Meta's count and the ledger may differ before it is told", standard: "10")
  static let reconcileShare = Setting(
    variable: "QAFILA_RECONCILE_SHARE", flag: "reconcile-share",
    help: "thousandths of messages or cost by which they may differ before it is told", standard: "10")
  static let endpointNetworks = Setting(
    variable: "QAFILA_ENDPOINT_NETWORKS", flag: "endpoint-networks",
    help: "networks in which endpoints may lie that are private or not encrypted, with a comma between, e.g. 10.1.2.0/24",
    standard: "")
  static let tierHeadroom = Setting(
    variable: "QAFILA_TIER_HEADROOM", flag: "tier-headroom",
    help: "percent kept free of Meta's limit of people in 24 hours", standard: "2")
  static let caFile = Setting(
    variable: "QAFILA_CA_FILE", flag: "ca-file", help: "authorities to trust instead of the system's, as PEM")
  static let url = Setting(
    variable: "QAFILA_URL", flag: "url", help: "the service's address", standard: "http://127.0.0.1:8080")
  static let apiKey = Setting(variable: "QAFILA_API_KEY", flag: "api-key", help: "the API key", isSecret: true)

  /// What commands that talk to the service need.
  static let client = [url, apiKey, caFile]
}
