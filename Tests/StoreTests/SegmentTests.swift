import Consent
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Testing

@testable import Store

@Suite struct `A segment` {
  static func read(_ text: String) throws(Problem) -> Segment? {
    try Segment.read(try! JSONValue(parsing: Array(text.utf8)), at: "where")
  }

  @Test func `reads to the same value from its own rendering`() throws {
    let texts = [
      #"{"city":"القاهرة"}"#, #"{"city":"القاهرة","age":{"gte":18,"lt":65.5}}"#,
      #"{"or":[{"country":{"in":["SA","AE"]}},{"not":{"last_outcome":"read"}}]}"#,
      #"{"and":[{"days_since_message":{"gte":7}},{"attribute":{"country":"x","and":{"exists":true}}}]}"#,
      #"{"audience":{"not":"7"},"language":"ar","last_order":{"gt":"2026-01-31"},"name":{"prefix":"عبد","not":"عبد"}}"#,
      #"{"points":-3,"gender":{"in":["f",1]},"mail":{"exists":false}}"#,
    ]
    for text in texts {
      let segment = try #require(try Self.read(text))
      #expect(String(decoding: segment.json.rendered(), as: UTF8.self) == text)
    }
    #expect(try Self.read("{}") == nil)
  }

  @Test func `names the path and the remedy of whatever it refuses`() {
    let cases: [(String, String, String)] = [
      (#"[]"#, "where", "field_invalid"),
      (#"{"or":[]}"#, "where.or", "field_invalid"),
      (#"{"or":[{"a":"b"},{}]}"#, "where.or[1]", "field_invalid"),
      (#"{"not":"x"}"#, "where.not", "field_invalid"),
      (#"{"age":{"gt":"three"}}"#, "where.age.gt", "field_invalid"),
      (#"{"age":{"gt":"2026-02-30"}}"#, "where.age.gt", "field_invalid"),
      (#"{"age":{"greater":3}}"#, "where.age.greater", "field_unknown"),
      (#"{"age":{}}"#, "where.age", "field_invalid"),
      (#"{"age":1e5}"#, "where.age", "field_invalid"),
      (#"{"age":true}"#, "where.age", "field_invalid"),
      (#"{"age":{"in":[]}}"#, "where.age.in", "field_invalid"),
      (#"{"age":{"in":["a",null]}}"#, "where.age.in[1]", "field_invalid"),
      (#"{"age":{"exists":"yes"}}"#, "where.age.exists", "field_invalid"),
      (#"{"age":{"prefix":3}}"#, "where.age.prefix", "field_invalid"),
      (#"{"":"x"}"#, "where", "field_invalid"),
      (#"{"city":"a\u0000b"}"#, "where.city", "field_invalid"),
      (#"{"country":"Egypt"}"#, "where.country", "field_invalid"),
      (#"{"country":{"prefix":"E"}}"#, "where.country.prefix", "field_invalid"),
      (#"{"language":"Arabic!"}"#, "where.language", "field_invalid"),
      (#"{"audience":"all"}"#, "where.audience", "field_invalid"),
      (#"{"last_outcome":"reed"}"#, "where.last_outcome", "field_invalid"),
      (#"{"days_since_message":7}"#, "where.days_since_message", "field_invalid"),
      (#"{"days_since_message":{"gte":"week"}}"#, "where.days_since_message.gte", "field_invalid"),
      (#"{"attribute":{}}"#, "where.attribute", "field_invalid"),
    ]
    for (text, field, code) in cases {
      do throws(Problem) {
        _ = try Self.read(text)
        Issue.record("\(text) was taken")
      } catch {
        #expect(error.field == field && error.code == code && error.remedy?.isEmpty == false, "\(text) gave \(error)")
      }
    }
  }

  @Test func `is bounded in depth, tests and values`() {
    let deep = String(repeating: #"{"not":"#, count: 8) + #"{"a":"b"}"# + String(repeating: "}", count: 8)
    let many = #"{"or":["# + (0...60).map { #"{"a":"\#($0)"}"# }.joined(separator: ",") + "]}"
    let long = #"{"a":{"in":["# + (0...200).map { "\($0)" }.joined(separator: ",") + "]}}"
    for (text, field) in [
      (deep, "where" + String(repeating: ".not", count: 8)), (many, "where.or[60].a"), (long, "where.a.in"),
    ] {
      do throws(Problem) {
        _ = try Self.read(text)
        Issue.record("\(text.prefix(40))… was taken")
      } catch { #expect(error.field == field, "\(error)") }
    }
  }

  // MARK: The compiler against a model

  @Test(arguments: [UInt64(1), 2, 3, 4]) func `means in SQL what it means in words`(seed: UInt64) async throws {
    let store = try await TestStore()
    var chance = SplitMix64(seed: seed)
    let now = Instant(rfc3339: "2026-11-26T12:00:00Z")!
    let people = (0..<300).map { _ in SegmentModel.person(&chance, now: now) }
    try await store.add(people, now: now)
    for _ in 0..<150 {
      let json = SegmentModel.segment(&chance, depth: 3)
      let text = String(decoding: json.rendered(), as: UTF8.self)
      let segment = try #require(try Segment.read(json, at: "where"), "\(text)")
      #expect(segment.json == json)
      var arguments = Freeze.Arguments()
      let condition = SegmentSQL.condition(segment, now: now, &arguments)
      let rows = try await store.pool.run(
        Statement("select contact_id from contact c where \(condition) order by contact_id", arguments.values))
      let expected = people.indices.filter { people[$0].meets(json, now: now) }.map { Int64($0 + 1) }
      #expect(rows.map { $0.int64(0) } == expected, "\(text)")
    }
    await store.close()
  }

  @Test func `folds in SQL as ArabicFolding folds`() async throws {
    let store = try await TestStore()
    var texts = [
      "القاهرة", "القاهره", "  الإسكندريّة ", "ﻻ إله", "Straße", "ŒUVRE", "désabonner", "de\u{301}sabonner", "٢٠ يناير",
      "۲۰",
      "ﺍﻟﻘﺎﻫﺮﺓ", "\u{200F}القـاهـرة\u{200E}", "\u{200F} \u{202A}طنطا\u{202C} ", "a \u{200B} b", "ＡＢＣ１２", "İstanbul",
      "ء",
      "", "   ", "x\\y'z\"[]^$.*", "O'Brien; drop table contact; --",
    ]
    // Every scalar that has a spelling, beside letters.
    for value in UInt32(1)...0xFFFF {
      if let scalar = Unicode.Scalar(value), value != 0xFFFE, value != 0xFFFF { texts.append("س\(Character(scalar))ن") }
    }
    for start in stride(from: 0, to: texts.count, by: 4000) {
      let part = Array(texts[start..<min(texts.count, start + 4000)])
      let folded = part.map(ArabicFolding.folded)
      var arguments = Freeze.Arguments()
      let (given, wanted) = (arguments.add(.texts(part)), arguments.add(.texts(folded)))
      var compiler = SegmentSQL(now: .now, arguments: arguments)
      let expression = compiler.folded("x.given", for: folded)
      let rows = try await store.pool.run(
        Statement(
          "select given, wanted, \(expression) from unnest(\(given), \(wanted)) x (given, wanted) where \(expression) <> wanted",
          compiler.arguments.values))
      #expect(rows.count == 0, "\(rows.map { ($0.text(0), $0.text(1), $0.text(2)) }.prefix(5))")
    }
    await store.close()
  }
}
