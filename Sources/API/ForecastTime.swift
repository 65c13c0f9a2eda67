import Domain
import Governor
import JSON
import Schedule
import Store

/// When a campaign would start and finish, how many messages leave by the hour, and which limit decides when: the live
/// governor's own arithmetic, run in virtual time.
struct ForecastTime: Sendable {
  /// When the first message may leave.
  let start: Instant
  let run: VirtualRun
  /// Zones in which the hours don't open within the next weeks.
  let shut: [String]
  /// What is left of Meta's limit of people, and how many are used; nil without a limit.
  let people: (left: Int, used: Int)?
  /// How long Meta tries to deliver, and the zones in which what leaves late may come when their hours are closed.
  let life: TimeToLive
  let spills: [String]

  /// A launch waits so long before the first message (product §1.1).
  static let launchWait: Duration = .seconds(60)
  static let mostHours = 1000
  static let mostStretches = 200

  init(
    _ checked: CampaignCheck.Checked, _ written: [Freeze.Count], calendars: [BlackoutCalendar],
    others: [Number.ID: Int], covered: Int? = nil, people: PeopleCounts.Used = .init(),
    headroomPercent: Int = PeopleLimit.headroomPercent, now: Instant
  ) {
    let schedule = checked.draft.spec.schedule
    let start = ForecastTime.start(schedule, now: now)
    self.start = start
    let used = people.portfolios[checked.numbers[0].portfolio] ?? []
    let usable = ForecastTime.limit(checked).map { PeopleLimit.usable($0, headroomPercent: headroomPercent) }
    self.people = usable.map {
      let used = PeopleLimit.used(used, at: now.nanoseconds)
      return (max(0, $0 - used), used)
    }
    let life = TimeToLive(checked.template.seen.ttlSeconds, of: checked.template.seen.category)
    self.life = life
    let places = ForecastTime.places(written)
    let opening = schedule.opening(calendars)
    let zones = places.map { place in
      let names = place.zone.split(separator: ",").map(String.init)
      let known = names.compactMap { Zones.named($0) }
      return known.count == names.count ? known : []
    }
    func state(_ place: Int, _ at: Int64) -> VirtualRun.State {
      let instant = Instant(nanoseconds: at)
      if opening.isAlwaysOpen { return .open(until: .max) }
      // The sender keeps a zone that the system does not know closed; so does the forecast.
      if zones[place].isEmpty { return .closed(until: at + VirtualRun.longest, .hours) }
      switch opening.state(at: instant, in: zones[place]) {
      case .open(let until): return .open(until: until.nanoseconds)
      case .closed(let until, .hours): return .closed(until: until.nanoseconds, .hours)
      case .closed(let until, .blackout(let kind, _)): return .closed(until: until.nanoseconds, .blackout(kind: kind))
      }
    }
    var spread: SpreadPace?
    if let until = checked.draft.spec.pace.spreadUntil {
      var memory = OpeningMemory(opening)
      let open = memory.openTime(of: places.map(\.zone), from: start, until: until) { Zones.named($0) }
      let free = checked.numbers.reduce(0) { $0 + $1.free }
      let most = max(1, free * (checked.draft.spec.pace.jitter == .human ? 8 : 10) / 10)
      spread = SpreadPace(people: places.reduce(0) { $0 + $1.people }, open: open, most: most)
    }
    let lanes = ForecastTime.lanes(checked, spread: spread, others: others, people: people, now: now)
    let parts = ForecastTime.parts(places, pilot: checked.plan.pilot)
    let wait = checked.draft.spec.guarding.pilotInUse.wait.nanoseconds
    // A pilot's step opens when the one before is sent and its outcome was awaited: each is planned after the other.
    var opens = [Int64.min]
    let length = RunLength.of(places.reduce(0) { $0 + $1.people }, over: checked.numbers.count)
    func planned(upTo step: Int) -> VirtualRun {
      VirtualRun(
        ForecastTime.groups(
          parts.filter { $0.step < step }, opens: opens, schedule: schedule, start: start, zone: checked.numbers[0].zone),
        lanes: lanes, start: start.nanoseconds, end: schedule.end?.nanoseconds, runLength: length,
        dailyPeople: usable, used: used, most: covered ?? .max, state: state)
    }
    let steps = (parts.last?.step ?? 0) + 1
    for step in 1..<max(1, steps) {
      let before = planned(upTo: step)
      opens.append(before.last.map { $0 + wait } ?? .max)
    }
    run = planned(upTo: steps)
    shut = places.indices.filter { index in
      guard case .closed(let until, _) = state(index, start.nanoseconds) else { return false }
      if case .closed = state(index, until) { return true }
      return until > (start + .seconds(35 * 86_400)).nanoseconds
    }.map { places[$0].zone }
    spills =
      opening.isAlwaysOpen
      ? [] : places.indices.filter { !zones[$0].isEmpty && opening.spills(life.duration, from: start, in: zones[$0]) }.map {
        places[$0].zone
      }
  }

