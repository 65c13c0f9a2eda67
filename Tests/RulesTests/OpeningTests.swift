import Domain
import Foundation
import Governor
import Schedule
import Simulation
import Testing

@Suite struct `An opening` {
  func calendar(_ lines: String..., name: String = "c") throws -> BlackoutCalendar {
    BlackoutCalendar(
      name: name, blackouts: try CalendarFile.blackouts("date,country,from,to,kind\n" + lines.joined(separator: "\n")))
  }

  func text(_ state: Opening.State) -> String {
    switch state {
    case .open(let until): "open until \(until)"
    case .closed(let until, .hours): "closed until \(until)"
    case .closed(let until, .blackout(let kind, _)): "\(kind) until \(until)"
    }
  }

  func state(_ opening: Opening, _ at: String, _ zones: String...) throws -> String {
    text(opening.state(at: try instant(at), in: try zones.map(zone)))
  }

  @Test(arguments: [
    // Fridays and Saturdays rest in Cairo, Riyadh, Kuwait and Amman; Saturdays and Sundays in Dubai, Casablanca, Beirut,
    // Tunis. 2026-10-29 is a Thursday.
    ("Africa/Cairo", "2026-10-29T20:00:00Z", "closed until 2026-11-01T07:00:00Z"),
    ("Asia/Riyadh", "2026-10-29T19:00:00Z", "closed until 2026-11-01T06:00:00Z"),
    ("Asia/Kuwait", "2026-10-30T10:00:00Z", "closed until 2026-11-01T06:00:00Z"),
    ("Asia/Amman", "2026-10-31T10:00:00Z", "closed until 2026-11-01T06:00:00Z"),
    ("Asia/Dubai", "2026-10-30T05:00:00Z", "open until 2026-10-30T17:00:00Z"),
    ("Africa/Casablanca", "2026-10-31T09:00:00Z", "closed until 2026-11-02T08:00:00Z"),
    ("Asia/Beirut", "2026-11-01T09:00:00Z", "closed until 2026-11-02T07:00:00Z"),
    ("Africa/Tunis", "2026-11-01T09:00:00Z", "closed until 2026-11-02T08:00:00Z"),
  ])
  func `rests on the weekend of the zone's country`(name: String, at: String, expected: String) throws {
    #expect(try state(Opening(window: .usual, days: .workdays), at, name) == expected)
  }

  @Test func `closes for Friday prayer in the countries that the calendar names`() throws {
    let opening = Opening(window: .usual, calendars: [try calendar("fri,EG,11:30,13:30,friday_prayer")])
    #expect(try state(opening, "2026-11-06T08:00:00Z", "Africa/Cairo") == "open until 2026-11-06T09:30:00Z")
    #expect(try state(opening, "2026-11-06T09:30:00Z", "Africa/Cairo") == "friday_prayer until 2026-11-06T11:30:00Z")
    #expect(try state(opening, "2026-11-06T09:30:00Z", "Asia/Riyadh") == "open until 2026-11-06T18:00:00Z")
    #expect(try state(opening, "2026-11-05T09:30:00Z", "Africa/Cairo") == "open until 2026-11-05T19:00:00Z")
  }

  @Test func `goes on after a holiday at the next opening of its window, and says what it waits for`() throws {
    let opening = Opening(window: .usual, calendars: [try calendar("2027-03-09/2027-03-11,*,,,public_holiday")])
    #expect(try state(opening, "2027-03-08T20:00:00Z", "Africa/Cairo") == "closed until 2027-03-12T07:00:00Z")
    #expect(try state(opening, "2027-03-10T10:00:00Z", "Africa/Cairo") == "public_holiday until 2027-03-12T07:00:00Z")
  }

  @Test func `follows Ramadan's hours in the evening and past midnight, also in Morocco, whose clocks change for it`() throws {
    let evening = try #require(Window(start: "20:30", end: "00:30"))
    let opening = Opening(
      window: evening, calendars: [try calendar("2027-02-08/2027-03-09,*,04:00,21:00,ramadan_hours")])
    #expect(try state(opening, "2027-02-09T12:00:00Z", "Asia/Riyadh") == "closed until 2027-02-09T18:00:00Z")
    #expect(try state(opening, "2027-02-09T17:45:00Z", "Asia/Riyadh") == "ramadan_hours until 2027-02-09T18:00:00Z")
    #expect(try state(opening, "2027-02-09T18:00:00Z", "Asia/Riyadh") == "open until 2027-02-09T21:30:00Z")
    // In Ramadan Casablanca is at UTC: 21:00 there is 21:00Z, not 20:00Z.
    #expect(try state(opening, "2027-02-20T20:30:00Z", "Africa/Casablanca") == "ramadan_hours until 2027-02-20T21:00:00Z")
  }

