import Crypto
import Domain
import JSON
import Postgres

/// Forgets a person: everything that tells who they are or what they said goes; the stop stays under the keyed hash, so
/// that no later import brings them back, and what their messages cost stays, without them.
///
/// It begins with one commit, from which on nothing is handed over to them and no campaign finds them; the rest is a
/// job, because nobody else asks for all of one person's messages and no index is kept for it.
public enum Erasure {
  public struct Entry: Sendable {
    public let id: Int64
    public let person: PersonKey
    public let by: String
    public let at: Instant
    public let doneAt: Instant?
    public let counts: [UInt8]
  }

  /// Messages on their way are waited for so long; what comes in later is gone with its day's raw receipts.
  static let patience: Duration = .seconds(7200)
  /// Raw receipts are kept 30 days; a few more are looked at, in case dropping them waits.
  static let receiptDays = 40
  /// Of a stop, what proves it; the rest may tell who said it.
  private static let proof = ["matched", "language", "control", "import", "file", "line", "from", "source", "by", "hold", "erasure"]

  /// Writes an erasure where a restore of the database does not reach: the person's names as keyed hashes, and when.
  public typealias Recorder = @Sendable (_ names: [PersonKey], _ at: Instant) throws -> Void

  /// From this commit on the person is stopped, and neither contact nor member of an audience. Answers the erasure. It is
  /// recorded before it is committed: one too many in the record forgets nobody who did not ask.
  public static func begin(
    _ subject: Person, keys: PersonKeys, of business: Business.ID, by actor: String, at: Instant,
    record: @escaping Recorder = { _, _ in }, on pool: Pool
  ) async throws -> Entry {
    try await pool.transaction { tx in
      let known = try await tx.run(
        "select contact_id, phone, user_id, attributes from contact where business_id = $1 and (phone = $2 or user_id = $3) for update",
        .int8(business.rawValue), subject.phone.map { .int8($0.digits) } ?? .null,
        subject.userID.map { .text($0.text) } ?? .null)
      let phones = Set(known.compactMap { $0.optionalInt64(1).flatMap { PhoneNumber(digits: $0) } } + [subject.phone].compactMap { $0 })
      let users = Set(known.compactMap { $0.optionalText(2) } + [subject.userID?.text].compactMap { $0 })
      let named = phones.map { keys.key(of: $0) } + users.compactMap { UserID($0) }.map { keys.key(of: $0) }
      let people = Set(
        try await tx.run(
          "select distinct name from names_of($1, $2)", .int8(business.rawValue), .uuids(named)
        ).map { $0.personKey(0) })
      try record(Array(people), at)
      let contacts = known.map { $0.int64(0) }
      var personal = phones.map { String($0.digits.description.suffix(9)) } + users
      for row in known {
        guard case .object(let attributes) = try JSONValue(parsing: row.jsonb(3)) else { continue }
        personal += attributes.fields.compactMap { $0.value.stringValue }.filter { $0.count > 2 }
      }
      let ours: [Value] = [.int8(business.rawValue), .uuids(Array(people))]
      let rows = try await tx.batch([
        Consents.recording(
          people.map {
            Consents.Word(
              person: $0, scope: .everything, event: .stop, source: .operator,
              evidence: ["erasure": true, "by": .string(actor)], at: at)
          }, business: business),
        // The proof stays under the hash; what was said beside it, and Meta's ids, which spell the phone, go.
        Statement(
          """
          update consent c set evidence = (
            select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(c.evidence)
            where key = any($3) and not exists (select from unnest($4::text[]) p where position(lower(p) in lower(value::text)) > 0)
          ) where business_id = $1 and person_key = any($2)
          """, ours + [.texts(proof), .texts(personal)]),
        Statement(
          """
          update consent_task set evidence = '{}', done_at = coalesce(done_at, now()), done_by = coalesce(done_by, $3)
          where business_id = $1 and person_key = any($2)
          """, ours + [.text(actor)]),
        Statement(
          "update reply set phone = null where business_id = $1 and (person_key = any($2) or phone = any($3))",
          ours + [.int8s(phones.map(\.digits))]),
        Statement(
          """
          delete from audience_member m using audience a
          where a.business_id = $1 and m.audience_id = a.audience_id and m.contact_id = any($2)
          """, [.int8(business.rawValue), .int8s(contacts)]),
        Statement("delete from undeliverable where contact_id = any($1)", [.int8s(contacts)]),
        Statement("delete from contact where contact_id = any($1)", [.int8s(contacts)]),
        Statement(
          """
          insert into erasure (business_id, person_key, by, phones, user_ids, contacts, counts, names)
          values ($1, $2, $3, $4, $5, $6, jsonb_build_object('contacts', cardinality($6::int8[])), $7) returning \(columns)
          """,
          [
            .int8(business.rawValue), .uuid(subject.key(keys)), .text(actor), .int8s(phones.map(\.digits)),
            .texts(Array(users)), .int8s(contacts), .uuids(Array(people)),
          ]),
      ])
      let entry = entry(rows[7][0])
      _ = try await tx.batch([
        Statement(
          """
          delete from service_window w using number n
          where n.business_id = $1 and w.number_id = n.number_id and w.person_key = any($2)
          """, ours),
        Jobs.enqueue("erase", key: String(entry.id), due: at),
        Audit.entry(
          business: business, actor: actor, action: "contact_erased",
          subject: Crypto.hex(Array(entry.person.bytes.prefix(8)))),
      ])
      return entry
    }
  }

