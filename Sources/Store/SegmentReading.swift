import Domain
import JSON

/// The form of a segment in a request:
///
///     {"city": "القاهرة", "age": {"gte": 18, "lt": 65}}
///     {"or": [{"country": {"in": ["SA", "AE"]}}, {"not": {"last_outcome": "read"}}]}
extension Segment {
  /// An empty object is no segment: nil.
  public static func read(_ json: JSONValue, at path: String) throws(Problem) -> Segment? {
    var reader = SegmentReader()
    if case .object(let object) = json, object.fields.isEmpty { return nil }
    return try reader.segment(json, at: path, depth: 1)
  }

  public var json: JSONValue {
    switch self {
    case .object(let members):
      var object = JSONObject()
      for member in members {
        guard case .object(let part) = member.json else { preconditionFailure("a segment is an object") }
        for field in part.fields { object.append(field.key, field.value) }
      }
      return .object(object)
    case .and(let members): return ["and": .array(members.map(\.json))]
    case .or(let members): return ["or": .array(members.map(\.json))]
    case .not(let member): return ["not": member.json]
    case .attributes(let tests):
      var object = JSONObject()
      for test in tests { object.append(test.field.name, test.json) }
      return ["attribute": .object(object)]
    case .test(let test):
      var object = JSONObject()
      object.append(test.field.name, test.json)
      return .object(object)
    }
  }
}

extension Segment.Test {
  fileprivate var json: JSONValue {
    if comparisons.count == 1, case .equals(let operand) = comparisons[0] { return operand.json }
    var object = JSONObject()
    for comparison in comparisons {
      switch comparison {
      case .equals(let operand): object.append("is", operand.json)
      case .differs(let operand): object.append("not", operand.json)
      case .oneOf(let operands): object.append("in", .array(operands.map(\.json)))
      case .prefix(let text): object.append("prefix", .string(text))
      case .exists(let wanted): object.append("exists", .bool(wanted))
      case .ordered(let order, let operand): object.append(order.rawValue, operand.json)
      }
    }
    return .object(object)
  }
}

extension Segment.Operand {
  fileprivate var json: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .number(let text): .number(text)
    case .date(let day): .string(day.description)
    }
  }
}

/// Reads one segment, counting what its bounds count.
private struct SegmentReader {
  private var tests = 0
  private static let operators = ["is", "not", "in", "prefix", "exists"] + Segment.Order.allCases.map(\.rawValue)

  mutating func segment(_ json: JSONValue, at path: String, depth: Int) throws(Problem) -> Segment {
    guard depth <= Segment.Limits.depth else {
      throw .invalid(
        path, "Conditions stand more than \(Segment.Limits.depth) deep here.",
        remedy: "Write them flatter, or save a list.")
    }
    guard case .object(let object) = json, !object.fields.isEmpty else {
      throw .invalid(
        path, "Here an object with a condition is expected.", remedy: "Write e.g. {\"city\": \"القاهرة\"}.")
    }
    var members: [Segment] = []
    for field in object.fields { members.append(try member(field.key, field.value, at: path, depth: depth)) }
    return members.count == 1 ? members[0] : .object(members)
  }

  private mutating func member(_ name: String, _ value: JSONValue, at path: String, depth: Int) throws(Problem)
    -> Segment
  {
    let place = path + "." + name
    switch name {
    case "and", "or":
      guard let list = value.arrayValue, !list.isEmpty else {
        throw .invalid(place, "Here a list of conditions is expected.", remedy: "Write [{…}, {…}].")
      }
      var members: [Segment] = []
      for (index, member) in list.enumerated() {
        members.append(try segment(member, at: "\(place)[\(index)]", depth: depth + 1))
      }
      return name == "and" ? .and(members) : .or(members)
    case "not": return .not(try segment(value, at: place, depth: depth + 1))
    case "attribute":
      guard case .object(let object) = value, !object.fields.isEmpty else {
        throw .invalid(
          place, "Here an object of attributes is expected.",
          remedy: "Write {\"attribute\": {\"city\": \"…\"}}; most attributes need no \"attribute\" around them.")
      }
      var tests: [Segment.Test] = []
      for field in object.fields {
        tests.append(
          try test(.attribute(try attribute(field.key, at: place)), field.value, at: "\(place).\(field.key)"))
      }
      return .attributes(tests)
    default:
      if let field = Segment.Field.words[name] { return .test(try test(field, value, at: place)) }
      return .test(try test(.attribute(try attribute(name, at: path)), value, at: place))
    }
  }

  private func attribute(_ name: String, at path: String) throws(Problem) -> String {
    guard !name.isEmpty, name.count <= 100, !name.unicodeScalars.contains(where: { $0.value == 0 }) else {
      throw .invalid(path, "This is no name of an attribute.", remedy: "Write from 1 to 100 characters.")
    }
    return name
  }

  // MARK: Tests

  private mutating func test(_ field: Segment.Field, _ value: JSONValue, at path: String) throws(Problem)
    -> Segment.Test
  {
    tests += 1
    guard tests <= Segment.Limits.tests else {
      throw .invalid(
        path, "There are more than \(Segment.Limits.tests) conditions.",
        remedy: "Put values of one attribute into {\"in\": […]}, or load the people as an audience of their own.")
    }
    guard case .object(let object) = value else {
      return Segment.Test(field, [.equals(try operand(value, of: field, at: path))])
    }
    guard !object.fields.isEmpty else {
      throw .invalid(path, "Here a comparison is expected.", remedy: SegmentReader.remedy(field))
    }
    var comparisons: [Segment.Comparison] = []
    for member in object.fields {
      comparisons.append(try comparison(member.key, member.value, of: field, at: "\(path).\(member.key)"))
    }
    return Segment.Test(field, comparisons)
  }

