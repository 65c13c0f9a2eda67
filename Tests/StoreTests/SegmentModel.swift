import Consent
import Crypto
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Simulation

@testable import Store

/// Segments once more, as dumbly as possible: over one person at a time, from the JSON, without SQL.
enum SegmentModel {
  struct Person {
    var attributes: [(String, String)]
    var country: String
    /// Among the audiences 1 to 3.
    var audiences: Set<Int64>
    /// Days since the last message and what became of it.
    var last: (days: Int, outcome: String)?

    func meets(_ json: JSONValue, now: Instant) -> Bool {
      (json.objectValue ?? []).allSatisfy { name, value in
        switch name {
        case "and": value.arrayValue!.allSatisfy { meets($0, now: now) }
        case "or": value.arrayValue!.contains { meets($0, now: now) }
        case "not": !meets(value, now: now)
        case "attribute": value.objectValue!.allSatisfy { meets($0, $1, isEscaped: true) }
        default: meets(name, value, isEscaped: false)
        }
      }
    }

    private func meets(_ name: String, _ test: JSONValue, isEscaped: Bool) -> Bool {
      guard let parts = test.objectValue else { return equals(name, test, isEscaped) }
      return parts.allSatisfy { word, operand in
        switch word {
        case "is": return equals(name, operand, isEscaped)
        case "not": return !equals(name, operand, isEscaped)
        case "in": return operand.arrayValue!.contains { equals(name, $0, isEscaped) }
        case "exists":
          let known =
            name == "days_since_message" && !isEscaped
            ? last != nil : !(attribute(name) ?? "").drop { $0 == " " }.isEmpty
          return known == operand.boolValue
        case "prefix":
          return attribute(name).map { ArabicFolding.folded($0).hasPrefix(ArabicFolding.folded(operand.stringValue!)) }
            ?? false
        default: return ordered(name, word, operand, isEscaped)
        }
      }
    }

    private func attribute(_ name: String) -> String? { attributes.first { $0.0 == name }?.1 }

    private func equals(_ name: String, _ operand: JSONValue, _ isEscaped: Bool) -> Bool {
      switch isEscaped ? "" : name {
      case "country": return country == operand.stringValue
      case "audience": return audiences.contains(Int64(operand.stringValue!)!)
      case "last_outcome": return (last?.outcome ?? "never") == operand.stringValue
      case "language":
        guard let tag = attribute(name)?.lowercased().replacing("_", with: "-") else { return false }
        return tag == operand.stringValue || tag.split(separator: "-").first.map(String.init) == operand.stringValue
      default:
        guard let value = attribute(name) else { return false }
        if let text = operand.stringValue { return ArabicFolding.folded(value) == ArabicFolding.folded(text) }
        return number(value).map { $0 == operand.doubleValue } ?? false
      }
    }

    private func ordered(_ name: String, _ word: String, _ operand: JSONValue, _ isEscaped: Bool) -> Bool {
      func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
        switch word {
        case "gt": a > b
        case "gte": a >= b
        case "lt": a < b
        default: a <= b
        }
      }
      if name == "days_since_message", !isEscaped {
        return last.map { holds(Double($0.days), operand.doubleValue!) } ?? false
      }
      guard let value = attribute(name) else { return false }
      if let number = operand.doubleValue { return self.number(value).map { holds($0, number) } ?? false }
      let text = String(ArabicFolding.folded(value).prefix(10))
      return CivilDate(text).map { holds($0, CivilDate(operand.stringValue!)!) } ?? false
    }

