import Domain
import Governor
import Postgres
import Reactor
import Schedule

/// What the freeze of a campaign's audience depends on: all of it is decided before, none of it by SQL.
public struct FreezePlan: Sendable {
  public var business: Business.ID
  /// In the order of the campaign: a person in several of them counts for the first, the rest are `duplicate`.
  public var audiences: [Audience.ID]
  /// Who of them is meant; each holds.
  public var segments: [Segment] = []
  /// What days are counted from.
  public var now: Instant
  public var marketing: Bool
  public var requireOptIn: Bool
  /// The template's values in its own order: header, body, buttons.
  public var values: [ParameterSource] = []
  /// Which of them belong to the body, whose rendered text Meta limits.
  public var bodyValues: Range<Int> = 0..<0
  /// Characters the body may still take: Meta's limit less its own text.
  public var bodyRoom: Int = 1024
  public var senderPhones: [PhoneNumber] = []
  public var blockedCountries: [String] = []
  /// Who could not be delivered to since then.
  public var undeliverableSince: Instant?
  /// Who is at this cap and stays there until the end. Others wait at the gate.
  public var frequencyCap: (cap: ContactLimits.FrequencyCap, end: Instant)?
  /// Hundredths of a percent of all people.
  public var holdout = 0
  /// The run's zone by the first four digits of the phone, one or several IANA names with commas; `otherZone` for all
  /// others.
  public var zones: [(digits: Int, zone: String)] = []
  public var otherZone: String
  /// Zones that a contact's own attribute `zone` may name; it goes before the phone's.
  public var ownZones: [String] = []
  /// The campaign's, when there are several: who got a message from one of them before stays with it.
  public var numbers: [Number.ID] = []
  /// So many people a day, from `start` (nil: from now) on by the clocks of `dripZone`.
  public var drip: Drip?
  public var start: Instant?
  public var dripZone: String
  /// Some first, the others when the outcome of these allows it.
  public var pilot: Sampling?

  public init(
    business: Business.ID, audiences: [Audience.ID], marketing: Bool, requireOptIn: Bool, otherZone: String, now: Instant
  ) {
    (self.business, self.audiences, self.marketing) = (business, audiences, marketing)
    (self.requireOptIn, self.otherZone, self.now) = (requireOptIn, otherZone, now)
    dripZone = otherZone
  }
}

extension FreezePlan {
  /// When the people of each day become due; empty when all do at once.
  func openingDays(_ recipients: Int) throws -> [Instant] {
    guard let drip, recipients > 0 else { return [] }
    let zone = try Zone(named: dripZone)
    let start = start ?? now
    return (0...drip.day(of: recipients)).map { Drip.opens(day: $0, start: start, in: zone) }
  }
}

/// Turns audiences into the frozen recipients of a campaign, in runs, and exclusions with their reasons.
public enum Freeze {
  public struct Count: Sendable, Equatable {
    /// Nil: a recipient.
    public let reason: ExclusionReason?
    public let country: String
    /// The phones' first four digits, which decide the market.
    public let prefix: String
    /// The run's class, in the order in which classes are sent, and its zones.
    public let place: Int
    public let zone: String
    public let people: Int
  }

  /// Counts what a freeze would give now, without storing anything.
  public static func counts(_ plan: FreezePlan, on pool: Pool) async throws -> [Count] {
    var arguments = Arguments()
    let judged = judgedQuery(plan, &arguments)
    let rows = try await pool.run(
      Statement(
        """
        select reason::int2, country, coalesce(left(phone::text, 4), ''), count(*), class
        from (\(judged)) j group by 1, 2, 3, 5
        """, arguments.values))
    let zones = [plan.otherZone] + classes(plan)
    return rows.map {
      Count(
        reason: $0.optionalInt16(0).flatMap(ExclusionReason.init(rawValue:)), country: $0.text(1), prefix: $0.text(2),
        place: Int($0.int16(4)), zone: zones[Int($0.int16(4))], people: Int($0.int64(3)))
    }
  }

  /// A person of a preview; the values nil where missing.
  public typealias Sampled = (contact: Contact.ID, phone: PhoneNumber?, values: [String?])

