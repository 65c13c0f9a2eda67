import CloudAPI
import Domain
import HTTPClient
import HTTPServer
import JSON
import Reactor
import Testing

/// A Graph API that answers each path with one body, and remembers what it was asked.
func withGraph(
  _ answers: @escaping @Sendable (HTTPServerRequest) -> (Int, String),
  _ body: (GraphClient, Lock<[String]>) async throws -> Void
) async throws {
  let reactor = Reactor(name: "graph")
  reactor.start()
  let asked = Lock([String]())
  let server = HTTPServer(HTTPServerSettings(), on: reactor) { request in
    let query = request.query.map { $0.0 + "=" + $0.1 }.joined(separator: "&")
    asked.with { $0.append(request.method + " " + request.path + (query.isEmpty ? "" : "?" + query)) }
    guard request.header("authorization") == "Bearer token" else {
      return .json(401, Array(#"{"error":{"code":190}}"#.utf8))
    }
    let (status, text) = answers(request)
    return .json(status, Array(text.utf8))
  }
  let port = try server.start()
  let http = HTTPClient(on: reactor)
  try await body(GraphClient(http, url: "http://127.0.0.1:\(port)", version: "v26.0"), asked)
  http.close()
  await server.shutdown(grace: .seconds(1))
  reactor.stop()
}

@Suite struct `The Graph client` {
  @Test func `reads a number's node`() async throws {
    let node = #"""
      {"id":"106540352242922","display_phone_number":"+1 555-078-3881","verified_name":"Lucky Shrub",
       "quality_rating":"GREEN",
       "whatsapp_business_manager_messaging_limit":"TIER_10K","throughput":{"level":"STANDARD"},"status":"CONNECTED",
       "code_verification_status":"VERIFIED","name_status":"APPROVED","platform_type":"CLOUD_API","account_mode":"LIVE",
       "health_status":{"can_send_message":"BLOCKED","entities":[
        {"entity_type":"PHONE_NUMBER","id":"106540352242922","can_send_message":"AVAILABLE"},
        {"entity_type":"WABA","id":"102290129340398","can_send_message":"LIMITED","additional_info":["…"]},
        {"entity_type":"BUSINESS","id":"506914307656634","can_send_message":"BLOCKED",
         "errors":[{"error_code":141010,"error_description":"…","possible_solution":"…"}]}]}}
      """#
    try await withGraph({ _ in (200, node) }) { graph, asked in
      let number = try await graph.phoneNumber("106540352242922", token: "token")
      #expect(number.phone?.e164 == "+15550783881" && number.quality == .green && number.tier == .people(10_000))
      #expect(number.messagesPerSecond == 80 && number.isConnected && number.platform == "CLOUD_API")
      #expect(number.health?.canSend == .blocked)
      #expect(number.health?.entities.map(\.canSend) == [.available, .limited, .blocked])
      #expect(number.health?.entities.last?.errorCodes == [141010])
      #expect(asked.with { $0 }.first?.hasPrefix("GET /v26.0/106540352242922?fields=id,display_phone_number,") == true)
    }
  }

  @Test func `makes do with a bare node`() async throws {
    try await withGraph({ _ in
      (
        200,
        #"""
        {"id":"1","display_phone_number":"15550783881","quality_rating":"NA",
         "throughput":{"level":"NOT_APPLICABLE"}}
        """#
      )
    }) { graph, _ in
      let number = try await graph.phoneNumber("1", token: "token")
      #expect(
        number.quality == .unknown && number.tier == .unknown && number.messagesPerSecond == nil && number.health == nil
      )
    }
  }

  @Test func `walks through all pages by cursors, not by the addresses it is given`() async throws {
    try await withGraph({ request in
      let after = request.query.first { $0.0 == "after" }?.1
      let page = after == nil ? 1 : after == "A" ? 2 : 3
      let next = page < 3 ? #","next":"https://elsewhere.invalid/steal""# : ""
      let template =
        #"""
        {"id":"\#(page)","name":"t\#(page)","language":"en-US","status":"APPROVED","category":"MARKETING",
         "parameter_format":"POSITIONAL","quality_score":{"score":"YELLOW","date":1750000000},
         "components":[{"type":"BODY","text":"Hi {{1}}"}]}
        """#
      return (
        200, #"{"data":[\#(template)],"paging":{"cursors":{"before":"x","after":"\#(page == 1 ? "A" : "B")"}\#(next)}}"#
      )
    }) { graph, asked in
      let templates = try await graph.templates(ofAccount: "102290129340398", token: "token")
      #expect(templates.map(\.name) == ["t1", "t2", "t3"])
      #expect(
        templates.allSatisfy {
          $0.language == "en_US" && $0.quality == .yellow && $0.category == .marketing && $0.isSendable
        })
      #expect(try templates[0].definition().body.names == ["1"])
      #expect(asked.with { $0.count } == 3)
    }
  }

  @Test func `reads templates of a version that knows no time to live`() async throws {
    try await withGraph({ request in
      request.query.contains { $0.1.contains("message_send_ttl_seconds") }
        ? (400, #"{"error":{"code":100,"message":"(#100) Tried accessing nonexisting field (message_send_ttl_seconds)"}}"#)
        : (200, #"{"data":[{"id":"1","name":"t","language":"ar","status":"APPROVED"}]}"#)
    }) { graph, asked in
      let templates = try await graph.templates(ofAccount: "102290129340398", token: "token")
      #expect(templates.map(\.ttlSeconds) == [nil])
      #expect(asked.with { $0.count } == 2)
    }
  }

  @Test func `reads an account's currency and zone, and names a zone it does not know`() async throws {
    try await withGraph({ request in
      (
        200,
        request.path.hasSuffix("/1")
          ? #"{"id":"1","currency":"SAR","timezone_id":"126"}"# : #"{"id":"2","currency":"USD","timezone_id":480}"#
      )
    }) { graph, _ in
      let known = try await graph.account("1", token: "token")
      #expect(known.currency == Currency("SAR") && known.zone == "Asia/Riyadh")
      let unknown = try await graph.account("2", token: "token")
      #expect(unknown.zone == nil && unknown.timezoneID == 480)
    }
  }

  @Test func `subscribes the app`() async throws {
    try await withGraph({ request in (200, request.method == "POST" ? #"{"success":true}"# : "{}") }) { graph, asked in
      try await graph.subscribe(account: "102290129340398", token: "token")
      #expect(asked.with { $0 } == ["POST /v26.0/102290129340398/subscribed_apps"])
    }
  }

  @Test func `reads what Meta charged, to the digit`() async throws {
    let body = #"""
      {"pricing_analytics":{"data":[{"data_points":[
       {"start":1748761200,"end":1748847600,"country":"EG","phone_number":"15550783881","tier":"0:750000",
        "pricing_type":"REGULAR","pricing_category":"MARKETING","volume":2,"cost":0.1288},
       {"start":1748761200,"end":1748847600,"country":"SA","pricing_type":"FREE_CUSTOMER_SERVICE",
        "pricing_category":"AUTHENTICATION_INTERNATIONAL","volume":1,"cost":5.0e-4},
       {"start":1748761200,"end":1748847600,"volume":3}]}]},"id":"102290129340398"}
      """#
    try await withGraph({ _ in (200, body) }) { graph, asked in
      let points = try await graph.pricing(
        ofAccount: "102290129340398", from: Instant(seconds: 1_748_761_200), to: Instant(seconds: 1_748_847_600),
        token: "token")
      #expect(points.map(\.cost) == [Amount("0.1288"), Amount("0.0005"), nil])
      #expect(points.map(\.category) == [.marketing, .authenticationInternational, nil])
      #expect(points.map(\.type) == [.regular, .freeCustomerService, nil])
      #expect(points[0].phone?.e164 == "+15550783881" && points.map(\.volume) == [2, 1, 3])
      let asked = asked.with { $0 }.first ?? ""
      #expect(asked.contains(#"pricing_analytics.start(1748761200).end(1748847600).granularity(DAILY)"#))
      #expect(asked.contains(#".metric_types(["COST","VOLUME"])"#))
    }
  }

  @Test func `says why a call brought nothing`() async throws {
    try await withGraph({ request in
      switch request.path {
      case "/v26.0/1": (400, #"{"error":{"message":"(#133010) x","code":133010,"fbtrace_id":"T"}}"#)
      case "/v26.0/2": (502, "<html>")
      case "/v26.0/3": (200, "{}")
      default: (200, #"{"success":false}"#)
      }
    }) { graph, asked in
      await #expect(
        throws: GraphError.refused(MetaError(code: 133010, details: "(#133010) x", traceID: "T", httpStatus: 400))
      ) {
        try await graph.phoneNumber("1", token: "token")
      }
      await #expect(throws: GraphError.unexpected(status: 502)) { try await graph.phoneNumber("2", token: "token") }
      await #expect(throws: GraphError.unexpected(status: 200)) { try await graph.phoneNumber("3", token: "token") }
      await #expect(throws: GraphError.unexpected(status: 200)) {
        try await graph.subscribe(account: "4", token: "token")
      }
      await #expect(throws: GraphError.refused(MetaError(code: 190, httpStatus: 401))) {
        try await graph.phoneNumber("1", token: "wrong")
      }
      let count = asked.with { $0.count }
      for id in ["", "1/../2", "1?x", "me", String(repeating: "1", count: 33)] {
        await #expect(throws: GraphError.malformedID) { try await graph.phoneNumber(id, token: "token") }
      }
      #expect(asked.with { $0.count } == count)
    }
  }
}
