import Crypto
import Domain
import JSON

/// What somebody asks for who registers an address.
public struct EndpointSpec: Sendable, Equatable {
  /// What an endpoint is passed of Meta's webhooks.
  public enum Forward: String, CaseIterable, Sendable { case all, messages, statuses }

  public var url: String
  /// Nil: it is passed Meta's webhooks instead.
  public var events: [AlertKind]?
  public var forward: Forward?
  /// Given for a forward: what the desk behind it takes for its app secret. Nil: one is made.
  public var secret: String?

  public static let known = ["url", "events", "forward", "secret"]

  public init(json: JSONValue) throws(Problem) {
    let fields = try Fields(json, known: EndpointSpec.known)
    url = try EndpointSpec.checked(try fields.requiredText("url", limit: 2000, remedy: "Write an https:// address."))
    forward = try fields.word("forward", Forward.self)
    secret = try fields.text("secret", limit: 200)
    if let secret {
      guard forward != nil else {
        throw .invalid(
          "secret", "The secret of events is made here.", remedy: "Leave it out: it is shown once, in the answer.")
      }
      guard secret.utf8.count >= 16, secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
        throw .invalid(
          "secret", "This secret is too short or holds blanks.", remedy: "Write 16 characters or more, or leave it out.")
      }
    }
    guard forward == nil else {
      guard fields["events"] == nil else {
        throw .invalid(
          "events", "An endpoint takes our events or Meta's webhooks, not both.", remedy: "Register two endpoints.")
      }
      return
    }
    guard let given = fields["events"] else {
      events = AlertKind.standard
      return
    }
    guard let words = given.arrayValue?.map(\.stringValue), !words.isEmpty else {
      throw .invalid("events", "Here a list of kinds is expected.", remedy: EndpointSpec.kinds)
    }
    var found: [AlertKind] = []
    for (index, word) in words.enumerated() {
      guard let kind = word.flatMap(AlertKind.init(rawValue:)) else {
        throw .invalid("events[\(index)]", "This kind is not known here.", remedy: EndpointSpec.kinds)
      }
      if !found.contains(kind) { found.append(kind) }
    }
    events = found
  }

  private static let kinds = "Write some of: \(AlertKind.allCases.map(\.rawValue).joined(separator: ", "))."

  /// An address that can be called: no user and password in it, which would stand in lists and logs; no fragment.
  static func checked(_ url: String) throws(Problem) -> String {
    func refused(_ detail: String, _ remedy: String) -> Problem { .invalid("url", detail, remedy: remedy) }
    let lower = url.lowercased()
    guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else {
      throw refused("This is no address of the web.", "Write it whole: https://example.com/hooks")
    }
    guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
      throw refused("The address holds a character that must be escaped.", "Write names in punycode and escape the rest.")
    }
    let rest = url.drop { $0 != ":" }.dropFirst(3)
    let authority = rest.prefix { !"/?#".contains($0) }
    guard !authority.contains("@") else {
      throw refused(
        "A user and a password stand in the address.", "Leave them out: each request is signed by the endpoint's secret.")
    }
    guard !authority.isEmpty, authority.first != ":" else { throw refused("No host is named.", "Write https://host/path.") }
    guard !url.contains("#") else { throw refused("A fragment is never sent.", "Leave out what follows #.") }
    return lower.hasPrefix("https://") ? "https" + url.dropFirst(5) : "http" + url.dropFirst(4)
  }

  /// The address as it may stand in a log: what follows `?` is often a secret, and paths of hooks are too.
  public static func host(of url: String) -> String {
    String(url.drop { $0 != ":" }.dropFirst(3).prefix { !"/?#".contains($0) })
  }
}

/// The secrets of endpoints: made here, sealed at rest, shown once.
public struct EndpointSecrets: Sendable {
  private let sealKey: SealKey
  public init(sealKey: SealKey) { self.sealKey = sealKey }

  /// For Standard Webhooks: 32 random bytes, written `whsec_` and base64.
  public static func make() -> String { "whsec_" + Crypto.base64(Crypto.randomBytes(32)) }

  /// For a forward, in the shape of Meta's app secrets.
  public static func makeForForward() -> String { Crypto.hex(Crypto.randomBytes(16)) }

  public func sealed(_ secret: String) -> [UInt8] { sealKey.seal(Array(secret.utf8), context: EndpointSecrets.context) }

  /// Nil when it was sealed under another key.
  public func open(_ sealed: [UInt8]) -> String? {
    sealKey.open(sealed, context: EndpointSecrets.context).map { String(decoding: $0, as: UTF8.self) }
  }

  private static let context = "endpoint"
}
