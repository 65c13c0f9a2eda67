import CloudAPI
import Crypto
import Domain
import Glibc
import HTTPClient
import JSON
import Postgres
import Reactor
import Store

/// A private PostgreSQL with one business, one number and its people, and the programs that are measured on it.
final class Stage: Sendable {
  static let secret = "a secret of the benchmark that is long enough for a key"
  static let token = "sandbox-token"
  static let phoneNumberID = "106540352242922"

  let directory: String
  let cluster: PrivateCluster
  let pool: Pool
  let reactor: Reactor
  let client: HTTPClient
  let installation: Installation
  let account: Account.ID
  let template: Template.ID
  let number: Number.ID
  /// `number` and, where several were asked for, those beside it.
  let numbers: [Number.ID]
  let phoneNumberIDs: [String]
  let sealKey: SealKey
  /// `http`, or `https` where the Sandbox speaks TLS with the identity of `tls/`.
  let scheme: String
  private let keeps: Bool

  /// The demo's settings, with room for a million rows; every commit is flushed.
  private static let settings = [
    "shared_buffers": "512MB", "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB",
    "checkpoint_timeout": "15min", "wal_compression": "lz4", "jit": "off", "random_page_cost": "1.1",
    "autovacuum_naptime": "15s", "fsync": "on", "synchronous_commit": "on",
  ]

  init(_ options: Bench.Options, overTLS: Bool = false) async throws {
    (keeps, scheme) = (options.keeps, overTLS ? "https" : "http")
    var name = Array((String(cString: getenv("TMPDIR") ?? strdup("/tmp")) + "/qafila-bench.XXXXXX").utf8CString)
    guard mkdtemp(&name) != nil else { throw BenchError("no folder for temporary files") }
    directory = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // Run by root, the cluster belongs to another user, who must be able to pass.
    chmod(directory, 0o711)
    let place = directory + "/pg"
    reactor = Reactor(name: "stage")
    reactor.start()
    if overTLS { try await Stage.makeIdentity(in: directory, on: reactor) }
    cluster = try await Stage.offThread { try PrivateCluster.start(directory: place, settings: Stage.settings) }
    let database = ConnectionSettings(url: cluster.url)
    let connection = Connection(database, on: reactor)
    _ = try await Migrator.migrate(connection)
    await connection.close()
    pool = Pool(database, size: 3, on: reactor)
    client = HTTPClient(
      on: reactor,
      settings: HTTPClientSettings(maxAnswerBytes: 1 << 30, caFile: overTLS ? directory + "/certificate.pem" : nil))
    guard let key = SealKey(secret: Stage.secret) else { throw BenchError("the seal key is refused") }
    sealKey = key
    installation = try await Installation.open(pool, sealKey: key)
    let sealed = Tokens(sealKey: key).sealed(Stage.token)
    var seen = Numbers.Observation(raw: .object([:]))
    seen.status = "CONNECTED"
    phoneNumberIDs = [Stage.phoneNumberID] + (1..<max(1, options.numbers)).map { "2\(10_654_035_224_200 + $0)" }
    var numbers: [Number.ID] = []
    for (index, id) in phoneNumberIDs.enumerated() {
      let registered = try await Numbers.register(
        Numbers.Registration(
          phoneNumberID: id, wabaID: "102290129340398", portfolio: nil, currency: "USD", zone: "Africa/Cairo",
          subscribed: true, phone: PhoneNumber(digits: 201_090_000_000 + Int64(index))!, sealedToken: sealed.sealed,
          tokenDigest: sealed.digest, seen: seen),
        business: installation.business, by: "bench", on: pool)
      guard let registered else { throw BenchError("the number is refused") }
      numbers.append(registered)
    }
    (self.numbers, number) = (numbers, numbers[0])
    account = Account.ID(try await pool.run("select account_id from account")[0].int64(0))
    _ = try await Templates.sync(
      [
        Templates.Seen(
          metaID: "1", name: "ramadan_offer", language: "ar", status: "APPROVED", category: .marketing, quality: "GREEN",
          parameterFormat: "POSITIONAL", components: Array(Stage.components.utf8))
      ], account: account, business: installation.business, by: "bench", on: pool)
    template = Template.ID(try await pool.run("select template_id from template")[0].int64(0))
    _ = try await pool.run(
      "insert into audience (business_id, name) values ($1, 'everybody')", .int8(installation.business.rawValue))
  }

