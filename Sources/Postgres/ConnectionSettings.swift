import CLibPQ
import Domain

/// Where the database is and how a session behaves.
public struct ConnectionSettings: Sendable {
  /// A libpq URI or keyword string; several hosts are tried in turn.
  public let url: String
  /// Seen in `pg_stat_activity`.
  public var applicationName = "qafila"
  /// How long a statement waits for a session before it fails as unreachable; also the bound of one attempt.
  public var connectTimeout: Duration = .seconds(10)
  /// The server ends statements that run longer (SQLSTATE 57014).
  public var statementTimeout: Duration?
  /// Server settings of the session, e.g. `("synchronous_commit", "off")`. The time zone is UTC unless given here.
  public var options: [(String, String)] = []

  public init(url: String) { self.url = url }

  /// Hosts, port, database and user, never a password. Safe to log.
  public var redacted: String {
    guard let parameters = ConnectionSettings.parse(url) else { return "a malformed connection string" }
    func value(_ key: String) -> String? { parameters.first { $0.0 == key }?.1 }
    var text = "postgresql://" + (value("user").map { $0 + "@" } ?? "") + (value("host") ?? value("hostaddr") ?? "")
    if let port = value("port") { text += ":" + port }
    return text + "/" + (value("dbname") ?? "")
  }

  /// The keywords that were given, in libpq's order. Nil when the text is malformed; libpq's own message may quote the
  /// password, so it goes nowhere.
  static func parse(_ text: String) -> [(String, String)]? {
    guard let first = PQconninfoParse(text, nil) else { return nil }
    defer { PQconninfoFree(first) }
    var found: [(String, String)] = []
    var option = first
    // The array ends with an entry without keyword.
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { found.append((String(cString: keyword), String(cString: value))) }
      option += 1
    }
    return found
  }

  /// One keyword list per host, so that each gets an attempt and a time limit of its own: the non-blocking connect of
  /// libpq knows no time limit. Nil when the connection string is malformed.
  func candidates() -> [Candidate]? {
    guard let given = ConnectionSettings.parse(url) else { return nil }
    func value(_ key: String) -> String? { given.first { $0.0 == key }?.1 }
    let hosts = ConnectionSettings.list(value("host"))
    let addresses = ConnectionSettings.list(value("hostaddr"))
    let ports = ConnectionSettings.list(value("port"))
    let count = max(hosts.count, addresses.count, 1)
    let base = given.filter { !["host", "hostaddr", "port", "options"].contains($0.0) } + defaults(given)
    // Only libpq itself can prefer a standby among several.
    if value("target_session_attrs") == "prefer-standby" || ports.count > 1 && ports.count != count {
      return [
        Candidate(parameters: base + given.filter { ["host", "hostaddr", "port"].contains($0.0) }, resolves: true)
      ]
    }
    return (0..<count).map { index in
      var parameters = base
      let host = index < hosts.count ? hosts[index] : ""
      let address = index < addresses.count ? addresses[index] : ""
      if !host.isEmpty { parameters.append(("host", host)) }
      if !address.isEmpty { parameters.append(("hostaddr", address)) }
      let port = ports.count > 1 ? ports[index] : ports.first ?? ""
      if !port.isEmpty { parameters.append(("port", port)) }
      let isLocal = host.hasPrefix("/") || host.hasPrefix("@")
      return Candidate(parameters: parameters, resolves: address.isEmpty && !isLocal)
    }
  }

  private func defaults(_ given: [(String, String)]) -> [(String, String)] {
    var session = [("TimeZone", "UTC")] + options
    if let statementTimeout { session.append(("statement_timeout", String(statementTimeout.nanoseconds / 1_000_000))) }
    let inherited = given.first { $0.0 == "options" }.map { $0.1 + " " } ?? ""
    let escaped = session.map { "-c " + $0.0 + "=" + ConnectionSettings.escaped($0.1) }.joined(separator: " ")
    let wanted = [
      ("application_name", applicationName), ("client_encoding", "UTF8"),
      // Looking for Kerberos credentials reads files on the reactor's thread.
      ("gssencmode", "disable"),
      // A peer that vanished is noticed within a minute, not after the kernel's two hours.
      ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
      ("tcp_user_timeout", "60000"),
    ]
    return wanted.filter { item in !given.contains { $0.0 == item.0 } } + [("options", inherited + escaped)]
  }

  private static func list(_ text: String?) -> [String] {
    guard let text, !text.isEmpty else { return [] }
    return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  }

  /// A value inside `options`: spaces and backslashes are escaped by backslashes.
  private static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      if character == " " || character == "\\" { result += "\\" }
      result.append(character)
    }
  }
}

/// One host to try.
struct Candidate: Sendable {
  let parameters: [(String, String)]
  /// Starting the connection asks the name service, which blocks.
  let resolves: Bool
}