  static func start(_ schedule: CampaignSpec.SchedulePart, now: Instant) -> Instant {
    let soonest = now + ForecastTime.launchWait
    if case .at(let planned)? = schedule.start { return max(soonest, planned) }
    return soonest
  }

  /// People by class, in the order in which the freeze puts them.
  private static func places(_ written: [Freeze.Count]) -> [(zone: String, people: Int)] {
    var places: [Int: (zone: String, people: Int)] = [:]
    for group in written { places[group.place, default: (group.zone, 0)].people += group.people }
    return places.sorted { $0.key < $1.key }.map(\.value)
  }

  private typealias Part = (step: Int, place: Int, people: Int)

  /// The frozen order: of a pilot, each step's share of every class; steps are counted from 0 here.
  private static func parts(_ places: [(zone: String, people: Int)], pilot: FreezePlan.Sampling?) -> [Part] {
    let total = places.reduce(0) { $0 + $1.people }
    guard let pilot, total > pilot.above else { return places.indices.map { (0, $0, places[$0].people) } }
    var (parts, before): ([Part], Int) = ([], 0)
    for (step, end) in (CampaignSpec.Guarding.steps(of: pilot.size) + [total]).map({ min($0, total) }).enumerated() {
      guard end > before else { continue }
      // Cut at the same share of all before it, so that every class adds up.
      var sum = 0
      for (place, people) in places.indices.map({ ($0, places[$0].people) }) {
        func cut(_ end: Int) -> Int { (sum + people) * end / total - sum * end / total }
        parts.append((step, place, cut(end) - cut(before)))
        sum += people
      }
      before = end
    }
    return parts.filter { $0.people > 0 }
  }

  /// Cut where a day's people end. `opens`: when each step does.
  private static func groups(
    _ parts: [Part], opens: [Int64], schedule: CampaignSpec.SchedulePart, start: Instant, zone: String
  ) -> [VirtualRun.Group] {
    guard case .people(let perDay)? = schedule.perDay, let zone = Zones.named(zone) else {
      return parts.map {
        VirtualRun.Group(place: $0.place, people: $0.people, opensAt: opens[$0.step], awaits: .pilot)
      }
    }
    let drip = Drip(perDay: perDay)
    var (groups, next): ([VirtualRun.Group], Int) = ([], 1)
    for part in parts {
      let end = next + part.people
      while next < end {
        let day = drip.day(of: next)
        let upto = min(end, (day + 1) * perDay + 1)
        let dayOpens = Drip.opens(day: day, start: start, in: zone).nanoseconds
        groups.append(
          VirtualRun.Group(
            place: part.place, people: upto - next, opensAt: max(dayOpens, opens[part.step]),
            awaits: opens[part.step] > dayOpens ? .pilot : .drip))
        next = upto
      }
    }
    return groups
  }

  /// Meta's limit of people for the portfolio of the campaign's numbers, which are of one account.
  static func limit(_ checked: CampaignCheck.Checked) -> Int? {
    checked.numbers.compactMap { PeopleLimit.people(ofTier: $0.tier) }.max()
  }

  /// The days of a number's ramp that are to come, today's less those who were written to.
  private static func days(_ number: Numbers.Entry, _ people: PeopleCounts.Used, now: Instant) -> [PeopleLimit.Used] {
    guard let warmUp = number.warmUp, let zone = Zones.named(number.zone) else { return [] }
    var days: [PeopleLimit.Used] = []
    var at = now
    while days.count < 400, let today = WarmUp.today(warmUp, at: at, in: zone) {
      let until = today.until.nanoseconds
      let used = people.numbers[number.id]?.first { $0.until == until }?.people ?? 0
      days.append(PeopleLimit.Used(until: until, people: max(0, today.people - used)))
      at = today.until
    }
    return days
  }

