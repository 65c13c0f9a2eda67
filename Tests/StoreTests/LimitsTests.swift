import Consent
import Crypto
import Domain
import Governor
import JSON
import Postgres
import Reactor
import Simulation
import Testing

@testable import Store

/// Who is left out, and why: the freeze against a model that looks at one person at a time.
@Suite struct `The limits of a campaign` {
  struct Person {
    var phone: Int64?
    var country: String
    var suspect: Bool
    var optedIn: Bool
    var stopped: ConsentScope?
    var undeliverableDaysAgo: Int?
    var name: String?
    var city: String
    /// Days since each marketing message.
    var messages: [Int]
    var utility: Int
    var audiences: [Int64]
    var heldOutDigits: Int64
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func `sort everybody into one row with the reason that wins`(
    seed: UInt64
  )
    async throws
  {
    let store = try await TestStore()
    var chance = SplitMix64(seed: seed)
    let now = Instant.now
    let campaign = try await store.draft()
    var people: [Person] = []
    for index in 1...400 { people.append(try await add(Int64(index), &chance, now, store)) }

    var plan = FreezePlan(
      business: store.business,
      audiences: chance.once(in: 2) ? [1, 2].map { Audience.ID($0) } : [Audience.ID(2), Audience.ID(1)],
      marketing: !chance.once(in: 4), requireOptIn: !chance.once(in: 3), otherZone: "Africa/Cairo", now: now)
    plan.values = [.attribute("first_name", fallback: nil), .literal("20%")]
    plan.bodyValues = 0..<2
    plan.bodyRoom = 20
    plan.senderPhones = [PhoneNumber(digits: 201_001_000_007)!, PhoneNumber(digits: 201_001_000_008)!]
    plan.blockedCountries = ["US", "IL"]
    plan.undeliverableSince = now - .seconds(86_400 * 30)
    plan.holdout = 2000
    // Two in seven days; it ends in two days, so whoever got the second newest less than five days ago stays at the cap.
    plan.frequencyCap = (.init(messages: 2, days: 7), now + .seconds(86_400 * 2))
    if chance.once(in: 2) { plan.segments = [try Segment.read(["city": "القاهره"], at: "where")!] }
    _ = try await store.pool.run("update campaign set state = 4 where campaign_id = $1", .int8(campaign.rawValue))
    let done = try await Freeze.run(plan, campaign: campaign, on: store.pool)

    let frozen = plan
    var expected: [String: ExclusionReason?] = [:]
    for (index, person) in people.enumerated() {
      guard frozen.segments.isEmpty || ArabicFolding.folded(person.city) == "القاهره" else { continue }
      let mine = frozen.audiences.filter { person.audiences.contains($0.rawValue) }
      for (place, audience) in mine.enumerated() {
        expected["\(index + 1) \(audience)"] = place > 0 ? .duplicate : reason(person, frozen)
      }
    }
    let rows = try await store.pool.run(
      """
      select x.contact_id, x.audience_id, x.reason from exclusion x where x.campaign_id = $1
      union all
      select r.contact_id, null, null from recipient r where r.campaign_id = $1
      """, .int8(campaign.rawValue))
    var found: [String: ExclusionReason?] = [:]
    for row in rows {
      if let audience = row.optionalInt64(1) {
        found["\(row.int64(0)) \(audience)"] = ExclusionReason(rawValue: row.int16(2))!
      } else {
        // A recipient's row names no audience: the first of theirs.
        let first = frozen.audiences.first { people[Int(row.int64(0)) - 1].audiences.contains($0.rawValue) }
        found["\(row.int64(0)) \(first!)"] = .some(nil)
      }
    }
    #expect(found.count == rows.count, "somebody has two rows")
    #expect(found == expected)
    // Nothing is left untried: every reason won somewhere, but for two people's own and for what this plan does not ask.
    var tried = Set(found.values.compactMap { $0 }).union([.senderOwnNumber])
    if !frozen.requireOptIn { tried.insert(.noOptIn) }
    #expect(tried == Set(ExclusionReason.allCases))
    #expect(done.recipients + done.excluded == expected.count)
    let forecast = try await Freeze.counts(frozen, on: store.pool)
    #expect(forecast.reduce(0) { $0 + $1.people } == expected.count)
    #expect(forecast.filter { $0.reason == nil }.reduce(0) { $0 + $1.people } == done.recipients)
    await store.close()
  }