  /// Erases again whom the record names and this database does not: it was restored from a backup that is older. Their stop
  /// holds under the hash also where the backup has no contact of theirs. Answers how many.
  public static func reapply(
    _ recorded: [(names: [PersonKey], at: Instant)], keys: PersonKeys, of business: Business.ID, at now: Instant, on pool: Pool
  ) async throws -> Int {
    let all = Array(Set(recorded.flatMap(\.names)))
    let known = Set(
      try await pool.run(
        """
        select p from unnest($2::uuid[]) p
        where exists (select from erasure e where e.business_id = $1 and (e.person_key = p or p = any(e.names)))
        """, .int8(business.rawValue), .uuids(all)
      ).map { $0.personKey(0) })
    let lost = recorded.filter { known.isDisjoint(with: $0.names) }
    guard !lost.isEmpty else { return 0 }
    let names = Array(Set(lost.flatMap(\.names)))
    try await pool.transaction { tx in
      _ = try await tx.batch([
        Consents.recording(
          names.map {
            Consents.Word(
              person: $0, scope: .everything, event: .stop, source: .operator,
              evidence: ["erasure": true, "by": "restore"], at: now)
          }, business: business)
      ])
    }
    let contacts = try await pool.run(
      "select phone, user_id, person_key from contact where business_id = $1 and person_key = any($2)",
      .int8(business.rawValue), .uuids(names))
    for row in contacts {
      guard
        let subject = Person(
          phone: row.optionalInt64(0).flatMap { PhoneNumber(digits: $0) }, userID: row.optionalText(1).flatMap { UserID($0) })
      else { continue }
      _ = try await begin(subject, keys: keys, of: business, by: "restore", at: now, on: pool)
    }
    // Whoever the backup does not know needs no second look at the next start.
    let found = Set(contacts.map { $0.personKey(2) })
    for erasure in lost where found.isDisjoint(with: erasure.names) {
      _ = try await pool.run(
        "insert into erasure (business_id, person_key, names, by, done_at) values ($1, $2, $3, 'restore', now())",
        .int8(business.rawValue), .uuid(erasure.names[0]), .uuids(erasure.names))
    }
    return lost.count
  }

  /// Whether a recipient's phone is what erasing leaves of it: the market's four digits and three zeros.
  static func isErased(_ phone: String) -> String { "(\(phone) < 10000000 and \(phone) % 1000 = 0)" }

  private static let columns = "erasure_id, person_key, by, at, done_at, counts"

  private static func entry(_ row: Row) -> Entry {
    Entry(
      id: row.int64(0), person: row.personKey(1), by: row.text(2), at: row.instant(3), doneAt: row.optionalInstant(4),
      counts: row.jsonb(5))
  }

  public static func read(_ id: Int64, of business: Business.ID, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(
      "select \(columns) from erasure where erasure_id = $1 and business_id = $2", .int8(id), .int8(business.rawValue)
    ).first.map(entry)
  }

  // MARK: The job

  /// What is looked for.
  public struct Traces: Sendable {
    public let phones: [PhoneNumber]
    public let userIDs: [String]
  }

