import CloudAPI
import Domain
import HTTPClient
import Testing

@Suite struct `Meta's answer to a send` {
  let reader = SendAnswerReader()
  func read(_ status: Int, _ body: String) -> SendResult { reader.read(status: status, body: Array(body.utf8)) }

  @Test func `is an acceptance with Meta's ids`() {
    let body = #"""
      {"messaging_product":"whatsapp","contacts":[{"input":"+16505551234","wa_id":"16505551234"}],
       "messages":[{"id":"wamid.HBgL","message_status":"accepted"}]}
      """#
    #expect(read(200, body) == .accepted(wamid: "wamid.HBgL", waID: "16505551234", userID: nil))
    // Sent by user id; without a status, as for anything but templates.
    let byUser = #"{"contacts":[{"input":"US.1","user_id":"US.1"}],"messages":[{"id":"wamid.A"}],"new":[1]}"#
    #expect(read(200, byUser) == .accepted(wamid: "wamid.A", waID: nil, userID: "US.1"))
  }

  @Test(arguments: ["held_for_quality_assessment", "paused"])
  func `may hold the message back`(word: String) {
    let result = read(200, #"{"contacts":[],"messages":[{"id":"wamid.A","message_status":"\#(word)"}]}"#)
    #expect(result == .heldByMeta(wamid: "wamid.A", waID: nil, userID: nil))
    #expect(result.outcome == .heldByMeta)
  }

  @Test func `is a refusal when the code is documented as one`() {
    let body = #"""
      {"error":{"message":"(#130429) Rate limit hit","type":"OAuthException","code":130429,
       "error_data":{"messaging_product":"whatsapp","details":"Cloud API message throughput has been reached."},
       "error_subcode":2494055,"fbtrace_id":"Az8or2yhqkZfEZ-_4Qn_Bam"}}
      """#
    let error = MetaError(
      code: 130429, subcode: 2_494_055, details: "Cloud API message throughput has been reached.",
      traceID: "Az8or2yhqkZfEZ-_4Qn_Bam", httpStatus: 400)
    #expect(read(400, body) == .refused(error))
    #expect(read(503, #"{"error":{"code":133004,"message":"x"}}"#).outcome == .rejected)
    #expect(read(400, #"{"error":{"code":5551234}}"#).outcome == .rejected)
  }

  @Test(arguments: [
    (500, #"{"error":{"code":131000,"message":"Something went wrong"}}"#), (503, #"{"error":{"code":2}}"#),
    (400, #"{"error":{"code":1}}"#), (500, #"{"error":{"code":5551234}}"#), (502, "<html>Bad gateway</html>"),
    (500, ""),
    (404, "not found"), (429, "{}"), (200, ""), (200, "{}"), (200, #"{"messages":[]}"#),
    (200, #"{"messages":[{"id":""}]}"#),
    (200, #"{"messages":[{"id":"wami"#), (302, ""), (400, #"{"error":"no object"}"#),
  ])
  func `leaves everything else open`(status: Int, body: String) {
    #expect(read(status, body).outcome == .unknown)
  }

  @Test func `keeps apart what never left and what was not answered`() {
    #expect(reader.read(.failure(.neverWritten(reason: "refused"))) == .notWritten("refused"))
    #expect(reader.read(.failure(.neverWritten(reason: "refused"))).outcome == nil)
    #expect(reader.read(.failure(.unanswered(reason: "closed"))) == .maybe(nil))
  }
}
