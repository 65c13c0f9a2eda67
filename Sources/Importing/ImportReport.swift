import Domain
import JSON

/// What an import did, row by row added up: rows = created + updated + unchanged + merged + rejected.
public struct ImportReport: Sendable, Equatable {
  public enum State: String, Sendable { case committed, refused }

  public var upload: Upload.ID
  public var state = State.committed
  /// Rows with data; blank ones and the header are not counted.
  public var rows = 0
  public var created = 0
  public var updated = 0
  public var unchanged = 0
  /// Rows beyond the first with the same phone: their attributes were merged, later ones over earlier ones.
  public var merged = 0
  public var rejected = 0
  /// Of the people stored: held back because their number is only possible.
  public var suspect = 0
  /// People who were not in the audience before.
  public var added = 0
  /// Stops that were recorded; nil for a file of contacts.
  public var recorded: Int?
  public var rejectedByReason: [String: Int] = [:]
  public var countries: [String: Int] = [:]
  public var kinds: [String: Int] = [:]
  public var fixes: [String: Int] = [:]
  /// Accepted rows that carry consent; the others are stored and not marketable.
  public var consented = 0
  /// Rows whose consent was not recorded because its date could not be read or lies in the future.
  public var unreadableConsents = 0
  /// Of rows without a country of their own: numbers of other countries than the default region.
  public var foreign = 0
  /// Rejected and suspect rows kept for download; the rest is only counted.
  public var rejectsKept = 0
  public var encoding: TextEncoding?
  public var delimiter: UInt8?
  /// The file broke here and what was before is stored (`on_error=keep`), or nothing is.
  public var stopped: Stop?

  public struct Stop: Sendable, Equatable {
    public let line: Int64
    public let problem: Problem
  }

  /// A wrong default region sends to strangers, so a share beyond this is asked about before anything is launched.
  public static let foreignShare = 0.02

  public init(upload: Upload.ID) { self.upload = upload }

  /// More than 2 % of the rows look foreign.
  public var asksAboutForeign: Bool { Double(foreign) > Double(rows) * ImportReport.foreignShare }

  public var json: JSONValue {
    func counts(_ counts: [String: Int]) -> JSONValue {
      var object = JSONObject()
      for (key, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
        object.append(key, .number(String(count)))
      }
      return .object(object)
    }
    func number(_ value: Int) -> JSONValue { .number(String(value)) }
    var object: JSONObject = [
      "id": .string(String(upload.rawValue)), "state": .string(state.rawValue), "rows": number(rows),
      "created": number(created), "updated": number(updated), "unchanged": number(unchanged), "merged": number(merged),
      "rejected": number(rejected), "suspect": number(suspect), "added_to_audience": number(added),
      "rejected_by_reason": counts(rejectedByReason), "countries": counts(countries), "phone_types": counts(kinds),
      "fixed": counts(fixes), "consented": number(consented), "unreadable_consents": number(unreadableConsents),
      "foreign": number(foreign), "rejects_kept": number(rejectsKept),
    ]
    if let recorded { object.append("recorded", number(recorded)) }
    if let encoding { object.append("encoding", .string(encoding.rawValue)) }
    if let delimiter { object.append("delimiter", .string(String(UnicodeScalar(delimiter)))) }
    if asksAboutForeign {
      object.append(
        "question",
        [
          "code": "foreign_numbers",
          "text": "Many numbers are not of the default region. Is it the right one? Check before you send.",
        ])
    }
    if let stopped {
      object.append(
        "stopped",
        [
          "line": .number(String(stopped.line)), "code": .string(stopped.problem.code),
          "title": .string(stopped.problem.title), "remedy": .string(stopped.problem.remedy ?? ""),
        ])
    }
    return .object(object)
  }
}
