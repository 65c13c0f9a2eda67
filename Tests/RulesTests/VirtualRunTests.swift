import Domain
import Governor
import Schedule
import Simulation
import Testing

@Suite struct `A run in virtual time` {
  static let second: Int64 = 1_000_000_000
  static let hour: Int64 = 3600 * second

  static func lane(_ perSecond: Int) -> VirtualRun.Lane {
    VirtualRun.Lane(step: EmissionInterval(perSecond: perSecond), limit: .pace)
  }

  static func open(_: Int, _: Int64) -> VirtualRun.State { .open(until: .max) }

  @Test func `takes as long as its people take at its pace, to the slot`() {
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 72_001)], lanes: [Self.lane(20)], start: 0, end: nil, runLength: 5000,
      state: Self.open)
    #expect(run.first == 0 && run.last == 3600 * Self.second && run.sent == 72_001 && run.expired == 0)
    #expect(run.byHour == [0: 72_000, 1: 1])
    #expect(run.stretches == [.init(limit: .pace, from: 0, until: 3600 * Self.second + 50_000_000)])
  }

  @Test func `waits where it is closed and goes on where it is open`() {
    // Place 0 is open the first half of each two hours, place 1 the second half.
    func state(_ place: Int, _ at: Int64) -> VirtualRun.State {
      let half = at / Self.hour
      let isOpen = Int(half) % 2 == place
      return isOpen ? .open(until: (half + 1) * Self.hour) : .closed(until: (half + 1) * Self.hour, .hours)
    }
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 7200), VirtualRun.Group(place: 1, people: 3600)], lanes: [Self.lane(1)],
      start: 0, end: nil, runLength: 5000, state: state)
    #expect(run.byHour == [0: 3600, 1: 3600, 2: 3600])
    let alone = VirtualRun(
      [VirtualRun.Group(place: 0, people: 7200)], lanes: [Self.lane(1)], start: 0, end: nil, runLength: 5000, state: state)
    #expect(alone.byHour == [0: 3600, 2: 3600])
    #expect(alone.stretches.map(\.limit) == [.pace, .hours, .pace])
  }

  @Test func `ends at its end and counts those whose turn did not come`() {
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 1000)], lanes: [Self.lane(1)], start: 0, end: 600 * Self.second,
      runLength: 5000, state: Self.open)
    #expect(run.sent == 600 && run.expired == 400 && run.last == 599 * Self.second)
  }

  @Test func `of a place that never opens ends`() {
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 10)], lanes: [Self.lane(1)], start: 0, end: nil, runLength: 5000
    ) { _, at in .closed(until: at + 24 * Self.hour, .hours) }
    #expect(run.sent == 0 && run.expired == 10 && run.first == nil)
  }

  @Test func `shares people over lanes by runs, as lanes take them`() {
    // Three runs over two equal lanes: one of them has two.
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 15_000)], lanes: [Self.lane(10), Self.lane(10)], start: 0, end: nil,
      runLength: 5000, state: Self.open)
    #expect(run.last == Int64(9999) * 100_000_000)
  }

  /// A run is what a lane takes at once: the last of them is how long one goes on alone.
  @Test(arguments: [(10, 909, 130_000), (10, 909, 101_000), (3, 80, 20_000), (40, 1000, 1_000_000), (2, 80, 5001)])
  func `shares its people so that its numbers finish together`(numbers: Int, perSecond: Int, people: Int) {
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: people)], lanes: Array(repeating: Self.lane(perSecond), count: numbers), start: 0,
      end: nil, runLength: RunLength.of(people, over: numbers), state: Self.open)
    let even = Double(people) / Double(numbers * perSecond) * Double(Self.second)
    #expect(Double(run.last ?? 0) < even * 1.07, "\(run.last ?? 0) after \(even)")
    #expect(run.sent == people)
  }

  @Test func `takes long runs where one number sends, and never shorter ones than a hundred`() {
    #expect(RunLength.of(1_000_000, over: 1) == 5000 && RunLength.of(0, over: 1) == 5000)
    #expect(RunLength.of(0, over: 10) == 100 && RunLength.of(10_000_000, over: 10) == 5000)
  }

  @Test func `never exceeds the portfolio's people in any 24 hours, and loses a bucket's time a day over them`() {
    let run = VirtualRun(
      [VirtualRun.Group(place: 0, people: 250_000)], lanes: [Self.lane(10)], start: 0, end: nil, runLength: 5000,
      dailyPeople: 100_000, state: Self.open)
    var window = 0
    for hour in 0..<80 {
      window += run.byHour[Int64(hour)] ?? 0
      window -= run.byHour[Int64(hour - 24)] ?? 0
      #expect(window <= 100_000, "hour \(hour)")
    }
    #expect(run.sent == 250_000)
    // 100,000 in the first 10,000 s of each day; the last 50,000 on the third.
    let expected = 2 * 24 * Self.hour + 5000 * Self.second
    let late = (run.last ?? 0) - expected
    #expect(late >= 0 && late <= 2 * (PeopleLimit.bucket + PeopleLimit.onTheWay), "\(late)")
    #expect(run.stretches.contains { $0.limit == .tier })
  }

  @Test func `waits for people whom others used up, and for the days of a number that warms up`() {
    func run(used: [PeopleLimit.Used] = [], days: [PeopleLimit.Used] = []) -> VirtualRun {
      VirtualRun(
        [VirtualRun.Group(place: 0, people: 1000)], lanes: [.init(step: Self.lane(10).step, limit: .number, days: days)],
        start: 0, end: nil, runLength: 500, dailyPeople: 1000, used: used, state: Self.open)
    }
    let free = run()
    #expect(free.last == 99_900_000_000 && !free.stretches.contains { $0.limit == .tier })
    // 300 are used and come free after an hour, 500 more after two: 200 go at once, 300, 500.
    let shared = run(used: [.init(until: 2 * Self.hour, people: 500), .init(until: Self.hour, people: 300)])
    #expect(shared.byHour == [0: 200, 1: 300, 2: 500])
    #expect(shared.stretches.contains { $0.limit == .tier && $0.until == Self.hour })
    // Today 100, tomorrow 400, then as many as there are.
    let ramp = run(days: [.init(until: 3 * Self.hour, people: 100), .init(until: 27 * Self.hour, people: 400)])
    #expect(ramp.byHour == [0: 100, 3: 400, 27: 500])
    #expect(ramp.stretches.contains { $0.limit == .warmUp && $0.until == 27 * Self.hour })
  }

  @Test func `advances exactly as its slots would one by one`() {
    // The dumb model: one lane, people in order, each at the first slot that is open.
    for seed in UInt64(1)...40 {
      var chance = SplitMix64(seed: seed)
      let (opens, length) = (chance.within(0...20), chance.within(1...12))
      func state(_: Int, _ at: Int64) -> VirtualRun.State {
        let day = at / (24 * Self.hour) * 24 * Self.hour
        let (from, to) = (day + opens * Self.hour, day + (opens + length) * Self.hour)
        if at < from {
          // Yesterday's may still be open.
          let before = to - 24 * Self.hour
          return at < before ? .open(until: before) : .closed(until: from, .hours)
        }
        return at < to ? .open(until: to) : .closed(until: from + 24 * Self.hour, .hours)
      }
      let people = Int(chance.within(1...4000))
      let step = EmissionInterval(limit: Int(chance.within(1...200)), per: .seconds(3600))
      let run = VirtualRun(
        [VirtualRun.Group(place: 0, people: people)], lanes: [.init(step: step, limit: .pace)], start: 0, end: nil,
        runLength: 500, state: state)
      var (at, sent, last): (Int64, Int, Int64) = (0, 0, 0)
      while sent < people, at < 366 * 24 * Self.hour {
        switch state(0, at) {
        case .closed(let until, _): at = until
        case .open:
          (sent, last) = (sent + 1, at)
          at += step.nanoseconds
        }
      }
      #expect(run.sent == sent && run.last == last, "seed \(seed): \(run.last ?? 0) instead of \(last)")
      #expect(run.byHour.values.reduce(0, +) == sent)
    }
  }

  @Test func `runs a million people over many zones and weeks within a blink`() throws {
    let lists = Array(Set(PhoneZones.byLeadingDigits.map { $0.zones.joined(separator: ",") })).sorted()
    let zones = try lists.map { try $0.split(separator: ",").map { try zone(String($0)) } }
    let calendar = BlackoutCalendar(
      name: "c", blackouts: try CalendarFile.blackouts("date,country,from,to,kind\nfri,*,11:30,13:30,friday_prayer\n"))
    let opening = Opening(window: .usual, days: .workdays, calendars: [calendar])
    let groups = lists.indices.map { VirtualRun.Group(place: $0, people: 1_000_000 / lists.count + 1) }
    let clock = ContinuousClock()
    let started = clock.now
    let run = VirtualRun(
      groups, lanes: [Self.lane(2), Self.lane(2)], start: try instant("2027-01-03T00:00:00Z").nanoseconds, end: nil,
      runLength: 5000, dailyPeople: 100_000
    ) { place, at in
      switch opening.state(at: Instant(nanoseconds: at), in: zones[place]) {
      case .open(let until): .open(until: until.nanoseconds)
      case .closed(let until, _): .closed(until: until.nanoseconds, .hours)
      }
    }
    #expect(run.sent + run.expired >= 1_000_000 && run.expired == 0)
    // Two seconds are promised of the release build on a calm machine; this one is neither.
    #expect(clock.now - started < .seconds(20))
  }
}
