import CLibPQ
import Domain

/// Owns a `PGresult`. Once libpq has handed it out nothing changes it, so any thread may read it.
final class ResultHandle: @unchecked Sendable {
  let raw: OpaquePointer
  init(adopting raw: OpaquePointer) { self.raw = raw }
  deinit { PQclear(raw) }
}

/// The answer of one statement, held in the server's binary form and read cell by cell; freed with its last copy.
public struct Rows: Sendable, RandomAccessCollection {
  let handle: ResultHandle
  public let count: Int
  /// Rows inserted, updated, deleted, copied or returned.
  public let affected: Int

  init(_ handle: ResultHandle) {
    self.handle = handle
    count = Int(PQntuples(handle.raw))
    affected = Rows.affected(handle.raw)
  }

  static func affected(_ raw: OpaquePointer) -> Int {
    // An empty text where the command counts nothing.
    PQcmdTuples(raw).flatMap { Int(String(cString: $0)) } ?? 0
  }

  /// The command as the server names it, e.g. `COMMIT`; it says ROLLBACK to a commit that could not be one.
  var command: String { String(cString: PQcmdStatus(handle.raw)) }

  public var startIndex: Int { 0 }
  public var endIndex: Int { count }
  public subscript(index: Int) -> Row {
    precondition(index >= 0 && index < count, "row \(index) of \(count)")
    return Row(handle: handle, index: Int32(index))
  }
}

/// One row. Columns are read by position, from 0. Reading a column as another type, or null as a value, is a bug of the
/// caller and stops the program with the column's name.
public struct Row: Sendable {
  let handle: ResultHandle
  let index: Int32

  public func isNull(_ column: Int) -> Bool {
    check(column)
    return PQgetisnull(handle.raw, index, Int32(column)) == 1
  }

  public func int64(_ c: Int) -> Int64 { present(optionalInt64(c), c) }
  public func int32(_ c: Int) -> Int32 { present(optionalInt32(c), c) }
  public func int16(_ c: Int) -> Int16 { present(optionalInt16(c), c) }
  public func bool(_ c: Int) -> Bool { present(optionalBool(c), c) }
  public func text(_ c: Int) -> String { present(optionalText(c), c) }
  public func bytes(_ c: Int) -> [UInt8] { present(optionalBytes(c), c) }
  public func instant(_ c: Int) -> Instant { present(optionalInstant(c), c) }
  public func date(_ c: Int) -> CivilDate { present(optionalDate(c), c) }
  public func amount(_ c: Int) -> Amount { present(optionalAmount(c), c) }
  public func personKey(_ c: Int) -> PersonKey { present(optionalPersonKey(c), c) }
  public func jsonb(_ c: Int) -> [UInt8] { present(optionalJsonb(c), c) }

  /// Also reads `int4` and `int2`.
  public func optionalInt64(_ c: Int) -> Int64? {
    cell(c) { type, bytes in
      switch type {
      case PGType.int8: Int64(Row.integer(bytes, Int64.self))
      case PGType.int4: Int64(Row.integer(bytes, Int32.self))
      case PGType.int2: Int64(Row.integer(bytes, Int16.self))
      default: mismatch(c, type, "int8")
      }
    }
  }

  /// Also reads `int2`.
  public func optionalInt32(_ c: Int) -> Int32? {
    cell(c) { type, bytes in
      switch type {
      case PGType.int4: Row.integer(bytes, Int32.self)
      case PGType.int2: Int32(Row.integer(bytes, Int16.self))
      default: mismatch(c, type, "int4")
      }
    }
  }

  public func optionalInt16(_ c: Int) -> Int16? {
    cell(c, PGType.int2, "int2") { Row.integer($0, Int16.self) }
  }

  public func optionalBool(_ c: Int) -> Bool? {
    cell(c, PGType.bool, "bool") { $0[0] != 0 }
  }

