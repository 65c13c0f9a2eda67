import Domain
import Governor
import Simulation
import Testing

/// Meta's limit of people in any 24 hours, and the ramp of a new number.
@Suite struct `A limit of people` {
  @Test func `is read from Meta's words, less a headroom`() {
    #expect(PeopleLimit.people(ofTier: "TIER_250") == 250 && PeopleLimit.people(ofTier: "TIER_100K") == 100_000)
    #expect(PeopleLimit.people(ofTier: "2000") == 2000)
    for word in ["TIER_UNLIMITED", "unlimited", "", "TIER_NOT_SET"] { #expect(PeopleLimit.people(ofTier: word) == nil, "\(word)") }
    #expect(PeopleLimit.usable(250) == 245 && PeopleLimit.usable(100_000) == 98_000 && PeopleLimit.usable(1) == 1)
  }

  @Test func `frees a bucket a day after its end, never before Meta does`() {
    var chance = SplitMix64(seed: 24)
    for _ in 0..<1000 {
      let at = chance.within(1_700_000_000...1_900_000_000) * 1_000_000_000
      let until = PeopleLimit.until(at)
      #expect(until > at + PeopleLimit.day + PeopleLimit.onTheWay)
      #expect(until <= at + PeopleLimit.day + PeopleLimit.onTheWay + PeopleLimit.bucket)
    }
    let buckets = [PeopleLimit.Used(until: 100, people: 2), .init(until: 300, people: 5), .init(until: 200, people: 1)]
    #expect(PeopleLimit.used(buckets, at: 99) == 8 && PeopleLimit.used(buckets, at: 100) == 6)
    #expect(PeopleLimit.freeAt(buckets, limit: 9, at: 0) == nil)
    #expect(PeopleLimit.freeAt(buckets, limit: 8, at: 0) == 100)
    #expect(PeopleLimit.freeAt(buckets, limit: 6, at: 0) == 200)
    #expect(PeopleLimit.freeAt(buckets, limit: 6, at: 100) == 200)
    #expect(PeopleLimit.freeAt(buckets, limit: 2, at: 0) == 300)
  }

  @Test func `of a ramp grows each day, and ends where it is told to`() throws {
    let ramp = try #require(WarmUp(start: 50, growth: 150, until: 200))
    #expect((0...5).map { ramp.people(onDay: $0) } == [50, 75, 112, 168, nil, nil])
    #expect(ramp.lastsDays == 4)
    // It rises also where the growth is less than a person.
    let slow = try #require(WarmUp(start: 1, growth: 110, until: 5))
    #expect((0...4).map { slow.people(onDay: $0) } == [1, 2, 3, 4, nil])
    #expect(WarmUp(start: 10, growth: 100, until: 20) == nil && WarmUp(start: 10, growth: 150, until: 5) == nil)
    #expect(WarmUp(start: 0, growth: 150, until: 5) == nil)
  }
}
