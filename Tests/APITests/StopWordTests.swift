import Domain
import JSON
import Testing

@Suite struct `Stop words of a business` {
  @Test func `are stored, listed, tried and removed`() async throws {
    let service = try await TestService()
    let words: JSONValue = ["words": [["phrase": "كفتة زيادة", "verdict": "stop"], ["phrase": "end", "verdict": "none"]]]
    #expect(try await service.call("POST", "/v1/stop-words", words, as: .operate).status == 201)
    #expect(try await service.call("GET", "/v1/stop-words", as: .privacy).json["items"]?.arrayValue?.count == 2)
    let tried = try await service.call("POST", "/v1/stop-words/try", ["text": "كُفته زيادة!!"], as: .privacy).json
    #expect(tried["verdict"]?.stringValue == "stop")
    let removed = try await service.call("POST", "/v1/stop-words/remove", ["phrases": ["كفته زياده"]], as: .operate).json
    #expect(removed["removed"]?.int64Value == 1)
    let again = try await service.call("POST", "/v1/stop-words/try", ["text": "كفتة زيادة"], as: .privacy).json
    #expect(again["verdict"]?.stringValue == "none")
    await service.close()
  }

  @Test(arguments: ["", "  ", "!!!", "👍", "\u{200F}"])
  func `are refused when nothing of them is a word, and nothing is stored`(phrase: String) async throws {
    let service = try await TestService()
    let words: JSONValue = [
      "words": [["phrase": "fine", "verdict": "stop"], ["phrase": .string(phrase), "verdict": "stop"]]
    ]
    let answer = try await service.call("POST", "/v1/stop-words", words, as: .operate)
    #expect(answer.status == 422)
    #expect(answer.json["field"]?.stringValue == "words[1].phrase")
    #expect(try await service.call("GET", "/v1/stop-words", as: .privacy).json["items"]?.arrayValue?.count == 0)
    await service.close()
  }

  @Test func `are not a marketer's to change`() async throws {
    let service = try await TestService()
    let word: JSONValue = ["phrase": "fine", "verdict": "stop"]
    #expect(try await service.call("POST", "/v1/stop-words", word, as: .marketer).status == 403)
    await service.close()
  }

  @Test func `come with replies that can be worded and switched off`() async throws {
    let service = try await TestService()
    let setting: JSONValue = ["confirms": false, "texts": ["ar": ["question": "نوقف؟", "stop_button": "أوقفوا"]]]
    #expect(try await service.call("POST", "/v1/stop-replies", setting, as: .operate).status == 200)
    let now = try await service.call("GET", "/v1/stop-replies", as: .operate).json
    #expect(now["confirms"]?.boolValue == false && now["asks"]?.boolValue == true)
    #expect(now["texts"]?["ar"]?["question"]?.stringValue == "نوقف؟")
    #expect(now["texts"]?["en"]?["stop_button"]?.stringValue == "Yes, stop")
    let long: JSONValue = ["texts": ["ar": ["stop_button": "نعم أوقفوا كل هذه الرسائل"]]]
    let refused = try await service.call("POST", "/v1/stop-replies", long, as: .operate)
    #expect(refused.status == 422 && refused.json["field"]?.stringValue == "texts.ar.stop_button")
    await service.close()
  }
}
