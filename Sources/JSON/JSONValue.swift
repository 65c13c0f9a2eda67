import CSimdjson

/// A JSON document as a value of one's own. For bodies of requests and settings; the hot paths use `JSONReader`.
///
/// Numbers keep their text, so that nothing is lost before the reader decides what they are. Objects keep their order,
/// and `==` sees it.
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  /// The text as it was written, valid by RFC 8259.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Parses one JSON value in valid UTF-8.
  ///
  /// Refused: more than `sizeLimit` bytes, more than `depthLimit` arrays and objects open at once, a name twice in one
  /// object (names that Unicode holds for equal count as the same), surrogates without partner, integers beyond 64
  /// bits.
  public init(
    parsing bytes: [UInt8], sizeLimit: Int = JSONReader.defaultSizeLimit, depthLimit: Int = JSONReader.defaultDepthLimit
  ) throws(JSONError) {
    self = try JSONReader(sizeLimit: sizeLimit, depthLimit: depthLimit).value(of: bytes)
  }

  fileprivate static func build(_ element: JSONElement, _ numbers: inout JSONNumberTokens) throws(JSONError)
    -> JSONValue
  {
    switch element.kind {
    case .number: return .number(numbers.next())
    case .array:
      var members: [JSONValue] = []
      var cursor = csj_cursor()
      var child = csj_element()
      _ = csj_children(element.raw, &cursor)
      while csj_next(&cursor, &child) { members.append(try build(JSONElement(child), &numbers)) }
      return .array(members)
    case .object:
      var object = JSONObject()
      var names: Set<String> = []
      var cursor = csj_cursor()
      var key: UnsafePointer<CChar>?
      var length = 0
      var child = csj_element()
      _ = csj_children(element.raw, &cursor)
      while csj_next_field(&cursor, &key, &length, &child) {
        let name = String(decoding: UnsafeRawBufferPointer(start: key, count: length), as: UTF8.self)
        guard names.insert(name).inserted else { throw JSONError(reason: "an object has the same name twice") }
        object.append(name, try build(JSONElement(child), &numbers))
      }
      return .object(object)
    case .null, .bool, .string: return element.copied()
    }
  }

  /// Nil when this is no object or has no such name.
  public subscript(_ key: String) -> JSONValue? {
    guard case .object(let object) = self else { return nil }
    return object[key]
  }

  public var isNull: Bool { self == .null }

  public var stringValue: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  /// A number written as a whole one; `1.0` is none.
  public var int64Value: Int64? {
    guard case .number(let text) = self else { return nil }
    return Int64(text)
  }

  /// For measures and shares, never for money.
  public var doubleValue: Double? {
    guard case .number(let text) = self else { return nil }
    return Double(text)
  }

  public var boolValue: Bool? {
    guard case .bool(let value) = self else { return nil }
    return value
  }

  public var arrayValue: [JSONValue]? {
    guard case .array(let members) = self else { return nil }
    return members
  }

  public var objectValue: [(String, JSONValue)]? {
    guard case .object(let object) = self else { return nil }
    return object.fields.map { ($0.key, $0.value) }
  }

  /// Compact UTF-8.
  public func rendered() -> [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }
}

extension JSONReader {
  /// As `JSONValue(parsing:)`, with this reader's buffers and limits: for many small documents, one after the other.
  public func value(of bytes: [UInt8]) throws(JSONError) -> JSONValue {
    let result: Result<JSONValue, JSONError> = bytes.withUnsafeBufferPointer { buffer in
      parse(buffer).flatMap { root in
        var numbers = JSONNumberTokens(buffer)
        do throws(JSONError) {
          return .success(try JSONValue.build(root, &numbers))
        } catch {
          return .failure(error)
        }
      }
    }
    return try result.get()
  }
}

/// The fields of an object in their order.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  public struct Field: Sendable, Equatable {
    public let key: String
    public let value: JSONValue
  }

  public private(set) var fields: [Field] = []

  public init() {}
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    for (key, value) in elements { append(key, value) }
  }

  /// Adds a field at the end; the caller sees to it that names differ.
  public mutating func append(_ key: String, _ value: JSONValue) { fields.append(Field(key: key, value: value)) }

  /// The first field of that name. Setting replaces it in its place or appends; nil removes.
  public subscript(_ key: String) -> JSONValue? {
    get { fields.first { $0.key == key }?.value }
    set {
      let place = fields.firstIndex { $0.key == key }
      switch (place, newValue) {
      case (let place?, let value?): fields[place] = Field(key: key, value: value)
      case (nil, let value?): append(key, value)
      case (let place?, nil): fields.remove(at: place)
      case (nil, nil): break
      }
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .number(String(value)) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(nilLiteral: ()) { self = .null }
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object.append(key, value) }
    self = .object(object)
  }
}
