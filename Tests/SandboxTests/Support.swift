import Crypto
import Domain
import HTTPClient
import HTTPServer
import JSON
import Population
import Reactor
import Sandbox
import Testing

/// A running double, a client that talks to it, and a receiver for its webhooks.
final class Stage: Sendable {
  let reactor: Reactor
  let client: HTTPClient
  let base: String
  let receiver: Receiver
  let number = "106540352242922"
  let account = "102290129340398"
  let token = "sandbox-token"

  init(_ reactor: Reactor, _ base: String, _ receiver: Receiver) {
    (self.reactor, self.base, self.receiver) = (reactor, base, receiver)
    client = HTTPClient(on: reactor)
  }

  func call(
    _ method: String, _ path: String, _ body: String = "", token: String? = "sandbox-token"
  ) async -> (status: Int, json: JSONValue) {
    var headers = [("Content-Type", "application/json")]
    if let token { headers.append(("Authorization", "Bearer " + token)) }
    let request = HTTPRequest(method, base + path, headers: headers, body: Array(body.utf8), timeout: .seconds(20))
    switch await client.send(request) {
    case .success(let answer):
      let json = (try? JSONValue(parsing: answer.body)) ?? .string(String(decoding: answer.body, as: UTF8.self))
      return (answer.status, json)
    case .failure(let failure): return (0, .string(failure.reason))
    }
  }

  func send(_ body: String, token: String? = "sandbox-token") async -> (status: Int, json: JSONValue) {
    await call("POST", "/v26.0/\(number)/messages", body, token: token)
  }

