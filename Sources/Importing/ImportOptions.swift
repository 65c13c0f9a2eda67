import Domain
import Phone
import Reactor

/// How a file of contacts is to be read. Everything has a default that is safe for people who know nothing of it.
public struct ImportOptions: Sendable {
  public enum Format: String, Sendable { case csv, ndjson }
  public enum Language: String, Sendable {
    case english = "en"
    case arabic = "ar"
  }

  /// What to do when the file itself breaks off: a quote that is never closed, a line beyond the limit.
  public enum BrokenFile: String, Sendable {
    /// Nothing is stored.
    case refuse
    /// What was read before it is stored, and the report says where it stopped.
    case keep
  }

  public var format = Format.csv
  public var brokenFile = BrokenFile.refuse
  /// The header's name for the column of phones; nil: found by its usual names.
  public var phoneColumn: String?
  /// The country of numbers without `+` in rows that name none.
  public var defaultRegion: PhoneRegion?
  /// Where consent came from, for rows that don't say. Without either, people are stored and not marketable.
  public var consentSource: String?
  /// When people consented, for rows that don't say; nil: when the import began.
  public var consentAt: Instant?
  public var phones = PhoneOptions()
  /// Stores what is only possible as if it were valid.
  public var acceptsPossible = false
  public var encoding: TextEncoding?
  public var delimiter: UInt8?
  /// Of the remedies in the file of rejected rows.
  public var language = Language.english

  /// Set: the file's people said stop, to this; they go into no audience. `consentAt` is then when they said it.
  public var stops: ConsentScope?

  public init() {}

  /// From the parameters of a request: `phone_column`, `default_region`, `consent_source`, `consent_at`,
  /// `on_error=refuse|keep`, `accept=landline,service,possible`, `fix=old_format`, `encoding`,
  /// `delimiter=comma|semicolon|tab`, `language=en|ar`. Of opt-outs `scope=marketing|everything` and `at` instead of what
  /// concerns consent and phones: whoever says stop is heard, whatever kind of phone was written.
  public init(query: [(String, String)], contentType: String?, isOptOuts: Bool = false) throws(Problem) {
    format = try ImportOptions.format(contentType)
    if isOptOuts {
      (stops, consentSource) = (.marketing, "file")
      (phones.acceptsLandlines, phones.acceptsServiceNumbers, acceptsPossible) = (true, true, true)
    }
    for (name, value) in query {
      if isOptOuts { try setOfOptOuts(name, value) } else { try set(name, value) }
    }
  }

  private mutating func setOfOptOuts(_ name: String, _ value: String) throws(Problem) {
    switch name {
    case "scope":
      guard let scope = ConsentScope(word: value) else {
        throw ImportOptions.wrong(name, "It is none of its values.", "Give marketing or everything.")
      }
      stops = scope
    case "at":
      guard let instant = Instant(rfc3339: value), instant <= .now + .seconds(60) else {
        throw ImportOptions.wrong(name, "It is no time, or it lies in the future.", "Write RFC 3339 with an offset.")
      }
      consentAt = instant
    case "phone_column", "default_region", "on_error", "encoding", "delimiter", "language": try set(name, value)
    default:
      throw ImportOptions.wrong(
        name, "A file of opt-outs has no such parameter.",
        "Known are scope, at, phone_column, default_region, on_error, encoding, delimiter, language.")
    }
  }

  private static func format(_ contentType: String?) throws(Problem) -> Format {
    let type = (contentType ?? "text/csv").lowercased().utf8.prefix {
      $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ")
    }
    switch String(type) {
    case "text/csv", "text/plain", "text/tab-separated-values", "application/csv", "application/octet-stream":
      return .csv
    case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines": return .ndjson
    default:
      throw Problem(
        415, "media_type_unsupported", "Contacts are sent as CSV or as NDJSON.", field: "Content-Type",
        remedy: "Send text/csv or application/x-ndjson; a spreadsheet is exported as CSV (UTF-8).")
    }
  }

  private mutating func set(_ name: String, _ value: String) throws(Problem) {
    switch name {
    case "phone_column": phoneColumn = value
    case "default_region":
      guard let region = PhoneRegion(value) else {
        throw ImportOptions.wrong(name, "There is no such country.", "Give a code of two letters, for instance EG.")
      }
      defaultRegion = region
    case "consent_source":
      guard !value.isEmpty, value.utf8.count <= 200 else {
        throw ImportOptions.wrong(name, "It is empty or too long.", "Say in at most 200 bytes where people agreed.")
      }
      consentSource = value
    case "consent_at":
      guard let instant = Instant(rfc3339: value), instant <= .now + .seconds(86_400) else {
        throw ImportOptions.wrong(name, "It is no time, or it lies in the future.", "Write RFC 3339 with an offset.")
      }
      consentAt = instant
    case "on_error":
      guard let choice = BrokenFile(rawValue: value) else {
        throw ImportOptions.wrong(name, "It is none of its values.", "Give refuse or keep.")
      }
      brokenFile = choice
    case "accept":
      for word in value.split(separator: ",") {
        switch word {
        case "landline": phones.acceptsLandlines = true
        case "service": phones.acceptsServiceNumbers = true
        case "possible": acceptsPossible = true
        default: throw ImportOptions.wrong(name, "It is none of its values.", "Give landline, service or possible.")
        }
      }
    case "fix":
      guard value == "old_format" else {
        throw ImportOptions.wrong(name, "It is none of its values.", "Give old_format.")
      }
      phones.fixesOldFormat = true
    case "encoding":
      guard let choice = TextEncoding(rawValue: value.lowercased()) else {
        let known = TextEncoding.allCases.map(\.rawValue).joined(separator: ", ")
        throw ImportOptions.wrong(name, "It is not known.", "Give one of \(known), or leave it out.")
      }
      encoding = choice
    case "delimiter":
      switch value {
      case "comma", ",": delimiter = UInt8(ascii: ",")
      case "semicolon", ";": delimiter = UInt8(ascii: ";")
      case "tab", "\t": delimiter = 0x09
      default: throw ImportOptions.wrong(name, "It is none of its values.", "Give comma, semicolon or tab.")
      }
    case "language":
      guard let choice = Language(rawValue: value) else {
        throw ImportOptions.wrong(name, "It is none of its values.", "Give en or ar.")
      }
      language = choice
    default:
      throw ImportOptions.wrong(
        name, "An import has no such parameter.",
        "Known are phone_column, default_region, consent_source, consent_at, on_error, accept, fix, encoding, "
          + "delimiter, language.")
    }
  }

  private static func wrong(_ name: String, _ detail: String, _ remedy: String) -> Problem {
    Problem(
      422, "parameter_invalid", "A parameter of the import is not right.", detail: detail, field: name, remedy: remedy)
  }
}
