import Domain
import Schedule
import Testing

@Suite struct `A message's time to live` {
  @Test func `is its template's, else its category's`() {
    #expect(TimeToLive(nil, of: .marketing).duration == .seconds(30 * 86_400))
    #expect(TimeToLive(nil, of: .utility).duration == .seconds(30 * 86_400))
    #expect(TimeToLive(nil, of: .authentication).duration == .seconds(600))
    #expect(TimeToLive(3600, of: .utility) == TimeToLive(3600, of: .utility) && TimeToLive(3600, of: .utility).isOwn)
    #expect(!TimeToLive(-1, of: .utility).isOwn, "Meta shows -1 where none was set")
    #expect(TimeToLive.isChoosable(of: .utility) && !TimeToLive.isChoosable(of: .marketing))
  }

  @Test func `spills into the night, unless hand-overs end early enough`() throws {
    let cairo = try Zone(named: "Africa/Cairo")
    let noon = try #require(Instant(rfc3339: "2027-01-10T12:00:00+02:00"))
    let night = try #require(Instant(rfc3339: "2027-01-10T23:00:00+02:00"))
    let window = try #require(Window(start: "09:00", end: "21:00"))
    let plain = Opening(window: window)
    let early = Opening(window: window, margin: .seconds(3600))
    for instant in [noon, night] {
      #expect(plain.spills(.seconds(1), from: instant, in: [cairo]))
      #expect(!early.spills(.seconds(3600), from: instant, in: [cairo]))
      #expect(early.spills(.seconds(3601), from: instant, in: [cairo]))
    }
    // At any hour nothing is night.
    #expect(!Opening(window: nil).spills(.seconds(30 * 86_400), from: noon, in: [cairo]))
    // A blackout is: an hour at noon, which hand-overs don't end ahead of.
    let calendar = BlackoutCalendar(
      name: "prayer", blackouts: try CalendarFile.blackouts("date,country,from,to,kind\n2027-01-11,EG,12:00,13:00,prayer"))
    let evening = try #require(Instant(rfc3339: "2027-01-11T10:00:00+02:00"))
    #expect(Opening(window: nil, calendars: [calendar]).spills(.seconds(1), from: evening, in: [cairo]))
  }
}
