import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Simulation
import Store

/// A migrated database of one's own, with a business and what campaigns stand on.
struct TestStore {
  static let reactor: Reactor = {
    let reactor = Reactor(name: "store-tests")
    reactor.start()
    return reactor
  }()
  static let sealKey = SealKey(secret: "a secret of at least thirty-two characters")!

  let url: String
  let pool: Pool
  let installation: Installation
  var business: Business.ID { installation.business }

  init() async throws {
    url = try await TestDatabase.shared.fresh(like: "migrated") { url in
      let connection = Connection(ConnectionSettings(url: url), on: TestStore.reactor)
      _ = try await Migrator.migrate(connection)
      await connection.close()
    }
    pool = Pool(ConnectionSettings(url: url), size: 4, on: TestStore.reactor)
    installation = try await Installation.open(pool, sealKey: TestStore.sealKey)
  }

  static func connection(_ url: String) -> Connection { Connection(ConnectionSettings(url: url), on: reactor) }

  func close() async { await pool.close() }

  @discardableResult
  func number(_ id: String = "106540352242922", waba: String = "102290129340398", phone: Int64 = 201_001_234_567)
    async throws
    -> Number.ID
  {
    let sealed = Tokens(sealKey: TestStore.sealKey).sealed("token-\(waba)")
    var seen = Numbers.Observation(raw: ["id": .string(id)])
    seen.status = "CONNECTED"
    let new = Numbers.Registration(
      phoneNumberID: id, wabaID: waba, portfolio: nil, currency: "USD", zone: "Africa/Cairo", subscribed: true,
      phone: PhoneNumber(digits: phone)!, sealedToken: sealed.sealed, tokenDigest: sealed.digest, seen: seen)
    return try await Numbers.register(new, business: business, by: "test", on: pool)!
  }

  func template(_ name: String = "offer", account: Account.ID, text: String = "Hello {{1}}") async throws
    -> Templates.SyncResult
  {
    let components: JSONValue = [["type": "BODY", "text": .string(text)]]
    let seen = Templates.Seen(
      metaID: "1", name: name, language: "ar", status: "APPROVED", category: .marketing, quality: "GREEN",
      parameterFormat: "POSITIONAL", components: components.rendered())
    return try await Templates.sync([seen], account: account, business: business, by: "test", on: pool)
  }

  /// What a launch freezes of a draft.
  func launched(_ id: Campaign.ID) async throws -> FrozenCampaign {
    let entry = try await Campaigns.read(id, of: business, on: pool)!
    return try FrozenCampaign(
      CampaignSpec(json: JSONValue(parsing: entry.spec)), try await Templates.read(entry.template, on: pool)!)
  }

  /// A campaign that sends to so many people of Egypt, in one run, as a freeze would leave it.
  func sending(people: Int) async throws -> Campaign.ID {
    let id = try await draft()
    let phones = (0..<people).map { PhoneNumber(digits: 201_001_000_000 + Int64($0))! }
    _ = try await pool.run(
      """
      with c as (
        insert into contact (business_id, phone, person_key, country)
        select $1, p, k, 'EG' from unnest($2::int8[], $3::uuid[]) x (p, k) returning contact_id, phone, person_key
      )
      insert into recipient (campaign_id, contact_id, phone, seq, person_key, vars)
      select $4, contact_id, phone, row_number() over (order by contact_id), person_key, '{x}' from c
      """, .int8(business.rawValue), .int8s(phones.map(\.digits)),
      .uuids(phones.map { installation.personKeys.key(of: $0) }), .int8(id.rawValue))
    _ = try await pool.run(
      "insert into run (campaign_id, run_no, lo, hi, zone) values ($1, 1, 1, $2, 'Africa/Cairo')", .int8(id.rawValue),
      .int4(Int32(people)))
    _ = try await pool.run(
      "update campaign set state = 5, frozen = '{}', prepared_at = now(), recipients = $2 where campaign_id = $1",
      .int8(id.rawValue), .int8(Int64(people)))
    return id
  }

  /// A draft over one number, one template and one audience.
  func draft() async throws -> Campaign.ID {
    try await number()
    let entry = try await Numbers.list(of: business, on: pool)[0]
    _ = try await template(account: entry.account)
    let audience = try await Audiences.create("all", business: business, by: "test", on: pool)!
    let spec = try CampaignSpec(json: [
      "name": "One", "from": "106540352242922",
      "template": ["name": "offer", "language": "ar", "parameters": ["body": ["x"]]],
      "audience": ["id": .string(audience.description)],
    ])
    let known = try await Templates.named("offer", account: entry.account, on: pool)[0]
    return try await Campaigns.insert(
      Campaigns.Draft(
        spec: spec, account: entry.account, template: known.id, category: .marketing, numbers: [entry.id]),
      business: business, by: "key:mona", on: pool)
  }
}