  /// Takes the person out of everything that was written before. False: something of theirs is on its way still, so
  /// come again. May be repeated: what is gone is not found again.
  public static func run(
    _ id: Int64, now: Instant, redact: (_ body: [UInt8], _ traces: Traces) -> [UInt8]?, on pool: Pool
  ) async throws -> Bool {
    let rows = try await pool.run(
      """
      select business_id, phones, user_ids, contacts, at, exists (
        -- Its freeze may have seen the contact.
        select from campaign c where c.business_id = e.business_id and c.state = 4 and c.launched_at < e.at)
      from erasure e where erasure_id = $1 and done_at is null
      """, .int8(id))
    guard let row = rows.first else { return true }
    if row.bool(5) { return false }
    let (business, contacts) = (row.int64(0), row.int64s(3))
    let traces = Traces(phones: row.int64s(1).compactMap { PhoneNumber(digits: $0) }, userIDs: row.texts(2))
    let phones: Value = .int8s(traces.phones.map(\.digits))

    let waits = try await pool.run(
      """
      select exists (select from touch t where t.contact_id = any($1) and not exists (
        select from fact f where f.campaign_id = t.campaign_id and f.seq = t.seq and f.attempt = t.attempt and f.outcome > 1))
      """, .int8s(contacts))[0].bool(0)
    if waits, now - row.instant(4) < patience { return false }

    let campaigns = try await pool.run(
      "select campaign_id from campaign where business_id = $1 order by 1", .int8(business))
    for campaign in campaigns.map({ $0.int64(0) }) {
      let seqs = try await pool.run(
        "select seq from recipient where campaign_id = $1 and (phone = any($2) or contact_id = any($3))", .int8(campaign),
        phones, .int8s(contacts)
      ).map { $0.int32(0) }
      if !seqs.isEmpty { try await forget(seqs, in: campaign, on: pool) }
    }

    var receipts = 0
    let needles = traces.phones.map { String($0.digits) } + traces.userIDs
    for back in 0...receiptDays {
      let day = CivilDate(daysSince1970: Int(now.seconds / 86_400) + 1 - back)
      receipts += try await ReceiptLog.rewrite(mentioning: needles + traces.phones.map(inMetaIDs), on: day, pool: pool) {
        redact($0, traces)
      }
    }
    try await forgetTexts(traces, business: business, on: pool)
    _ = try await pool.run(
      """
      update erasure e set done_at = now(), phones = null, user_ids = null, contacts = null, counts = counts
        || jsonb_build_object('messages', (select count(*) from touch where contact_id = any(e.contacts)), 'receipts', $2::int8)
      where erasure_id = $1 and done_at is null
      """, .int8(id), .int8(Int64(receipts)))
    return true
  }

  /// Of one campaign. Who was not written to yet is skipped: `erased`; with what was handed over the mark only keeps it
  /// from being tried again.
  private static func forget(_ seqs: [Int32], in campaign: Int64, on pool: Pool) async throws(DatabaseError) {
    let places: [Value] = [.int8(campaign), .int4s(seqs)]
    _ = try await pool.batch([
      Statement(
        """
        insert into skip (campaign_id, seq, reason) select $1, s, \(SkipReason.erased.rawValue) from unnest($2::int4[]) s
        order by s on conflict do nothing
        """, places),
      Statement("delete from due where campaign_id = $1 and seq = any($2)", places),
      // The market's digits stay for the price, in a length that no phone there has. The key stays, because the gate stops
      // by it whoever is claimed already.
      Statement(
        "update recipient set phone = left(phone::text, 4)::int8 * 1000, vars = '{}' where campaign_id = $1 and seq = any($2)",
        places),
      Statement(
        "update fact set wamid = null where campaign_id = $1 and seq = any($2) and wamid is not null", places),
    ])
  }

  /// Texts in which somebody may stand by chance: rejected rows, answers kept for a repeated request, strays.
  private static func forgetTexts(_ traces: Traces, business: Int64, on pool: Pool) async throws(DatabaseError) {
    var statements: [Statement] = []
    for digits in traces.phones.map({ String($0.digits) }) {
      statements.append(
        // A rejected row is as it was written: without the country, in any digits, with marks between.
        Statement(
          """
          delete from upload_reject r using upload u where u.upload_id = r.upload_id and u.business_id = $1
            and regexp_replace(translate(r.raw, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', '01234567890123456789'), '\\D', '', 'g')
              like '%' || $2 || '%'
          """, [.int8(business), .text(String(digits.suffix(9)))]))
    }
    for word in traces.phones.map({ String($0.digits) }) + traces.userIDs {
      statements += [
        Statement(
          "delete from idempotency where business_id = $1 and position(convert_to($2, 'UTF8') in answer) > 0",
          [.int8(business), .text(word)]),
        Statement(
          "delete from upload_reject r using upload u where u.upload_id = r.upload_id and u.business_id = $1 and position($2 in r.raw) > 0",
          [.int8(business), .text(word)]),
        Statement(
          "update audit set detail = '{}' where business_id = $1 and position($2 in detail::text) > 0",
          [.int8(business), .text(word)]),
      ]
    }
    for word in traces.phones.map({ String($0.digits) }) + traces.phones.map(inMetaIDs) + traces.userIDs {
      statements.append(Statement("delete from stray_receipt where position($1 in receipt::text) > 0", [.text(word)]))
    }
    _ = try await pool.batch(statements)
  }

  /// How the digits look inside a message id of Meta's: base64, whole groups of three.
  private static func inMetaIDs(_ phone: PhoneNumber) -> String {
    let digits = Array(String(phone.digits).utf8)
    return Crypto.base64(Array(digits.prefix(digits.count / 3 * 3)))
  }

  /// The proof of what erased people said has an end of its own: three years.
  public static func expireProofs(on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      update consent c set evidence = '{}' from erasure e
      where e.business_id = c.business_id and e.person_key = c.person_key and e.at < now() - interval '3 years'
        and c.recorded_at <= e.at + interval '1 minute' and c.evidence <> '{}'
      """)
  }
}
