import CloudAPI
import Consent
import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `One person` {
  static let phone = PhoneNumber(digits: 201_001_000_001)!
  static let digits = String(phone.digits)
  static let userID = "EG.1349120865530274"
  /// Words that are theirs alone.
  static let words = [digits, userID, "Zubaida", "المعادي"]
  static let body: JSONValue = ["phone": .string(phone.e164)]

  /// Somebody who stands wherever people stand: two messages, one charged and one in line, a stop with evidence, receipts
  /// that name them, a rejected row, an answer kept for replay, a reply that waits, a task.
  static func stage() async throws -> TestService {
    let service = try await TestService()
    _ = try await service.stage(people: 3)
    let (pool, business) = (service.pool, service.installation.business)
    let key = service.installation.personKeys.key(of: phone)
    _ = try await pool.run(
      """
      update contact set user_id = $2, attributes = '{"first_name": "Zubaida", "city": "المعادي"}' where phone = $1
      """, .int8(phone.digits), .text(userID))
    for _ in 0..<2 {
      _ = try await pool.run(
        """
        insert into campaign (campaign_id, business_id, name, state, spec, frozen, account_id, template_id, category,
          numbers, created_by, prepared_at)
        select next_campaign_id(), $1, 'Ramadan', 5, '{}', '{}', account_id, (select max(template_id) from template), 1,
          array[number_id], 'test', now() from number
        """, .int8(business.rawValue))
    }
    let campaigns = try await pool.run("select campaign_id from campaign order by 1").map { $0.int64(0) }
    let wamid = "wamid." + Crypto.base64([0x1C, 0x18, 0x0C] + Array(digits.utf8) + [0x15, 0x02])
    let places: [Value] = [.int8(campaigns[0]), .int8(campaigns[1]), .int8(phone.digits)]
    let now = Instant.now
    _ = try await pool.batch([
      Statement(
        """
        insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
        select c, contact_id, phone, row_number() over (partition by c order by phone), 0, person_key,
          array[coalesce(attributes->>'first_name', 'x'), '20%']
        from contact, unnest(array[$1, $2]::int8[]) c where $3 > 0
        """, places),
      Statement(
        """
        insert into touch (contact_id, campaign_id, number_id, at, n, seq, epoch, attempt)
        select r.contact_id, $1, number_id, now(), 1, r.seq, 1, 1 from number, recipient r where campaign_id = $1 and $2 > $3
        """, places),
      Statement(
        """
        insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome, wamid)
        select $1, number_id, now(), r.seq, 0, 1, 5, 'wamid.x' from number, recipient r where campaign_id = $1
        """, [places[0]]),
      Statement(
        "update fact f set wamid = $1 from recipient r where r.campaign_id = f.campaign_id and r.seq = f.seq and r.phone = $2",
        [.text(wamid), .int8(phone.digits)]),
      Statement(
        """
        insert into due (campaign_id, seq, attempt, due_at, reason)
        select campaign_id, seq, 1, now(), 7 from recipient where campaign_id = $1 and phone = $2
        """, [places[1], places[2]]),
      Statement("insert into undeliverable select contact_id, now() from contact where phone = $1", [places[2]]),
      Replies.owing(
        [
          Replies.Owed(
            person: key, phone: phone, phoneNumberID: "1", kind: .confirmation, language: .arabic, saidAt: now + .seconds(1))
        ], business: business),
      Consents.recording(
        [
          Consents.Word(
            person: key, scope: .marketing, event: .stop, source: .text,
            evidence: ["message": .string(wamid), "matched": "وقفو الرسايل", "reason": "Zubaida rang"], at: now)
        ], business: business),
      ConsentTasks.opening(
        [ConsentTasks.New(.erasure, person: key, evidence: ["message": .string(wamid)])], business: business),
      Statement(
        """
        with u as (insert into upload (business_id, audience_id, state) values ($1, 1, 'committed') returning upload_id)
        insert into upload_reject (upload_id, line, reason, raw) select upload_id, 7, 'x', '٠١٠٠ 100 0001,Zubaida' from u
        """, [.int8(business.rawValue)]),
      Statement(
        "insert into idempotency (business_id, key, request, status, answer) values ($1, 'k', '\\x00', 200, $2)",
        [.int8(business.rawValue), .bytea(Array("{\"phone\": \"+\(digits)\"}".utf8))]),
      Statement(
        "insert into stray_receipt (reason, receipt) values ('no_key', $1)",
        [.jsonb(JSONValue.object(["wamid": .string(wamid)]).rendered())]),
      Audit.entry(business: business, actor: "test", action: "old", detail: ["phone": .string(digits)]),
      Statement(
        """
        insert into posting (fold_k, business_id, campaign_id, number_id, count, amount, day, currency, market, category,
          pricing_type, charge, account_id, booked_on, month)
        select 1, $1, $2, number_id, 1, 0.0644, now()::date, 'USD', 1, 1, 1, 1, account_id, now()::date, now()::date
        from number
        """, [.int8(business.rawValue), places[0]]),
      Statement("select ensure_days(current_date)", []),
    ])
    try await receive(
      """
      {"entry":[{"id":"1","changes":[{"field":"messages","value":{"contacts":[{"wa_id":"\(digits)","profile":{"name":"Zubaida"}}],
      "messages":[{"from":"\(digits)","id":"\(wamid)","timestamp":"1700000000","type":"text","text":{"body":"أنا من المعادي"}},
      {"from":"201001000002","id":"m2","timestamp":"1700000000","type":"text","text":{"body":"شكرا"}}],
      "statuses":[{"id":"\(wamid)","status":"delivered","timestamp":"1700000000","recipient_id":"\(digits)",
      "recipient_user_id":"\(userID)","biz_opaque_callback_data":"q:x:1:1:1"}]}}]}]}
      """, service)
    return service
  }

  private static func receive(_ body: String, _ service: TestService) async throws {
    let connection = Connection(ConnectionSettings(url: service.database), on: TestService.reactor)
    try await ReceiptLog.append(
      [Array(body.utf8)], with: [], stream: 5, k: 1, day: CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400)),
      at: .now, on: connection)
    await connection.close()
  }

  @Test func `is shown with consents, messages and reasons, to those who may`() async throws {
    let service = try await Self.stage()
    let found = try await service.call("POST", "/v1/contacts/find", Self.body, as: .operate).json
    let contact = found["contacts"]?.arrayValue?.first
    #expect(contact?["audiences"]?.arrayValue?.first?.stringValue == "all")
    #expect(contact?["user_id"]?.stringValue == Self.userID)
    let states = found["messages"]?.arrayValue?.compactMap { $0["state"]?.stringValue }
    #expect(states == ["held", "accepted"], "the newest first: one waits, one was taken by Meta")
    #expect(found["opted_out"]?.arrayValue?.count == 1)
    let byID = try await service.call("POST", "/v1/contacts/find", ["user_id": .string(Self.userID)], as: .privacy).json
    #expect(byID["contacts"]?.arrayValue?.first?["contact"] == contact?["contact"])
    let export = try await service.call("POST", "/v1/contacts/export", Self.body, as: .privacy).json
    #expect(export["written_to_us"]?.arrayValue?.compactMap { $0["text"]?.stringValue } == ["أنا من المعادي"])
    for (path, role) in [("find", Role.marketer), ("find", .finance), ("export", .operate), ("erase", .operate)] {
      #expect(try await service.call("POST", "/v1/contacts/" + path, Self.body, as: role).status == 403)
    }
    let nobody = try await service.call("POST", "/v1/contacts/erase", [:], as: .privacy)
    #expect(nobody.status == 422 && nobody.field == "phone")
    await service.close()
  }

  /// The database itself is asked, table by table, for anything that spells the phone or was theirs: a table that comes
  /// later is asked too.
  @Test func `once erased is nowhere, but for the stop and the costs`() async throws {
    let service = try await Self.stage()
    var staged: Set<String> = []
    for word in Self.words { staged.formUnion(try await Self.traces(word, service)) }
    let places = staged.map { String($0.prefix { !$0.isNumber }) }.sorted()
    #expect(
      places == [
        "audit", "consent", "consent_task", "contact", "fact_", "idempotency", "receipt_batch_", "recipient_", "reply",
        "stray_receipt", "upload_reject",
      ])
    let erased = try await Self.erase(service)
    #expect(erased["state"]?.stringValue == "done" && erased["contacts"]?.int64Value == 1)
    for word in Self.words { #expect(try await Self.traces(word, service) == []) }

    let pool = service.pool
    let today = CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400))
    let bodies = try await ReceiptLog.bodies(mentioning: ["q:x:1:1:1"], since: today, limit: 10, on: pool)
    #expect(bodies.count == 1 && String(decoding: bodies[0], as: UTF8.self).contains("شكرا"))
    let stop = try await pool.run("select evidence from consent where source = 2")
    #expect(try JSONValue(parsing: stop[0].jsonb(0))["matched"]?.stringValue == "وقفو الرسايل", "the proof stays")
    #expect(try await pool.run("select sum(amount), count(*) from posting")[0].amount(0) == Amount("0.0644"))
    #expect(try await pool.run("select count(*) from recipient")[0].int64(0) == 6, "the sums of campaigns stay")
    let skipped = try await pool.run(
      "select person_state, count(*), bool_or(hold_reason is not null) from message where skip_reason = 5 group by 1 order by 1")
    #expect(skipped.map { $0.int16(0) } == [RecipientState.skipped.rawValue, RecipientState.accepted.rawValue])
    #expect(skipped.allSatisfy { !$0.bool(2) })
    let found = try await service.call("POST", "/v1/contacts/find", Self.body, as: .privacy).json
    #expect(found["contacts"]?.arrayValue?.isEmpty == true && found["messages"]?.arrayValue?.isEmpty == true)
    #expect(found["erased_at"]?.stringValue != nil)
    // Others stand as they stood.
    #expect(try await pool.run("select count(*) from contact")[0].int64(0) == 2)
    #expect(try await pool.run("select count(*) from fact where wamid = 'wamid.x'")[0].int64(0) == 2)
    await service.close()
  }

  /// A backup that is older than the erasure: the database knows nothing of it.
  @Test func `erased before a restore is erased again, with the stop, and once`() async throws {
    let service = try await Self.stage()
    let (keys, pool, business) = (service.installation.personKeys, service.pool, service.installation.business)
    // Another whom this backup never knew: an import that brings them finds the stop.
    let stranger = keys.key(of: PhoneNumber(digits: 201_009_999_999)!)
    let recorded = [(names: [keys.key(of: Self.phone)], at: Instant.now), (names: [stranger], at: Instant.now)]
    #expect(try await Erasure.reapply(recorded, keys: keys, of: business, at: .now, on: pool) == 2)
    let jobs = try await pool.run("select key::int8 from job where kind = 'erase'").map { $0.int64(0) }
    let id = try #require(jobs.first)
    var isDone = false
    for _ in 0..<100 where !isDone {
      isDone = try await Erasure.run(
        id, now: .now + .seconds(86_400), redact: { PersonRedaction.redacted($0, phones: $1.phones, userIDs: $1.userIDs) },
        on: pool)
    }
    #expect(isDone && jobs.count == 1)
    for word in Self.words { #expect(try await Self.traces(word, service) == []) }
    let stopped = try await pool.run(
      "select count(distinct person_key) from suppression where active and scope = 2 and person_key = any($1)",
      .uuids([stranger, keys.key(of: Self.phone)]))
    #expect(stopped[0].int64(0) == 2)
    #expect(try await Erasure.reapply(recorded, keys: keys, of: business, at: .now, on: pool) == 0)
    await service.close()
  }

  @Test func `erased and imported again is stored, and written to by no campaign`() async throws {
    let service = try await Self.stage()
    _ = try await Self.erase(service)
    let (pool, business) = (service.pool, service.installation.business)
    // As an import with a consent of today writes them.
    _ = try await pool.run(
      """
      with c as (
        insert into contact (business_id, phone, person_key, country, opt_in_at, opt_in_source)
        values ($1, $2, $3, 'EG', now(), 'shop') returning contact_id
      ) insert into audience_member select 1, contact_id from c
      """, .int8(business.rawValue), .int8(Self.phone.digits), .uuid(service.installation.personKeys.key(of: Self.phone)))
    let plan = FreezePlan(
      business: business, audiences: [Audience.ID(1)], marketing: false, requireOptIn: false, otherZone: "Etc/UTC", now: .now)
    let counts = try await Freeze.counts(plan, on: pool)
    #expect(counts.filter { $0.reason == .optedOut }.reduce(0) { $0 + $1.people } == 1)
    #expect(counts.filter { $0.reason == nil }.reduce(0) { $0 + $1.people } == 2)
    // A start that they say themselves re-opens what a stop closed, and the record says both.
    let start: JSONValue = [
      "phone": .string(Self.phone.e164), "event": "start", "scope": "everything", "source": "branch form 12",
    ]
    #expect(try await service.call("POST", "/v1/consents", start, as: .privacy).status == 201)
    let after = try await Freeze.counts(plan, on: pool)
    #expect(after.filter { $0.reason == .optedOut }.isEmpty)
    await service.close()
  }

  @Test func `being written to is erased once the answer is there`() async throws {
    let service = try await Self.stage()
    _ = try await service.pool.run("delete from fact where wamid <> 'wamid.x'")
    let begun = try await service.call("POST", "/v1/contacts/erase", Self.body, as: .privacy).json
    let id = Int64(begun["id"]?.stringValue ?? "") ?? 0
    let redact = { (body: [UInt8], _: Erasure.Traces) -> [UInt8]? in body }
    #expect(try await !Erasure.run(id, now: .now, redact: redact, on: service.pool))
    _ = try await service.pool.run(
      """
      insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome, wamid)
      select t.campaign_id, t.number_id, now(), t.seq, 0, 1, 5, 'wamid.late' from touch t
      where not exists (select from fact f where f.campaign_id = t.campaign_id and f.seq = t.seq)
      """)
    #expect(try await Erasure.run(id, now: .now, redact: redact, on: service.pool))
    #expect(try await Self.traces("wamid.late", service) == [])
    await service.close()
  }

  /// A table that comes later and keeps people's phones, texts or Meta's ids must be said to the eraser, and then here.
  @Test func `stands in no column that the eraser does not know`() async throws {
    let service = try await TestService()
    let columns = try await service.pool.run(
      """
      select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0
        and a.attname in ('phone', 'phones', 'wamid', 'user_id', 'user_ids', 'vars', 'values', 'bodies', 'raw')
      order by 1
      """)
    #expect(
      columns.map { $0.text(0) } == [
        "contact.phone", "contact.user_id", "erasure.phones", "erasure.user_ids", "fact.wamid",
        // The business's own.
        "number.phone",
        "receipt_batch.bodies", "recipient.phone", "recipient.vars", "reply.phone", "upload_reject.raw",
      ])
    await service.close()
  }

  /// Erases the person and waits for the job.
  static func erase(_ service: TestService) async throws -> JSONValue {
    let begun = try await service.call("POST", "/v1/contacts/erase", body, as: .privacy)
    try #require(begun.status == 202, "\(begun.text)")
    let path = "/v1/erasures/" + (begun.json["id"]?.stringValue ?? "")
    var now = begun.json
    try await service.runJobs("erased") {
      now = try await service.call("GET", path, as: .privacy).json
      return now["state"]?.stringValue == "done"
    }
    return now
  }

  /// Tables that hold a text anywhere, also inside bytes and Meta's ids.
  static func traces(_ text: String, _ service: TestService) async throws -> [String] {
    let tables = try await service.pool.run(
      "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1")
    var spellings = [text, Crypto.hex(Array(text.utf8))]
    if text.utf8.allSatisfy({ $0 < 0x80 }) {
      // Whole groups of three, as they stand in Meta's ids.
      let inside = Crypto.base64(Array(text.utf8.prefix(text.utf8.count / 3 * 3)))
      spellings += [inside, Crypto.hex(Array(inside.utf8))]
    }
    var found: [String] = []
    for table in tables.map({ $0.text(0) }) {
      let hit = try await service.pool.run(
        Statement(
          "select exists (select from \(table) t, unnest($1::text[]) w where position(w in t::text) > 0)", [.texts(spellings)]))
      if hit[0].bool(0) { found.append(table) }
    }
    return found
  }
}