  private static func lanes(
    _ checked: CampaignCheck.Checked, spread: SpreadPace?, others: [Number.ID: Int], people: PeopleCounts.Used,
    now: Instant
  ) -> [VirtualRun.Lane] {
    let pace = checked.draft.spec.pace
    let free = checked.numbers.reduce(0) { $0 + $1.free }
    let (wanted, seconds) = (pace.limit ?? spread?.limit, pace.limit == nil ? spread?.seconds ?? 1 : pace.unit.seconds)
    let shares = wanted.map { PaceShares.divide($0, over: checked.numbers.map(\.free)) }
    return checked.numbers.enumerated().compactMap { index, number in
      let share = LaneShare(
        own: shares.map { LaneShare.Limit($0[index], per: .seconds(seconds)) },
        reservePercent: number.reservePercent, isJittered: pace.jitter == .human)
      guard let own = share.pace(perSecond: number.limit, allowance: LaneShare.pathAllowance) else { return nil }
      let interval = EmissionInterval(limit: number.limit, per: .seconds(1), pathAllowance: LaneShare.pathAllowance)
      let others = others[number.id] ?? 0
      let step = LaneShare.step(own, number: interval, weight: checked.draft.spec.priority, others: others)
      let limit: VirtualRun.Limit =
        step > own.interval ? (others > 0 ? .sharing : .number)
        : own.isOwn && !(pace.unit == .second && pace.limit == free) ? .pace : .number
      return VirtualRun.Lane(step: step, limit: limit, days: days(number, people, now: now))
    }
  }

  var json: JSONObject {
    var seconds: Int64 = 0
    if let first = run.first, let last = run.last { seconds = (last - first + 999_999_999) / 1_000_000_000 }
    let curve = run.byHour.sorted { $0.key < $1.key }.prefix(ForecastTime.mostHours).map { hour, count -> JSONValue in
      ["hour": .time(Instant(seconds: hour * 3600)), "messages": .count(count)]
    }
    return [
      "starts_at": .time(run.first.map { ForecastTime.second($0) }),
      "finishes_at": .time(run.last.map { ForecastTime.second($0) }), "sending_seconds": .count(seconds),
      "expired": .count(run.expired), "curve": .array(curve),
      "time_to_live": [
        "seconds": .count(Int(life.duration.nanoseconds / 1_000_000_000)), "set_by": life.isOwn ? "template" : "category",
        "may_arrive_in_closed_hours": .bool(!spills.isEmpty),
      ],
      "limits": .array(
        run.stretches.prefix(ForecastTime.mostStretches).map(ForecastTime.json)
          + (exhausted.map { [["limit": "budget", "from": .time($0), "until": .null]] } ?? [])),
    ]
  }

  /// When the last message leaves that the budget covers; nil when it covers everybody.
  var exhausted: Instant? {
    run.uncovered > 0 ? run.last.map { ForecastTime.second($0) } ?? start : nil
  }

  /// To the second: more digits would promise too much.
  private static func second(_ nanoseconds: Int64) -> Instant { Instant(seconds: nanoseconds / 1_000_000_000) }

  private static func json(_ stretch: VirtualRun.Stretch) -> JSONValue {
    var object = JSONObject()
    switch stretch.limit {
    case .pace: object.append("limit", "pace")
    case .number: object.append("limit", "number")
    case .sharing: object.append("limit", "sharing")
    case .hours: object.append("limit", "quiet_hours")
    case .blackout(let kind):
      object.append("limit", "blackout")
      object.append("kind", .string(kind))
    case .drip: object.append("limit", "drip")
    case .pilot: object.append("limit", "pilot")
    case .tier: object.append("limit", "tier")
    case .warmUp: object.append("limit", "warm_up")
    case .budget: object.append("limit", "budget")
    }
    object.append("from", .time(second(stretch.from)))
    object.append("until", .time(second(stretch.until)))
    return .object(object)
  }
}
