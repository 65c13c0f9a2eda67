import JSON
import Testing

private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

@Suite struct `A JSON value` {
  @Test func `keeps order, numbers' text and every kind`() throws {
    let text = #"{"b":[1,-2.50,1e3,true,false,null,18446744073709551615],"a":{"س":"قيمة \"1\" 2"},"":""}"#
    let value = try parse(text)
    #expect(String(decoding: value.rendered(), as: UTF8.self) == text)
    #expect(value["b"]?.arrayValue?[1] == .number("-2.50"))
    #expect(value["b"]?.arrayValue?[0].int64Value == 1)
    #expect(value["b"]?.arrayValue?[2].int64Value == nil)
    #expect(value["a"]?["س"]?.stringValue == "قيمة \"1\" 2")
    #expect(value.objectValue?.map(\.0) == ["b", "a", ""])
    #expect(value["missing"] == nil)
    #expect(value["b"]?["a"] == nil)
  }

  @Test func `takes the number tokens in step with the tape when strings look like numbers`() throws {
    let value = try parse(#"{"1":"2 \" 3","4":5,"6\\":[7.0,"8",{"9":-0.10}]}"#)
    #expect(value["4"] == .number("5"))
    #expect(value["6\\"]?.arrayValue?[0] == .number("7.0"))
    #expect(value["6\\"]?.arrayValue?[2]["9"] == .number("-0.10"))
  }

  @Test func `is a scalar, too`() throws {
    #expect(try parse(" 12 ") == 12)
    #expect(try parse("\"x\"") == "x")
    #expect(try parse("null").isNull)
  }

  @Test func `refuses a name twice in one object, however it is spelled`() {
    #expect(throws: JSONError.self) { try parse(#"{"a":1,"a":2}"#) }
    #expect(throws: JSONError.self) { try parse(#"[{"x":{"a":1,"\u0061":2}}]"#) }
    #expect(throws: Never.self) { try parse(#"{"a":{"a":1},"b":{"a":1}}"#) }
  }

  @Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "[1]x", "[1][2]", "nul", "+1", "01", "1.", ".5", "1e", "-", "NaN",
    "\"\u{01}\"", "\"abc", "\"\\x\"", "\"\\u12\"", "{a:1}", "'a'", "1e999", "123456789012345678901234567890",
    #""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\u0041""#, #""\udc00\ud800""#, #"{"\udfff":1}"#,
  ])
  func `refuses what is not JSON`(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func `accepts surrogates in pairs and escaped backslashes before a u`() throws {
    #expect(try parse(#""\ud83d\ude00""#) == "😀")
    #expect(try parse(#""\\ud800""#) == .string(#"\ud800"#))
  }

  @Test(arguments: [
    [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
  ])
  func `refuses invalid UTF-8`(_ bytes: [UInt8]) {
    #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
  }

  @Test func `refuses more depth and more bytes than allowed`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try parse(nested(63)) }
    #expect(throws: JSONError.self) { try parse(nested(65)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    #expect(throws: JSONError.self) { try JSONValue(parsing: Array("[1,2,3]".utf8), sizeLimit: 6) }
    #expect(throws: Never.self) { try JSONValue(parsing: Array("[1,2,3]".utf8), sizeLimit: 7) }
  }

  @Test func `names the reason and never the text`() {
    do {
      _ = try parse(#"["201001234567", "\ud800"]"#)
      Issue.record("it was accepted")
    } catch let error as JSONError {
      #expect(error.offset == 18)
      #expect(!error.description.contains("2010"))
    } catch {
      Issue.record(error)
    }
  }

  @Test func `survives mutated documents`() {
    var seed: UInt64 = 7
    func random(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let original = Array(#"{"a":[1,2.5,{"b":"\ud83d\ude00 نص"}],"c":null,"d":"x\\y"}"#.utf8)
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = original
      for _ in 0...random(3) {
        switch random(3) {
        case 0: bytes[random(bytes.count)] = UInt8(random(256))
        case 1: bytes.remove(at: random(bytes.count))
        default: bytes.insert(Array("{}[],:\"\\0-e".utf8)[random(11)], at: random(bytes.count))
        }
      }
      if let value = try? JSONValue(parsing: bytes) {
        accepted += 1
        #expect(try! JSONValue(parsing: value.rendered()) == value)
      }
    }
    #expect(accepted > 0)
  }
}

@Suite struct `A JSON reader` {
  @Test func `lends elements, one document after the other`() throws {
    let reader = JSONReader()
    for round in 0..<3 {
      let body = Array(#"{"entry":[{"id":"x\#(round)","n":\#(round),"ok":true,"none":null,"f":0.5},{"id":"y"}]}"#.utf8)
      let ids = try reader.read(body) { root in
        var ids: [String] = []
        root["entry"]?.forEach { ids.append($0["id"]?.string ?? "") }
        root["entry"]?.forEach { entry in
          guard let n = entry["n"] else { return }
          #expect(n.int64 == Int64(round))
          #expect(n.kind == .number)
          #expect(n.string == nil)
          #expect(entry["ok"]?.bool == true)
          #expect(entry["none"]?.isNull == true)
          #expect(entry["f"]?.double == 0.5)
          #expect(entry["f"]?.int64 == nil)
        }
        return ids
      }
      #expect(ids == ["x\(round)", "y"])
    }
  }

  @Test func `compares strings without copying them`() throws {
    try JSONReader().read(Array(#"{"status":"delivered","n":1,"nul":"a\u0000b"}"#.utf8)) { root in
      #expect(root["status"]!.equals("delivered"))
      #expect(!root["status"]!.equals("deliver"))
      #expect(!root["n"]!.equals("1"))
      #expect(root["nul"]?.string == "a\0b")
      #expect(root[named: "n"]?.int64 == 1)
    }
  }

  @Test func `copies out values of one's own`() throws {
    let text = #"{"a":[1,-2,0.25,18446744073709551615,"x",true,null,{"b":{}}]}"#
    let value = try JSONReader().read(Array(text.utf8)) { $0.copied() }
    #expect(String(decoding: value.rendered(), as: UTF8.self) == text)
  }

  @Test func `refuses what is too large or broken and goes on`() throws {
    let reader = JSONReader(sizeLimit: 100)
    #expect(throws: JSONError.self) { try reader.read([UInt8](repeating: 0x20, count: 101)) { _ in } }
    #expect(throws: JSONError.self) { try reader.read([]) { _ in } }
    #expect(throws: JSONError.self) { try reader.read(Array(#"["\udc00"]"#.utf8)) { _ in } }
    #expect(try reader.read(Array("[7]".utf8)) { $0.copied() } == [7])
  }
}

@Suite struct `A JSON writer` {
  @Test func `places commas and escapes`() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("a\"b")
    writer.beginArray()
    writer.int(1)
    writer.bool(false)
    writer.null()
    writer.beginObject()
    writer.endObject()
    writer.number(raw: "0.0576")
    writer.rendered(Array("[2]".utf8))
    writer.endArray()
    writer.key("c")
    writer.string("سطر\n\t\u{01}\u{1F}\\ \u{7F}")
    writer.endObject()
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == "{\"a\\\"b\":[1,false,null,{},0.0576,[2]],\"c\":\"سطر\\n\\t\\u0001\\u001f\\\\ \u{7F}\"}")
  }

  @Test func `writes what the parser reads back, for every scalar below 0x800 and beyond`() throws {
    var text = ""
    for value in 0..<0x800 as Range<UInt32> { text.unicodeScalars.append(Unicode.Scalar(value)!) }
    text += "\u{2028}\u{FFFD}😀\u{10FFFF}"
    let value: JSONValue = ["t": .string(text)]
    #expect(try JSONValue(parsing: value.rendered()) == value)
  }

  @Test func `refuses a number that is none`() async {
    await #expect(processExitsWith: .failure) {
      var writer = JSONWriter()
      writer.number(raw: "1,2")
    }
  }
}
