import API
import CloudAPI
import Crypto
import Domain
import Expansion
import HTTPClient
import HTTPServer
import JSON
import Postgres
import Reactor
import Reports
import Simulation
import Store
import Testing

/// The API over a real socket and a real database, with a fake Meta.
final class TestService: Sendable {
  static let reactor: Reactor = {
    let reactor = Reactor(name: "api-tests")
    reactor.start()
    return reactor
  }()
  static let client = HTTPClient(on: reactor)
  static let sealKey = SealKey(secret: "a secret of at least thirty-two characters")!

  struct Answer {
    let status: Int
    let headers: [(String, String)]
    let json: JSONValue
    let text: String
    var code: String? { json["code"]?.stringValue }
    var field: String? { json["field"]?.stringValue }
    func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
  }

  let pool: Pool
  let database: String
  let api: API
  let graph = FakeGraph()
  let imported = Lock(0)
  let url: String
  let port: UInt16
  private let servers: [HTTPServer]
  private let keys: [Role: String]
  let installation: Installation

  typealias MessagesReport = @Sendable (ReportRequest) async throws -> @Sendable (HTTPBodyWriter) async throws -> Void

  init(
    report: (ConnectionSettings) -> MessagesReport = { _ in { _ in { writer in try await writer.write("campaign\r\n") } } }
  ) async throws {
    database = try await TestDatabase.shared.fresh(like: "api") { url in
      let connection = Connection(ConnectionSettings(url: url), on: TestService.reactor)
      _ = try await Migrator.migrate(connection)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: database), size: 6, on: Self.reactor)
    installation = try await Installation.open(pool, sealKey: Self.sealKey)
    let graphServer = HTTPServer(HTTPServerSettings(), on: Self.reactor, handler: graph.handle)
    let graphPort = try graphServer.start()
    let maker = Keys(sealKey: Self.sealKey)
    var keys: [Role: String] = [:]
    for role in Role.allCases {
      keys[role] = try await maker.create(
        name: role.word, role: role, business: installation.business, by: "test", on: pool
      ).key
    }
    self.keys = keys
    let imported = imported
    let (pool, business) = (pool, installation.business)
    api = API(
      APIServices(
        pool: pool, keys: maker, tokens: Tokens(sealKey: Self.sealKey), installation: installation,
        graph: GraphClient(Self.client, url: "http://127.0.0.1:\(graphPort)", version: "v26.0"),
        checkEndpoint: { $0.contains("private") ? "address_not_allowed" : $0.contains("down") ? "refused" : nil },
        importContacts: { request in
          var bytes = 0
          while let chunk = try await request.nextChunk() { bytes += chunk.count }
          imported.with { $0 += 1 }
          let rows = try await pool.run(
            "insert into upload (business_id, audience_id, state) values ($1, $2, 'committed') returning upload_id",
            .int8(business.rawValue), request.audience.map { .int8($0.rawValue) } ?? .null)
          return UploadAnswer(upload: Upload.ID(rows[0].int64(0)), report: ["bytes": .number(String(bytes))])
        },
        webhook: { _ in .text(200, "challenge") }, reportMessages: report(ConnectionSettings(url: database)),
        reportCosts: { _ in [] },
        statement: { request in
          try await StatementReport.render(
            request.account, request.month, as: StatementReport.Format(rawValue: request.format.rawValue)!,
            language: StatementPage.Language(rawValue: request.language)!, on: pool)
        }, log: { event, fields in print("log: \(event) \(fields)") }))
    let server = HTTPServer(HTTPServerSettings(), on: Self.reactor, handler: api.handle)
    port = try server.start()
    url = "http://127.0.0.1:\(port)"
    servers = [server, graphServer]
  }

  func close() async {
    for server in servers { await server.shutdown(grace: .milliseconds(100)) }
    await pool.close()
  }

  func key(_ role: Role) -> String { keys[role]! }

  func call(
    _ method: String, _ path: String, _ body: JSONValue? = nil, as role: Role? = .admin,
    headers: [(String, String)] = []
  ) async throws -> Answer {
    try await send(method, path, bytes: body.map { $0.rendered() } ?? [], as: role, headers: headers)
  }

  func send(
    _ method: String, _ path: String, bytes: [UInt8], as role: Role? = .admin, headers: [(String, String)] = []
  ) async throws -> Answer {
    var all = headers
    if let role { all.append(("Authorization", "Bearer " + key(role))) }
    var request = HTTPRequest(method, url + path, headers: all, body: bytes)
    request.collectsAllHeaders = true
    let answer = try await Self.client.send(request).get()
    let json: JSONValue
    do { json = try JSONValue(parsing: answer.body) } catch { json = .null }
    return Answer(
      status: answer.status, headers: answer.headers, json: json, text: String(decoding: answer.body, as: UTF8.self))
  }

  /// Runs the job queue until the campaign's people are frozen.
  func freezePeople(of campaign: String) async throws {
    try await runJobs("frozen people") {
      try await !pool.run("select prepared_at from campaign where campaign_id = $1", .int8(Int64(campaign)!))[0].isNull(0)
    }
  }

  /// Runs the job queue until `met` says so.
  func runJobs(_ what: Comment, until met: () async throws -> Bool) async throws {
    let scheduler = Scheduler(pool: pool, on: Self.reactor) { _, _ in }
    let running = Task { try await scheduler.run() }
    let deadline = BootInstant.now + .seconds(30)
    while try await !met() {
      try #require(BootInstant.now < deadline, what)
      try await Self.reactor.sleep(for: .milliseconds(10))
    }
    running.cancel()
    try await running.value
  }

  // MARK: What campaigns stand on

  static let registration: JSONValue = [
    "phone_number_id": "106540352242922", "waba_id": "102290129340398", "access_token": .string(FakeGraph.token),
    "label": "shop",
    "zone": "Africa/Cairo",
  ]

  /// A number, its templates, and an audience with people in it.
  func stage(people: Int = 3) async throws -> String {
    _ = try await call("POST", "/v1/numbers", Self.registration)
    _ = try await call("POST", "/v1/templates/sync")
    let id = try await call("POST", "/v1/audiences", ["name": "all"]).json["id"]?.stringValue ?? ""
    try await fill(id, people: people)
    return id
  }

  /// Contacts with consent, as an import would write them; every third has no name.
  func fill(_ audience: String, people: Int, from first: Int64 = 201_001_000_000) async throws {
    let phones = (0..<people).map { PhoneNumber(digits: first + Int64($0))! }
    _ = try await pool.run(
      """
      with c as (
        insert into contact (business_id, phone, person_key, country, attributes, opt_in_at)
        select $1, p, k, 'EG', case when n % 3 = 0 then '{"city": "Giza"}'
            else jsonb_build_object('first_name', 'Mona ' || n, 'city', 'القاهرة') end, now()
        from unnest($2::int8[], $3::uuid[]) with ordinality x (p, k, n) returning contact_id
      )
      insert into audience_member select $4, contact_id from c
      """, .int8(installation.business.rawValue), .int8s(phones.map(\.digits)),
      .uuids(phones.map { installation.personKeys.key(of: $0) }), .int8(Int64(audience)!))
  }

  static func campaign(_ audience: String) -> JSONValue {
    [
      "name": "Ramadan 1", "from": ["+20 10 0999 9999"],
      "template": [
        "name": "offer", "language": "ar", "stop_button": 0,
        "parameters": ["body": [["attr": "first_name", "fallback": "عميلنا"], "20%"], "buttons": ["1": "summer"]],
      ],
      "audience": ["id": .string(audience)],
      "schedule": ["start_at": "now", "window": "always"],
    ]
  }

  /// The campaign with one field set (nil removes it), by its path.
  static func campaign(_ audience: String, _ path: [String], _ value: JSONValue?) -> JSONValue {
    func change(_ json: JSONValue?, _ rest: ArraySlice<String>) -> JSONValue? {
      guard let name = rest.first else { return value }
      var object = JSONObject()
      if case .object(let given)? = json { object = given }
      object[name] = change(object[name], rest.dropFirst())
      return .object(object)
    }
    return change(campaign(audience), path[...]) ?? .null
  }
}
