import Domain
import HTTPServer
import JSON
import Population
import Reactor

/// `/sandbox/…`: what the double was told to do and what it saw. Without authorization: it is a double.
struct Control {
  private let world: World
  init(_ world: World) { self.world = world }

  struct Refusal: Error {
    let status: Int
    let detail: String
    init(_ status: Int, _ detail: String) { (self.status, self.detail) = (status, detail) }
  }

  static let routes: [(String, String)] = [
    ("GET /sandbox/journal[?after=n&follow=true]", "every POST /messages in order, as NDJSON"),
    ("GET /sandbox/journal/summary", "its sums"),
    ("GET|POST|DELETE /sandbox/faults", "what goes wrong"),
    ("POST /sandbox/people/{press_stop|open_link|text|opt_out|opt_in|block|click_ad|show}", "makes a person act"),
    ("POST /sandbox/numbers/{id}", "quality, status, throughput, tier, restricted_ms"),
    ("POST /sandbox/templates/{id or name}", "status, category, quality; language when the name has several"),
    ("POST /sandbox/accounts/{id}", "paid, token_valid, subscribed"),
    ("POST /sandbox/portfolio", "enforce_tier: false lets more people be written to than its tier allows"),
    ("POST /sandbox/receipts/replay", "from, to: tells all receipts of these journal lines again"),
    ("POST /sandbox/calendar", "days_ahead: of this machine's; receipts and the bill go by it"),
    ("POST /sandbox/webhook", "url, handshake: where webhooks go"),
    ("POST /sandbox/webhooks", "waba_id, field, value: sends any change"),
  ]

  func answer(_ request: HTTPServerRequest, _ path: [String]) async -> HTTPResponse {
    do {
      switch (request.method, path.first ?? "", path.count) {
      case ("GET", "", 0):
        let list = Control.routes.map { JSONValue.object(["route": .string($0.0), "about": .string($0.1)]) }
        return json(["routes": .array(list)])
      case ("GET", "journal", 1): return journal(request)
      case ("GET", "journal", 2) where path[1] == "summary": return json(world.summary())
      case ("GET", "faults", 1): return json(world.faults.shown(world.lines))
      case ("DELETE", "faults", 1):
        world.clearFaults()
        return json(["success": true])
      case ("POST", "faults", 1):
        try world.setFaults(try await body(request))
        return json(world.faults.shown(world.lines))
      case ("POST", "people", 2): return json(try world.act(path[1], try await body(request)))
      case ("POST", "numbers", 2): return json(try world.changeNumber(path[1], try await body(request)))
      case ("POST", "templates", 2): return json(try world.changeTemplate(path[1], try await body(request)))
      case ("POST", "accounts", 2): return json(try world.changeAccount(path[1], try await body(request)))
      case ("POST", "portfolio", 1): return json(try world.changePortfolio(try await body(request)))
      case ("POST", "receipts", 2) where path[1] == "replay": return json(try world.replay(try await body(request)))
      case ("POST", "calendar", 1): return json(try world.changeCalendar(try await body(request)))
      case ("POST", "webhook", 1): return json(try await webhook(try await body(request)))
      case ("POST", "webhooks", 1):
        let change = try await body(request)
        guard let account = change["waba_id"]?.stringValue.flatMap({ world.account($0) }),
          let field = change["field"]?.stringValue, let value = change["value"]
        else { throw Refusal(422, "waba_id, field and value are required") }
        world.rawChange(account, field: field, value: value.rendered())
        return json(["success": true])
      default: throw Refusal(404, "no such route; GET /sandbox lists them")
      }
    } catch let refusal as Refusal {
      return problem(refusal)
    } catch {
      return HTTPResponse(status: 400, body: .abort)
    }
  }

  private func json(_ value: JSONValue) -> HTTPResponse { .json(200, value.rendered()) }

  private func problem(_ refusal: Refusal) -> HTTPResponse {
    let value: JSONValue = [
      "type": "about:blank", "status": .number(String(refusal.status)), "detail": .string(refusal.detail),
    ]
    return HTTPResponse(
      status: refusal.status, headers: [("Content-Type", "application/problem+json")], body: .bytes(value.rendered()))
  }

  private func body(_ request: HTTPServerRequest) async throws -> JSONValue {
    let bytes = try await request.body(upTo: 1 << 20)
    guard !bytes.isEmpty else { return .object([:]) }
    do {
      let value = try JSONValue(parsing: bytes)
      guard value.objectValue != nil else { throw Refusal(422, "a JSON object is expected") }
      return value
    } catch let error as JSONError {
      throw Refusal(400, "not JSON: \(error.reason)")
    }
  }

  private func webhook(_ change: JSONValue) async throws -> JSONValue {
    guard let url = change["url"]?.stringValue else { throw Refusal(422, "url is required") }
    if change["handshake"]?.boolValue == true {
      guard await world.post.handshake(url, verifyToken: world.settings.verifyToken) else {
        throw Refusal(409, "the challenge was not answered")
      }
    }
    world.post.url = url
    return ["success": true]
  }

  // MARK: The journal