  private static func ordering(_ order: String) -> String {
    switch order {
    case "longest": "length(array_to_string(vars, '')) desc, contact_id"
    case "emptiest": "length(array_to_string(vars, '')), contact_id"
    case "arabic":
      "(attributes->>'first_name' ~ '[ء-ي]') desc nulls last, (attributes::text ~ '[ء-ي]') desc, contact_id"
    case "latin": "(attributes->>'first_name' ~ '^[A-Za-z]') desc nulls last, contact_id"
    case "random": "md5(contact_id::text)"
    default: preconditionFailure("unknown order \(order)")
    }
  }

  /// A few people of a launched campaign, with the values that were frozen for them; none who was erased since.
  public static func frozenSample(_ campaign: Campaign.ID, order: String, limit: Int, on pool: Pool) async throws
    -> [Sampled]
  {
    let rows = try await pool.run(
      Statement(
        """
        select contact_id, r.phone, vars from recipient r join contact c using (contact_id)
        where campaign_id = $1 order by \(ordering(order)) limit \(limit)
        """, [.int8(campaign.rawValue)]))
    return rows.map { (Contact.ID($0.int64(0)), PhoneNumber(digits: $0.int64(1)), $0.optionalTexts(2)) }
  }

  /// A few people as they would be written to.
  public static func sample(_ plan: FreezePlan, order: String, limit: Int, on pool: Pool) async throws -> [Sampled] {
    var arguments = Arguments()
    let judged = judgedQuery(plan, &arguments)
    let rows = try await pool.run(
      Statement(
        """
        select contact_id, phone, vars from (\(judged)) j where reason is null
        order by \(ordering(order)) limit \(limit)
        """,
        arguments.values))
    return rows.map { (Contact.ID($0.int64(0)), PhoneNumber(digits: $0.int64(1)), $0.optionalTexts(2)) }
  }

  /// Writes recipients, exclusions and runs of a campaign, all in one transaction: a crash leaves nothing behind. One
  /// snapshot judges everybody, so each entry lands on exactly one side. Answers both counts.
  public static func run(_ plan: FreezePlan, campaign: Campaign.ID, on pool: Pool) async throws
    -> (recipients: Int, excluded: Int)
  {
    try await pool.transaction { tx in
      _ = try await tx.run("set transaction isolation level repeatable read")
      _ = try await tx.run("set local work_mem = '192MB'")
      _ = try await tx.run("set local jit = off")
      var arguments = Arguments()
      let id = arguments.add(.int8(campaign.rawValue))
      let judged = judgedQuery(plan, &arguments)
      // Everybody is judged once. Ordered by contact alone where there is one class: the audience's own index has that
      // order, so nothing is sorted; recipients get their places as they come out of it.
      // Without `offset 0` the planner would work out each reason twice.
      let order = classes(plan).isEmpty && plan.numbers.isEmpty ? "contact_id" : "class, contact_id"
      let ordered = plan.pilot.map { sampled(judged, $0, campaign) } ?? "\(judged) order by \(order) offset 0"
      let excluded = try await tx.run(
        Statement(
          """
          with judged as materialized (
            select contact_id, phone, person_key, audience_id, class, vars, reason
            from (\(ordered)) j
          ), kept as (
            insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
            select \(id), contact_id, phone, row_number() over (), class, person_key, vars from judged where reason is null
          )
          insert into exclusion (campaign_id, contact_id, audience_id, reason)
          select \(id), contact_id, audience_id, reason from judged where reason is not null
          order by contact_id, audience_id
          """, arguments.values)
      ).affected
      let recipients = Int(
        try await tx.run("select coalesce(max(seq), 0) from recipient where campaign_id = $1", .int8(campaign.rawValue))[0]
          .int64(0))
      let zones = [plan.otherZone] + classes(plan)
      let size = plan.pilot.flatMap { recipients > $0.above ? Int32($0.size) : nil }
      _ = try await tx.run(
        """
        insert into run (campaign_id, run_no, lo, hi, zone, opens_at, number_id, wave)
        select $1, row_number() over (order by wave, class, lo), lo, least(lo + $3 - 1, top), ($2::text[])[class % $6 + 1],
          ($5::timestamptz[])[day + 1], ($7::int8[])[class / $6], wave
        from (
          select class, (seq - 1) / $4 as day, \(Freeze.step("seq", size: "$8::int4")) as wave, min(seq) first, max(seq) top
          from recipient where campaign_id = $1 group by class, 2, 3
        ) c, generate_series(first, top, $3) lo
        """, .int8(campaign.rawValue), .texts(zones),
        .int4(Int32(RunLength.of(recipients, over: plan.numbers.count))),
        .int4(Int32(plan.drip?.perDay ?? Int(Int32.max))), .timestamps(try plan.openingDays(recipients)),
        .int4(Int32(zones.count)), .int8s(plan.numbers.map(\.rawValue)), size.map { .int4($0) } ?? .null)
      if let size { _ = try await tx.run(Pilots.first(campaign, people: min(Int(size), recipients))) }
      let ready = try await tx.run(
        """
        update campaign set state = 3, prepared_at = now(), recipients = $2, excluded = $3
        where campaign_id = $1 and state = 4
        """, .int8(campaign.rawValue), .int8(Int64(recipients)), .int8(Int64(excluded)))
      guard ready.affected == 1 else { throw FreezeError.overtaken }
      return (recipients, excluded)
    }
  }

