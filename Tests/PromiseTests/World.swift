import CloudAPI
import Crypto
import Domain
import Expansion
import Glibc
import Guarding
import HTTPClient
import HTTPServer
import Intake
import JSON
import Population
import Postgres
import Reactor
import Sandbox
import Sending
import Simulation
import Store
import Testing

/// One business with one number at a Sandbox: real PostgreSQL, real sockets, real signatures. The service's roles run in
/// this process; tests that kill run the binary instead.
final class World: Sendable {
  static let token = "sandbox-token"
  static let secret = "sandbox-app-secret"
  static let sealSecret = "a secret of the tests that is long enough for a key"
  static let seal = SealKey(secret: sealSecret)!

  let url: String
  let pool: Pool
  let installation: Installation
  let sandboxPort: UInt16
  let sandbox: Sandbox
  let client: HTTPClient
  let template: Template.ID
  let account: Account.ID
  let number: Number.ID
  /// `number` and those beside it, all of one account.
  let numbers: [Number.ID]
  let desk = Reactor(name: "desk")
  private let cluster: PrivateCluster?
  private let nodes = Lock([Node]())

  /// A node's roles, each a task.
  struct Node: Sendable {
    let intake: Intake
    let server: HTTPServer
    let sender: Sender
    let tasks: [Task<Void, any Error>]
    let sending: Task<Void, any Error>
  }

  /// People who neither say stop nor block by themselves: what the guard would rightly stop is no matter of most tests.
  static var unmoved: PeopleModel {
    var model = PeopleModel()
    (model.stopRate, model.blockRate) = (0, 0)
    return model
  }