  private func comparison(_ name: String, _ value: JSONValue, of field: Segment.Field, at path: String)
    throws(Problem) -> Segment.Comparison
  {
    guard SegmentReader.operators.contains(name) else {
      throw .unknownField(
        path, nearest: NearestWord.to(name, among: SegmentReader.operators), known: SegmentReader.operators)
    }
    let allowed: Bool =
      switch field {
      case .attribute: true
      case .audience, .country, .lastOutcome: ["is", "not", "in"].contains(name)
      case .language: ["is", "not", "in", "exists"].contains(name)
      case .daysSinceMessage: name == "exists" || Segment.Order(rawValue: name) != nil
      }
    guard allowed else {
      throw .invalid(path, "\(field.name) has no such comparison.", remedy: SegmentReader.remedy(field))
    }
    switch name {
    case "is": return .equals(try operand(value, of: field, at: path))
    case "not": return .differs(try operand(value, of: field, at: path))
    case "in":
      guard let list = value.arrayValue, (1...Segment.Limits.values).contains(list.count) else {
        throw .invalid(
          path, "Here a list of 1 to \(Segment.Limits.values) values is expected.",
          remedy: "Write [\"…\", \"…\"]; load longer lists as an audience and write {\"audience\": \"ID\"}.")
      }
      var operands: [Segment.Operand] = []
      for (index, member) in list.enumerated() {
        operands.append(try operand(member, of: field, at: "\(path)[\(index)]"))
      }
      return .oneOf(operands)
    case "prefix":
      guard case .text(let text) = try operand(value, of: field, at: path) else {
        throw .invalid(path, "A prefix is a text.", remedy: "Write it in quotation marks.")
      }
      return .prefix(text)
    case "exists":
      guard let wanted = value.boolValue else {
        throw .invalid(path, "Here true or false is expected.", remedy: "Write true or false, without quotation marks.")
      }
      return .exists(wanted)
    default:
      guard let order = Segment.Order(rawValue: name) else { preconditionFailure("\(name) is an order") }
      return .ordered(order, try bound(value, of: field, at: path))
    }
  }

  /// What comes before and after: a number, or a day.
  private func bound(_ value: JSONValue, of field: Segment.Field, at path: String) throws(Problem) -> Segment.Operand {
    if field == .daysSinceMessage {
      guard let days = value.int64Value, (0...3650).contains(days) else {
        throw .invalid(path, "Here a number of days is expected.", remedy: "Write a whole number from 0 to 3650.")
      }
      return .number(String(days))
    }
    switch value {
    case .number: return try operand(value, of: field, at: path)
    case .string(let text):
      if let day = CivilDate(text) { return .date(day) }
      fallthrough
    default:
      throw .invalid(
        path, "Only numbers and days come before or after each other.",
        remedy: "Write a number without quotation marks, or a day as \"2026-11-26\".")
    }
  }

  private func operand(_ value: JSONValue, of field: Segment.Field, at path: String) throws(Problem)
    -> Segment.Operand
  {
    switch (field, value) {
    case (.attribute, .string(let text)):
      // Not trimmed and not refused when empty: an attribute may be.
      guard text.count <= Segment.Limits.text, !text.unicodeScalars.contains(where: { $0.value == 0 }) else {
        throw .invalid(
          path, "The text can't be compared.", remedy: "At most \(Segment.Limits.text) characters, none of them NUL.")
      }
      return .text(text)
    case (.attribute, .number(let text)):
      guard text.utf8.count <= 30, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E })
      else {
        throw .invalid(path, "This number can't be compared.", remedy: "Write at most 30 digits, without an exponent.")
      }
      return .number(text)
    case (.audience, _):
      let id: Audience.ID = try Fields.identifier(value, at: path)
      return .text(id.description)
    case (.country, .string(let text)) where SegmentReader.isLetters(text, 2...2): return .text(text.uppercased())
    case (.language, .string(let text)):
      let parts = text.split(whereSeparator: { $0 == "-" || $0 == "_" }).map(String.init)
      guard (1...2).contains(parts.count), SegmentReader.isLetters(parts[0], 2...3),
        parts.count == 1 || SegmentReader.isLetters(parts[1], 2...4)
      else { break }
      return .text(text.lowercased().replacing("_", with: "-"))
    case (.lastOutcome, .string(let text)) where Segment.LastOutcome(rawValue: text) != nil: return .text(text)
    default: break
    }
    throw .invalid(path, "\(field.name) is not compared with this.", remedy: SegmentReader.remedy(field))
  }

  private static func isLetters(_ text: String, _ count: ClosedRange<Int>) -> Bool {
    count.contains(text.utf8.count) && text.utf8.allSatisfy { (0x41...0x5A).contains($0 & 0xDF) }
  }

  private static func remedy(_ field: Segment.Field) -> String {
    switch field {
    case .attribute:
      "Write a text, a number, or {\"in\": […]}, {\"prefix\": \"…\"}, {\"exists\": true}, {\"gte\": 18}, {\"not\": \"…\"}."
    case .audience: "Write an audience's id, or {\"in\": [ids]}."
    case .country: "Write a country's two letters, e.g. \"EG\", or {\"in\": [\"SA\", \"AE\"]}."
    case .language: "Write a language's letters, e.g. \"ar\", or {\"in\": [\"ar\", \"en\"]}."
    case .lastOutcome:
      "Write one of \(Segment.LastOutcome.allCases.map(\.rawValue).joined(separator: ", ")), or {\"in\": […]}."
    case .daysSinceMessage: "Write e.g. {\"gte\": 7}, or {\"exists\": false} for who was never written to."
    }
  }
}
