import Domain

/// A parameter. It travels in binary under its own type, so the server casts it to the column's type as it would cast a
/// typed literal: an `int8` fits a `smallint` column, a `text` needs `::inet` for an `inet` one.
///
/// Instants are cut to microseconds, which is PostgreSQL's grain.
public enum Value: Sendable {
  case int8(Int64)
  case int4(Int32)
  case int2(Int16)
  case bool(Bool)
  case text(String)
  case bytea([UInt8])
  case uuid(PersonKey)
  case timestamptz(Instant)
  case date(CivilDate)
  case numeric(Amount)
  /// The bytes of a JSON text.
  case jsonb([UInt8])
  case int8s([Int64])
  case int4s([Int32])
  case int2s([Int16])
  case bools([Bool])
  case texts([String])
  case byteas([[UInt8]])
  case uuids([PersonKey])
  case timestamps([Instant])
  case dates([CivilDate])
  case numerics([Amount])
  case jsonbs([[UInt8]])
  case optionalInt8s([Int64?])
  case optionalInt4s([Int32?])
  case optionalInt2s([Int16?])
  case optionalTexts([String?])
  case optionalUUIDs([PersonKey?])
  case optionalTimestamps([Instant?])
  case optionalDates([CivilDate?])
  case optionalNumerics([Amount?])
  /// `text[][]`; all rows must have the same length.
  case textMatrix([[String?]])
  /// SQL null of whatever type the place asks for.
  case null

  /// The parameter's type in `pg_type`; 0 leaves it to the server.
  var type: UInt32 {
    switch self {
    case .null: 0
    case .int8: PGType.int8
    case .int4: PGType.int4
    case .int2: PGType.int2
    case .bool: PGType.bool
    case .text: PGType.text
    case .bytea: PGType.bytea
    case .uuid: PGType.uuid
    case .timestamptz: PGType.timestamptz
    case .date: PGType.date
    case .numeric: PGType.numeric
    case .jsonb: PGType.jsonb
    case .int8s, .optionalInt8s: PGType.int8s
    case .int4s, .optionalInt4s: PGType.int4s
    case .int2s, .optionalInt2s: PGType.int2s
    case .bools: PGType.bools
    case .texts, .optionalTexts, .textMatrix: PGType.texts
    case .byteas: PGType.byteas
    case .uuids, .optionalUUIDs: PGType.uuids
    case .timestamps, .optionalTimestamps: PGType.timestamptzs
    case .dates, .optionalDates: PGType.dates
    case .numerics, .optionalNumerics: PGType.numerics
    case .jsonbs: PGType.jsonbs
    }
  }
}

/// Keys of `pg_type` that are fixed for ever (src/include/catalog/pg_type.dat).
enum PGType {
  static let bool: UInt32 = 16, bytea: UInt32 = 17, char: UInt32 = 18, name: UInt32 = 19, int8: UInt32 = 20
  static let int2: UInt32 = 21, int4: UInt32 = 23, text: UInt32 = 25, json: UInt32 = 114, unknown: UInt32 = 705
  static let bpchar: UInt32 = 1042, varchar: UInt32 = 1043, date: UInt32 = 1082, timestamptz: UInt32 = 1184
  static let numeric: UInt32 = 1700, uuid: UInt32 = 2950, jsonb: UInt32 = 3802
  static let bools: UInt32 = 1000, byteas: UInt32 = 1001, int2s: UInt32 = 1005, int4s: UInt32 = 1007,
    texts: UInt32 = 1009
  static let varchars: UInt32 = 1015, int8s: UInt32 = 1016, dates: UInt32 = 1182, timestamptzs: UInt32 = 1185
  static let numerics: UInt32 = 1231, uuids: UInt32 = 2951, jsonbs: UInt32 = 3807, names: UInt32 = 1003
  /// The first key of a type that somebody created: enumerations, whose binary form is their label.
  static let firstCreated: UInt32 = 16_384
}

/// One statement with its parameters `$1`, `$2`, ….
public struct Statement: Sendable {
  public let sql: String
  public let values: [Value]

  public init(_ sql: String, _ values: [Value] = []) {
    precondition(values.count <= 65_535, "a statement takes 65535 parameters, not \(values.count)")
    (self.sql, self.values) = (sql, values)
  }
}