  private func journal(_ request: HTTPServerRequest) -> HTTPResponse {
    let query = request.query
    let start = query.first { $0.0 == "after" }.flatMap { Int($0.1) } ?? 0
    let follows = query.contains { $0.0 == "follow" && $0.1 == "true" }
    let world = world
    var response = HTTPResponse(
      status: 200, headers: [("Content-Type", "application/x-ndjson")],
      body: .stream { writer in
        var next = max(0, start)
        while true {
          while next < world.journal.count {
            var bytes: [UInt8] = []
            let end = min(world.journal.count, next + 256)
            for index in next..<end { world.line(of: index, to: &bytes) }
            next = end
            try await writer.write(bytes)
          }
          guard follows else { return }
          try await world.reactor.sleep(for: .milliseconds(20))
        }
      })
    response.endsWithServer = follows
    return response
  }
}

extension World {
  /// One line of the journal.
  func line(of index: Int, to bytes: inout [UInt8]) {
    let entry = journal[index]
    bytes.append("{\"n\":")
    bytes.append(decimal: Int64(index + 1))
    bytes.append(",\"boot_ns\":")
    bytes.append(decimal: entry.boot)
    bytes.append(",\"wall_ns\":")
    bytes.append(decimal: entry.wall)
    bytes.append(",\"outcome\":\"")
    bytes.append(entry.verdict.word)
    bytes.append("\",\"number\":\"")
    bytes.append(contentsOf: lines[Int(entry.number)].id.utf8)
    bytes.append("\"")
    if entry.to != 0 {
      bytes.append(",\"to\":\"+")
      bytes.append(decimal: entry.to)
      bytes.append("\"")
    }
    if entry.callbackCount > 0 {
      bytes.append(",\"callback\":\"")
      bytes.append(escaping: journal.callback(entry))
      bytes.append("\"")
    }
    if entry.verdict.isAcceptance {
      bytes.append(",\"wamid\":\"")
      MessageID.append(phone: entry.to, index: index, seed: seed, to: &bytes)
      bytes.append("\",\"category\":\"")
      bytes.append(contentsOf: (Category(rawValue: Int16(entry.category)) ?? .service).word.utf8)
      bytes.append("\"")
      if entry.state & Entry.answerLost != 0 { bytes.append(",\"answer_lost\":true") }
      let states: [(UInt8, StaticString)] = [
        (Entry.sent, ",\"sent\":true"), (Entry.delivered, ",\"delivered\":true"), (Entry.read, ",\"read\":true"),
        (Entry.told, ",\"told\":true"),
      ]
      for (bit, text) in states where entry.state & bit != 0 { bytes.append(text) }
      if entry.state & Entry.failed != 0 {
        bytes.append(",\"failed\":")
        bytes.append(decimal: Int64(entry.failure))
      }
    }
    if entry.template != .max {
      let template = templates[Int(entry.template)]
      bytes.append(",\"template\":\"")
      bytes.append(escaping: template.name.utf8)
      bytes.append("\",\"language\":\"")
      bytes.append(escaping: template.language.utf8)
      bytes.append("\"")
    }
    if entry.verdict == .refused {
      bytes.append(",\"code\":")
      bytes.append(decimal: Int64(entry.code))
    }
    bytes.append("}\n")
  }

  func summary() -> JSONValue {
    let number: (Int) -> JSONValue = { .number(String($0)) }
    let codes: ([Int32: Int]) -> JSONValue = { counts in
      var object = JSONObject()
      for (code, count) in counts.sorted(by: { $0.key < $1.key }) { object.append(String(code), number(count)) }
      return .object(object)
    }
    let numbers = lines.map { line -> JSONValue in
      [
        "id": .string(line.id), "accepted_highest_second": number(line.acceptedSecond.highest),
        "arrived_highest_second": number(line.arrivedSecond.highest), "quality": .string(line.quality),
        "status": .string(line.status), "block_share_millionths": number(Int(line.score.value * 1_000_000)),
      ]
    }
    return [
      "arrived": number(journal.count), "accepted": number(journal.accepted), "held": number(journal.held),
      "refused": codes(journal.refused), "closed_before": number(journal.closedBefore),
      "answers_lost": number(journal.answersLost),
      "duplicates_by_callback": number(journal.duplicatesByCallback),
      "duplicates_by_campaign": number(journal.duplicatesByCampaign),
      "sent": number(journal.sent), "delivered": number(journal.delivered), "read": number(journal.read),
      "failed": codes(journal.failed), "events_to_come": number(wheel.count),
      "offers_after_stop": number(offersAfterStop),
      "offers_after_stop_acknowledged": number(offersAfterStopAcknowledged),
      "worst_after_stop_acknowledged_ns": .number(String(worstAfterStopAcknowledged)),
      "people_24h": number(reached.people(at: BootInstant.now.nanoseconds)),
      "unpriced": number(accounts.reduce(0) { $0 + $1.bill.unpriced }),
      "webhooks": [
        "delivered": number(post.delivered), "waiting": number(post.waiting), "retries": number(post.retries),
        "dropped": number(post.dropped), "lost": number(post.lost), "unwanted": number(post.unwanted),
        "silenced": number(post.silencedCount),
      ],
      "numbers": .array(numbers),
    ]
  }
}
