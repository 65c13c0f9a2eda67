import Crypto
import Domain
import HTTPClient
import JSON
import Postgres
import Store

/// What measuring opt-outs needs of the stage.
extension Stage {
  /// The keys that the service itself gives these phones, so that an opt-out by phone finds them.
  func setPersonKeys() async throws {
    let phones = try await pool.run("select phone from contact order by phone").map { $0.int64(0) }
    var rest = phones[...]
    while !rest.isEmpty {
      let part = rest.prefix(10_000)
      rest = rest.dropFirst(10_000)
      _ = try await pool.run(
        "update contact c set person_key = k from unnest($1::int8[], $2::uuid[]) x (p, k) where c.phone = p",
        .int8s(Array(part)), .uuids(part.compactMap { PhoneNumber(digits: $0).map { installation.personKeys.key(of: $0) } }))
    }
  }

  @discardableResult
  func post(_ url: String, _ body: [UInt8], _ headers: [(String, String)], expecting status: Int) async throws -> [UInt8] {
    let answer = try await client.send(
      HTTPRequest("POST", url, headers: headers, body: body, timeout: .seconds(600))
    ).get()
    guard answer.status == status else { throw BenchError("\(url) answers \(answer.status)") }
    return answer.body
  }

  /// Loads a million rows into an audience of its own; answers how many were stored.
  func importMillion(to api: String, key: String) async throws -> Int {
    let headers = [("Authorization", "Bearer " + key)]
    let made = try await post(
      api + "/v1/audiences", Array(#"{"name": "imported"}"#.utf8), headers + [("Content-Type", "application/json")],
      expecting: 201)
    guard let audience = try JSONValue(parsing: made)["id"]?.stringValue else { throw BenchError("no audience") }
    var file: [UInt8] = Array("phone,first_name,city,points\n".utf8)
    file.reserveCapacity(45_000_000)
    for i in 0..<1_000_000 { file += Array("+2011\(10_000_000 + i),Mona,Cairo,\(i % 1000)\n".utf8) }
    let report = try await post(
      api + "/v1/audiences/\(audience)/contacts", file, headers + [("Content-Type", "text/csv")], expecting: 201)
    return Int(try JSONValue(parsing: report)["created"]?.int64Value ?? -1)
  }

  /// When each person's message of a campaign arrived at the Sandbox; boot clock, nanoseconds.
  func offers(_ sandbox: UInt16, of campaign: Campaign.ID) async throws -> [Int64: Int64] {
    let request = HTTPRequest("GET", "http://127.0.0.1:\(sandbox)/sandbox/journal", timeout: .seconds(120))
    var arrivals: [Int64: Int64] = [:]
    for line in try await client.send(request).get().body.split(separator: UInt8(ascii: "\n")) {
      let value = try JSONValue(parsing: Array(line))
      guard let callback = value["callback"]?.stringValue,
        MessageKey(callbackData: callback, installation: installation.name)?.campaign == campaign,
        let to = value["to"]?.stringValue.flatMap({ PhoneNumber(e164: $0) }), let at = value["boot_ns"]?.int64Value
      else { continue }
      arrivals[to.digits] = at
    }
    return arrivals
  }
}
