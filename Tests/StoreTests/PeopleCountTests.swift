import Domain
import Governor
import JSON
import Postgres
import Reactor
import Simulation
import Testing

@testable import Store

/// Meta's limit of people, as rows: booked by the gate under one lock, given back to the bucket they were booked in.
@Suite struct `People in 24 hours` {
  /// Two lanes of one portfolio, and twenty people.
  private struct Stage {
    let store: TestStore
    let (one, two): (Connection, Connection)
    let lanes: [Gate.Lane]
    let contacts: [(id: Contact.ID, person: PersonKey)]
    let portfolio: Int64

    init() async throws {
      store = try await TestStore()
      _ = try await store.sending(people: 20)
      try await store.number("106540352242923", phone: 201_001_234_568)
      (one, two) = (TestStore.connection(store.url), TestStore.connection(store.url))
      let entries = try await Numbers.list(of: store.business, on: store.pool)
      let business = store.business
      lanes = entries.map {
        Gate.Lane(business: business, portfolio: $0.portfolio, account: $0.account, token: $0.token, number: $0.id)
      }
      portfolio = entries[0].portfolio.rawValue
      for lane in lanes { _ = try await LaneLog.takeover(lane.number, after: nil, node: 1, on: one) }
      contacts = try await store.pool.run("select contact_id, person_key from contact order by 1").map {
        (Contact.ID($0.int64(0)), $0.personKey(1))
      }
    }

    func campaign() async throws -> Campaign.ID {
      Campaign.ID(try await store.pool.run("select next_campaign_id()")[0].int64(0))
    }

    func asked(_ campaign: Campaign.ID, _ people: [Int]) -> [Gate.Asked] {
      people.map {
        Gate.Asked(
          campaign: campaign, template: Template.ID(1), seq: Int32($0 + 1), attempt: 1, contact: contacts[$0].id,
          person: contacts[$0].person, marketing: true)
      }
    }

    func used(at now: Instant = .now) async throws -> Int {
      Int(
        try await store.pool.run("select people_standing(2::smallint, $1, $2)", .int8(portfolio), .timestamptz(now))[0]
          .int32(0))
    }

    /// Books a message of an instant, as the gate does.
    func book(_ campaign: Campaign.ID, _ person: Int, at now: Instant) async throws {
      _ = try await store.pool.run(
        "select people_book($1, $2, null, array[$3], array[$4], array[1::smallint], array[$5], $6)", .int8(portfolio),
        .int8(lanes[0].number.rawValue), .int8(campaign.rawValue), .int4(Int32(person + 1)), .int8(contacts[person].id.rawValue),
        .timestamptz(now))
    }

    func settle(_ campaign: Campaign.ID, _ person: Int, delivered: Instant? = nil, at now: Instant) async throws {
      try await PeopleCounts.settle(
        [.init(campaign: campaign, seq: Int32(person + 1), attempt: 1, deliveredAt: delivered)], now: now, on: one)
    }

    func close() async {
      await one.close()
      await two.close()
      await store.close()
    }
  }

  private let start = Instant(seconds: 1_800_000_000)

  @Test func `give the last place to one of two lanes that ask in the same moment`() async throws {
    let stage = try await Stage()
    let campaign = try await stage.campaign()
    let one = Gate.People(limit: 1)
    _ = try await stage.one.run("begin")
    let first = try await Gate.ask(stage.asked(campaign, [0]), lane: stage.lanes[0], epoch: 1, people: one, on: stage.one)
    #expect(first == [.pass])
    let question = Task {
      try await Gate.ask(stage.asked(campaign, [1]), lane: stage.lanes[1], epoch: 1, people: one, on: stage.two)
    }
    // The other one has looked at its people and waits; or, without the lock, has its answer already.
    let answered = Lock(false)
    let watching = Task {
      _ = try await question.value
      answered.with { $0 = true }
    }
    while try await stage.store.pool.run(
      "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )[0].int64(0) == 0, !answered.with({ $0 }) { try await TestStore.reactor.sleep(for: .milliseconds(5)) }
    _ = try await stage.one.run("commit")
    #expect(try await question.value == [.crowded])
    try await watching.value
    #expect(try await stage.used() == 1)
    // A raised limit holds at once.
    #expect(
      try await Gate.ask(
        stage.asked(campaign, [1, 2]), lane: stage.lanes[1], epoch: 1, people: .init(limit: 2), on: stage.two)
        == [.pass, .crowded])
    await stage.close()
  }

