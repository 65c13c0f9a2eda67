import Consent
import Crypto
import Domain
import JSON
import Postgres
import Reactor
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

@Suite struct `What people say` {
  @Test func `holds back as a doubt until they say more`() async throws {
    let store = try await TestStore()
    let person = store.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_567)!)
    func say(_ event: ConsentEvent, _ at: Int64) async throws -> Bool {
      let word = Consents.Word(
        person: person, scope: .marketing, event: event, source: .text, evidence: .object(JSONObject()),
        at: Instant(seconds: 1_700_000_000 + at))
      _ = try await store.pool.run(Consents.recording([word], business: store.business))
      return try await !Consents.person(person, of: store.business, on: store.pool).suppressed.isEmpty
    }
    #expect(try await say(.hold, 10))
    #expect(try await say(.start, 10), "at the same instant the doubt wins")
    #expect(try await say(.start, 11) == false)
    #expect(try await say(.hold, 5) == false, "an older doubt is nothing new")
    await store.close()
  }

  @Test func `of a marketing stop leaves a stop of everything, and the other way round`() async throws {
    let store = try await TestStore()
    let person = store.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_568)!)
    func scopes(after event: ConsentEvent, _ scope: ConsentScope, _ at: Int64) async throws -> [ConsentScope] {
      let word = Consents.Word(
        person: person, scope: scope, event: event, source: .api, evidence: .object(JSONObject()),
        at: Instant(seconds: 1_700_000_000 + at))
      _ = try await store.pool.run(Consents.recording([word], business: store.business))
      return try await Consents.person(person, of: store.business, on: store.pool).suppressed.map(\.scope)
    }
    #expect(try await scopes(after: .stop, .everything, 1) == [.everything])
    #expect(try await scopes(after: .start, .marketing, 2) == [.everything])
    #expect(try await scopes(after: .stop, .marketing, 3) == [.marketing, .everything])
    #expect(try await scopes(after: .start, .everything, 4) == [])
    await store.close()
  }

  @Test func `is never undone by an old file, whatever the file's order`() async throws {
    let store = try await TestStore()
    let people = (0..<3).map { store.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_600 + $0)!) }
    func words(_ event: ConsentEvent, _ source: ConsentSource, at seconds: Int64) -> Statement {
      Consents.recording(
        people.map {
          Consents.Word(
            person: $0, scope: .marketing, event: event, source: source, evidence: .object(JSONObject()),
            at: Instant(seconds: 1_700_000_000 + seconds))
        }, business: store.business)
    }
    _ = try await store.pool.batch([words(.stop, .text, at: 500)])
    _ = try await store.pool.batch([words(.start, .upload, at: 400)])
    _ = try await store.pool.batch([words(.start, .upload, at: 499), words(.start, .upload, at: 500)])
    for person in people {
      #expect(try await Consents.person(person, of: store.business, on: store.pool).suppressed.map(\.scope) == [.marketing])
    }
    await store.close()
  }

  @Test func `owes one reply at most, and none for what is old`() async throws {
    let store = try await TestStore()
    try await store.number()
    let phone = PhoneNumber(digits: 201_001_234_569)!
    let person = store.installation.personKeys.key(of: phone)
    func say(_ event: ConsentEvent, _ kind: ReplyKind, at: Instant) async throws {
      let owed = Replies.Owed(
        person: person, phone: phone, phoneNumberID: "106540352242922", kind: kind, language: .arabic, saidAt: at)
      let word = Consents.Word(
        person: person, scope: .marketing, event: event, source: .text, evidence: .object(JSONObject()), at: at)
      _ = try await store.pool.batch([
        Replies.owing([owed, owed], business: store.business), Consents.recording([word], business: store.business),
      ])
    }
    func owed() async throws -> Int64 { try await store.pool.run("select count(*) from reply")[0].int64(0) }
    let now = Instant.now - .seconds(600)
    try await say(.hold, .question, at: now)
    #expect(try await owed() == 1)
    try await say(.hold, .question, at: now + .seconds(1))
    #expect(try await owed() == 1, "asked already")
    try await say(.stop, .confirmation, at: now + .seconds(2))
    #expect(try await owed() == 2, "the answer to the question is confirmed")
    try await say(.stop, .confirmation, at: now + .seconds(3))
    #expect(try await owed() == 2, "told already")
    _ = try await store.pool.batch([
      Consents.recording(
        [
          Consents.Word(
            person: person, scope: .marketing, event: .start, source: .text, evidence: .object(JSONObject()),
            at: now + .seconds(4))
        ], business: store.business)
    ])
    try await say(.stop, .confirmation, at: now + .seconds(2))
    #expect(try await owed() == 2, "a late delivery of what was said before the start")
    try await say(.stop, .confirmation, at: now + .seconds(5))
    #expect(try await owed() == 3)
    #expect(
      try await Replies.queue(
        of: store.business, installation: "t", limit: 10, country: { _ in "EG" }, on: store.pool) == 3)
    let campaigns = try await store.pool.run("select kind, recipients, state from campaign")
    #expect(campaigns.count == 1 && campaigns[0].int16(0) == 4 && campaigns[0].int64(1) == 3)
    let due = try await store.pool.run("select count(*), min(seq), max(seq) from due where due_at <= now()")
    #expect(due[0].int64(0) == 3 && due[0].int32(1) == 1 && due[0].int32(2) == 3)
    _ = try await store.pool.run("update reply set ended_at = null, said_at = now() - interval '1 day' where reply_id = 1")
    _ = try await Replies.queue(of: store.business, installation: "t", limit: 10, country: { _ in "EG" }, on: store.pool)
    #expect(try await store.pool.run("select end_reason from reply where reply_id = 1")[0].text(0) == "late")
    await store.close()
  }
}