  @Test(arguments: [
    // Cairo's midnight that does not exist, its hour that comes twice, Gaza, Berlin and New York: never too short.
    ("Africa/Cairo", "2026-04-24,*,00:00,02:00,k", "2026-04-23T22:00:00Z", "k until 2026-04-23T23:00:00Z"),
    ("Africa/Cairo", "2026-04-23,*,,,k", "2026-04-23T21:59:00Z", "k until 2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29,*,23:15,23:45,k", "2026-10-29T20:15:00Z", "k until 2026-10-29T21:45:00Z"),
    ("Asia/Gaza", "2027-03-27,*,02:30,04:00,k", "2027-03-27T00:00:00Z", "k until 2027-03-27T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25,*,02:30,02:45,k", "2026-10-25T00:30:00Z", "k until 2026-10-25T01:45:00Z"),
    ("America/New_York", "2026-11-01,*,01:30,01:45,k", "2026-11-01T05:30:00Z", "k until 2026-11-01T06:45:00Z"),
    // Past midnight it belongs to the day it starts.
    ("Asia/Riyadh", "thu,*,22:00,02:00,k", "2026-10-29T22:30:00Z", "k until 2026-10-29T23:00:00Z"),
    ("Asia/Riyadh", "fri,*,22:00,02:00,k", "2026-10-29T22:30:00Z", "open until 2026-10-30T19:00:00Z"),
  ])
  func `keeps a blackout through changes of the clocks`(name: String, line: String, at: String, expected: String) throws {
    #expect(try state(Opening(window: nil, calendars: [try calendar(line)]), at, name) == expected)
  }

  @Test func `over several zones is open when all of them are, each by its own country's calendar`() throws {
    let opening = Opening(window: .usual, calendars: [try calendar("2026-12-24,CA,,,public_holiday")])
    let zones = ["America/New_York", "America/Halifax"]
    #expect(
      text(opening.state(at: try instant("2026-12-24T15:00:00Z"), in: try zones.map(zone)))
        == "public_holiday until 2026-12-25T14:00:00Z")
    #expect(try state(opening, "2026-12-24T15:00:00Z", "America/New_York") == "open until 2026-12-25T02:00:00Z")
  }

  @Test func `with a margin ends before the window does`() throws {
    let opening = Opening(window: .usual, margin: .seconds(3600))
    #expect(try state(opening, "2026-11-05T10:00:00Z", "Asia/Riyadh") == "open until 2026-11-05T17:00:00Z")
    #expect(try state(opening, "2026-11-05T17:00:00Z", "Asia/Riyadh") == "closed until 2026-11-06T06:00:00Z")
  }

  @Test func `never opens inside a blackout, as people's clocks show it`() throws {
    var chance = SplitMix64(seed: 44)
    let names = ["Africa/Cairo", "Africa/Casablanca", "Asia/Gaza", "Asia/Riyadh", "Europe/Berlin", "America/New_York"]
    for _ in 0..<300 {
      let zone = try zone(chance.one(of: names))
      let (start, end) = (Int(chance.below(288)) * 5, Int(chance.below(288)) * 5)
      let days = Weekdays(rawValue: UInt8(chance.within(1...127)))
      guard let blackout = Blackout(days: .weekly(days), country: nil, start: start, end: end, kind: "k") else { continue }
      let opening = Opening(
        window: Window(start: 480, end: 1380), calendars: [BlackoutCalendar(name: "c", blackouts: [blackout])])
      let base = try instant(
        chance.one(of: ["2026-02-14T00:00:00Z", "2026-04-22T00:00:00Z", "2026-10-24T00:00:00Z", "2027-03-26T00:00:00Z"]))
      for _ in 0..<60 {
        let at = base + .seconds(300 * chance.below(12 * 24 * 3))
        switch opening.state(at: at, in: zone) {
        case .open(let until):
          for moment in [at, until - .nanoseconds(1)] where shows(blackout, zone, moment) {
            Issue.record("\(blackout) \(zone.name) open at \(moment)")
          }
        case .closed(let until, _):
          guard until > at, case .open = opening.state(at: until, in: zone) else {
            Issue.record("\(blackout) \(zone.name) closed at \(at) until \(until), where it does not open")
            continue
          }
        }
      }
    }
  }

  func shows(_ blackout: Blackout, _ zone: Zone, _ at: Instant) -> Bool {
    guard case .weekly(let days) = blackout.days else { return false }
    let local = zone.local(at)
    let minute = local.secondsOfDay / 60
    let today = days.contains(isoNumber: local.date.weekday)
    let before = days.contains(isoNumber: CivilDate(daysSince1970: local.date.daysSince1970 - 1).weekday)
    if blackout.end > blackout.start { return today && minute >= blackout.start && minute < blackout.end }
    return today && minute >= blackout.start || before && minute < blackout.end
  }

  @Test func `is remembered for as long as it holds and no longer`() throws {
    var memory = OpeningMemory(Opening(window: .usual))
    func state(_ at: String) throws -> String {
      text(memory.state(of: "Asia/Riyadh", at: try instant(at)) { try? Zone(named: $0) })
    }
    #expect(try state("2026-11-05T05:00:00Z") == "closed until 2026-11-05T06:00:00Z")
    #expect(try state("2026-11-05T06:00:00Z") == "open until 2026-11-05T18:00:00Z")
    #expect(try state("2026-11-05T18:00:00Z") == "closed until 2026-11-06T06:00:00Z")
    let nowhere = memory.state(of: "Mars/Olympus", at: try instant("2026-11-05T10:00:00Z")) { try? Zone(named: $0) }
    #expect(text(nowhere) == "closed until 2026-11-05T11:00:00Z")
  }
}

