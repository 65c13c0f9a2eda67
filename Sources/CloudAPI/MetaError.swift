import Domain
import JSON

/// An error object of the Graph API, from an answer or from a webhook. What to make of it stands in `ErrorTable`.
///
/// Meta's own words may quote a phone number: they are kept for the record of the message, never shown by
/// `description`.
public struct MetaError: Error, Hashable, Sendable, CustomStringConvertible {
  public let code: Int
  /// Deprecated by Meta; kept for support tickets only.
  public let subcode: Int?
  /// At most 500 characters.
  public let details: String?
  /// What Meta's support asks for.
  public let traceID: String?
  /// The status of the answer it came in; nil from a webhook.
  public let httpStatus: Int?

  public init(code: Int, subcode: Int? = nil, details: String? = nil, traceID: String? = nil, httpStatus: Int? = nil) {
    (self.code, self.subcode, self.traceID, self.httpStatus) = (code, subcode, traceID, httpStatus)
    self.details = details.map { String($0.prefix(500)) }
  }

  /// Reads an error object of either form. Nil without a numeric code.
  init?(_ element: JSONElement, httpStatus: Int? = nil) {
    guard let code = element["code"]?.tolerantInt64 else { return nil }
    let details = element["error_data"]?["details"]?.string ?? element["message"]?.string ?? element["title"]?.string
    self.init(
      code: Int(code), subcode: element["error_subcode"]?.tolerantInt64.map(Int.init), details: details,
      traceID: element["fbtrace_id"]?.string, httpStatus: httpStatus)
  }

  /// What is known about the code; the range's words or a general one when Meta documents none.
  public var entry: ErrorEntry { ErrorTable.entry(code, httpStatus: httpStatus) }

  public var description: String { "Meta's error \(code)" }
}

extension JSONElement {
  /// A whole number, also when it is spelled as a string: Meta does both for the same field.
  var tolerantInt64: Int64? { int64 ?? withUTF8 { Int64(Substring(decoding: $0, as: UTF8.self)) } ?? nil }

  /// The text of a string, or the digits of a whole number.
  var tolerantString: String? { string ?? int64.map { String($0) } }

  /// Seconds since 1970, as a number or a string; nil outside the years 2001 to 2286.
  var timestamp: Instant? {
    guard let seconds = tolerantInt64, seconds > 1_000_000_000, seconds < 10_000_000_000 else { return nil }
    return Instant(seconds: seconds)
  }
}

/// What a code asks for. Stored: never renumber.
public enum ErrorClass: Int16, Word {
  /// Meta's own trouble, before acceptance or in doubt (`ErrorEntry.accepted` says which).
  case transient = 1
  /// Slows one number down.
  case throttleNumber = 2
  /// Slows everything of one app or account down.
  case throttleAccount = 3
  /// One number to one person too fast.
  case throttlePair = 4
  /// This person gets no marketing for a while.
  case holdPerson = 5
  case pauseNumber = 6
  case pauseAccount = 7
  case pauseTemplate = 8
  /// What we sent is wrong; sending it again changes nothing.
  case request = 9
  /// This person can't be reached; nobody else is concerned.
  case recipient = 10
  /// This person stopped marketing.
  case optedOut = 11
  case authorization = 12
  case billing = 13
  /// Belongs to management calls, not to sending.
  case operations = 14
  /// A code we don't know.
  case unclassified = 15
  /// Meta works on this number for a moment; nobody needs to act.
  case restNumber = 16

  public var word: String {
    switch self {
    case .throttleNumber: "throttle_number"
    case .throttleAccount: "throttle_account"
    case .throttlePair: "throttle_pair"
    case .holdPerson: "hold_person"
    case .pauseNumber: "pause_number"
    case .pauseAccount: "pause_account"
    case .pauseTemplate: "pause_template"
    case .optedOut: "opted_out"
    case .restNumber: "rest_number"
    default: "\(self)"
    }
  }
}

/// Whether a synchronous error may stand for a message that Meta took all the same.
public enum Accepted: Sendable, Hashable {
  /// Documented to be refused before acceptance: sending again can't double.
  case no
  /// In doubt: settled by a receipt, never by a resend.
  case maybe
}

/// One line of the error table.
public struct ErrorEntry: Sendable, Hashable {
  public let codes: ClosedRange<Int>
  public let errorClass: ErrorClass
  public let accepted: Accepted
  /// Who must act; nil when nobody needs to.
  public let actor: Role?
  /// The least time before the same can work again, where Meta states one.
  public let wait: Duration?
  public let english: String
  public let arabic: String

  public func text(_ language: String) -> String { language == "ar" ? arabic : english }
}