  /// A certificate for 127.0.0.1 that its own key signed.
  private static func makeIdentity(in directory: String, on reactor: Reactor) async throws {
    let made = try await Program.start(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
        "/CN=qafila bench", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory + "/key.pem", "-out",
        directory + "/certificate.pem",
      ], environment: [], log: directory + "/openssl.log")
    guard try await made.ended(on: reactor) else {
      throw BenchError("openssl made no certificate: \(Files.text(directory + "/openssl.log"))")
    }
  }

  /// Blocking calls have a thread of their own.
  private static func offThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    let thread = Reactor(name: "cluster")
    thread.start()
    return try await withCheckedThrowingContinuation { done in
      thread.submit { done.resume(with: Result { try body() }) }
    }
  }

  /// Stops PostgreSQL and removes everything.
  func end() async {
    await pool.close()
    client.close()
    let cluster = cluster
    do {
      try await Stage.offThread { cluster.stop() }
    } catch { Bench.say("PostgreSQL does not stop: \(error)") }
    if keeps { Bench.say("kept: \(directory)") } else { Stage.remove(directory) }
  }

  private static func remove(_ path: String) {
    var found = stat()
    if lstat(path, &found) == 0, found.st_mode & S_IFMT == S_IFDIR {
      for name in Files.entries(path) where name != "." && name != ".." { remove(path + "/" + name) }
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  // MARK: People

  static let components = #"""
    [{"type":"BODY","text":"مرحبًا {{1}}، خصم {{2}} على كل المنتجات حتى نهاية رمضان.",
    "example":{"body_text":[["عميلنا العزيز","20%"]]}},{"type":"FOOTER","text":"متجر التجربة"},
    {"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"إيقاف العروض"}]}]
    """#

  /// Fills the audience with `count` people of six countries, of whom `optOuts` in a hundred opted out.
  func addPeople(_ count: Int, optOuts: Int = 0) async throws {
    Bench.say("  adding \(count) people")
    _ = try await pool.run(
      """
      insert into contact (business_id, phone, person_key, country, attributes, opt_in_at, opt_in_source)
      select $1, p, md5(p::text)::uuid, c, jsonb_build_object('first_name', (array['منى', 'Omar', 'خالد', 'Sara'])[1 + i % 4],
        'city', 'Cairo', 'points', i % 1000), now(), 'bench'
      from (
        select i, (array['EG', 'SA', 'AE', 'MA', 'IQ', 'JO'])[1 + i % 6] c,
          (array[201000000000, 966500000000, 971500000000, 212600000000, 9647700000000, 962770000000])[1 + i % 6] + i p
        from generate_series(1, $2) i
      ) x order by i
      """, .int8(installation.business.rawValue), .int4(Int32(count)))
    _ = try await pool.run(
      "insert into audience_member (audience_id, contact_id) select 1, contact_id from contact order by contact_id")
    if optOuts > 0 {
      _ = try await pool.run(
        """
        insert into suppression (business_id, person_key, scope, active, at, consent_id)
        select $1, person_key, 1, true, now(), contact_id from contact where contact_id * 37 % 100 < $2 order by person_key
        """, .int8(installation.business.rawValue), .int8(Int64(optOuts)))
    }
    for table in ["contact", "audience_member", "suppression"] { _ = try await pool.run("vacuum analyze \(table)") }
  }

  /// An audience beside the first one, of `count` people of its own.
  func addAudience(_ name: String, of count: Int) async throws -> Audience.ID {
    let rows = try await pool.run(
      "insert into audience (business_id, name) values ($1, $2) returning audience_id",
      .int8(installation.business.rawValue), .text(name))
    let audience = Audience.ID(rows[0].int64(0))
    _ = try await pool.run(
      """
      with made as (
        insert into contact (business_id, phone, person_key, country, attributes, opt_in_at, opt_in_source)
        select $1, 201500000000 + i, md5((201500000000 + i)::text)::uuid, 'EG', '{"first_name": "منى"}', now(), 'bench'
        from generate_series(1, $2) i returning contact_id
      )
      insert into audience_member (audience_id, contact_id) select $3, contact_id from made
      """, .int8(installation.business.rawValue), .int4(Int32(count)), .int8(audience.rawValue))
    return audience
  }

  func apiKey() async throws -> String {
    guard let seal = SealKey(secret: Stage.secret) else { throw BenchError("the seal key is refused") }
    return try await Keys(sealKey: seal).create(
      name: "bench", role: .admin, business: installation.business, by: "bench", on: pool
    ).key
  }

  // MARK: Campaigns

  /// Drafts and launches a campaign to everybody. `held`: nothing leaves before `release`. Without `perSecond` the number's
  /// own rate is its pace.
  func launch(
    perSecond: Int?, held: Bool, jitter: String = "none", audience: Audience.ID = Audience.ID(1)
  ) async throws -> Campaign.ID {
    let pace = perSecond.map { "\"per_second\": \($0), " } ?? ""
    let spec = try CampaignSpec(
      json: JSONValue(
        parsing: Array(
          """
          {"name": "offer", "from": ["\(phoneNumberIDs.joined(separator: "\", \""))"], "template": {"name": "ramadan_offer", "language": "ar",
           "stop_button": 0, "parameters": {"body": [{"attr": "first_name", "fallback": "عميلنا العزيز"}, "20%"]}},
           "audience": {"id": "\(audience)"}, "schedule": {"start_at": "now", "window": "always"},
           "pace": {\(pace)"jitter": "\(jitter)"}, "require_opt_in": true,
           "guard": {"max_opt_out": 1, "pilot": false}}
          """.utf8)))
    let campaign = try await Campaigns.insert(
      Campaigns.Draft(spec: spec, account: account, template: template, category: .marketing, numbers: numbers),
      business: installation.business, by: "bench", on: pool)
    if held { try await hold(campaign) }
    guard let text = try await Templates.read(template, on: pool),
      try await Campaigns.launch(
        campaign, try FrozenCampaign(spec, text), startAt: nil, skipsWait: true, of: installation.business,
        by: "bench", reason: "", on: pool)
    else { throw BenchError("the launch is refused") }
    return campaign
  }

  func hold(_ campaign: Campaign.ID) async throws {
    _ = try await pool.batch([
      Pauses.opening(
        .campaign, campaign.rawValue, business: installation.business, cause: .operator, reason: "bench", actor: "bench")
    ])
  }

  func release(_ campaign: Campaign.ID) async throws {
    _ = try await pool.run(
      """
      insert into pause_end (pause_id, reason, actor) select pause_id, 'bench', 'bench' from open_pause
      where scope = 7 and scope_id = $1
      """, .int8(campaign.rawValue))
  }

  func state(_ campaign: Campaign.ID) async throws -> CampaignState? {
    let rows = try await pool.run("select state from campaign where campaign_id = $1", .int8(campaign.rawValue))
    return CampaignState(rawValue: rows[0].int16(0))
  }

  /// Asks again until `met` says so.
  func until(
    _ what: String, within limit: Duration, every: Duration = .milliseconds(100), _ met: () async throws -> Bool
  ) async throws {
    let deadline = BootInstant.now + limit
    while try await !met() {
      guard BootInstant.now < deadline else { throw BenchError("\(what): not within \(limit)") }
      try await reactor.sleep(for: every)
    }
  }

  func setRate(_ perSecond: Int) async throws {
    // What the Sandbox says of the number must not take its place.
    _ = try await pool.run(
      "update number set per_second = $1, reserve_percent = 0, watch_due = 'infinity'", .int4(Int32(perSecond)))
  }

  /// Microseconds of CPU that PostgreSQL has used, all its processes together.
  func databaseCPU() throws -> Double {
    let file = Files.text(directory + "/pg/data/postmaster.pid")
    guard let pid = file.split(separator: "\n").first.flatMap({ pid_t($0) }) else { throw BenchError("no postmaster.pid") }
    return Process.familyCPU(pid)
  }
}
