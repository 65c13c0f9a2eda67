import Domain
import JSON

/// Reads one object of a request and says, for whatever is wrong with it, which field and what to write instead.
///
/// A field that is `null` counts as absent. Names that are not known are refused with the nearest one that is: a
/// misspelled `end_at` that is silently ignored would send for ever.
public struct Fields {
  /// Where the object stands in the request; empty for the request itself.
  public let path: String
  private let object: JSONObject

  /// Names in `later` are known to be planned; they are refused in those words.
  public init(_ json: JSONValue, at path: String = "", known: [String], later: [String] = []) throws(Problem) {
    guard case .object(let object) = json else {
      throw .invalid(
        path.isEmpty ? nil : path, "Here an object is expected.",
        remedy: "Write {…} with \(known.joined(separator: ", ")).")
    }
    (self.path, self.object) = (path, object)
    for field in object.fields where !known.contains(field.key) {
      if later.contains(field.key) { throw .notSupported(self.path(to: field.key)) }
      throw .unknownField(self.path(to: field.key), nearest: NearestWord.to(field.key, among: known), known: known)
    }
  }

  public func path(to name: String) -> String { path.isEmpty ? name : path + "." + name }

  public subscript(_ name: String) -> JSONValue? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  public func required(_ name: String, _ remedy: String) throws(Problem) -> JSONValue {
    guard let value = self[name] else { throw .missing(path(to: name), remedy: remedy) }
    return value
  }

  /// A text without blanks at its ends, not empty, of at most `limit` characters; nil when absent.
  public func text(_ name: String, limit: Int = 200) throws(Problem) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.stringValue else {
      throw .invalid(path(to: name), "Here a text is expected.", remedy: "Write it in quotation marks.")
    }
    return try Fields.checked(text, at: path(to: name), limit: limit)
  }

  public func requiredText(_ name: String, limit: Int = 200, remedy: String) throws(Problem) -> String {
    guard let text = try text(name, limit: limit) else { throw .missing(path(to: name), remedy: remedy) }
    return text
  }

  public static func checked(_ text: String, at path: String, limit: Int) throws(Problem) -> String {
    let blanks: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
    var rest = Substring(text)
    while let first = rest.first, blanks.contains(first) { rest.removeFirst() }
    while let last = rest.last, blanks.contains(last) { rest.removeLast() }
    guard !rest.isEmpty else { throw .invalid(path, "The text is empty.", remedy: "Write it, or leave the field out.") }
    guard rest.count <= limit else {
      throw .invalid(path, "The text has \(rest.count) characters.", remedy: "At most \(limit) are allowed.")
    }
    guard !rest.unicodeScalars.contains(where: { $0.value == 0 }) else {
      throw .invalid(path, "The text holds a NUL character.", remedy: "Remove it.")
    }
    return String(rest)
  }

  public func flag(_ name: String) throws(Problem) -> Bool? {
    guard let value = self[name] else { return nil }
    guard let flag = value.boolValue else {
      throw .invalid(
        path(to: name), "Here true or false is expected.", remedy: "Write true or false, without quotation marks.")
    }
    return flag
  }

  /// A whole number within `range`; nil when absent.
  public func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
    guard let value = self[name] else { return nil }
    guard let number = value.int64Value, range.contains(number) else {
      throw .invalid(
        path(to: name), "Here a whole number is expected.",
        remedy: "Write a number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A time with its offset; nil when absent.
  public func instant(_ name: String) throws(Problem) -> Instant? {
    guard let text = try text(name, limit: 40) else { return nil }
    guard let instant = Instant(rfc3339: text) else {
      throw .invalid(
        path(to: name), "This is not a time that we can read.",
        remedy: "Write RFC 3339 with an offset, e.g. 2027-02-09T20:30:00+02:00.")
    }
    return instant
  }

  /// One of the words of a closed list; nil when absent.
  public func word<W: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: W.Type) throws(Problem) -> W? {
    guard let text = try text(name, limit: 40) else { return nil }
    guard let word = W(rawValue: text) else {
      throw .invalid(
        path(to: name), "This word is not known here.",
        remedy: "Write one of: \(W.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    return word
  }

  /// A row's key as the API writes it: a text of digits; a plain number is accepted too.
  public static func identifier<Thing>(_ value: JSONValue, at path: String) throws(Problem) -> Identifier<Thing> {
    guard let raw = value.int64Value ?? value.stringValue.flatMap({ Int64($0) }), raw > 0 else {
      throw .invalid(path, "This is not an id.", remedy: "Write the id as the API gave it, e.g. \"12\".")
    }
    return Identifier(raw)
  }
}

extension Problem {
  public static func missing(_ field: String, remedy: String) -> Problem {
    Problem(422, "field_missing", "A field is missing.", detail: "\(field) is required.", field: field, remedy: remedy)
  }

  public static func invalid(_ field: String?, _ detail: String, remedy: String) -> Problem {
    Problem(422, "field_invalid", "A field cannot be used as it is.", detail: detail, field: field, remedy: remedy)
  }

  public static func notSupported(_ field: String) -> Problem {
    Problem(
      422, "not_supported", "This is not supported yet.", detail: "\(field) is not supported yet.", field: field,
      remedy: "not supported yet; leave it out")
  }

  public static func unknownField(_ field: String, nearest: String?, known: [String]) -> Problem {
    Problem(
      422, "field_unknown", "A field is not known.", detail: "\(field) is not a field of this request.", field: field,
      remedy: nearest.map { "Did you mean \"\($0)\"?" } ?? "Known here: \(known.joined(separator: ", ")).")
  }
}