  // MARK: The query

  /// Collects `$n` parameters: nothing a user typed ever becomes SQL text.
  struct Arguments {
    private(set) var values: [Value] = []
    mutating func add(_ value: Value) -> String {
      values.append(value)
      return "$\(values.count)"
    }
  }

  /// Zones in order of their class, from 1; class 0 is the plan's other zone.
  private static func classes(_ plan: FreezePlan) -> [String] {
    Set(plan.zones.map(\.zone)).union(plan.ownZones).subtracting([plan.otherZone]).sorted()
  }

  /// One row per entry: contact_id, phone, person_key, audience_id, country, attributes, class, vars, reason. The reasons
  /// stand in the order in which they win (Domain.ExclusionReason).
  private static func judgedQuery(_ plan: FreezePlan, _ arguments: inout Arguments) -> String {
    let business = arguments.add(.int8(plan.business.rawValue))
    let classes = classes(plan)
    var (zoneClass, zoneJoin) = ("0::int2", "")
    if !classes.isEmpty {
      let leading = arguments.add(.int4s(plan.zones.map { Int32($0.digits) }))
      let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Int16($0 + 1)) })
      let numbers = arguments.add(.int2s(plan.zones.map { places[$0.zone] ?? 0 }))
      zoneClass = "coalesce(z.class, 0::int2)"
      zoneJoin = "left join unnest(\(leading), \(numbers)) z (digits, class) on z.digits = left(c.phone::text, 4)::int4"
      if !plan.ownZones.isEmpty {
        let names = arguments.add(.texts(plan.ownZones))
        let own = arguments.add(.int2s(plan.ownZones.map { places[$0] ?? 0 }))
        zoneClass = "coalesce(o.class, z.class, 0::int2)"
        zoneJoin += " left join unnest(\(names), \(own)) o (zone, class) on o.zone = c.attributes->>'zone'"
      }
    }
    if !plan.numbers.isEmpty {
      // Beside the zone's class: the place of the number, or 0 for who never got a message from one of them.
      let numbers = arguments.add(.int8s(plan.numbers.map(\.rawValue)))
      zoneClass = """
        (\(zoneClass) + \(classes.count + 1) * coalesce((select array_position(\(numbers), t.number_id) from touch t
          where t.contact_id = c.contact_id and t.number_id = any(\(numbers)) order by t.n desc limit 1), 0))::int2
        """
    }
    let audiences = arguments.add(.int8s(plan.audiences.map(\.rawValue)))
    let optIn = arguments.add(.bool(plan.requireOptIn))
    let senders = arguments.add(.int8s(plan.senderPhones.map(\.digits)))
    let blocked = arguments.add(.texts(plan.blockedCountries))
    let room = arguments.add(.int4(Int32(plan.bodyRoom)))
    let expressions = plan.values.map { source in
      switch source {
      case .literal(let text): return arguments.add(.text(text)) + "::text"
      case .attribute(let name, let fallback):
        let value = "nullif(btrim(c.attributes->>\(arguments.add(.text(name)))), '')"
        return fallback.map { "coalesce(\(value), \(arguments.add(.text($0))))" } ?? value
      }
    }
    // Worked out once for everybody; a literal stands for itself.
    var (columns, texts): ([String], [String]) = ([], [])
    for (source, expression) in zip(plan.values, expressions) {
      if case .literal = source {
        texts.append(expression)
      } else {
        columns.append("\(expression) as v\(columns.count + 1)")
        texts.append("c.v\(columns.count)")
      }
    }
    let vars = texts.isEmpty ? "'{}'::text[]" : "array[\(texts.joined(separator: ", "))]::text[]"
    func any(_ condition: (String) -> String) -> String { texts.map(condition).joined(separator: " or ") }
    let length = plan.bodyValues.map { "length(\(texts[$0]))" }.joined(separator: " + ")
    let member = plan.audiences.count == 1 ? "(\(audiences))[1]" : "any(\(audiences))"
    let conditions = plan.segments.map { "and " + SegmentSQL.condition($0, now: plan.now, &arguments) }
    // A person in several audiences is judged once, in the first; one audience needs no such look.
    let duplicate =
      plan.audiences.count > 1
      ? "when row_number() over (partition by c.contact_id order by array_position(\(audiences), c.audience_id)) > 1 then 10"
      : ""
    let reasons =
      plan.values.isEmpty
      ? ""
      : """
      when \(any { "\($0) is null" }) then 70
      when \(any { "\($0) like any (array[e'%\\n%', e'%\\r%', e'%\\t%', '%     %'])" }) then 71
      \(length.isEmpty ? "" : "when \(length) > \(room) then 72")
      """
    let undeliverable = plan.undeliverableSince.map {
      """
      when exists (select from undeliverable u where u.contact_id = c.contact_id
        and u.at > \(arguments.add(.timestamptz($0)))) then 65
      """
    }
    let capped = plan.frequencyCap.map { cap, end in
      let clears = FrequencyCapSQL.clears(
        contact: "c.contact_id", campaign: "null::int8", seq: "null::int4",
        messages: arguments.add(.int2(cap.messages)), days: arguments.add(.int4(cap.days)))
      return "when \(clears) >= \(arguments.add(.timestamptz(end))) then 80"
    }
    // The key is a hash under a pepper that never changes: its first digits are as good as chance.
    let heldOut =
      plan.holdout > 0
      ? """
      when ('x' || left(c.person_key::text, 8))::bit(32)::int8 % 10000 < \(arguments.add(.int4(Int32(plan.holdout)))) then 90
      """ : ""
    let known = ["c.contact_id", "c.phone", "c.person_key", "c.country", "c.attributes", "c.opt_in_at", "c.suspect", "m.audience_id"]
    // `offset 0`: or the planner would put each value's expression wherever the value is named.
    return """
      select c.contact_id, c.phone, c.person_key, c.audience_id, c.country, c.attributes, \(zoneClass) as class,
        \(vars) as vars, (case \(duplicate)
          when exists (
            select from suppression s where s.business_id = \(business) and s.person_key = c.person_key and s.active
              and s.scope = any(\(plan.marketing ? "'{1,2}'" : "'{2}'"))
          ) then 20
          when \(optIn) and c.opt_in_at is null then 30
          when c.suspect or c.phone is null then 40
          when c.phone = any(\(senders)) then 50
          when c.country = any(\(blocked)) then 60
          \(undeliverable ?? "") \(reasons) \(capped ?? "") \(heldOut) end)::int2 as reason
      from (
        select \((known + columns).joined(separator: ", "))
        from audience_member m join contact c on c.contact_id = m.contact_id
        where m.audience_id = \(member) \(conditions.joined(separator: " "))
        \(columns.isEmpty ? "" : "order by c.contact_id offset 0")
      ) c
      \(zoneJoin)
      """
  }
}

public enum FreezeError: Error, Equatable {
  /// The campaign is no longer being prepared: cancelled meanwhile, or another scheduler was first. Nothing was written.
  case overtaken
}