  /// Reads `text`, `varchar`, `char`, `name`, `json` and enumerations.
  public func optionalText(_ c: Int) -> String? {
    cell(c) { type, bytes in
      guard Row.isText(type) else { mismatch(c, type, "text") }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  public func optionalBytes(_ c: Int) -> [UInt8]? {
    cell(c, PGType.bytea, "bytea") { Array($0) }
  }

  /// `infinity` reads as the last instant there is.
  public func optionalInstant(_ c: Int) -> Instant? {
    cell(c, PGType.timestamptz, "timestamptz") { PGTime.instant(Row.integer($0, Int64.self)) }
  }

  public func optionalDate(_ c: Int) -> CivilDate? {
    cell(c, PGType.date, "date") { PGTime.date(Row.integer($0, Int32.self)) }
  }

  /// A numeric that needs more than an Amount's nine decimals or 29 digits, as averages may, is a bug of the caller
  /// too: round it in SQL.
  public func optionalAmount(_ c: Int) -> Amount? {
    cell(c, PGType.numeric, "numeric") { bytes in
      guard let amount = NumericWire.amount(bytes) else {
        preconditionFailure("column \(name(c)) holds a numeric that an Amount does not hold")
      }
      return amount
    }
  }

  public func optionalPersonKey(_ c: Int) -> PersonKey? {
    cell(c, PGType.uuid, "uuid") { PersonKey(bytes: $0) }
  }

  /// The JSON text's bytes; reads `json` too.
  public func optionalJsonb(_ c: Int) -> [UInt8]? {
    cell(c) { type, bytes in
      switch type {
      case PGType.json: Array(bytes)
      // The first byte is the version of the binary form.
      case PGType.jsonb: Array(bytes.dropFirst())
      default: mismatch(c, type, "jsonb")
      }
    }
  }

  static func isText(_ type: UInt32) -> Bool {
    switch type {
    case PGType.text, PGType.varchar, PGType.bpchar, PGType.name, PGType.char, PGType.json, PGType.unknown: true
    default: type >= PGType.firstCreated
    }
  }

  static func integer<I: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, _: I.Type) -> I {
    precondition(bytes.count == MemoryLayout<I>.size, "a cell of \(bytes.count) bytes")
    return I(bigEndian: bytes.loadUnaligned(as: I.self))
  }

  // MARK: Cells

  /// Lends the column's type and a cell's bytes; nil is SQL null.
  func cell<R>(_ column: Int, _ read: (UInt32, UnsafeRawBufferPointer) -> R) -> R? {
    check(column)
    return withExtendedLifetime(handle) {
      let c = Int32(column)
      if PQgetisnull(handle.raw, index, c) == 1 { return nil }
      // The bytes belong to the result and stay until PQclear.
      let bytes = UnsafeRawBufferPointer(
        start: PQgetvalue(handle.raw, index, c), count: Int(PQgetlength(handle.raw, index, c)))
      return read(PQftype(handle.raw, c), bytes)
    }
  }

  private func cell<R>(_ column: Int, _ type: UInt32, _ wanted: StaticString, _ read: (UnsafeRawBufferPointer) -> R)
    -> R?
  {
    cell(column) { actual, bytes in
      guard actual == type else { mismatch(column, actual, wanted) }
      return read(bytes)
    }
  }

  func present<T>(_ value: T?, _ column: Int) -> T {
    guard let value else { preconditionFailure("column \(name(column)) is null") }
    return value
  }

  func mismatch(_ column: Int, _ type: UInt32, _ wanted: StaticString) -> Never {
    preconditionFailure("column \(name(column)) has the type \(type), read as \(wanted)")
  }

  func name(_ column: Int) -> String {
    "\(column) (\(PQfname(handle.raw, Int32(column)).map { String(cString: $0) } ?? "?"))"
  }

  private func check(_ column: Int) {
    let columns = Int(PQnfields(handle.raw))
    precondition(column >= 0 && column < columns, "column \(column) of \(columns)")
  }
}
