import Domain
import Governor
import Schedule
import Simulation
import Testing

@Suite struct `A window` {
  func window(_ start: String, _ end: String, _ days: [String]? = nil) throws -> Window {
    let days = try days.map { try #require(Weekdays(words: $0)) } ?? .all
    return try #require(Window(start: start, end: end, days: days))
  }

  @Test(arguments: [
    // Riyadh has no changes: the plain cases, on a Thursday.
    ("Asia/Riyadh", "09:00", "21:00", "2026-10-29T05:59:59Z", "closed until 2026-10-29T06:00:00Z"),
    ("Asia/Riyadh", "09:00", "21:00", "2026-10-29T06:00:00Z", "open until 2026-10-29T18:00:00Z"),
    ("Asia/Riyadh", "09:00", "21:00", "2026-10-29T18:00:00Z", "closed until 2026-10-30T06:00:00Z"),
    // Past midnight, from both sides of it.
    ("Asia/Riyadh", "20:30", "00:30", "2026-10-29T17:29:59Z", "closed until 2026-10-29T17:30:00Z"),
    ("Asia/Riyadh", "20:30", "00:30", "2026-10-29T17:30:00Z", "open until 2026-10-29T21:30:00Z"),
    ("Asia/Riyadh", "20:30", "00:30", "2026-10-29T21:15:00Z", "open until 2026-10-29T21:30:00Z"),
    ("Asia/Riyadh", "20:30", "00:30", "2026-10-29T21:30:00Z", "closed until 2026-10-30T17:30:00Z"),
    // Cairo's spring: midnight to one does not exist, so a window to 00:30 closes at the change.
    ("Africa/Cairo", "20:30", "00:30", "2026-04-23T20:00:00Z", "open until 2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "00:30", "05:00", "2026-04-23T21:59:00Z", "closed until 2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "00:15", "00:45", "2026-04-23T21:59:00Z", "closed until 2026-04-24T21:15:00Z"),
    // Cairo's autumn: 23:00 to 24:00 comes twice. The evening window runs through both; one that ends in the hour ends
    // the first time, one that starts in it starts the second time.
    ("Africa/Cairo", "20:30", "00:30", "2026-10-29T18:00:00Z", "open until 2026-10-29T22:30:00Z"),
    ("Africa/Cairo", "20:30", "23:30", "2026-10-29T18:00:00Z", "open until 2026-10-29T20:30:00Z"),
    ("Africa/Cairo", "20:30", "23:30", "2026-10-29T21:10:00Z", "closed until 2026-10-30T18:30:00Z"),
    ("Africa/Cairo", "23:30", "05:00", "2026-10-29T20:40:00Z", "closed until 2026-10-29T21:30:00Z"),
    // Morocco in Ramadan: nine o'clock is an hour later in UTC.
    ("Africa/Casablanca", "09:00", "21:00", "2026-02-10T03:00:00Z", "closed until 2026-02-10T08:00:00Z"),
    ("Africa/Casablanca", "09:00", "21:00", "2026-02-20T03:00:00Z", "closed until 2026-02-20T09:00:00Z"),
    ("Africa/Casablanca", "09:00", "21:00", "2027-02-20T03:00:00Z", "closed until 2027-02-20T09:00:00Z"),
    ("Asia/Gaza", "02:30", "05:00", "2027-03-26T23:00:00Z", "closed until 2027-03-27T00:00:00Z"),
    ("Asia/Beirut", "22:00", "00:30", "2027-03-27T21:00:00Z", "open until 2027-03-27T22:00:00Z"),
    ("Europe/Berlin", "09:00", "24:00", "2026-03-29T10:00:00Z", "open until 2026-03-29T22:00:00Z"),
    ("America/New_York", "09:00", "00:00", "2026-11-01T20:00:00Z", "open until 2026-11-02T05:00:00Z"),
  ])
  func `opens and closes by the clocks of its zone`(
    zone name: String, start: String, end: String, at: String, state: String
  ) throws {
    #expect(text(try window(start, end).state(at: try instant(at), in: try zone(name))) == state)
  }

  func text(_ state: Window.State) -> String {
    switch state {
    case .open(let until): "open until \(until)"
    case .closed(let until): "closed until \(until)"
    }
  }

  @Test func `past midnight belongs to the day it starts`() throws {
    let (riyadh, thursdays) = (try zone("Asia/Riyadh"), try window("20:30", "00:30", ["thu"]))
    func state(_ at: String) throws -> String { text(thursdays.state(at: try instant(at), in: riyadh)) }
    #expect(try state("2026-10-28T18:00:00Z") == "closed until 2026-10-29T17:30:00Z")
    // Friday 00:15 is still Thursday's; Friday 21:00 is nobody's.
    #expect(try state("2026-10-29T21:15:00Z") == "open until 2026-10-29T21:30:00Z")
    #expect(try state("2026-10-30T18:00:00Z") == "closed until 2026-11-05T17:30:00Z")
  }

  @Test func `that never closes stays open through clock changes`() throws {
    for name in ["Africa/Cairo", "Asia/Beirut", "America/Havana", "Asia/Riyadh"] {
      let zone = try zone(name)
      var at = try instant("2026-01-01T00:00:00Z")
      let end = try instant("2028-01-01T00:00:00Z")
      while at < end {
        guard case .open(let until) = Window.always.state(at: at, in: zone), until - at > .seconds(6 * 86_400) else {
          Issue.record("\(name) at \(at)")
          break
        }
        at = at + .seconds(7 * 3600 + 1700)
      }
    }
  }

  @Test func `of which no message ever falls outside, as people's clocks show it`() throws {
    var chance = SplitMix64(seed: 21)
    let names = [
      "Africa/Cairo", "Africa/Casablanca", "Asia/Gaza", "Asia/Beirut", "Asia/Riyadh", "Europe/Berlin",
      "America/New_York", "Australia/Lord_Howe",
    ]
    for _ in 0..<400 {
      let zone = try zone(chance.one(of: names))
      let days = Weekdays(rawValue: UInt8(chance.within(1...127)))
      guard let window = Window(start: Int(chance.below(288)) * 5, end: Int(chance.below(288)) * 5, days: days) else {
        continue
      }
      // Around the days on which some of these clocks change.
      let base = try instant(
        chance.one(of: [
          "2026-02-14T00:00:00Z", "2026-03-20T00:00:00Z", "2026-04-22T00:00:00Z", "2026-10-28T00:00:00Z",
          "2027-03-26T00:00:00Z",
        ]))
      for _ in 0..<60 {
        let at = base + .seconds(300 * chance.below(12 * 24 * 3))
        switch window.state(at: at, in: zone) {
        case .open(let until):
          if !shows(window, zone, at) || !shows(window, zone, until - .nanoseconds(1)) || until <= at {
            Issue.record("open: \(window) \(zone.name) \(at) until \(until)")
          }
        case .closed(let until):
          guard case .open = window.state(at: until, in: zone), until > at else {
            Issue.record("does not open: \(window) \(zone.name) \(at) until \(until)")
            continue
          }
          // Closed by the rule though a clock shows an hour of the window: only beside a change.
          if shows(window, zone, at), zone.offset(at: at - .seconds(86_400)) == zone.offset(at: at + .seconds(86_400)) {
            Issue.record("closed: \(window) \(zone.name) \(at)")
          }
        }
      }
    }
  }

  /// Whether a person who looks at a clock sees a time of the window: today's, or yesterday's that passed midnight.
  func shows(_ window: Window, _ zone: Zone, _ at: Instant) -> Bool {
    let local = zone.local(at)
    let minute = local.secondsOfDay / 60
    let yesterday = CivilDate(daysSince1970: local.date.daysSince1970 - 1)
    let today = window.days.contains(isoNumber: local.date.weekday)
    let before = window.days.contains(isoNumber: yesterday.weekday)
    if !window.passesMidnight { return today && minute >= window.start && minute < window.end }
    return today && minute >= window.start || before && minute < window.end
  }

  @Test func `over several zones is open when it is open in all`() throws {
    let zones = try ["Europe/Lisbon", "Atlantic/Azores"].map(zone)
    func state(_ at: String) throws -> String { text(Window.usual.state(at: try instant(at), in: zones)) }
    #expect(try state("2026-12-01T09:30:00Z") == "closed until 2026-12-01T10:00:00Z")
    #expect(try state("2026-12-01T10:00:00Z") == "open until 2026-12-01T21:00:00Z")
    #expect(try state("2026-12-01T21:00:00Z") == "closed until 2026-12-02T10:00:00Z")
  }

  @Test func `that a wide country never opens is known before the start`() throws {
    let zones = try ["Europe/Kaliningrad", "Asia/Kamchatka"].map(zone)
    let now = try instant("2026-12-01T00:00:00Z")
    #expect(!(try window("09:00", "12:00")).opens(in: zones, after: now))
    #expect(try window("08:00", "22:00").opens(in: zones, after: now))
  }

  @Test func `is refused when it is none`() {
    #expect(Window(start: "09:00", end: "09:00") == nil)
    #expect(Window(start: "24:00", end: "09:00") == nil)
    #expect(Window(start: "9:00", end: "21:00") == nil)
    #expect(Window(start: "09:60", end: "21:00") == nil)
    #expect(Window(start: "09:00", end: "21:00", days: []) == nil)
    #expect(Window(start: "00:00", end: "00:00") == .always)
    #expect(Weekdays(words: ["thu", "funday"]) == nil)
    #expect(Weekdays.weekend(ofCountry: "SA").words == ["fri", "sat"])
    #expect(Weekdays.weekend(ofCountry: "AE").words == ["sat", "sun"])
  }
}

@Suite struct `A late start` {
  @Test(arguments: [
    (LateRule.hold, -60, "wait"), (.hold, 0, "start"), (.hold, 1800, "start"), (.hold, 1801, "hold"),
    (.skip, 1801, "skip"),
    (.run, 86_400, "start"),
  ])
  func `is decided by its rule beyond half an hour`(rule: LateRule, seconds: Int, expected: String) throws {
    let planned = try instant("2027-02-09T18:30:00Z")
    switch rule.decision(planned: planned, now: planned + .seconds(seconds)) {
    case .wait(let until): #expect(expected == "wait" && until == planned)
    case .start: #expect(expected == "start")
    case .skip: #expect(expected == "skip")
    case .hold: #expect(expected == "hold")
    }
  }
}

@Suite struct `A pace` {
  @Test(arguments: [
    ("20", "20/second"), ("20/s", "20/second"), ("300 per minute", "300/minute"), ("1000/h", "1000/hour"),
    ("5 / min", "5/minute"), ("80/SEC", "80/second"),
  ])
  func `is read as people write it`(text: String, pace: String) {
    #expect(Pace(text)?.description == pace)
  }

  @Test(arguments: ["", "0", "/s", "20/", "20/day", "-5/s", "1.5/s", "20 s", "99999999/s", "٢٠/s", "20/s/s"])
  func `is refused when it is none`(text: String) {
    #expect(Pace(text) == nil)
  }
}
