import Domain
import HTTPServer
import JSON
import Reactor

/// Which part of the double answers a request.
struct Routes {
  private let world: World
  init(_ world: World) { self.world = world }

  func answer(_ request: HTTPServerRequest) async -> HTTPResponse {
    let arrival = BootInstant.now
    var parts = request.path.split(separator: "/")
    if parts.first == "sandbox" { return await Control(world).answer(request, parts.dropFirst().map(String.init)) }
    if let version = parts.first, Routes.isVersion(version) { parts.removeFirst() }
    guard let id = parts.first, parts.count <= 2 else { return fault(.unknownObject(request.path)) }
    let edge = parts.count == 2 ? parts[1] : ""
    if edge == "messages", request.method == "POST" { return await messages(request, String(id), arrival) }
    do {
      return .json(200, try await node(request, String(id), edge).rendered())
    } catch {
      return fault(error)
    }
  }

  private static func isVersion(_ text: Substring) -> Bool {
    guard text.first == "v", let dot = text.firstIndex(of: ".") else { return false }
    return Int(text[text.index(after: text.startIndex)..<dot]) != nil && Int(text[text.index(after: dot)...]) != nil
  }

  private func fault(_ fault: GraphFault) -> HTTPResponse {
    var response = HTTPResponse.json(fault.http, fault.rendered(trace: world.nextTrace()))
    if fault.http == 401 {
      response.headers.append(
        ("WWW-Authenticate", "OAuth \"Facebook Platform\" \"invalid_token\" \"\(fault.message)\""))
    }
    return response
  }

  /// The object's token, or the fault of having none, a wrong one, or another's.
  private func authorize(_ request: HTTPServerRequest, _ account: Account) throws(GraphFault) {
    let given: Substring
    if let header = request.header("authorization") {
      guard header.utf8.count > 7, header.utf8.prefix(7).elementsEqual("Bearer ".utf8) || header.hasPrefix("OAuth ")
      else {
        throw .badToken
      }
      given = header.dropFirst(header.hasPrefix("OAuth ") ? 6 : 7)
    } else if let token = request.query.first(where: { $0.0 == "access_token" })?.1 {
      given = token[...]
    } else {
      throw .noToken
    }
    if account.settings.accessToken == given {
      guard account.isTokenValid else { throw .badToken }
      return
    }
    // Another account's token is a good one that may not use this object.
    guard world.accounts.contains(where: { $0.settings.accessToken == given }) else { throw .badToken }
    throw GraphFault(10, 403, "(#10) Application does not have permission for this action")
  }

  // MARK: Messages

  private func messages(_ request: HTTPServerRequest, _ id: String, _ arrival: BootInstant) async -> HTTPResponse {
    guard let line = world.line(id) else { return fault(.unknownObject(id)) }
    let struck = world.faults.strike(line.index, ordinal: request.ordinalOnConnection)
    if let (kind, set) = struck {
      switch kind {
      case .closeBefore, .closeBeforeOnLaterRequest:
        world.noteClosed(line, arrival)
        return .abort
      case .refuse: return fault(world.refuseByOrder(set.refusal ?? .unknownAfterAcceptance, line, arrival))
      case .closeAfter, .closeAfterOnLaterRequest, .error131000AfterAcceptance, .hang: break
      }
    }
    do throws(GraphFault) { try authorize(request, line.account) } catch { return fault(error) }
    let body: [UInt8]
    do throws(HTTPBodyError) { body = try await request.body(upTo: 256 * 1024) } catch { return HTTPResponse(error) }
    let outcome = world.receive(body, on: line, at: arrival)
    let latency = world.faults.latency(line.index, world.settings.latency)
    if latency > .zero { await pause(latency) }
    switch outcome {
    case .refused(let refusal): return fault(refusal)
    case .accepted(let index, let bytes):
      guard let (kind, set) = struck else { return .json(200, bytes) }
      world.journal.loseAnswer(index)
      switch kind {
      case .error131000AfterAcceptance: return fault(.unknownAfterAcceptance)
      case .hang:
        await pause(set.hang)
        return .abort
      case .closeAfter, .closeAfterOnLaterRequest, .closeBefore, .closeBeforeOnLaterRequest, .refuse: return .abort
      }
    }
  }

  private func pause(_ duration: Duration) async {
    // Cancelled when the sender left: the message is accepted all the same.
    do { try await world.reactor.sleep(for: duration) } catch { return }
  }

  // MARK: Nodes