  /// The utility template, which has one parameter.
  func sendUtility(_ phone: String, callback: String = "q:t:1:1:1") async -> (status: Int, json: JSONValue) {
    await send(
      Stage.body(to: phone, template: "order_update", "ar", [#"{"type":"text","text":"1"}"#], callback: callback))
  }

  func sendOffer(_ phone: String, callback: String = "q:t:1:1:1") async -> (status: Int, json: JSONValue) {
    let texts = [#"{"type":"text","text":"سارة"}"#, #"{"type":"text","text":"20%"}"#]
    return await send(Stage.body(to: phone, template: "ramadan_offer", "ar", texts, callback: callback))
  }

  static func body(
    to phone: String, template: String, _ language: String, _ parameters: [String], extra: String = "",
    callback: String = "c"
  ) -> String {
    """
    {"messaging_product":"whatsapp","recipient_type":"individual","to":"\(phone)","type":"template","template":{"name":"\(template)",\
    "language":{"code":"\(language)"},"components":[{"type":"body","parameters":[\(parameters.joined(separator: ","))]}\(extra)]},\
    "biz_opaque_callback_data":"\(callback)"}
    """
  }

  func summary() async -> JSONValue { await call("GET", "/sandbox/journal/summary").json }

  /// The journal's lines.
  func journal(_ query: String = "") async -> [JSONValue] {
    let request = HTTPRequest("GET", base + "/sandbox/journal" + query, timeout: .seconds(20))
    guard case .success(let answer) = await client.send(request) else { return [] }
    return answer.body.split(separator: 10).compactMap { try? JSONValue(parsing: Array($0)) }
  }
}

/// So many calls side by side.
func atOnce<R: Sendable>(_ count: Int, _ call: @escaping @Sendable (Int) async -> R) async -> [R] {
  await withTaskGroup(of: R.self) { group in
    for index in 0..<count { group.addTask { await call(index) } }
    return await group.reduce(into: []) { $0.append($1) }
  }
}

func code(_ answer: (status: Int, json: JSONValue)) -> Int64? { answer.json["error"]?["code"]?.int64Value }

/// Takes webhooks, checks their signatures, keeps their changes.
final class Receiver: Sendable {
  struct Seen {
    var changes: [JSONValue] = []
    var badSignatures = 0
    var posts = 0
    var refuse = 0
    var waiting: [(@Sendable ([JSONValue]) -> Bool, CheckedContinuation<[JSONValue], Never>)] = []
  }
  let seen = Lock(Seen())

  func handle(_ request: HTTPServerRequest) async -> HTTPResponse {
    if request.method == "GET" {
      let query = Dictionary(request.query, uniquingKeysWith: { first, _ in first })
      guard query["hub.mode"] == "subscribe", query["hub.verify_token"] == "sandbox-verify-token" else {
        return .text(403, "no")
      }
      return .text(200, query["hub.challenge"] ?? "")
    }
    let body: [UInt8]
    do throws(HTTPBodyError) { body = try await request.body(upTo: 4 << 20) } catch { return HTTPResponse(error) }
    let expected = "sha256=" + Crypto.hex(Crypto.hmacSHA256(key: Array("sandbox-app-secret".utf8), body))
    let refuses = seen.with { s in
      s.posts += 1
      if request.header("x-hub-signature-256") != expected { s.badSignatures += 1 }
      if s.refuse > 0 {
        s.refuse -= 1
        return true
      }
      return false
    }
    if refuses { return .text(503, "later") }
    guard let json = try? JSONValue(parsing: body) else { return .text(400, "not JSON") }
    let changes = (json["entry"]?.arrayValue ?? []).flatMap { $0["changes"]?.arrayValue ?? [] }
    let ready = seen.with { s in
      s.changes += changes
      let now = s.changes
      let ready = s.waiting.filter { $0.0(now) }
      s.waiting.removeAll { $0.0(now) }
      return ready.map { ($0.1, now) }
    }
    for (continuation, now) in ready { continuation.resume(returning: now) }
    return .text(200, "")
  }

  /// All changes, once they satisfy the condition.
  func changes(until condition: @escaping @Sendable ([JSONValue]) -> Bool) async -> [JSONValue] {
    await withCheckedContinuation { continuation in
      let already = seen.with { s -> [JSONValue]? in
        if condition(s.changes) { return s.changes }
        s.waiting.append((condition, continuation))
        return nil
      }
      if let already { continuation.resume(returning: already) }
    }
  }

  func statuses(_ count: Int, _ word: String? = nil) async -> [JSONValue] {
    let all = await changes { Receiver.statuses(in: $0, word).count >= count }
    return Receiver.statuses(in: all, word)
  }

  static func statuses(in changes: [JSONValue], _ word: String? = nil) -> [JSONValue] {
    changes.flatMap { $0["value"]?["statuses"]?.arrayValue ?? [] }.filter {
      word == nil || $0["status"]?.stringValue == word
    }
  }

  func inbound(_ count: Int) async -> [JSONValue] {
    let all = await changes { changes in changes.flatMap { $0["value"]?["messages"]?.arrayValue ?? [] }.count >= count }
    return all.flatMap { $0["value"]?["messages"]?.arrayValue ?? [] }
  }

  func field(_ name: String) async -> JSONValue {
    let all = await changes { $0.contains { $0["field"]?.stringValue == name } }
    return all.first { $0["field"]?.stringValue == name }?["value"] ?? .null
  }
}

/// Everybody obliging and quick, unless `change` says otherwise.
func withStage<R>(
  _ change: (inout SandboxSettings) -> Void = { _ in }, _ body: (Stage) async throws -> R
) async throws -> R {
  let reactor = Reactor(name: "sandbox")
  reactor.start()
  let receiver = Receiver()
  let server = HTTPServer(HTTPServerSettings(), on: reactor) { await receiver.handle($0) }
  let port = try server.start()
  var settings = SandboxSettings()
  settings.people = .obliging
  settings.webhookURL = "http://127.0.0.1:\(port)/hook"
  settings.receipts.delayScale = 0.01
  settings.receipts.flushDelay = .milliseconds(2)
  settings.receipts.disorderRate = 0
  settings.receipts.duplicateRate = 0
  settings.receipts.skippedDeliveredRate = 0
  settings.receipts.retryDelay = .milliseconds(10)
  change(&settings)
  let sandbox = try Sandbox(settings: settings, on: reactor)
  let stage = Stage(reactor, "http://127.0.0.1:\(try sandbox.start())", receiver)
  let result: Result<R, any Error>
  do { result = .success(try await body(stage)) } catch { result = .failure(error) }
  stage.client.close()
  await sandbox.stop()
  await server.shutdown(grace: .zero)
  reactor.stop()
  return try result.get()
}