@Suite struct `A calendar's file` {
  @Test(arguments: ["egypt-2027", "gulf-2027"])
  func `that is shipped can be loaded`(name: String) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let text = try String(contentsOf: root.appending(path: "deploy/calendars/\(name).csv"), encoding: .utf8)
    let blackouts = try CalendarFile.blackouts(text)
    #expect(blackouts.count > 10)
    #expect(Set(blackouts.map(\.kind)) == ["friday_prayer", "public_holiday", "ramadan_hours"])
  }

  @Test(arguments: [
    ("", 1), ("date,country\n", 1), ("date,country,from,to,kind\n2027-13-01,EG,,,k", 2),
    ("date,country,from,to,kind\n\n# x\n2027-01-01,Egypt,,,k", 4), ("date,country,from,to,kind\nfri,EG,25:00,,k", 2),
    ("date,country,from,to,kind\nfri,EG,10:00,10:00,k", 2), ("date,country,from,to,kind\nfri,EG,,,", 2),
    ("date,country,from,to,kind\n2027-03-09/2027-03-01,EG,,,k", 2), ("date,country,from,to,kind\nfri,EG,k", 2),
    ("date,country,from,to,kind\n2027-03-09/2029-03-01,EG,,,k", 2),
  ])
  func `is refused with its line`(text: String, line: Int) {
    let error = #expect(throws: CalendarFile.Malformed.self) { try CalendarFile.blackouts(text) }
    #expect(error?.line == line && error?.remedy.isEmpty == false)
  }

  @Test func `is read as spreadsheets write it`() throws {
    let text = "\u{FEFF}Date,Country,From,To,Kind\r\n\"2027-03-09\", eg ,,,public_holiday\r\nFRI,*,23:00,01:00,x\r\n"
    let blackouts = try CalendarFile.blackouts(text)
    #expect(blackouts.map(\.country) == ["EG", nil])
    #expect(blackouts.map(\.start) == [0, 1380] && blackouts.map(\.end) == [1440, 60])
  }
}

@Suite struct `A zone's country` {
  @Test func `is known for every zone of a phone`() {
    for name in PhoneZones.all { #expect(ZoneCountries.country(of: name) != nil, "\(name)") }
    #expect(ZoneCountries.country(of: "Africa/Cairo") == "EG" && ZoneCountries.country(of: "Asia/Gaza") == "PS")
    #expect(ZoneCountries.country(of: "Etc/UTC") == nil)
  }
}
