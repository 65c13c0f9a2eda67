import Crypto
import Domain
import Importing
import JSON
import Postgres
import Reactor
import Simulation
import Store
import Testing

@Suite struct `A file of opt-outs` {
  static func options(_ query: [(String, String)] = []) throws -> ImportOptions {
    try ImportOptions(query: [("default_region", "EG")] + query, contentType: nil, isOptOuts: true)
  }

  static func send(_ text: String, _ lists: Lists, _ query: [(String, String)] = []) async throws -> ImportReport {
    let rest = Lock(Optional(Array(text.utf8)))
    return try await Importer.run(
      audience: nil, of: lists.business, by: "tester", options: try options(query), chunks: { rest.with { $0.take() } },
      pool: lists.pool, keys: Lists.keys, worker: Lists.worker)
  }

  private func suppressed(_ lists: Lists) async throws -> [PersonKey: Int16] {
    let rows = try await lists.pool.run("select person_key, scope from suppression where active")
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.personKey(0), $0.int16(1)) })
  }

  private func key(_ phone: Int64) -> PersonKey { Lists.keys.key(of: PhoneNumber(digits: phone)!) }

  @Test func `stops everybody in it, whatever kind of phone, with its lines as evidence`() async throws {
    let lists = try await Lists()
    let report = try await Self.send(
      "name,phone,user_id\nMona,01001234567,\nx,0223456789,\ny,,US.5\nz,nonsense,\nMona,+20 100 123 4567,\n", lists,
      [("scope", "everything")])
    #expect(report.recorded == 4 && report.rejected == 1 && report.created == 0)
    #expect(try await lists.rejects(report.upload).map(\.line) == [5])
    #expect(
      try await suppressed(lists) == [
        key(201_001_234_567): 2, key(20_223_456_789): 2, Lists.keys.key(of: UserID("US.5")!): 2,
      ])
    let evidence = try await lists.pool.run(
      "select evidence->>'line', evidence->>'import' from consent where source = 7 and event = 1 order by consent_id")
    #expect(evidence.map { $0.text(0) } == ["2", "3", "6", "4"])
    #expect(evidence.allSatisfy { $0.text(1) == report.upload.description })
    #expect(try await lists.count("select count(*) from contact") == 0, "nobody becomes a contact by it")
    let entry = try await Audiences.upload(report.upload, of: lists.business, on: lists.pool)
    #expect(entry?.state == "committed" && entry?.audience == nil)
  }

  @Test func `undoes no start that was said after its own time`() async throws {
    let lists = try await Lists()
    let start = Instant(rfc3339: "2026-03-01T00:00:00Z")!
    for phone in [201_001_234_561, 201_001_234_562, 201_001_234_563] as [Int64] {
      let word = Consents.Word(
        person: key(phone), scope: .marketing, event: .start, source: .text, evidence: .object([:]), at: start)
      _ = try await lists.pool.batch([Consents.recording([word], business: lists.business)])
    }
    // Before the start, after it, and without a time: that is now. When they once consented says nothing of it.
    let file = "phone,unsubscribed_at,consent_at\n01001234561,2026-02-28,2026-04-01\n01001234562,2026-03-02,\n01001234563,,2025-01-01\n"
    #expect(try await Self.send(file, lists).recorded == 3)
    #expect(try await suppressed(lists) == [key(201_001_234_562): 1, key(201_001_234_563): 1])
    // All of an old file counts as of its day.
    _ = try await Self.send("phone\n01001234561\n", lists, [("at", "2026-02-01T00:00:00Z")])
    #expect(try await suppressed(lists)[key(201_001_234_561)] == nil)
  }

  @Test func `of more than a thousand rows misses none`() async throws {
    let lists = try await Lists()
    let rows = (0..<2500).map { "+2010\(10_000_000 + $0)" }
    let report = try await Self.send("phone\n" + rows.joined(separator: "\n") + "\n", lists)
    #expect(report.recorded == 2500)
    #expect(try await lists.count("select count(*) from suppression where active") == 2500)
  }

  @Test func `with a parameter that is not its own is refused`() {
    for query in [("consent_source", "x"), ("accept", "possible"), ("scope", "all"), ("at", "2999-01-01T00:00:00Z")] {
      #expect(throws: Problem.self) { try Self.options([query]) }
    }
  }
}

@Suite struct `A phone for somebody known by an id alone` {
  static let id = "EG.1349120865530274"

  /// The phone is new, or is a contact already.
  @Test(arguments: [false, true]) func `makes one person with the lists, consent and words of both`(isKnown: Bool) async throws {
    let lists = try await Lists()
    let user = Lists.keys.key(of: UserID(Self.id)!)
    let phone = PhoneNumber(digits: 201_001_234_567)!
    _ = try await lists.send(
      Array("user_id,city,consent_source,consent_at\n\(Self.id),Giza,app,2026-01-02\n".utf8), to: Audience.ID(2))
    if isKnown { _ = try await lists.send("phone,first_name\n\(phone.e164),Mona\n") }
    let stop = Consents.Word(
      person: user, scope: .marketing, event: .stop, source: .text, evidence: .object([:]), at: .now)
    _ = try await lists.pool.batch([Consents.recording([stop], business: lists.business)])

    let report = try await lists.send("phone,user_id,first_name\n\(phone.e164),\(Self.id),Mona\n")
    #expect(report.created == 0)
    let people = try await lists.pool.run("select phone, user_id, person_key, opt_in_source, contact_id from contact")
    #expect(people.count == 1)
    #expect(people[0].int64(0) == phone.digits && people[0].text(1) == Self.id)
    #expect(people[0].personKey(2) == Lists.keys.key(of: phone) && people[0].optionalText(3) == "app")
    #expect(try await lists.attributes(phone.digits) == ["first_name": "Mona", "city": "Giza"])
    let members = try await lists.pool.run("select audience_id, contact_id from audience_member order by 1")
    #expect(members.map { $0.int64(0) } == [1, 2] && members.allSatisfy { $0.int64(1) == people[0].int64(4) })
    let silent = try await lists.pool.run(
      "select active from suppression where person_key = $1", .uuid(Lists.keys.key(of: phone)))
    #expect(silent.map { $0.bool(0) } == [true], "what was said under the id holds for the phone")
    let again = try await lists.send("phone,user_id,first_name\n\(phone.e164),\(Self.id),Mona\n")
    #expect((again.created, again.updated, again.unchanged) == (0, 0, 1))
  }
}
