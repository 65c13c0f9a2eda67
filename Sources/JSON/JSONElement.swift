import CSimdjson

/// One value inside a document lent by `JSONReader`. Using it after the reader's closure has returned is an error that
/// nothing detects.
public struct JSONElement {
  public enum Kind: Sendable { case null, bool, number, string, array, object }

  let raw: csj_element

  init(_ raw: csj_element) { self.raw = raw }

  public var kind: Kind {
    switch csj_kind_of(raw) {
    case csj_bool: .bool
    case csj_int64, csj_uint64, csj_double: .number
    case csj_string: .string
    case csj_array: .array
    case csj_object: .object
    default: .null
    }
  }

  public var isNull: Bool { csj_kind_of(raw) == csj_null }

  /// Nil when this is no object or has no such field. Walks the fields: for objects of a few dozen.
  public subscript(_ key: StaticString) -> JSONElement? {
    precondition(key.hasPointerRepresentation, "a field name of more than one character is expected")
    var found = csj_element()
    let length = key.utf8CodeUnitCount
    return key.utf8Start.withMemoryRebound(to: CChar.self, capacity: length) { csj_field(raw, $0, length, &found) }
      ? JSONElement(found) : nil
  }

  /// The same for a name that is only known at run time.
  public subscript(named key: String) -> JSONElement? {
    var key = key
    var found = csj_element()
    let exists = key.withUTF8 { name in
      name.withMemoryRebound(to: CChar.self) { csj_field(raw, $0.baseAddress, $0.count, &found) }
    }
    return exists ? JSONElement(found) : nil
  }

  /// A copy of the text; nil when this is no string. So are the others for other kinds.
  public var string: String? { withUTF8 { String(decoding: $0, as: UTF8.self) } }

  /// Nil also for numbers with a fraction or beyond 64 bits.
  public var int64: Int64? {
    var value: Int64 = 0
    return csj_get_int64(raw, &value) ? value : nil
  }

  public var bool: Bool? {
    var value = false
    return csj_get_bool(raw, &value) ? value : nil
  }

  /// A number as a double: for measures, never for money.
  public var double: Double? {
    var value = 0.0
    return csj_get_double(raw, &value) ? value : nil
  }

  /// Lends a string's UTF-8 without copying it; the bytes may hold NUL. Nil when this is no string.
  public func withUTF8<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
    var bytes: UnsafePointer<CChar>?
    var length = 0
    guard csj_get_string(raw, &bytes, &length) else { return nil }
    return try UnsafeRawBufferPointer(start: bytes, count: length).withMemoryRebound(to: UInt8.self, body)
  }

  /// Whether this is exactly that string, compared byte by byte.
  public func equals(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { expected in
      withUTF8 { $0.elementsEqual(expected) } ?? false
    }
  }

  /// Calls `body` for each member of an array, in order; anything else has none.
  public func forEach(_ body: (JSONElement) throws -> Void) rethrows {
    var cursor = csj_cursor()
    guard csj_kind_of(raw) == csj_array, csj_children(raw, &cursor) else { return }
    var element = csj_element()
    while csj_next(&cursor, &element) { try body(JSONElement(element)) }
  }

  /// Calls `body` for each field of an object, in order; anything else has none.
  public func forEachField(_ body: (_ key: String, JSONElement) throws -> Void) rethrows {
    var cursor = csj_cursor()
    guard csj_kind_of(raw) == csj_object, csj_children(raw, &cursor) else { return }
    var key: UnsafePointer<CChar>?
    var length = 0
    var element = csj_element()
    while csj_next_field(&cursor, &key, &length, &element) {
      let name = String(decoding: UnsafeRawBufferPointer(start: key, count: length), as: UTF8.self)
      try body(name, JSONElement(element))
    }
  }

  /// A value of one's own that outlives the closure. Numbers are spelled anew: simdjson does not keep their text.
  public func copied() -> JSONValue {
    switch csj_kind_of(raw) {
    case csj_bool: return .bool(bool ?? false)
    case csj_int64: return .number(String(int64 ?? 0))
    case csj_uint64:
      var value: UInt64 = 0
      return csj_get_uint64(raw, &value) ? .number(String(value)) : .null
    case csj_double: return .number(JSONNumber.text(double ?? 0))
    case csj_string: return .string(string ?? "")
    case csj_array:
      var members: [JSONValue] = []
      forEach { members.append($0.copied()) }
      return .array(members)
    case csj_object:
      var object = JSONObject()
      forEachField { object.append($0, $1.copied()) }
      return .object(object)
    default: return .null
    }
  }
}
