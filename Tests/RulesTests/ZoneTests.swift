import Domain
import Glibc
import Governor
import Schedule
import Simulation
import Testing

func zone(_ name: String) throws -> Zone { try Zone(named: name) }
func instant(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }
func clock(_ text: String) throws -> Int {
  let parts = text.split(separator: ":").compactMap { Int($0) }
  try #require(parts.count == 2)
  return parts[0] * 3600 + parts[1] * 60
}

@Suite struct `A zone` {
  @Test(arguments: [
    ("Africa/Cairo", "2026-04-23T21:59:59Z", "2026-04-23T23:59:59+02:00"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24T01:00:00+03:00"),
    ("Africa/Cairo", "2026-10-29T20:59:59Z", "2026-10-29T23:59:59+03:00"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z", "2026-10-29T23:00:00+02:00"),
    ("Africa/Casablanca", "2026-02-15T01:59:59Z", "2026-02-15T02:59:59+01:00"),
    ("Africa/Casablanca", "2026-02-20T12:00:00Z", "2026-02-20T12:00:00Z"),
    ("Africa/Casablanca", "2026-03-22T02:00:00Z", "2026-03-22T03:00:00+01:00"),
    ("Africa/Casablanca", "2027-02-20T12:00:00Z", "2027-02-20T12:00:00Z"),
    ("Asia/Gaza", "2027-03-26T23:59:59Z", "2027-03-27T01:59:59+02:00"),
    ("Asia/Gaza", "2027-03-27T00:00:00Z", "2027-03-27T03:00:00+03:00"),
    ("Asia/Beirut", "2027-03-27T22:00:00Z", "2027-03-28T01:00:00+03:00"),
    ("Asia/Beirut", "2027-10-30T21:00:00Z", "2027-10-30T23:00:00+02:00"),
    ("Asia/Riyadh", "2027-07-01T12:00:00Z", "2027-07-01T15:00:00+03:00"),
    ("Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
    ("Europe/Berlin", "2060-07-01T12:00:00Z", "2060-07-01T14:00:00+02:00"),
    ("America/New_York", "2026-11-01T05:59:59Z", "2026-11-01T01:59:59-04:00"),
    ("America/New_York", "2026-11-01T06:00:00Z", "2026-11-01T01:00:00-05:00"),
    ("Asia/Kathmandu", "2027-01-01T00:00:00Z", "2027-01-01T05:45:00+05:45"),
    ("Australia/Lord_Howe", "2027-01-01T00:00:00Z", "2027-01-01T11:00:00+11:00"),
  ])
  func `shows the time that its clocks show`(name: String, utc: String, local: String) throws {
    let (zone, at) = (try zone(name), try instant(utc))
    #expect(at.rfc3339(offset: zone.offset(at: at)) == local)
    #expect(zone.day(of: at).description == String(local.prefix(10)))
  }

  @Test(arguments: [
    // The first minute of a day that does not exist, the hour it starts with instead, and an hour that comes twice.
    ("Africa/Cairo", "2026-04-24", "00:00", []), ("Africa/Cairo", "2026-04-24", "00:59", []),
    ("Africa/Cairo", "2026-04-24", "01:00", ["2026-04-23T22:00:00Z"]),
    ("Africa/Cairo", "2026-10-29", "23:30", ["2026-10-29T20:30:00Z", "2026-10-29T21:30:00Z"]),
    ("Africa/Cairo", "2026-10-30", "00:00", ["2026-10-29T22:00:00Z"]),
    ("Africa/Cairo", "2026-10-29", "24:00", ["2026-10-29T22:00:00Z"]),
    ("Africa/Casablanca", "2026-03-22", "02:30", []),
    ("Africa/Casablanca", "2026-02-15", "02:30", ["2026-02-15T01:30:00Z", "2026-02-15T02:30:00Z"]),
    ("Asia/Gaza", "2027-03-27", "02:30", []),
    ("Asia/Riyadh", "2026-04-24", "00:00", ["2026-04-23T21:00:00Z"]),
    ("Europe/Berlin", "2060-03-28", "02:30", []),
    ("Europe/Berlin", "2060-10-31", "02:30", ["2060-10-31T00:30:00Z", "2060-10-31T01:30:00Z"]),
    ("America/New_York", "2026-03-08", "02:30", []),
  ])
  func `knows the instants of a local time, also when there are none or two`(
    name: String, date: String, time: String, instants: [String]
  ) throws {
    let zone = try zone(name)
    #expect(zone.instants(of: day(date), secondsOfDay: try clock(time)).map(\.description) == instants)
  }

  @Test func `gives the moment of the change for a time that its clocks skip`() throws {
    let cairo = try zone("Africa/Cairo")
    for seconds in [0, 1, 1800, 3599] {
      #expect(cairo.first(of: day("2026-04-24"), secondsOfDay: seconds).description == "2026-04-23T22:00:00Z")
      #expect(cairo.last(of: day("2026-04-24"), secondsOfDay: seconds).description == "2026-04-23T22:00:00Z")
    }
  }

  @Test(arguments: ["Africa/Cairo", "Africa/Casablanca", "Asia/Gaza", "Asia/Beirut", "Europe/Dublin", "Pacific/Apia"])
  func `finds every instant again by its local time`(name: String) throws {
    let zone = try zone(name)
    var chance = SplitMix64(seed: 11)
    for _ in 0..<20_000 {
      let at = Instant(seconds: chance.within(0...3_500_000_000))
      let local = zone.local(at)
      let found = zone.instants(of: local.date, secondsOfDay: local.secondsOfDay)
      if !found.contains(at) || found.count > 2 { Issue.record("\(name) \(at)") }
    }
  }

  @Test func `agrees with the C library in every zone, far beyond the listed changes`() async {
    // The C library reads its zone from the environment: in a process of its own.
    await #expect(processExitsWith: .success) {
      var chance = SplitMix64(seed: 3)
      for name in PhoneZones.all.sorted() + ["America/Argentina/San_Luis", "Africa/El_Aaiun", "Antarctica/Troll"] {
        setenv("TZ", name, 1)
        tzset()
        let zone = try Zone(named: name)
        for _ in 0..<400 {
          var seconds = time_t(chance.within(-2_000_000_000...6_000_000_000))
          var parts = tm()
          localtime_r(&seconds, &parts)
          precondition(zone.offset(at: Instant(seconds: Int64(seconds))) == parts.tm_gmtoff, "\(name) at \(seconds)")
        }
      }
    }
  }

  @Test func `is refused with a reason when it is not one`() throws {
    for name in [
      "", "Mars/Olympus", "../../../etc/passwd", "/etc/passwd", "Africa//Cairo", "America", "a b", "Africa/Cairo/x",
    ] {
      #expect(throws: ZoneError.unknown(name)) { try Zone(named: name) }
    }
    #expect(throws: ZoneError.malformed("x", reason: "not a zone file")) {
      try Zone(named: "x", bytes: Array("hello".utf8))
    }
    #expect(throws: ZoneError.self) { try Zone(named: "zone.tab") }
  }

  @Test func `survives every cut and many flipped bits of a zone file`() throws {
    let good = try #require(zoneFile("Africa/Cairo"))
    for length in 0..<good.count {
      #expect(throws: ZoneError.self) { try Zone(named: "cut", bytes: Array(good.prefix(length))) }
    }
    var (chance, broken) = (SplitMix64(seed: 1), 0)
    for _ in 0..<3000 {
      var bytes = good
      bytes[Int(chance.below(Int64(bytes.count)))] ^= UInt8(1 << chance.below(8))
      do {
        let zone = try Zone(named: "flipped", bytes: bytes)
        _ = zone.local(Instant(seconds: 1_800_000_000))
        _ = zone.instants(of: day("2026-04-24"), secondsOfDay: 0)
      } catch { broken += 1 }
    }
    #expect(broken > 300)
  }

  private func zoneFile(_ name: String) -> [UInt8]? {
    guard let file = fopen("/usr/share/zoneinfo/" + name, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    return Array(bytes.prefix(fread(&bytes, 1, bytes.count, file)))
  }
}

@Suite struct `A phone's zones` {
  @Test(arguments: [
    ("+201001234567", ["Africa/Cairo"]), ("+966501234567", ["Asia/Riyadh"]), ("+212612345678", ["Africa/Casablanca"]),
    ("+970591234567", ["Asia/Gaza", "Asia/Hebron"]), ("+77011234567", ["Asia/Almaty"]),
    ("+18765550123", ["America/Jamaica"]), ("+351912345678", ["Europe/Lisbon", "Atlantic/Azores"]),
    ("+881612345678", ["Asia/Dubai"]), ("+9991234567", ["Asia/Dubai"]),
  ])
  func `are all those of its country`(text: String, zones: [String]) throws {
    #expect(PhoneZones.zones(of: try phone(text), unlisted: ["Asia/Dubai"]) == zones)
  }

  @Test func `all exist on this system`() throws {
    for name in PhoneZones.all { #expect(throws: Never.self) { try Zone(named: name) } }
    #expect(PhoneZones.all.count > 200)
  }

  @Test func `leave the usual window open some hours of the day, even for the widest country`() throws {
    let now = try instant("2026-12-24T00:00:00Z")
    for text in ["+79161234567", "+14155550123", "+61412345678", "+5511912345678"] {
      let zones = try PhoneZones.zones(of: try phone(text), unlisted: []).map(zone)
      #expect(zones.count > 3)
      #expect(Window.usual.opens(in: zones, after: now), "\(text)")
    }
  }
}
