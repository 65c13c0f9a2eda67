import Domain
import Glibc
import HTTPClient
import JSON
import Postgres
import Reactor

extension Stage {
  /// The binary beside this one.
  static func qafila() throws -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard count > 0 else { throw BenchError("this program does not know where it is") }
    let own = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard let slash = own.lastIndex(of: "/") else { throw BenchError("no folder in \(own)") }
    return own[..<slash] + "/qafila"
  }

  /// A Sandbox with everybody's memory empty. People are obliging, two thirds of them readers; receipts come within
  /// seconds, by a hundred.
  func startSandbox(port: UInt16, throughput: Int, webhook: String?) async throws -> Program {
    let path = "\(directory)/sandbox-\(port).json"
    let to = webhook.map { "\"webhook_url\": \"\($0)\"," } ?? ""
    let numbers = phoneNumberIDs.enumerated().map { index, id in
      "{\"id\": \"\(id)\", \"display_phone_number\": \"+\(201_090_000_000 + index)\", \"throughput\": \(throughput)}"
    }
    try Files.write(
      """
      {"listen": "127.0.0.1:\(port)", "seed": 7, \(to)
       "receipts": {"on": \(webhook == nil ? "false" : "true"), "batch": 100, "delay_scale": 0.001, "max_queue_mb": 512},
       "people": {"not_on_whatsapp": 0, "unreachable": 0, "online": 1, "readers": 0.65, "holdout": 0, "marketing_cap": 0,
        "stop_rate": 0, "block_rate": 0, "reply_rate": 0},
       "accounts": [{"id": "102290129340398", "numbers": [\(numbers.joined(separator: ", "))]}]}
      """, to: path)
    let identity =
      scheme == "https"
      ? ["--tls-certificate", directory + "/certificate.pem", "--tls-key", directory + "/key.pem"] : []
    let program = try await Program.start(
      try Stage.qafila(), ["sandbox", "--config", path] + identity, environment: ["PATH=/usr/bin:/bin"],
      log: directory + "/sandbox.log")
    try await answers("\(scheme)://127.0.0.1:\(port)/sandbox/journal/summary", program)
    return program
  }

  func startService(port: UInt16, sandbox: UInt16, roles: [String] = []) async throws -> Program {
    let environment = [
      "PATH=/usr/bin:/bin", "QAFILA_DATABASE_URL=\(cluster.url)", "QAFILA_LISTEN=127.0.0.1:\(port)",
      "QAFILA_GRAPH_URL=\(scheme)://127.0.0.1:\(sandbox)", "QAFILA_APP_SECRET=sandbox-app-secret",
      "QAFILA_VERIFY_TOKEN=sandbox-verify-token", "QAFILA_SEAL_KEY=\(Stage.secret)",
    ] + (scheme == "https" ? ["QAFILA_CA_FILE=\(directory)/certificate.pem"] : [])
    let program = try await Program.start(
      try Stage.qafila(), ["serve"] + roles.flatMap { ["--role", $0] }, environment: environment,
      log: directory + "/service.log")
    if roles.isEmpty { try await answers("http://127.0.0.1:\(port)/healthz", program) }
    return program
  }

  func answers(_ url: String, _ program: Program) async throws {
    try await until("an answer from \(url)", within: .seconds(20), every: .milliseconds(20)) {
      if case .success(let answer) = await client.send(HTTPRequest("GET", url)) { return answer.status == 200 }
      return false
    }
  }

  func json(_ url: String) async throws -> JSONValue {
    try JSONValue(parsing: try await client.send(HTTPRequest("GET", url, timeout: .seconds(120))).get().body)
  }

  /// When each message was accepted by the Sandbox; boot clock, nanoseconds, in order. `after`: without so many of the first.
  func arrivals(_ sandbox: UInt16, after count: Int = 0) async throws -> [Int64] {
    let request = HTTPRequest(
      "GET", "\(scheme)://127.0.0.1:\(sandbox)/sandbox/journal?after=\(count)", timeout: .seconds(120))
    let body = try await client.send(request).get().body
    return try body.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let value = try JSONValue(parsing: Array(line))
      return value["wamid"] == nil ? nil : value["boot_ns"]?.int64Value
    }
  }

  /// Waits until the Sandbox has told everything and the folder has folded it.
  func receiptsSettled(_ sandbox: UInt16) async throws {
    try await until("all receipts folded", within: .seconds(120), every: .milliseconds(200)) {
      let summary = try await json("\(scheme)://127.0.0.1:\(sandbox)/sandbox/journal/summary")
      guard summary["events_to_come"]?.int64Value == 0, summary["webhooks"]?["waiting"]?.int64Value == 0 else { return false }
      return try await pool.run(
        """
        select not exists (
          select from (select stream, max(k) k from receipt_batch group by stream) b
          where b.k > coalesce((select max(upto) from fold_log f where f.stream = b.stream), 0))
        """)[0].bool(0)
    }
  }
}