  private func node(_ request: HTTPServerRequest, _ id: String, _ edge: Substring) async throws(GraphFault) -> JSONValue
  {
    let fields = request.query.first { $0.0 == "fields" }?.1
    if let line = world.line(id) {
      try authorize(request, line.account)
      switch (request.method, edge) {
      case ("GET", ""):
        try count(line.account)
        if line.status == "DELETED" { throw .deletedNumber }
        return try world.number(line, fields)
      case ("POST", "register"):
        line.status = "CONNECTED"
        return ["success": true]
      case ("POST", "deregister"):
        line.status = "DISCONNECTED"
        return ["success": true]
      default: throw .unknownObject(id)
      }
    }
    if let account = world.account(id) {
      try authorize(request, account)
      try count(account)
      switch (request.method, edge) {
      case ("GET", ""): return try world.waba(account, fields)
      case ("POST", "") where request.query.contains { $0.0 == "is_enabled_for_insights" && $0.1 == "true" }:
        account.hasInsights = true
        return ["id": .string(account.id)]
      case ("GET", "template_analytics"):
        return try TemplateAnalytics(request.query, now: Int64(world.calendar.seconds)).answer(account, world)
      case ("GET", "phone_numbers"): return try world.numberList(account, request)
      case ("GET", "message_templates"): return try world.templateList(account, request)
      case ("GET", "subscribed_apps"): return subscriptions(account)
      case ("POST", "subscribed_apps"): return try await subscribe(account, request)
      case ("DELETE", "subscribed_apps"):
        account.isSubscribed = false
        return ["success": true]
      default: throw .unknownObject(id)
      }
    }
    if let template = world.templates.first(where: { $0.id == id }), request.method == "GET", edge.isEmpty {
      try authorize(request, world.accounts[template.account])
      return try world.templateNode(template, fields)
    }
    throw .unknownObject(id)
  }

  /// 5,000 calls an hour for an account with a registered number, 200 without.
  private func count(_ account: Account) throws(GraphFault) {
    let hour = Int(world.calendar.seconds) / 3600
    if account.calls.hour != hour { account.calls = (hour, 0) }
    account.calls.count += 1
    let limit = account.settings.numbers.isEmpty ? 200 : 5000
    guard account.calls.count <= limit else { throw .managementLimit() }
  }

  private func subscriptions(_ account: Account) -> JSONValue {
    guard account.isSubscribed else { return ["data": []] }
    return [
      "data": [
        [
          "whatsapp_business_api_data": [
            "id": "634974688087057", "name": "Qafila", "link": "https://www.facebook.com/games/?app_id=634974688087057",
          ],
          "override_callback_uri": account.webhookOverride.map { .string($0) } ?? .null,
        ]
      ]
    ]
  }

  /// With an `override_callback_uri` the address is asked first, as Meta does.
  private func subscribe(_ account: Account, _ request: HTTPServerRequest) async throws(GraphFault) -> JSONValue {
    let body: [UInt8]
    do throws(HTTPBodyError) { body = try await request.body(upTo: 64 * 1024) } catch {
      throw .parameter("The body is not readable.")
    }
    if !body.isEmpty {
      let json: JSONValue
      do { json = try JSONValue(parsing: body) } catch { throw .parameter("The request body is not valid JSON.") }
      if let url = json["override_callback_uri"]?.stringValue {
        guard let token = json["verify_token"]?.stringValue else {
          throw .parameter("The parameter verify_token is required.")
        }
        guard await world.post.handshake(url, verifyToken: token) else {
          throw GraphFault(
            2200, 400, "(#2200) Callback verification failed with the following errors: the challenge was not answered."
          )
        }
        account.webhookOverride = url
      }
    }
    account.isSubscribed = true
    return ["success": true]
  }
}

extension World {
  func noteClosed(_ line: Line, _ at: BootInstant) {
    line.arrivedSecond.note(at.nanoseconds)
    _ = journal.append(
      Entry(
        boot: at.nanoseconds, wall: Instant.now.nanoseconds, to: 0, number: UInt16(line.index), template: .max,
        verdict: .closedBefore, category: 0, pricingType: 0))
  }

  func refuseByOrder(_ fault: GraphFault, _ line: Line, _ at: BootInstant) -> GraphFault {
    line.arrivedSecond.note(at.nanoseconds)
    _ = journal.append(
      Entry(
        boot: at.nanoseconds, wall: Instant.now.nanoseconds, to: 0, number: UInt16(line.index), template: .max,
        verdict: .refused, category: 0, pricingType: 0, code: Int32(fault.code)))
    return fault
  }
}
