import Domain
import Governor
import JSON
import Schedule
import Store

/// How a number's limits of people stand: Meta's for its portfolio, and its own while it warms up.
struct PeopleView: Sendable {
  /// Meta's limit in 24 hours, what Qafila uses of it, what is used; nil without a limit.
  let portfolio: (limit: Int, usable: Int, used: Int, freeAt: Instant?)?
  /// Today's people of the ramp, how many were written to, when the day ends; nil when none holds.
  let today: (people: Int, used: Int, until: Instant)?

  enum Limit: String { case people = "people_limit", warmUp = "warm_up" }

  init(_ number: Numbers.Entry, _ used: PeopleCounts.Used, headroomPercent: Int, at now: Instant) {
    let buckets = used.portfolios[number.portfolio] ?? []
    portfolio = PeopleLimit.people(ofTier: number.tier).map { limit in
      let usable = PeopleLimit.usable(limit, headroomPercent: headroomPercent)
      return (
        limit, usable, PeopleLimit.used(buckets, at: now.nanoseconds),
        PeopleLimit.freeAt(buckets, limit: usable, at: now.nanoseconds).map { Instant(nanoseconds: $0) }
      )
    }
    today = Zones.named(number.zone).flatMap { WarmUp.today(number.warmUp, at: now, in: $0) }.map { today in
      let days = used.numbers[number.id] ?? []
      return (today.people, days.first { $0.until == today.until.nanoseconds }?.people ?? 0, today.until)
    }
  }

  /// Which limit is used up, and until when; the one that lasts longer.
  var full: (until: Instant, limit: Limit)? {
    let day = today.flatMap { $0.used >= $0.people ? (until: $0.until, limit: Limit.warmUp) : nil }
    guard let freeAt = portfolio?.freeAt else { return day }
    return day.map { $0.until > freeAt ? $0 : (freeAt, .people) } ?? (freeAt, .people)
  }

  var evidence: JSONValue {
    var object = JSONObject()
    if let json = people { object.append("people_24h", json) }
    if let today { object.append("warm_up", ["people_today": .count(today.people), "used_today": .count(today.used)]) }
    return .object(object)
  }

  var people: JSONValue? {
    portfolio.map {
      [
        "limit": .count($0.limit), "usable": .count($0.usable), "used": .count($0.used),
        "left": .count(max(0, $0.usable - $0.used)), "free_at": .time($0.freeAt),
      ]
    }
  }

  func warmUp(_ set: (ramp: WarmUp, from: CivilDate)?) -> JSONValue? {
    guard let set, case .object(var object) = set.ramp.json else { return nil }
    object.append("from", .string(set.from.description))
    object.append("ends", .string(CivilDate(daysSince1970: set.from.daysSince1970 + set.ramp.lastsDays).description))
    if let today {
      object.append("people_today", .count(today.people))
      object.append("used_today", .count(today.used))
      object.append("today_until", .time(today.until))
    }
    return .object(object)
  }
}
