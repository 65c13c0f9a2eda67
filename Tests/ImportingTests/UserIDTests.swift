import Crypto
import Domain
import Importing
import Postgres
import Testing

@Suite struct `People known by Meta's id alone` {
  static let id = "US.13491208655302741918"

  @Test func `are stored without a phone, once, and merged`() async throws {
    let lists = try await Lists()
    let file = "user_id,first_name,consent_source,consent_at\n\(Self.id),A,shop,2026-01-02\nEG.ENT.777,B,,\n"
    let report = try await lists.send(file)
    #expect((report.created, report.added, report.consented, report.rejected) == (2, 2, 1, 0))
    #expect(report.kinds == ["user_id": 2] && report.countries == ["US": 1, "EG": 1])
    let rows = try await lists.pool.run(
      "select phone, user_id, person_key, country, opt_in_source from contact order by user_id")
    #expect(rows.map { $0.isNull(0) } == [true, true])
    #expect(rows.map { $0.text(1) } == ["EG.ENT.777", Self.id])
    #expect(rows[1].personKey(2) == Lists.keys.key(of: UserID(Self.id)!) && rows[1].optionalText(4) == "shop")
    let again = try await lists.send(file)
    #expect((again.created, again.updated, again.unchanged, again.added) == (0, 0, 2, 0))
    let more = try await lists.send("user_id,city\n\(Self.id),Cairo\n\(Self.id),Giza\nUS.2,x\n")
    #expect((more.rows, more.created, more.updated, more.merged) == (3, 1, 1, 1))
    let merged = try await lists.pool.run(
      "select attributes->>'city', attributes->>'first_name' from contact where user_id = $1", .text(Self.id))
    #expect((merged[0].text(0), merged[0].text(1)) == ("Giza", "A"))
    #expect(try await lists.count("select count(*) from consent where event = 2 and source = 7") == 1)
  }

  @Test func `stand beside people with phones, in both formats`() async throws {
    let lists = try await Lists()
    let csv = try await lists.send("phone,user_id,n\n+201001234567,,a\n,US.5,b\n,,c\n+201001234568,US.6,d\n")
    #expect((csv.created, csv.rejectedByReason) == (3, ["empty": 1]))
    let json = try await lists.send(
      "{\"user_id\":\"US.7\"}\n{\"phone\":\"+201001234568\",\"user_id\":\"US.6\"}\n",
      try ImportOptions(query: [], contentType: "application/x-ndjson"))
    #expect((json.created, json.unchanged) == (1, 1))
    // A row with the id alone finds the person of the phone.
    let byID = try await lists.send("user_id,city\nUS.6,Cairo\n")
    #expect((byID.created, byID.updated) == (0, 1))
    #expect(try await lists.attributes(201_001_234_568) == ["n": "d", "city": "Cairo"])
  }

  @Test func `keep their id: a second phone does not take it`() async throws {
    let lists = try await Lists()
    let file = "phone,user_id\n+201001234567,US.1\n+201001234568,US.1\n"
    #expect(try await lists.send(file).created == 2)
    #expect(try await lists.count("select phone from contact where user_id = 'US.1'") == 201_001_234_567)
    let again = try await lists.send(file)
    #expect((again.updated, again.unchanged) == (0, 2))
  }

  @Test func `are told from other numbers that a column of this name may hold`() async throws {
    let lists = try await Lists()
    _ = try await lists.send("phone,user_id\n+201001234567,4711\n")
    #expect(try await lists.attributes(201_001_234_567) == ["user_id": "4711"])
    #expect(try await lists.send("user_id\n4711\n").rejectedByReason == ["empty": 1])
    for text in ["", "US.", ".1", "us.1", "USA1", "US.1.2.3", "US.1-2", "US." + String(repeating: "1", count: 129)] {
      #expect(UserID(text) == nil, "\(text)")
    }
    #expect(UserID(Self.id)?.country == "US" && "\(UserID(Self.id)!)" == "US.…")
  }
}