  @Test func `count nobody twice, and nobody whose service window is open`() async throws {
    let stage = try await Stage()
    let (first, second) = (try await stage.campaign(), try await stage.campaign())
    _ = try await stage.store.pool.run(
      "insert into service_window (number_id, person_key, until) values ($1, $2, now() + interval '1 hour'), "
        + "($1, $3, now() + interval '1 second')", .int8(stage.lanes[0].number.rawValue),
      .uuid(stage.contacts[0].person), .uuid(stage.contacts[1].person))
    func ask(_ campaign: Campaign.ID, _ people: [Int], lane: Int = 0, cap: ContactLimits.FrequencyCap? = nil) async throws
      -> [Gate.Verdict]?
    {
      var asked = stage.asked(campaign, people)
      if let cap {
        asked = asked.map {
          Gate.Asked(
            campaign: $0.campaign, template: $0.template, seq: $0.seq, attempt: 1, contact: $0.contact, person: $0.person,
            marketing: true, cap: cap)
        }
      }
      return try await Gate.ask(asked, lane: stage.lanes[lane], epoch: 1, people: .init(limit: 3), on: stage.one)
    }
    // Person 0 is in a window of this number; that of 1 closes while the message is on its way.
    #expect(try await ask(first, [0, 1, 2]) == [.pass, .pass, .pass])
    #expect(try await stage.used() == 2)
    // By the other number person 0 counts; whoever is counted needs no place, also beside a frequency cap.
    #expect(try await ask(second, [1, 2, 0, 3], lane: 1) == [.pass, .pass, .pass, .crowded])
    #expect(try await ask(try await stage.campaign(), [3, 1], cap: .init(messages: 9, days: 1)) == [.crowded, .pass])
    // What has passed passes again, and counts once.
    #expect(try await ask(second, [0], lane: 1) == [.pass])
    #expect(try await stage.used() == 3)
    #expect(try await stage.store.pool.run("select count(*) from people_used where people < 0")[0].int64(0) == 0)
    await stage.close()
  }

