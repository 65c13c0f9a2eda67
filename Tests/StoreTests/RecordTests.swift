import Crypto
import Domain
import JSON
import Postgres
import Store
import Testing

@Suite struct `The record` {
  @Test func `knows a key by its text until it is revoked, and never stores it`() async throws {
    let store = try await TestStore()
    let keys = Keys(sealKey: TestStore.sealKey)
    let made = try await keys.create(name: "till", role: .operate, business: store.business, by: "cli", on: store.pool)
    #expect(made.key.hasPrefix("qk_") && made.key.utf8.count == 43)
    #expect(try await keys.caller(made.key, on: store.pool)?.role == .operate)
    #expect(try await keys.caller(made.key + "x", on: store.pool) == nil)
    let other = Keys(sealKey: SealKey(secret: "another secret of more than thirty-two characters")!)
    #expect(try await other.caller(made.key, on: store.pool) == nil)
    let dump = try await store.pool.run("select array_agg(k::text)::text from api_key k")[0].text(0)
    #expect(!dump.contains(made.key))
    #expect(try await Keys.revoke(made.id, of: store.business, by: "cli", on: store.pool))
    #expect(try await Keys.revoke(made.id, of: store.business, by: "cli", on: store.pool) == false)
    #expect(try await keys.caller(made.key, on: store.pool) == nil)
    await store.close()
  }

  @Test func `registers a number twice as one, under the newer token`() async throws {
    let store = try await TestStore()
    let first = try await store.number()
    let second = try await store.number()
    #expect(first == second)
    let entries = try await Numbers.list(of: store.business, on: store.pool)
    #expect(entries.count == 1 && entries[0].free == 64)
    for word in ["106540352242922", "+20 100 123 4567", "201001234567"] {
      #expect(try await Numbers.find(word, of: store.business, on: store.pool).count == 1, "\(word)")
    }
    #expect(try await Numbers.find("+20 100 123 4568", of: store.business, on: store.pool).isEmpty)
    let sealed = try await Numbers.sealedToken(of: entries[0].account, on: store.pool)
    #expect(Tokens(sealKey: TestStore.sealKey).open(sealed ?? []) == "token-102290129340398")
    await store.close()
  }