    private func number(_ text: String) -> Double? {
      let plain = ArabicFolding.folded(text.replacing("٫", with: "."))
      guard plain.allSatisfy({ $0.isNumber || $0 == "." || $0 == "-" }), plain.last != "." else { return nil }
      return Double(plain)
    }
  }

  static let texts = [
    "القاهرة", "القاهره", " القـاهرة", "الجيزة", "طنطا", "Cairo", "CAIRO", "cairo ", "أسوان", "اسوان", "x",
  ]
  static let numbers = ["18", "٢٠", "20.0", "-3", "65.5", "۷", "12a", "٢٠٫٥"]
  static let days = ["2026-01-31", "2026-02-28T10:00:00Z", "٢٠٢٦-٠٣-٠١", "2025-12-31", "31/01/2026"]
  static let outcomes = ["failed", "unknown", "accepted", "sent", "delivered", "read"]

  static func person(_ chance: inout SplitMix64, now: Instant) -> Person {
    var attributes: [(String, String)] = []
    if chance.next() % 4 > 0 { attributes.append(("city", chance.one(of: texts))) }
    if chance.next() % 3 > 0 { attributes.append(("points", chance.one(of: numbers + ["", " "]))) }
    if chance.next() % 3 > 0 { attributes.append(("last_order", chance.one(of: days + ["soon"]))) }
    if chance.next() % 3 > 0 { attributes.append(("language", chance.one(of: ["ar", "AR_EG", "en-US", "en"]))) }
    if chance.next() % 3 == 0 { attributes.append(("country", chance.one(of: texts))) }
    return Person(
      attributes: attributes, country: chance.one(of: ["EG", "SA", "US", ""]),
      audiences: Set((1...3).filter { _ in chance.next() % 2 == 0 }),
      last: chance.next() % 3 == 0 ? nil : (Int(chance.next() % 20), chance.one(of: outcomes)))
  }

  static func segment(_ chance: inout SplitMix64, depth: Int) -> JSONValue {
    switch chance.next() % (depth > 0 ? 8 : 4) {
    case 4: return ["and": .array((0...chance.next() % 2).map { _ in segment(&chance, depth: depth - 1) })]
    case 5: return ["or": .array((0...chance.next() % 3).map { _ in segment(&chance, depth: depth - 1) })]
    case 6: return ["not": segment(&chance, depth: depth - 1)]
    case 7:
      var object = JSONObject()
      object.append("attribute", ["country": .string(chance.one(of: texts))])
      if chance.next() % 2 == 0 { object.append("not", segment(&chance, depth: depth - 1)) }
      return .object(object)
    default:
      var object = JSONObject()
      for _ in 0...chance.next() % 2 {
        let (name, value) = test(&chance)
        if object[name] == nil { object.append(name, value) }
      }
      return .object(object)
    }
  }

  private static func test(_ chance: inout SplitMix64) -> (String, JSONValue) {
    func strings(_ words: [String]) -> JSONValue {
      .array((0...chance.next() % 3).map { _ in .string(chance.one(of: words)) })
    }
    func order(_ value: JSONValue) -> JSONValue {
      var object = JSONObject()
      object.append(chance.one(of: ["gt", "gte", "lt", "lte"]), value)
      return .object(object)
    }
    switch chance.next() % 14 {
    case 0: return ("city", .string(chance.one(of: texts)))
    case 1: return ("city", ["in": strings(texts)])
    case 2: return ("city", ["prefix": .string(chance.one(of: ["ال", "الق", "cai", "أ", "ط"]))])
    case 3: return ("city", ["not": .string(chance.one(of: texts))])
    case 4:
      return (chance.one(of: ["city", "points", "last_order", "language"]), ["exists": .bool(chance.next() % 2 == 0)])
    case 5: return ("points", .number(chance.one(of: ["18", "20", "-3", "7", "20.5"])))
    case 6: return ("points", order(.number(chance.one(of: ["18", "0", "20.0", "-4"]))))
    case 7: return ("last_order", order(.string(chance.one(of: ["2026-01-31", "2026-03-01", "2025-12-31"]))))
    case 8: return ("country", .string(chance.one(of: ["EG", "SA", "US"])))
    case 9: return ("language", ["in": strings(["ar", "en", "en-us", "ar-eg"])])
    case 10: return ("audience", ["in": strings(["1", "2", "3"])])
    case 11: return ("last_outcome", ["in": strings(outcomes + ["never"])])
    case 12: return ("days_since_message", order(.number(chance.one(of: ["0", "7", "19"]))))
    default: return ("days_since_message", ["exists": .bool(chance.next() % 2 == 0)])
    }
  }
}

extension TestStore {
  /// Contacts 1, 2, … with what the model says of them; audiences 1 to 3 exist.
  func add(_ people: [SegmentModel.Person], now: Instant) async throws {
    for name in ["a", "b", "c"] { _ = try await Audiences.create(name, business: business, by: "test", on: pool) }
    let campaign = try await pool.run("select next_campaign_id()")[0].int64(0)
    for (index, person) in people.enumerated() {
      let contact = Int64(index + 1)
      var attributes = JSONObject()
      for (name, value) in person.attributes { attributes.append(name, .string(value)) }
      let phone = PhoneNumber(digits: 201_001_000_000 + contact)!
      _ = try await pool.run(
        """
        insert into contact (contact_id, business_id, phone, person_key, country, attributes)
        overriding system value values ($1, $2, $3, $4, $5, $6)
        """, .int8(contact), .int8(business.rawValue), .int8(phone.digits),
        .uuid(installation.personKeys.key(of: phone)),
        .text(person.country), .jsonb(JSONValue.object(attributes).rendered()))
      _ = try await pool.run(
        "insert into audience_member (audience_id, contact_id) select unnest($1::int8[]), $2",
        .int8s(person.audiences.sorted()), .int8(contact))
      guard let last = person.last else { continue }
      // An older message of another fate stands below the last one.
      _ = try await pool.run(
        """
        insert into touch (contact_id, campaign_id, number_id, at, n, seq, epoch, attempt) values
          ($1, $2, 1, $3, 1, 1000000, 1, 1), ($1, $2, 1, $4, 2, $5, 1, 1)
        """, .int8(contact), .int8(campaign), .timestamptz(now - .seconds(86_400 * 400)),
        .timestamptz(now - .seconds(86_400 * last.days)), .int4(Int32(contact)))
      let outcome: Outcome? = last.outcome == "unknown" ? nil : .accepted
      if let outcome {
        _ = try await pool.run(
          """
          insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome) values ($1, 1, now(), $2, 0, 1, $3)
          """, .int8(campaign), .int4(Int32(contact)), .int2(outcome.rawValue))
      }
      if let standing = Standing(word: last.outcome) {
        _ = try await pool.run(
          "insert into standing (campaign_id, seq, attempt, standing) values ($1, $2, 1, $3)", .int8(campaign),
          .int4(Int32(contact)), .int2(standing.rawValue))
      }
    }
  }
}