  /// `ownCluster`: a PostgreSQL of its own, with fsync, that may be crashed.
  /// `tier`: Meta's limit of people in 24 hours, when there is one.
  /// `heldByMeta`: the share of offers that Meta holds back (131049, by receipt); held people take a day.
  init(
    people: Int, perSecond: Int = 1000, batch: Int = 100, seed: UInt64 = 1, ownCluster: Bool = false,
    heldByMeta: Double = 0, numbers count: Int = 1, people model: PeopleModel = World.unmoved, tier: Int? = nil
  ) async throws {
    desk.start()
    if ownCluster {
      let directory = "/tmp/qafila-promise-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
      cluster = try PrivateCluster.start(directory: directory, settings: [:])
      url = cluster!.url
      try await World.migrate(url)
    } else {
      cluster = nil
      url = try await TestDatabase.shared.fresh(like: "promise") { try await World.migrate($0) }
    }
    pool = Pool(ConnectionSettings(url: url), size: 6, on: desk)
    installation = try await Installation.open(pool, sealKey: World.seal)
    client = HTTPClient(on: desk, settings: HTTPClientSettings(maxAnswerBytes: 64 << 20))

    var settings = SandboxSettings()
    settings.seed = seed
    settings.receipts.batch = batch
    settings.receipts.delayScale = 0.0003
    settings.receipts.retryDelay = .milliseconds(50)
    settings.people = model
    settings.people.marketingCap = heldByMeta
    for index in 1..<max(2, count) where index < count {
      settings.accounts[0].numbers.append(
        SandboxSettings.Number(id: "10654035224293\(index)", displayNumber: "+20 10 9000 000\(index)"))
    }
    for index in 0..<count {
      settings.accounts[0].numbers[index].throughput = perSecond
      if let tier { settings.accounts[0].numbers[index].tier = "TIER_\(tier)" }
    }
    let waba = settings.accounts[0].id
    let playground = Reactor(name: "sandbox")
    playground.start()
    sandbox = try Sandbox(settings: settings, on: playground)
    sandboxPort = try sandbox.start()

    let sealed = Tokens(sealKey: World.seal).sealed(World.token)
    var seen = Numbers.Observation(raw: .object([:]))
    seen.status = "CONNECTED"
    seen.tier = tier.map { String($0) } ?? ""
    var numbers: [Number.ID] = []
    for (index, number) in settings.accounts[0].numbers.enumerated() {
      let registered = try await Numbers.register(
        Numbers.Registration(
          phoneNumberID: number.id, wabaID: waba, portfolio: nil, currency: "USD", zone: "Africa/Cairo", subscribed: true,
          phone: PhoneNumber(digits: 201_001_234_567 + Int64(index))!, sealedToken: sealed.sealed,
          tokenDigest: sealed.digest, seen: seen),
        business: installation.business, by: "test", on: pool)
      numbers.append(try #require(registered))
    }
    (self.number, self.numbers) = (numbers[0], numbers)
    account = Account.ID(try await pool.run("select account_id from account")[0].int64(0))
    _ = try await pool.run("update number set per_second = $1, reserve_percent = 0", .int4(Int32(perSecond)))
    let offer = SandboxSettings.standardTemplates[0]
    _ = try await Templates.sync(
      [
        Templates.Seen(
          metaID: "1", name: "ramadan_offer", language: "ar", status: "APPROVED", category: .marketing, quality: "GREEN",
          parameterFormat: "POSITIONAL", components: offer["components"]!.rendered())
      ], account: account, business: installation.business, by: "test", on: pool)
    template = Template.ID(try await pool.run("select template_id from template")[0].int64(0))
    try await addPeople(people, audience: 1)
  }

  private static func migrate(_ url: String) async throws {
    let reactor = Reactor(name: "migrate")
    reactor.start()
    let connection = Connection(ConnectionSettings(url: url), on: reactor)
    _ = try await Migrator.migrate(connection)
    await connection.close()
    reactor.stop()
  }

  /// Stops PostgreSQL as a power cut would, and starts it again.
  func crashDatabase() throws { try #require(cluster).restart(immediate: true) }

  /// Only stops it; when it was gone.
  func cutDatabase() throws -> BootInstant {
    try #require(cluster).stop(mode: .immediate)
    return .now
  }

  /// Starts it again, which recovers; the moment before that.
  func startDatabase() throws -> BootInstant {
    let before = BootInstant.now
    try #require(cluster).restart(immediate: true)
    return before
  }

  func phone(_ index: Int) -> PhoneNumber { PhoneNumber(digits: 201_000_000_000 + Int64(index))! }

  private func addPeople(_ count: Int, audience: Int64) async throws {
    _ = try await pool.run(
      "insert into audience (business_id, name) values ($1, $2)", .int8(installation.business.rawValue), .text("a\(audience)"))
    var start = 1
    while start <= count {
      let part = start...min(count, start + 9999)
      _ = try await pool.batch([
        Statement(
          """
          insert into contact (business_id, phone, person_key, country, attributes, opt_in_at, opt_in_source)
          select $1, p, k, 'EG', jsonb_build_object('first_name', 'منى'), now(), 'test'
          from unnest($2::int8[], $3::uuid[]) x (p, k)
          """,
          [
            .int8(installation.business.rawValue), .int8s(part.map { phone($0).digits }),
            .uuids(part.map { installation.personKeys.key(of: phone($0)) }),
          ])
      ])
      start += 10_000
    }
    _ = try await pool.run(
      "insert into audience_member (audience_id, contact_id) select $1, contact_id from contact", .int8(audience))
  }

  /// What `POST /v1/campaigns` takes for a campaign to everybody.
  static func request(
    pace: Int, name: String = "offer", schedule: String = #"{"start_at": "now", "window": "always"}"#, more: String = ""
  ) -> String {
    """
    {"name": "\(name)", "from": "106540352242922", "template": {"name": "ramadan_offer", "language": "ar",
     "stop_button": 0, "parameters": {"body": [{"attr": "first_name", "fallback": "عميلنا العزيز"}, "20%"]}},
     "audience": {"id": "1"}, "schedule": \(schedule),
     "pace": {"per_second": \(pace), "jitter": "none"}, "require_opt_in": true\(more)}
    """
  }

  /// Drafts and launches a campaign to everybody, at `pace` a second.
  func launch(
    pace: Int, name: String = "offer", startAt: Instant? = nil, from sender: Number.ID? = nil, more: String = "",
    schedule: String = #"{"start_at": "now", "window": "always"}"#
  ) async throws -> Campaign.ID {
    let spec = try CampaignSpec(
      json: JSONValue(
        parsing: Array(
          World.request(pace: pace, name: name, schedule: schedule, more: more).utf8)))
    let campaign = try await Campaigns.insert(
      Campaigns.Draft(spec: spec, account: account, template: template, category: .marketing, numbers: sender.map { [$0] } ?? numbers),
      business: installation.business, by: "test", on: pool)
    let text = try #require(try await Templates.read(template, on: pool))
    let launched = try await Campaigns.launch(
      campaign, try FrozenCampaign(spec, text), startAt: startAt, skipsWait: true, of: installation.business,
      by: "test", reason: "", on: pool)
    #expect(launched)
    return campaign
  }

  /// Starts a node with all roles and tells the Sandbox where webhooks go. Without `replies` nobody is answered, so that the
  /// journal holds a campaign's messages alone.
  @discardableResult
  func startNode(
    receiptPatience: Duration = .seconds(600), replies: Bool = false, _ change: (inout SenderSettings) -> Void = { _ in }
  ) async throws -> Node {
    let (line, doors) = (Reactor(name: "line"), Reactor(name: "doors"))
    line.start()
    doors.start()
    var settings = SenderSettings(graphURL: "http://127.0.0.1:\(sandboxPort)", graphVersion: "v26.0")
    settings.answerTimeout = .seconds(5)
    change(&settings)
    let log: @Sendable (String, [(String, String)]) -> Void = { event, fields in
      if World.isVerbose { print(event, fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")) }
    }
    let database = ConnectionSettings(url: url)
    let sender = Sender(
      settings: settings, database: database, tokens: Tokens(sealKey: World.seal), installation: installation, on: line,
      log: log)
    let intake = Intake(
      appSecrets: [World.secret], verifyToken: "sandbox-verify-token", installation: installation, database: database,
      on: doors, log: log)
    let server = HTTPServer(HTTPServerSettings(), on: doors) { await intake.handle($0) }
    let port = try server.start()
    try await sandboxPost("webhook", #"{"url": "http://127.0.0.1:\#(port)/webhooks/whatsapp"}"#)
    let folder = Folder(installation: installation, database: database, on: desk, log: log)
    var tending = Scheduler.Settings()
    tending.unknownPatience = .seconds(3)
    tending.tendEvery = .milliseconds(200)
    let scheduler = Scheduler(settings: tending, pool: pool, on: desk, log: log)
    var watching = Guard.Settings()
    watching.lookWhileSending = .milliseconds(500)
    watching.judgeEvery = .milliseconds(100)
    watching.receiptPatience = receiptPatience
    let guardian = Guard(
      settings: watching, pool: pool,
      graph: GraphClient(client, url: "http://127.0.0.1:\(sandboxPort)", version: "v26.0"), tokens: Tokens(sealKey: World.seal),
      on: desk, log: log)
    let node = Node(
      intake: intake, server: server, sender: sender,
      tasks: [
        Task { try await folder.run() }, Task { try await scheduler.run() }, Task { try await guardian.run() },
        Task { [installation, pool, desk] in
          guard replies else { return }
          try await ReplyDesk.run(installation: installation, country: { _ in "EG" }, pool: pool, on: desk, log: log)
        },
      ],
      sending: Task { try await sender.run() })
    nodes.with { $0.append(node) }
    return node
  }

  static let isVerbose = false

  func stopNodes() async throws {
    for node in nodes.with({ n in
      defer { n = [] }
      return n
    }) {
      node.sending.cancel()
      try await node.sending.value
      await node.server.shutdown(grace: .seconds(1))
      for task in node.tasks {
        task.cancel()
        try await task.value
      }
      await node.intake.close()
    }
  }

  // A test that failed on its way leaves nothing running beside those after it.
  deinit {
    for node in nodes.with({ $0 }) {
      node.sending.cancel()
      for task in node.tasks { task.cancel() }
    }
  }

  func end() async throws {
    try await stopNodes()
    await sandbox.stop()
    await pool.close()
    cluster?.destroy()
  }

  // MARK: The Sandbox

  /// Tells the Sandbox that webhooks go to a process on this port.
  func listen(_ port: UInt16) async throws {
    try await sandboxPost("webhook", #"{"url": "http://127.0.0.1:\#(port)/webhooks/whatsapp"}"#)
  }

  /// One of the journal's sums.
  func summary(_ name: String) async throws -> Int {
    let body = try await client.send(
      HTTPRequest("GET", "http://127.0.0.1:\(sandboxPort)/sandbox/journal/summary", headers: [])
    ).get().body
    return Int(try JSONValue(parsing: body)[name]?.int64Value ?? -1)
  }

  @discardableResult
  func sandboxPost(_ path: String, _ body: String) async throws -> JSONValue {
    let answer = try await client.send(
      HTTPRequest(
        "POST", "http://127.0.0.1:\(sandboxPort)/sandbox/\(path)", headers: [("Content-Type", "application/json")],
        body: Array(body.utf8))
    ).get()
    try #require(answer.status == 200, "\(path): \(String(decoding: answer.body, as: UTF8.self))")
    return try JSONValue(parsing: answer.body)
  }

  struct Arrival {
    let at: Int64
    /// Nil when the connection was closed before the message was read.
    let to: PhoneNumber?
    let callback: String
    let isAccepted: Bool
  }

  /// Those of the journal that are no confirmations.
  func offers() async throws -> [Arrival] {
    let standing = Set(try await pool.run("select campaign_id from campaign where kind = 4").map { $0.int64(0) })
    return try await journal().filter {
      MessageKey(callbackData: $0.callback, installation: installation.name).map { !standing.contains($0.campaign.rawValue) }
        ?? true
    }
  }

  /// Every message that reached the Sandbox, in order of arrival; boot clock, nanoseconds.
  func journal() async throws -> [Arrival] {
    let body = try await client.send(
      HTTPRequest("GET", "http://127.0.0.1:\(sandboxPort)/sandbox/journal", headers: [], timeout: .seconds(60))
    ).get().body
    return try body.split(separator: UInt8(ascii: "\n")).map { line in
      let value = try JSONValue(parsing: Array(line))
      return Arrival(
        at: value["boot_ns"]?.int64Value ?? 0, to: value["to"]?.stringValue.flatMap { PhoneNumber(e164: $0) },
        callback: value["callback"]?.stringValue ?? "", isAccepted: value["wamid"]?.stringValue != nil)
    }
  }

  // MARK: The record

  func states(_ campaign: Campaign.ID) async throws -> [RecipientState: Int] {
    try await CampaignCounts.read(campaign, on: pool).states
  }

  /// What the messages cost, by their own rates and by the ledger.
  func sums(_ campaign: Campaign.ID) async throws -> (report: Amount, ledger: Amount) {
    let rows = try await pool.run(
      """
      select (select coalesce(sum(r.amount), 0) from standing s join rate r using (rate_id) where s.campaign_id = $1),
        (select coalesce(sum(amount), 0) from posting where campaign_id = $1)
      """, .int8(campaign.rawValue))
    return (rows[0].amount(0), rows[0].amount(1))
  }

  func campaignState(_ campaign: Campaign.ID) async throws -> CampaignState {
    CampaignState(
      rawValue: try await pool.run("select state from campaign where campaign_id = $1", .int8(campaign.rawValue))[0].int16(0))!
  }

  /// Asks again until `met` says so; fails the test after `limit`.
  func until(_ what: Comment, within limit: Duration = .seconds(60), _ met: () async throws -> Bool) async throws {
    let deadline = BootInstant.now + limit
    while try await !met() {
      try #require(BootInstant.now < deadline, what)
      try await desk.sleep(for: .milliseconds(50))
    }
  }
}