  @Test func `counts a template's versions and keeps those that are gone`() async throws {
    let store = try await TestStore()
    try await store.number()
    let account = try await Numbers.list(of: store.business, on: store.pool)[0].account
    #expect(try await store.template(account: account) == .init(seen: 1, added: 1, changed: 0, gone: 0))
    #expect(try await store.template(account: account) == .init(seen: 1, added: 0, changed: 0, gone: 0))
    #expect(
      try await store.template(account: account, text: "Hi {{1}}") == .init(seen: 1, added: 0, changed: 1, gone: 0))
    #expect(try await Templates.named("offer", account: account, on: store.pool)[0].version == 2)
    #expect(try await store.template("other", account: account) == .init(seen: 1, added: 1, changed: 0, gone: 1))
    #expect(try await Templates.named("offer", account: account, on: store.pool)[0].seen.status == "DELETED")
    await store.close()
  }

  @Test func `launches a draft once, freezes it at once, starts it no earlier than a minute from now`() async throws {
    let store = try await TestStore()
    let id = try await store.draft()
    #expect(id.rawValue >> 32 > 24_000)
    let launched = try await store.launched(id)
    let launch = {
      try await Campaigns.launch(
        id, launched, startAt: nil, skipsWait: false, of: store.business, by: "key:mona", reason: "", on: store.pool)
    }
    #expect(try await launch())
    #expect(try await launch() == false)
    let jobs = try await store.pool.run(
      "select kind, key, extract(epoch from due_at - now())::int4 from job where ended_at is null order by job_id")
    #expect(jobs.map { $0.text(0) } == ["prepare", "start"] && jobs.allSatisfy { $0.text(1) == id.description })
    #expect(jobs[0].int32(2) <= 0 && (50...60).contains(jobs[1].int32(2)))
    let entry = try await Campaigns.read(id, of: store.business, on: store.pool)
    #expect(entry?.state == .scheduled && entry?.dueAt != nil)
    await store.close()
  }

  @Test func `cancels for good: the preparation goes and a pause stands`() async throws {
    let store = try await TestStore()
    let id = try await store.draft()
    _ = try await Campaigns.launch(
      id, try await store.launched(id), startAt: nil, skipsWait: true, of: store.business, by: "key:mona",
      reason: "", on: store.pool)
    #expect(try await Campaigns.cancel(id, of: store.business, by: "key:ops", reason: "wrong text", on: store.pool))
    #expect(try await Campaigns.cancel(id, of: store.business, by: "key:ops", reason: "", on: store.pool) == false)
    #expect(try await store.pool.run("select 1 from job where ended_at is null").isEmpty)
    #expect(try await Pauses.open(.campaign, id.rawValue, on: store.pool).map(\.cause) == ["cancelled"])
    let events = try await Campaigns.events(of: id, after: 0, limit: 10, on: store.pool)
    #expect(events.map(\.event) == ["created", "launched", "cancelled"])
    await store.close()
  }

  @Test func `opens a cause once and ends what it is told`() async throws {
    let store = try await TestStore()
    let opening = { (actor: String) in
      Pauses.opening(.number, 7, business: store.business, cause: .operator, reason: "look", actor: actor)
    }
    _ = try await store.pool.batch([opening("a"), opening("a"), opening("b")])
    let open = try await Pauses.open(.number, 7, on: store.pool)
    #expect(open.map(\.actor) == ["a", "b"])
    _ = try await store.pool.run(Pauses.ending([open[0].id], reason: "fine", actor: "c"))
    _ = try await store.pool.run(Pauses.ending([open[0].id], reason: "again", actor: "d"))
    #expect(try await Pauses.open(.number, 7, on: store.pool).map(\.actor) == ["b"])
    let history = try await Pauses.history(.number, 7, limit: 10, on: store.pool)
    #expect(history.count == 2 && history[1].ended?.reason == "fine")
    #expect(try await Pauses.stopAll(reason: "3 a.m.", actor: "cli", on: store.pool) == 1)
    #expect(try await Pauses.stopAll(reason: "3 a.m.", actor: "cli", on: store.pool) == 1)
    #expect(try await Pauses.open(.business, store.business.rawValue, on: store.pool).count == 1)
    await store.close()
  }

  @Test func `lets the later word hold, and a stop at the same moment`() async throws {
    let store = try await TestStore()
    let phone = PhoneNumber(digits: 201_001_234_567)!
    let person = store.installation.personKeys.key(of: phone)
    func say(_ event: ConsentEvent, _ at: Int64) async throws -> Bool {
      let word = Consents.Word(
        person: person, scope: .marketing, event: event, source: .api, evidence: .object(JSONObject()),
        at: Instant(seconds: 1_700_000_000 + at))
      _ = try await store.pool.run(Consents.recording([word], business: store.business))
      return try await !Consents.person(person, of: store.business, on: store.pool).suppressed.isEmpty
    }
    #expect(try await say(.stop, 10))
    #expect(try await say(.start, 5))
    #expect(try await say(.start, 20) == false)
    #expect(try await say(.stop, 15) == false)
    #expect(try await say(.stop, 20))
    #expect(try await Consents.person(person, of: store.business, on: store.pool).history.count == 5)
    let page = try await Consents.optOuts(of: store.business, before: nil, limit: 10, withPhones: true, on: store.pool)
    #expect(page.count == 1 && page[0].person == person && page[0].phone == nil)
    await store.close()
  }

  @Test func `gives an idempotency key to one of many at once`() async throws {
    let store = try await TestStore()
    let claims = try await withThrowingTaskGroup(of: Idempotency.Claim.self) { group in
      for _ in 0..<8 {
        group.addTask { try await Idempotency.claim("k", digest: [1], business: store.business, on: store.pool) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(claims.filter { $0 == .first }.count == 1)
    #expect(claims.filter { $0 == .running }.count == 7)
    try await Idempotency.keep("k", digest: [1], status: 201, answer: [2], business: store.business, on: store.pool)
    #expect(
      try await Idempotency.claim("k", digest: [9], business: store.business, on: store.pool)
        == .answered(digest: [1], status: 201, answer: [2]))
    _ = try await store.pool.run("update idempotency set at = now() - interval '8 days'")
    #expect(try await Idempotency.claim("k", digest: [3], business: store.business, on: store.pool) == .first)
    await store.close()
  }

  @Test func `tells a key whose request never ended from one that still runs`() async throws {
    let store = try await TestStore()
    #expect(try await Idempotency.claim("k", digest: [1], business: store.business, on: store.pool) == .first)
    _ = try await store.pool.run("update idempotency set at = now() - interval '1 hour'")
    #expect(try await Idempotency.claim("k", digest: [1], business: store.business, on: store.pool) == .lost)
    await store.close()
  }
}
