/// What a caller can do about a statement that gave no rows. Safe to show and to log: it holds no parameter value, no
/// SQL and no server text that quotes data.
public enum DatabaseError: Error, Equatable, Sendable {
  /// The server was not reached in time. Nothing ran; retrying is safe.
  case unreachable(detail: String)
  /// The link broke while the statement was under way. It may or may not have committed.
  case interrupted
  /// PostgreSQL said no. Nothing changed.
  case rejected(SQLState, detail: String)
  /// The caller's task was cancelled before the statement took effect. Nothing changed.
  case cancelled
}

extension DatabaseError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreachable(let detail): "database unreachable: \(detail)"
    case .interrupted: "database link interrupted: the statement may or may not have committed"
    case .rejected(let state, let detail): "database rejected the statement: \(state.code) \(detail)"
    case .cancelled: "database statement cancelled"
    }
  }
}

/// A five-letter condition code of PostgreSQL's manual, appendix A.
public struct SQLState: Hashable, Sendable, CustomStringConvertible {
  public let code: String

  public init(_ code: String) { self.code = code }

  public var description: String { code }

  public static let uniqueViolation = SQLState("23505")
  public static let notNullViolation = SQLState("23502")
  public static let foreignKeyViolation = SQLState("23503")
  public static let checkViolation = SQLState("23514")
  public static let exclusionViolation = SQLState("23P01")
  public static let queryCanceled = SQLState("57014")
  public static let serializationFailure = SQLState("40001")
  public static let deadlockDetected = SQLState("40P01")
  public static let lockNotAvailable = SQLState("55P03")
  public static let undefinedTable = SQLState("42P01")
  public static let undefinedColumn = SQLState("42703")
  public static let undefinedFunction = SQLState("42883")
  public static let duplicateTable = SQLState("42P07")
  public static let duplicateDatabase = SQLState("42P04")
  public static let syntaxError = SQLState("42601")
  public static let datatypeMismatch = SQLState("42804")
  public static let insufficientPrivilege = SQLState("42501")
  public static let numericValueOutOfRange = SQLState("22003")
  public static let invalidTextRepresentation = SQLState("22P02")
  public static let badCopyFormat = SQLState("22P04")
  public static let inFailedTransaction = SQLState("25P02")
  public static let readOnlyTransaction = SQLState("25006")
  public static let undefinedPreparedStatement = SQLState("26000")
  public static let featureNotSupported = SQLState("0A000")
  public static let raisedException = SQLState("P0001")
  public static let diskFull = SQLState("53100")

  /// The server is going away or refuses sessions: the link ends with this answer, so the statement's fate is open.
  var endsTheLink: Bool { code.hasPrefix("08") || code.hasPrefix("57P") }

  /// Classes whose primary message names objects, tokens of our SQL or settings, but never a value of a row.
  var messageIsSafe: Bool {
    switch code.prefix(2) {
    case "0A", "25", "26", "3D", "3F", "40", "53", "54", "55", "57": true
    // Of class 42 only what speaks of names and types; 42P05 and the like are added when needed.
    case "42":
      [
        "42601", "42501", "42P01", "42703", "42883", "42704", "42P02", "42702", "42725", "42P10", "42804", "42P18",
        "42P07",
        "42701", "42710", "42723", "42803", "42P04", "42P06", "42P16", "42830", "42P08", "42846", "42809",
      ].contains(code)
    default: false
    }
  }
}
