import Domain
import Governor
import Schedule
import Simulation
import Testing

/// `spread_until`: the last leave about then, whatever came between.
@Suite struct `A pace that is spread over a time` {
  @Test func `fills the time: a minute's messages, or an hour's where a minute would hold too few`() {
    func pace(_ people: Int, hours: Int) -> SpreadPace? { SpreadPace(people: people, open: .seconds(hours * 3600), most: 80) }
    #expect(pace(36_000, hours: 10) == SpreadPace(limit: 60, seconds: 60))
    #expect(pace(36_001, hours: 10) == SpreadPace(limit: 61, seconds: 60), "never too late by rounding")
    #expect(pace(10_000, hours: 10) == SpreadPace(limit: 1000, seconds: 3600))
    #expect(pace(3, hours: 10) == SpreadPace(limit: 1, seconds: 3600))
    #expect(pace(0, hours: 10) == nil)
    #expect(pace(10_000_000, hours: 1) == SpreadPace(limit: 4800, seconds: 60), "no faster than the numbers")
    #expect(SpreadPace(people: 5, open: .zero, most: 80) == SpreadPace(limit: 4800, seconds: 60), "late: as fast as may be")
    #expect(SpreadPace(limit: 100, seconds: 60).isNear(SpreadPace(limit: 102, seconds: 60)))
    #expect(!SpreadPace(limit: 100, seconds: 60).isNear(SpreadPace(limit: 103, seconds: 60)))
    #expect(!SpreadPace(limit: 100, seconds: 60).isNear(SpreadPace(limit: 100, seconds: 3600)))
  }

  @Test(arguments: 1...12)
  func `ends on time in virtual time, through pauses and people who fall away`(seed: UInt64) throws {
    var chance = SplitMix64(seed: seed)
    var people = Int(chance.below(200_000)) + 500
    let end: Int64 = (chance.below(20) + 2) * 3_600_000_000_000
    var (now, finished): (Int64, Int64?) = (0, nil)
    var known: SpreadPace?
    var bucket = Bucket(interval: EmissionInterval(perSecond: 80))
    // Two pauses in the first half.
    let pauses = (0..<2).map { _ in
      let from = chance.below(end / 2)
      return from..<from + chance.below(end / 10)
    }
    let asked = people
    while people > 0, now < end * 2 {
      if let next = SpreadPace(people: people, open: .nanoseconds(end - now), most: 80) {
        if known?.isNear(next) != true { known = next }
        bucket.interval = EmissionInterval(limit: known!.limit, per: .seconds(known!.seconds))
      }
      let horizon = now + 30_000_000_000
      if !pauses.contains(where: { $0.contains(now) }) {
        let slots = bucket.reserve(upTo: people, before: horizon, at: now)
        people -= slots.count
        if people == 0, slots.count > 0 { finished = slots.end - slots.step }
      }
      if chance.below(400) == 0 { people -= min(people, Int(chance.below(20))) }
      now = horizon
    }
    let at = try #require(finished ?? (people == 0 ? now : nil))
    let early = Double(end - at) / Double(end)
    #expect(early > -0.01 && early < 0.06, "\(asked) people: \(early) of the time left")
  }

  @Test func `counts the hours that are open, over nights and through several zones`() throws {
    let cairo = try Zone(named: "Africa/Cairo")
    let riyadh = try Zone(named: "Asia/Riyadh")
    let zones = ["Africa/Cairo": cairo, "Asia/Riyadh": riyadh]
    let start = try #require(Instant(rfc3339: "2026-11-01T00:00:00+02:00"))
    func open(_ runs: [String], days: Int, most: Int = 2000) -> Int64 {
      var memory = OpeningMemory(Opening(window: Window(start: 9 * 60, end: 21 * 60)))
      return memory.openTime(of: runs, from: start, until: start + .seconds(days * 86_400), most: most) { zones[$0] }
        .nanoseconds / 3_600_000_000_000
    }
    #expect(open(["Africa/Cairo"], days: 1) == 12)
    #expect(open(["Africa/Cairo"], days: 30) == 360)
    // Riyadh is an hour ahead in winter: somebody may be written to for 13 hours.
    #expect(open(["Africa/Cairo", "Asia/Riyadh"], days: 10) == 130)
    #expect(open(["Africa/Cairo"], days: 30, most: 20) >= 350, "beyond the bound the rest counts alike")
    var always = OpeningMemory(Opening(window: nil))
    #expect(always.openTime(of: ["Africa/Cairo"], from: start, until: start + .seconds(60)) { zones[$0] } == .seconds(60))
    #expect(open([], days: 1) == 0)
  }
}
