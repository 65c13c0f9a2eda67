import Domain
import Schedule
import Testing

@Suite struct `A recurrence` {
  /// The first launches of a rule, in the zone's time.
  func launches(_ rule: String, _ start: String, _ name: String = "Africa/Cairo", _ most: Int = 5) throws -> [String] {
    let (recurrence, zone, start) = (try Recurrence(rule), try zone(name), try instant(start))
    var (at, launches): (Instant?, [String]) = (start - .nanoseconds(1), [])
    while let after = at, launches.count < most {
      at = recurrence.next(after: after, start: start, in: zone)
      if let at { launches.append(String(at.rfc3339(offset: zone.offset(at: at)).prefix(16))) }
    }
    return launches
  }

  @Test(arguments: [
    ("FREQ=DAILY;COUNT=3", ["2027-02-09T20:30", "2027-02-10T20:30", "2027-02-11T20:30"]),
    ("FREQ=DAILY;INTERVAL=10;COUNT=2", ["2027-02-09T20:30", "2027-02-19T20:30"]),
    ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", ["2027-02-09T20:30", "2027-02-11T20:30", "2027-02-16T20:30"]),
    ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2", ["2027-02-22T20:30", "2027-03-08T20:30"]),
    ("FREQ=WEEKLY;UNTIL=20270217", ["2027-02-09T20:30", "2027-02-16T20:30"]),
    ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["2027-02-26T20:30", "2027-03-26T20:30"]),
    ("FREQ=MONTHLY;BYDAY=2SU;COUNT=2", ["2027-02-14T20:30", "2027-03-14T20:30"]),
    ("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", ["2027-02-28T20:30", "2027-03-31T20:30", "2027-04-30T20:30"]),
    ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=2", ["2027-03-31T20:30", "2027-05-31T20:30"]),
    ("FREQ=MONTHLY;COUNT=2", ["2027-02-09T20:30", "2027-03-09T20:30"]),
    ("freq=daily;bymonth=3;byday=FR;count=1", ["2027-03-05T20:30"]),
  ])
  func `launches on the days of its rule, at the start's time of day`(rule: String, expected: [String]) throws {
    // A Tuesday.
    #expect(try launches(rule, "2027-02-09T18:30:00Z") == expected)
  }

  @Test func `keeps the clock's time through changes, one launch a day also where the time is skipped or comes twice`() throws {
    #expect(
      try launches("FREQ=DAILY", "2026-04-22T22:30:00Z", "Africa/Cairo", 3) == [
        "2026-04-23T00:30", "2026-04-24T01:30", "2026-04-25T00:30",
      ])
    let (recurrence, cairo) = (try Recurrence("FREQ=DAILY"), try zone("Africa/Cairo"))
    let start = try instant("2026-10-28T20:15:00Z")
    #expect(recurrence.next(after: start, start: start, in: cairo)?.description == "2026-10-29T20:15:00Z")
    #expect(
      recurrence.next(after: try instant("2026-10-29T20:15:00Z"), start: start, in: cairo)?.description
        == "2026-10-30T21:15:00Z")
    #expect(try launches("FREQ=DAILY;COUNT=2", "2026-03-28T01:30:00Z", "Europe/Berlin", 3) == ["2026-03-28T02:30", "2026-03-29T03:30"])
  }

  @Test(arguments: [
    "", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=3", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=2;UNTIL=20270101",
    "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=XX", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=DAILY;INTERVAL=x",
    "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;UNTIL=20271301", "FREQ=DAILY;FREQ=DAILY", "FREQ=WEEKLY;WKST=SU",
  ])
  func `is refused when it can't be followed whole`(rule: String) {
    #expect(throws: Recurrence.Malformed.self) { try Recurrence(rule) }
  }

  @Test func `without end is asked for ever and answers at once`() throws {
    let (recurrence, zone) = (try Recurrence("FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2"), try zone("Asia/Riyadh"))
    let start = try instant("2027-01-01T00:00:00Z")
    #expect(recurrence.next(after: start, start: start, in: zone) == nil)
  }
}

@Suite struct `A drip` {
  @Test func `opens each day at the start's time of day, through changes of the clocks`() throws {
    let cairo = try zone("Africa/Cairo")
    let start = try instant("2026-04-23T18:30:00Z")
    #expect(Drip.opens(day: 0, start: start, in: cairo) == start)
    #expect(Drip.opens(day: 1, start: start, in: cairo).description == "2026-04-24T17:30:00Z")
    let drip = Drip(perDay: 100)
    #expect([1, 100, 101, 250].map(drip.day) == [0, 0, 1, 2])
  }
}
