import CloudAPI
import Crypto
import Domain
import Glibc
import HTTPClient
import JSON
import Postgres
import Reactor
import Store
import Testing

/// What strangers and tired people send to the running program over a real socket: a clear answer, nothing half-written.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `Bad input` {
  /// The program, beside a world with a number, a template, ten people and an audience of nobody.
  private struct Place {
    let world: World
    let process: ServiceProcess
    let key: String
    var url: String { "http://127.0.0.1:\(process.port)" }

    init() async throws {
      let world = try await World(people: 10)
      self.world = world
      key = try await Keys(sealKey: World.seal).create(
        name: "test", role: .admin, business: world.installation.business, by: "test", on: world.pool
      ).key
      let process = try ServiceProcess.start(world)
      self.process = process
      try await world.listen(process.port)
      try await world.until("it is ready") {
        let answer = await world.client.send(HTTPRequest("GET", "http://127.0.0.1:\(process.port)/readyz", headers: []))
        // Nobody listens yet: asked again.
        if case .success(let ready) = answer { return ready.status == 200 }
        return false
      }
      _ = try await Audiences.create("nobody", business: world.installation.business, by: "test", on: world.pool)
    }

    struct Answer {
      let status: Int
      let json: JSONValue
      let isProblem: Bool
      var code: String? { json["code"]?.stringValue }
      var field: String? { json["field"]?.stringValue }
    }

    func post(_ path: String, _ body: [UInt8], _ headers: [(String, String)] = [], withKey: Bool = true) async throws
      -> Answer
    {
      let access = withKey ? [("Authorization", "Bearer " + key)] : []
      let answer = try await world.client.send(HTTPRequest("POST", url + path, headers: access + headers, body: body))
        .get()
      let json = answer.body.isEmpty ? JSONValue.null : try JSONValue(parsing: answer.body)
      return Answer(
        status: answer.status, json: json,
        isProblem: answer.headers.contains { $0.0 == "content-type" && $0.1 == "application/problem+json" })
    }

    /// A webhook as Meta would deliver it, signed by `secret`.
    func deliver(_ body: [UInt8], secret: String? = World.secret) async throws -> Int {
      let signature = secret.flatMap { WebhookSignature(appSecrets: [$0]).sign(body) }
      return try await post(
        "/webhooks/whatsapp", body, signature.map { [("X-Hub-Signature-256", $0)] } ?? [], withKey: false
      ).status
    }

    /// The rows of everything that a request could have half-written.
    func rows() async throws -> [String: Int64] {
      let tables = [
        "number", "token", "account", "template", "contact", "audience", "audience_member", "upload_reject", "consent",
        "suppression", "campaign", "campaign_event", "recipient", "exclusion", "run", "pause", "touch", "fact", "skip",
        "due", "lane_log", "receipt_batch", "standing", "stray_receipt", "posting", "idempotency", "audit",
      ]
      let sql = tables.map { "select '\($0)' as name, count(*) as n from \($0)" }.joined(separator: " union all ")
      return try await world.pool.run(sql).reduce(into: [:]) { $0[$1.text(0)] = $1.int64(1) }
    }

    func end() async throws {
      process.killNow()
      try await world.end()
    }
  }

  private static func draft(_ change: (String, String)) -> [UInt8] {
    Array(
      """
      {"name": "Ramadan 1", "from": ["106540352242922"], "template": {"name": "ramadan_offer", "language": "ar",
       "stop_button": 0, "parameters": {"body": [{"attr": "first_name", "fallback": "عميلنا"}, "20%"]}},
       "audience": {"id": "1"}, "schedule": {"start_at": "now", "window": "always"}}
      """.replacing(change.0, with: change.1).utf8)
  }

  @Test func `in a draft is named with its field and its remedy`() async throws {
    let place = try await Place()
    #expect(try await place.post("/v1/campaigns", Self.draft(("Ramadan 1", "Good"))).status == 201)
    let before = try await place.rows()
    let cases: [(what: String, change: (String, String), status: Int, field: String?, code: String)] = [
      ("unknown template", ("ramadan_offer", "ramadan_ofer"), 422, "template.name", "template_unknown"),
      (
        "too few parameters", (", \"20%\"]", "]"), 422, "template.parameters.body", "parameter_count"
      ),
      ("too many parameters", ("\"20%\"]", "\"20%\", \"x\"]"), 422, "template.parameters.body", "parameter_count"),
      ("audience of nobody", ("\"id\": \"1\"", "\"id\": \"2\""), 422, "audience.id", "audience_empty"),
      ("number not registered", ("106540352242922", "999"), 422, "from[0]", "number_unknown"),
      ("malformed JSON", ("\"window\": \"always\"}}", "\"window\": \"always\"}"), 400, nil, "json_malformed"),
    ]
    for item in cases {
      let answer = try await place.post("/v1/campaigns", Self.draft(item.change))
      #expect(
        answer.status == item.status && answer.code == item.code && answer.isProblem
          && (item.field == nil || answer.field?.hasPrefix(item.field!) == true), "\(item.what): \(answer.json)")
      #expect(answer.json["remedy"]?.stringValue?.isEmpty == false, "\(item.what) has no remedy")
    }
    #expect(try await place.rows() == before)
    try await place.end()
  }

  @Test func `of 100 MB is refused before it is read, by the API and by the webhooks`() async throws {
    let place = try await Place()
    let before = try await place.rows()
    let body = [UInt8](repeating: UInt8(ascii: " "), count: 100 << 20)
    let answer = try await place.post("/v1/campaigns", body)
    #expect(answer.status == 413 && answer.code == "body_too_large" && answer.isProblem, "\(answer.json)")
    #expect(try await place.deliver(body) == 413)
    #expect(try await place.rows() == before)
    try await place.end()
  }

  @Test func `in a file of contacts says what is wrong and stores nobody`() async throws {
    let place = try await Place()
    let before = try await place.rows()
    let type = [("Content-Type", "text/csv")]
    let headless = try await place.post(
      "/v1/audiences/1/contacts", Array("name,city\nMona,Cairo\n".utf8), type)
    #expect(
      headless.status == 422 && headless.code == "phone_column_missing" && headless.field == "phone_column"
        && headless.isProblem, "\(headless.json)")
    // Cut inside a quoted cell: what follows can't be told from what was meant.
    let people = (0..<5000).map { "+2011\(10_000_000 + $0),\"Mona\"\n" }.joined()
    let cut = try await place.post(
      "/v1/audiences/1/contacts", Array(("phone,first_name\n" + people + "+201199999999,\"Mo").utf8), type)
    #expect(cut.status == 422 && cut.code == "quote_unclosed" && cut.isProblem, "\(cut.json)")
    // Cut on the way: the connection ends in the middle of what was announced.
    let head = """
      POST /v1/audiences/1/contacts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(place.key)\r\n\
      Content-Type: text/csv\r\nContent-Length: 10000000\r\n\r\nphone,first_name\n
      """
    try hangUp(after: Array((head + people).utf8), at: place.process.port)
    try await place.world.until("the cut import is closed") {
      let states = try await place.world.pool.run("select state from upload order by upload_id").map { $0.text(0) }
      return states == ["refused", "refused", "refused"]
    }
    #expect(try await place.rows() == before)
    // The whole file is taken.
    let whole = try await place.post(
      "/v1/audiences/1/contacts", Array(("phone,first_name\n" + people).utf8), type)
    #expect(whole.status == 201 && whole.json["report"]?["added_to_audience"]?.int64Value == 5000, "\(whole.json)")
    try await place.end()
  }

  /// Sends the bytes and closes the connection, whatever was promised.
  private func hangUp(after bytes: [UInt8], at port: UInt16) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(connected == 0)
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      try #require(count > 0)
      rest = rest.dropFirst(count)
    }
  }

  private static func webhook(_ value: String) -> [UInt8] {
    Array(
      """
      {"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"field":"messages","value":{\
      "messaging_product":"whatsapp","metadata":{"display_phone_number":"201001234567",\
      "phone_number_id":"106540352242922"},\(value)}}]}]}
      """.utf8)
  }

  private static func text(_ words: String, from phone: PhoneNumber, at seconds: Int64) -> [UInt8] {
    webhook(
      """
      "messages":[{"from":"\(phone.digits)","id":"wamid.in.\(seconds)","timestamp":"\(seconds)","type":"text",\
      "text":{"body":"\(words)"}}]
      """)
  }

  @Test func `as a webhook is no webhook unless Meta signed it`() async throws {
    let place = try await Place()
    let before = try await place.rows()
    let stop = Self.text("STOP", from: place.world.phone(1), at: Instant.now.seconds)
    #expect(try await place.deliver(stop, secret: "another app's secret") == 401)
    #expect(try await place.deliver(stop, secret: nil) == 401)
    let signature = WebhookSignature(appSecrets: [World.secret]).sign(stop + [0x20]) ?? ""
    let altered = try await place.post(
      "/webhooks/whatsapp", stop, [("X-Hub-Signature-256", signature)], withKey: false)
    #expect(altered.status == 401)
    let handshake = HTTPRequest(
      "GET", place.url + "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=7", headers: [])
    #expect(try await place.world.client.send(handshake).get().status == 403)
    #expect(try await place.rows() == before)
    // Signed and unreadable is Meta's all the same: kept, answered 200, and it stops nothing behind it.
    #expect(try await place.deliver(Array("{\"object\":".utf8)) == 200)
    #expect(try await place.deliver(stop) == 200)
    let stopped = try await place.world.pool.run("select count(*) from suppression where active")
    #expect(stopped[0].int64(0) == 1)
    try await place.end()
  }

  @Test func `as a replayed webhook changes nothing a second time`() async throws {
    let place = try await Place()
    let world = place.world
    let campaign = try await world.launch(pace: 100)
    func settled() async throws -> Bool {
      let states = try await world.states(campaign)
      return (states[.accepted] ?? 0) + (states[.sent] ?? 0) + (states[.queued] ?? 0) == 0
        && states.values.reduce(0, +) == 10
    }
    try await world.until("receipts are folded") { try await settled() }
    let message = try #require(try await world.journal().first { $0.isAccepted })
    let now = Instant.now.seconds
    let delivered = Self.webhook(
      """
      "statuses":[{"id":"wamid.replayed","status":"delivered","timestamp":"\(now)",\
      "recipient_id":"\(message.to!.digits)","biz_opaque_callback_data":"\(message.callback)",\
      "pricing":{"billable":true,"pricing_model":"PMP","category":"marketing","type":"regular"}}]
      """)
    let stop = Self.text("STOP", from: world.phone(1), at: now - 20)
    let start = Self.text("START", from: world.phone(1), at: now - 10)
    for body in [delivered, stop, start] { #expect(try await place.deliver(body) == 200) }
    try await folded(world)
    let (states, sums) = (try await world.states(campaign), try await world.sums(campaign))
    let postings = try await world.pool.run("select coalesce(sum(count), 0)::int8 from posting")[0].int64(0)
    #expect(postings == 10 - Int64(states[.failed] ?? 0))
    #expect(try await world.pool.run("select count(*) from suppression where active")[0].int64(0) == 0)

    for _ in 1...3 { for body in [stop, delivered] { #expect(try await place.deliver(body) == 200) } }
    try await folded(world)
    #expect(try await world.states(campaign) == states)
    let again = try await world.sums(campaign)
    #expect(again.report == sums.report && again.ledger == sums.ledger && again.report == again.ledger)
    #expect(try await world.pool.run("select coalesce(sum(count), 0)::int8 from posting")[0].int64(0) == postings)
    let active = try await world.pool.run("select count(*) from suppression where active")
    #expect(active[0].int64(0) == 0, "an old stop undid a later word")
    try await place.end()
  }

  /// Waits until every stored body is folded.
  private func folded(_ world: World) async throws {
    try await world.until("everything stored is folded") {
      try await world.pool.run(
        """
        select count(*) from receipt_batch b
        where b.k > (select coalesce(max(upto), 0) from fold_log f where f.stream = b.stream)
        """)[0].int64(0) == 0
    }
  }
}