  /// By the documented order: the smallest number of ExclusionReason.
  private func reason(_ person: Person, _ plan: FreezePlan) -> ExclusionReason? {
    var reasons: [ExclusionReason] = []
    if let scope = person.stopped, scope == .everything || plan.marketing { reasons.append(.optedOut) }
    if plan.requireOptIn, !person.optedIn { reasons.append(.noOptIn) }
    if person.suspect || person.phone == nil { reasons.append(.suspectPhone) }
    if let phone = person.phone, plan.senderPhones.contains(where: { $0.digits == phone }) {
      reasons.append(.senderOwnNumber)
    }
    if plan.blockedCountries.contains(person.country) { reasons.append(.blockedCountry) }
    if let days = person.undeliverableDaysAgo, days <= 30 { reasons.append(.undeliverable) }
    if let name = person.name?.trimmed, !name.isEmpty {
      if name.contains("\n") { reasons.append(.parameterInvalid) }
      if name.count + 3 > plan.bodyRoom { reasons.append(.textTooLong) }
    } else {
      reasons.append(.parameterMissing)
    }
    let recent = person.messages.filter { $0 < 7 }.sorted()
    if recent.count >= 2, recent[1] <= 5 { reasons.append(.frequencyCap) }
    if person.heldOutDigits % 10_000 < Int64(plan.holdout) { reasons.append(.holdout) }
    return reasons.min { $0.rawValue < $1.rawValue }
  }

  private func add(_ contact: Int64, _ chance: inout SplitMix64, _ now: Instant, _ store: TestStore) async throws
    -> Person
  {
    let digits = 201_001_000_000 + contact
    let key = store.installation.personKeys.key(of: PhoneNumber(digits: digits)!)
    var person = Person(
      phone: chance.once(in: 15) ? nil : digits, country: chance.one(of: ["EG", "EG", "EG", "EG", "US", "IL"]),
      suspect: chance.once(in: 15), optedIn: !chance.once(in: 6),
      stopped: chance.once(in: 6) ? chance.one(of: [.marketing, .everything]) : nil,
      undeliverableDaysAgo: chance.once(in: 6) ? Int(chance.within(1...60)) : nil,
      name: chance.one(of: ["منى", "Mona", "منى", "Mona", nil, " ", "a\nb", "a name that is far too long"]),
      city: chance.one(of: ["القاهرة", "القاهره", "طنطا"]), messages: [], utility: Int(chance.below(3)),
      audiences: chance.one(of: [[1], [2], [1, 2], [2, 1], []]),
      heldOutDigits: 0)
    // Never at the very edge of a bound: the database has a clock of its own.
    person.messages = (0..<chance.below(4)).map { _ in chance.one(of: [1, 3, 5, 6, 8, 20]) }
    var attributes: JSONObject = ["city": .string(person.city)]
    if let name = person.name { attributes.append("first_name", .string(name)) }
    let row = try await store.pool.run(
      """
      insert into contact (contact_id, business_id, phone, user_id, person_key, country, suspect, attributes, opt_in_at)
      overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then now() end)
      returning ('x' || left(person_key::text, 8))::bit(32)::int8
      """, .int8(contact), .int8(store.business.rawValue), person.phone.map { .int8($0) } ?? .null,
      .text("user-\(contact)"), .uuid(key), .text(person.country), .bool(person.suspect),
      .jsonb(JSONValue.object(attributes).rendered()), .bool(person.optedIn))[0]
    person.heldOutDigits = row.int64(0)
    _ = try await store.pool.run(
      "insert into audience (business_id, name) values ($1, 'second') on conflict do nothing",
      .int8(store.business.rawValue))
    _ = try await store.pool.run(
      "insert into audience_member (audience_id, contact_id) select unnest($1::int8[]), $2", .int8s(person.audiences),
      .int8(contact))
    if let scope = person.stopped {
      _ = try await store.pool.batch([
        Consents.recording(
          [Consents.Word(person: key, scope: scope, event: .stop, source: .api, evidence: .object([:]), at: now)],
          business: store.business)
      ])
    }
    if let days = person.undeliverableDaysAgo {
      _ = try await store.pool.run(
        "insert into undeliverable (contact_id, at) values ($1, $2)", .int8(contact),
        .timestamptz(now - .seconds(86_400 * days - 600)))
    }
    // The oldest first, as they were written; each second one of a time when touches did not say what they were.
    let log = person.messages.sorted(by: >).map { ($0, true) } + Array(repeating: (1, false), count: person.utility)
    for (n, (days, marketing)) in log.enumerated() {
      let flag: Value = marketing && n % 2 == 0 ? .null : .bool(marketing)
      _ = try await store.pool.run(
        """
        insert into touch (contact_id, campaign_id, number_id, at, n, seq, epoch, attempt, marketing)
        values ($1, (select max(campaign_id) from campaign), 1, $2, $3, $4, 1, 1, $5)
        """, .int8(contact), .timestamptz(now - .seconds(86_400 * days - 600)), .int4(Int32(n + 1)),
        .int4(Int32(contact * 100) + Int32(n)), flag)
    }
    return person
  }
}

extension String {
  /// Without spaces at its ends, as `btrim` leaves it.
  fileprivate var trimmed: String {
    var rest = Substring(self)
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
