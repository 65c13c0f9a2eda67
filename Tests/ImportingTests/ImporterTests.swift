import Crypto
import Domain
import Importing
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `An import` {
  @Test func `stores people, their attributes and their place in the audience`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      """
      phone,first_name,city
      +201001234567,سارة,القاهرة
      01221234567,"Omar ""O"" Ali",
      +966501234567,Noura,"Riyadh, north
      side"
      """, try egypt())
    #expect(report.state == .committed)
    #expect((report.rows, report.created, report.added, report.rejected) == (3, 3, 3, 0))
    #expect(report.countries == ["EG": 2, "SA": 1])
    #expect(report.kinds == ["mobile": 3])
    #expect(try await lists.attributes(201_001_234_567) == ["city": "القاهرة", "first_name": "سارة"])
    #expect(try await lists.attributes(201_221_234_567) == ["first_name": "Omar \"O\" Ali"])
    #expect(try await lists.attributes(966_501_234_567) == ["city": "Riyadh, north\nside", "first_name": "Noura"])
    #expect(try await lists.count("select count(*) from audience_member where audience_id = 1") == 3)
    let row = try await lists.pool.run("select person_key, country, opt_in_at from contact where phone = 201001234567")[
      0]
    #expect(row.personKey(0) == Lists.keys.key(of: PhoneNumber(digits: 201_001_234_567)!))
    #expect(row.text(1) == "EG")
    #expect(row.isNull(2))
  }

  @Test func `changes nothing when the same file comes again`() async throws {
    let lists = try await Lists()
    let file = "phone,first_name,consent_source\n+201001234567,A,shop\n+201001234568,B,shop\n"
    _ = try await lists.send(file)
    let before = try await lists.pool.run("select contact_id, xmin::text, updated_at from contact order by 1")
    let again = try await lists.send(file)
    let after = try await lists.pool.run("select contact_id, xmin::text, updated_at from contact order by 1")
    #expect((again.created, again.updated, again.unchanged, again.added) == (0, 0, 2, 0))
    #expect(before.map { "\($0.int64(0)) \($0.text(1))" } == after.map { "\($0.int64(0)) \($0.text(1))" })
    #expect(try await lists.count("select count(*) from audience_member") == 2)
  }

  @Test func `merges attributes and loses none`() async throws {
    let lists = try await Lists()
    _ = try await lists.send("phone,first_name,city\n+201001234567,A,Cairo\n+201001234568,B,Giza\n")
    let second = try await lists.send(
      "phone,first_name,plan\n+201001234567,,gold\n+201001234568,C,\n+201001234569,D,\n")
    #expect((second.created, second.updated, second.unchanged) == (1, 2, 0))
    #expect(try await lists.attributes(201_001_234_567) == ["city": "Cairo", "plan": "gold", "first_name": "A"])
    #expect(try await lists.attributes(201_001_234_568) == ["city": "Giza", "first_name": "C"])
  }

  @Test func `makes one person of rows with the same phone, the later over the earlier`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      """
      phone,first_name,city,consent_source
      01001234567,A,Cairo,
      +201001234567,B,,shop
      +20 100 123 4567,,Giza,
      01221234567,X,,
      """, try egypt())
    #expect((report.rows, report.created, report.merged, report.rejected) == (4, 2, 2, 0))
    #expect(try await lists.attributes(201_001_234_567) == ["city": "Giza", "first_name": "B"])
    #expect(try await lists.count("select count(*) from contact where opt_in_source = 'shop'") == 1)
    let again = try await lists.send("phone,x\n01001234567,1\n01001234567,2\n", try egypt())
    #expect((again.updated, again.merged) == (1, 1))
    #expect(try await lists.attributes(201_001_234_567)?["x"] == "2")
  }

  @Test func `puts people of one audience into another without making them again`() async throws {
    let lists = try await Lists()
    _ = try await lists.send("phone\n+201001234567\n")
    let other = try await lists.send(Array("phone\n+201001234567\n+201001234568\n".utf8), to: Audience.ID(2))
    #expect((other.created, other.unchanged, other.added) == (1, 1, 2))
    #expect(try await lists.count("select count(*) from audience_member where audience_id = 2") == 2)
  }

  @Test func `rejects rows with line, reason and text, and stores the others`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      """
      phone,note
      +201001234567,"two
      lines"
      0501234567,x

      2.01001E+11,y
      ,z
      +201001234568,a,b
      +201301234567,possible
      """, try egypt())
    #expect((report.rows, report.created, report.suspect, report.rejected) == (6, 2, 1, 4))
    #expect(report.rejectedByReason == ["landline": 1, "spreadsheet": 1, "empty": 1, "too_many_fields": 1])
    let rejects = try await lists.rejects(report.upload)
    #expect(rejects.map(\.line) == [4, 6, 7, 8, 9])
    #expect(rejects.map(\.reason) == ["landline", "spreadsheet", "empty", "too_many_fields", "only_possible"])
    #expect(rejects[0].raw == "0501234567,x")
    #expect(try await lists.count("select count(*) from contact where suspect") == 1)
  }

  @Test func `holds nobody back who is only possible when that is accepted`() async throws {
    let lists = try await Lists()
    let report = try await lists.send("phone\n+201301234567\n", try egypt { $0.acceptsPossible = true })
    #expect((report.created, report.suspect) == (1, 0))
    #expect(try await lists.count("select count(*) from contact where suspect") == 0)
  }

  @Test func `stores nothing when the upload is cut`() async throws {
    struct Cut: Error {}
    let lists = try await Lists()
    let sent = Lock(0)
    await #expect(throws: Cut.self) {
      try await Importer.run(
        audience: lists.audience, of: lists.business, by: "tester", options: ImportOptions(),
        chunks: {
          let round = sent.with { sent in
            sent += 1
            return sent
          }
          if round == 1 { return Array("phone,n\n".utf8) }
          if round > 60 { throw Cut() }
          return (0..<1000).flatMap {
            Array("+2010\(10_000_000 + round * 1000 + $0),\(String(repeating: "x", count: 60))\n".utf8)
          }
        }, pool: lists.pool, keys: Lists.keys, worker: Lists.worker)
    }
    #expect(try await lists.count("select count(*) from contact") == 0)
    #expect(try await lists.count("select count(*) from upload where state = 'refused'") == 1)
    #expect(try await lists.send("phone\n+201001234567\n").created == 1)
  }

  @Test func `stores nothing when its task is cancelled, and leaves the session usable`() async throws {
    let lists = try await Lists()
    let reached = Lock(CheckedContinuation<Void, Never>?.none)
    let asked = Lock(0)
    await withCheckedContinuation { (ready: CheckedContinuation<Void, Never>) in
      reached.with { $0 = ready }
      let importing = Task {
        try await Importer.run(
          audience: lists.audience, of: lists.business, by: "tester", options: ImportOptions(),
          chunks: {
            let round = asked.with { asked in
              asked += 1
              return asked
            }
            if round == 1 { return Array("phone\n+201001234567\n".utf8) }
            reached.with { $0.take() }?.resume()
            try await Lists.reactor.sleep(for: .seconds(60))
            return nil
          }, pool: lists.pool, keys: Lists.keys, worker: Lists.worker)
      }
      running.with { $0 = importing }
    }
    let importing = running.with { $0.take() }
    importing?.cancel()
    await #expect(throws: CancellationError.self) { try await importing?.value }
    #expect(try await lists.count("select count(*) from contact") == 0)
    #expect(try await lists.count("select count(*) from upload where state = 'running'") == 0)
    #expect(try await lists.send("phone\n+201001234567\n").created == 1)
  }

  @Test func `of a broken file stores nothing, or what came before when asked to keep it`() async throws {
    let lists = try await Lists()
    let file = "phone,n\n+201001234567,a\n+201001234568,\"never closed\n+201001234569,c\n"
    let problem = await #expect(throws: Problem.self) { try await lists.send(file) }
    #expect(problem?.code == "quote_unclosed")
    #expect(try await lists.count("select count(*) from contact") == 0)
    let kept = try await lists.send(file, try egypt { $0.brokenFile = .keep })
    #expect((kept.created, kept.stopped?.line) == (1, 3))
    #expect(kept.json["stopped"]?["code"]?.stringValue == "quote_unclosed")
  }

  @Test func `keeps rejected rows of a refused file for download`() async throws {
    let lists = try await Lists()
    await #expect(throws: Problem.self) { try await lists.send("phone\nabc\n\"") }
    #expect(try await lists.count("select count(*) from upload_reject where reason = 'letters'") == 1)
  }

  @Test func `belongs to an audience of one's own business`() async throws {
    let lists = try await Lists()
    let problem = await #expect(throws: Problem.self) {
      try await lists.send(Array("phone\n".utf8), to: Audience.ID(3))
    }
    #expect(problem?.status == 404)
  }

  @Test func `asks when more than two percent look foreign`() async throws {
    let lists = try await Lists()
    var file = "phone\n"
    for index in 0..<97 { file += "010012345\(index + 10 > 99 ? "\(index - 80)" : "\(index + 10)")\n" }
    let quiet = try await lists.send(file + "+966501234567\n", try egypt())
    #expect((quiet.foreign, quiet.asksAboutForeign) == (1, false))
    let asking = try await lists.send(file + "+966501234567\n966501234568\n0551234567\n50123456\n", try egypt())
    #expect((asking.foreign, asking.asksAboutForeign) == (3, true))
    #expect(asking.fixes == ["plus_added": 1])
    #expect(asking.json["question"]?["code"]?.stringValue == "foreign_numbers")
  }

  @Test func `reads a row by its own country`() async throws {
    let lists = try await Lists()
    let report = try await lists.send(
      "phone,country\n0501234567,SA\n0501234567,UAE\n01001234567,\n0501234567,مصر\n0501234567,Atlantis\n", try egypt())
    #expect(report.countries == ["SA": 1, "AE": 1, "EG": 1])
    #expect(report.rejectedByReason == ["landline": 1, "needs_region": 1])
    #expect(report.foreign == 0)
  }

  @Test func `shows its state while it runs and adds up at its end`() async throws {
    let lists = try await Lists()
    let report = try await lists.send("phone\n+201001234567\n+201001234567\nx\n")
    #expect(report.rows == report.created + report.updated + report.unchanged + report.merged + report.rejected)
    let row = try await lists.pool.run("select state, report, sha256, by from upload")[0]
    #expect(row.text(0) == "committed")
    #expect(row.jsonb(1).count > 100)
    #expect(row.bytes(2) == Crypto.sha256(Array("phone\n+201001234567\n+201001234567\nx\n".utf8)))
    #expect(row.text(3) == "tester")
  }

  @Test func `that died with its process is closed as refused, one that runs is not`() async throws {
    let lists = try await Lists()
    _ = try await lists.pool.run("insert into upload (business_id, audience_id, state) values (1, 1, 'running')")
    #expect(try await UploadTable.closeAbandoned(lists.pool) == 1)
    try await lists.pool.withConnection { connection in
      let table = try await UploadTable.begin(connection, business: lists.business, audience: lists.audience, by: "x")
      #expect(try await UploadTable.closeAbandoned(lists.pool) == 0)
      try await table?.end()
    }
    #expect(try await UploadTable.closeAbandoned(lists.pool) == 1)
  }

  @Test func `takes in a person whom somebody else stores in that very moment`() async throws {
    let lists = try await Lists()
    let importing = Lock(Task<ImportReport, any Error>?.none)
    struct NeverWaited: Error {}
    try await lists.pool.transaction { other in
      _ = try await other.run(
        """
        insert into contact (business_id, phone, person_key, attributes)
        values (1, 201001234567, $1, '{"first_name": "A", "city": "Cairo"}')
        """, .uuid(Lists.keys.key(of: PhoneNumber(digits: 201_001_234_567)!)))
      importing.with { task in
        task = Task { try await lists.send("phone,first_name\n+201001234567,B\n+201001234568,C\n") }
      }
      let deadline = BootInstant.now + .seconds(30)
      while try await lists.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == 0 {
        guard BootInstant.now < deadline else { throw NeverWaited() }
        try await Lists.reactor.sleep(for: .milliseconds(5))
      }
    }
    let report = try await importing.with { $0 }?.value
    #expect((report?.created, report?.updated, report?.added) == (1, 1, 2))
    #expect(try await lists.attributes(201_001_234_567) == ["first_name": "B", "city": "Cairo"])
  }

  @Test func `runs beside others into the same people without a deadlock`() async throws {
    let lists = try await Lists()
    let total = try await withThrowingTaskGroup(of: ImportReport.self) { group in
      for round in 0..<4 {
        group.addTask {
          let numbers = round % 2 == 0 ? Array(0..<500) : (0..<500).reversed()
          return try await lists.send(
            "phone,a\(round)\n" + numbers.map { "+20100\(1_000_000 + $0),\(round)\n" }.joined())
        }
      }
      return try await group.reduce(into: 0) { $0 += $1.created }
    }
    #expect(total == 500)
    #expect(try await lists.attributes(201_001_000_007) == ["a0": "0", "a1": "1", "a2": "2", "a3": "3"])
  }
}

private let running = Lock(Task<ImportReport, any Error>?.none)
