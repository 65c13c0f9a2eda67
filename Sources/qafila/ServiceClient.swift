import Crypto
import Domain
import Glibc
import HTTPClient
import JSON
import Reactor

/// The service as the commands see it.
struct ServiceClient: Sendable {
  private let http: HTTPClient
  private let url: String
  private let headers: [(String, String)]

  init(_ invocation: Invocation) throws(UsageError) {
    var url = try invocation.required(.url)
    while url.hasSuffix("/") { url.removeLast() }
    self.init(
      url: url, key: try invocation.required(.apiKey), caFile: try invocation.setting(.caFile),
      language: Setting.environment("LANG")?.hasPrefix("ar") == true ? "ar" : "en")
  }

  init(url: String, key: String, caFile: String? = nil, language: String = "en") {
    http = HTTPClient(
      on: Qafila.reactor,
      settings: HTTPClientSettings(maxConnections: 8, maxAnswerBytes: 64 << 20, caFile: caFile, userAgent: "qafila-cli")
    )
    self.url = url
    headers = [
      ("Authorization", "Bearer " + key), ("Content-Type", "application/json"), ("Accept-Language", language),
    ]
  }

  func get(_ path: String, _ query: [(String, String?)] = []) async throws -> JSONValue {
    try await call("GET", path + Self.query(query), nil)
  }

  /// Writes carry an Idempotency-Key, so that a repeated try after a broken line is the same write.
  func post(_ path: String, _ body: JSONValue = .object(JSONObject()), _ query: [(String, String?)] = []) async throws
    -> JSONValue
  {
    try await call("POST", path + Self.query(query), body)
  }

  /// Sends a small file whole, with an Idempotency-Key: a repeated try is the same write.
  func send(_ path: String, _ bytes: [UInt8], type: String, _ query: [(String, String?)] = []) async throws -> JSONValue {
    let own = headers.filter { $0.0 != "Content-Type" } + [("Content-Type", type)]
    let request = HTTPRequest(
      "POST", url + path + Self.query(query),
      headers: own + [("Idempotency-Key", "cli-" + Crypto.hex(Crypto.randomBytes(12)))], body: bytes,
      timeout: .seconds(120))
    return try Self.read(try await http.send(request).get())
  }

  /// The items of every page.
  func all(_ path: String, _ query: [(String, String?)] = [], limit: Int = .max) async throws -> [JSONValue] {
    var items: [JSONValue] = []
    var cursor: String?
    repeat {
      let page = try await get(path, query + [("cursor", cursor)])
      items += page["items"]?.arrayValue ?? []
      cursor = page["next_cursor"]?.stringValue
    } while cursor != nil && items.count < limit
    return Array(items.prefix(limit))
  }

  /// Sends a file while it is read. Not repeated: the service may have taken it.
  func upload(
    _ path: String, _ query: [(String, String?)], type: String,
    _ file: (@escaping @Sendable (Int) -> Void) -> HTTPUpload, _ sent: @escaping @Sendable (Int) -> Void
  ) async throws -> JSONValue {
    let own = headers.filter { $0.0 != "Content-Type" }
    var request = HTTPRequest(
      "POST", url + path + Self.query(query), headers: own + [("Content-Type", type)], timeout: .seconds(24 * 3600))
    request.upload = file(sent)
    // libcurl (CURLOPT_POSTFIELDSIZE_LARGE): "-1 (…) use chunked transfer-encoding" needs the header said.
    if request.upload?.length == nil {
      request.headers = HeaderList(own + [("Content-Type", type), ("Transfer-Encoding", "chunked")])
    }
    return try Self.read(try await http.send(request).get())
  }

  /// Writes the body of an answer to a file that only its owner reads, or to standard output (`-`).
  func download(_ path: String, _ query: [(String, String?)] = [], to target: String) async throws {
    let file = target == "-" ? 1 : open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw UsageError(
        "The file \(target) cannot be written: \(Files.reason()).", remedy: "Check the path and its rights.")
    }
    defer { if file != 1 { close(file) } }
    var request = HTTPRequest("GET", url + path + Self.query(query), headers: headers, timeout: .seconds(24 * 3600))
    // Zero: all was written.
    let failure = Lock(Int32(0))
    request.sink = { bytes in
      if Files.write(Array(bytes), to: file) { return true }
      failure.with { $0 = errno }
      return false
    }
    let outcome = await http.send(request)
    switch failure.with({ $0 }) {
    case 0: break
    // Whoever read our output has enough: `| head`.
    case EPIPE where file == 1: return
    case let number: throw UsageError("\(target) cannot be written: \(String(cString: strerror(number))).")
    }
    let answer = try outcome.get()
    if answer.status >= 400 { _ = try Self.read(answer) }
  }

  func delete(_ path: String) async throws -> JSONValue { try await call("DELETE", path, nil) }

  private func call(_ method: String, _ path: String, _ body: JSONValue?) async throws -> JSONValue {
    var all = headers
    if method == "POST" { all.append(("Idempotency-Key", "cli-" + Crypto.hex(Crypto.randomBytes(12)))) }
    let request = HTTPRequest(
      method, url + path, headers: all, body: body.map { $0.rendered() } ?? [], timeout: .seconds(120))
    var tries = 0
    while true {
      switch await http.send(request) {
      case .success(let answer): return try Self.read(answer)
      case .failure(let failure):
        tries += 1
        guard case .unanswered = failure, tries < 3 else { throw failure }
        try await Qafila.reactor.sleep(for: .milliseconds(300))
      }
    }
  }

  /// The answer's document; a problem document is thrown.
  static func read(_ answer: HTTPAnswer) throws -> JSONValue {
    let json: JSONValue
    do {
      json = answer.body.isEmpty ? .null : try JSONValue(parsing: answer.body, sizeLimit: 64 << 20)
    } catch {
      throw Problem(
        502, "not_qafila", "What answers there is not Qafila.", detail: "It answered \(answer.status) and no JSON.",
        remedy: "Check QAFILA_URL.")
    }
    guard answer.status >= 400 else { return json }
    throw Problem(
      answer.status, json["code"]?.stringValue ?? "unknown",
      json["title"]?.stringValue ?? "The service answered \(answer.status).",
      detail: json["detail"]?.stringValue ?? "", field: json["field"]?.stringValue, remedy: json["remedy"]?.stringValue)
  }

  static func query(_ pairs: [(String, String?)]) -> String {
    let given = pairs.compactMap { name, value in value.map { name + "=" + encoded($0) } }
    return given.isEmpty ? "" : "?" + given.joined(separator: "&")
  }

  /// RFC 3986: everything but unreserved characters.
  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