  @Test func `cost a portfolio without a limit nothing: its gate's statement knows no table of theirs`() {
    for sql in [Gate.withoutCaps, Gate.withCaps] {
      for name in ["reach", "people", "service_window"] { #expect(!sql.contains(name), "\(name)") }
    }
    #expect(Gate.countingWithoutCaps.contains("people_room") && Gate.countingWithoutCaps.contains("people_book"))
  }

  @Test func `come back to the bucket they were counted in, so that the credit ends with its debit`() async throws {
    let stage = try await Stage()
    let campaign = try await stage.campaign()
    for person in 0..<2 { try await stage.book(campaign, person, at: start) }
    let late = start + .seconds(23 * 3600)
    try await stage.settle(campaign, 0, at: late)
    try await stage.settle(campaign, 0, at: late)
    #expect(try await stage.used(at: late) == 1)
    try await stage.book(campaign, 2, at: late)
    #expect(try await stage.used(at: late) == 2)
    // A day after the start those of the start are gone; the third is not, whoever's place it got.
    #expect(try await stage.used(at: start + .seconds(86_400 + 600)) == 1)
    #expect(try await stage.used(at: late + .seconds(86_400 - 60)) == 1)
    #expect(try await stage.used(at: late + .seconds(86_400 + 600)) == 0)
    await stage.close()
  }

  @Test func `are counted until a day after their latest message that did not fail`() async throws {
    let stage = try await Stage()
    let (first, second) = (try await stage.campaign(), try await stage.campaign())
    try await stage.book(first, 0, at: start)
    let later = start + .seconds(20 * 3600)
    try await stage.book(second, 0, at: later)
    #expect(try await stage.used(at: later) == 1)
    #expect(try await stage.used(at: start + .seconds(30 * 3600)) == 1)
    // The second fails: the first one still counts, until its own day is over.
    try await stage.settle(second, 0, at: later + .seconds(60))
    #expect(try await stage.used(at: start + .seconds(23 * 3600)) == 1)
    #expect(try await stage.used(at: start + .seconds(30 * 3600)) == 0)
    // Delivered after its day was over, it counts from then on.
    let delivered = start + .seconds(40 * 3600)
    try await stage.settle(first, 0, delivered: delivered, at: delivered + .seconds(5))
    #expect(try await stage.used(at: delivered + .seconds(23 * 3600)) == 1)
    #expect(try await stage.used(at: delivered + .seconds(25 * 3600)) == 0)
    await stage.close()
  }

  /// Random messages, failures and late deliveries, against a list of messages that is counted anew each time.
  @Test func `add up to the people of the messages that count, whatever comes in which order`() async throws {
    let stage = try await Stage()
    var chance = SplitMix64(seed: 18)
    var messages: [(campaign: Campaign.ID, person: Int, until: Int64)] = []
    var now = start
    for step in 0..<120 {
      now = now + .seconds(Int64(chance.within(0...7200)))
      switch chance.within(0...5) {
      case 0 where !messages.isEmpty:
        let index = Int(chance.within(0...Int64(messages.count - 1)))
        let gone = messages.remove(at: index)
        try await stage.settle(gone.campaign, gone.person, at: now)
      case 1 where !messages.isEmpty:
        let index = Int(chance.within(0...Int64(messages.count - 1)))
        try await stage.settle(messages[index].campaign, messages[index].person, delivered: now, at: now)
        let until = PeopleLimit.until(now.nanoseconds)
        if until > messages[index].until { messages[index].until = until }
      default:
        let (campaign, person) = (try await stage.campaign(), Int(chance.within(0...9)))
        try await stage.book(campaign, person, at: now)
        messages.append((campaign, person, PeopleLimit.until(now.nanoseconds)))
      }
      let people = Set(messages.filter { $0.until > now.nanoseconds }.map(\.person)).count
      #expect(try await stage.used(at: now) == people, "step \(step)")
    }
    // When a place comes free is the same by the pure rule and by the rows.
    let rows = try await stage.store.pool.run("select until, people from people_used where scope = 2")
    let buckets = rows.map { PeopleLimit.Used(until: $0.instant(0).nanoseconds, people: Int($0.int32(1))) }
    #expect(buckets.allSatisfy { $0.people >= 0 })
    for limit in 1...4 {
      let row = try await stage.store.pool.run(
        "select people_free_at(2::smallint, $1, $2, $3)", .int8(stage.portfolio), .int4(Int32(limit)), .timestamptz(now))[0]
      #expect(
        row.optionalInstant(0)?.nanoseconds == PeopleLimit.freeAt(buckets, limit: limit, at: now.nanoseconds), "limit \(limit)")
    }
    await stage.close()
  }

  @Test func `of a day without a limit are counted when there is one, from Meta's newest word on any number`() async throws {
    let stage = try await Stage()
    let campaign = try await stage.campaign()
    #expect(try await Gate.ask(stage.asked(campaign, [0, 1, 2]), lane: stage.lanes[0], epoch: 1, on: stage.one) == [.pass, .pass, .pass])
    #expect(try await stage.used() == 0)
    var seen = Numbers.Observation(raw: ["id": "1"])
    (seen.tier, seen.status) = ("250", "CONNECTED")
    try await NumberWatch.record(seen, of: stage.lanes[1].number, stops: nil, on: stage.store.pool)
    #expect(try await stage.used() == 3)
    #expect(try await LiveCampaigns.numbers(on: stage.one).allSatisfy { $0.tier == "250" })
    // An urgent message that waited for a place looks again when Meta raises the limit.
    _ = try await stage.store.pool.run(
      "insert into due (campaign_id, seq, attempt, due_at, reason) select campaign_id, 1, 1, now() + interval '9 hours', 8 from campaign"
    )
    seen.tier = "2000"
    try await NumberWatch.record(seen, of: stage.lanes[0].number, stops: nil, on: stage.store.pool)
    #expect(try await stage.store.pool.run("select count(*) from due where due_at <= now()")[0].int64(0) == 1)
    #expect(try await stage.used() == 3)
    await stage.close()
  }
}
