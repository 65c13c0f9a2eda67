import Domain

/// A campaign run in virtual time by the governor that runs it live: the same shares, intervals and buckets, lanes that
/// take runs of people in order, hours that open and close. It advances by whole stretches of equal slots, not by
/// messages, so a million people cost some thousands of steps. Pure; instants are nanoseconds since 1970.
public struct VirtualRun: Sendable {
  /// A number's way out for this campaign.
  public struct Lane: Sendable {
    public let step: EmissionInterval
    /// What the step follows from.
    public let limit: Limit
    /// While the number warms up: how many people until when, day after day; afterwards it has no limit of its own.
    public let days: [PeopleLimit.Used]

    public init(step: EmissionInterval, limit: Limit, days: [PeopleLimit.Used] = []) {
      (self.step, self.limit, self.days) = (step, limit, days)
    }
  }

  /// People who are taken together: one eligibility class, one opening day.
  public struct Group: Sendable {
    /// Whoever asks for the hours knows what it means.
    public let place: Int
    public let people: Int
    /// Not before this: a campaign that drips over days, or tries a sample first.
    public let opensAt: Int64
    /// What they wait for until then.
    public let awaits: Limit

    public init(place: Int, people: Int, opensAt: Int64 = .min, awaits: Limit = .drip) {
      (self.place, self.people, self.opensAt, self.awaits) = (place, people, opensAt, awaits)
    }
  }

  /// What holds the campaign to its speed, or keeps it waiting.
  public enum Limit: Hashable, Sendable {
    /// The campaign's own pace.
    case pace
    /// The numbers' rate, less what they keep.
    case number
    /// The number's rate, shared with other campaigns.
    case sharing
    case hours
    case blackout(kind: String)
    /// People a day that the campaign asked for.
    case drip
    /// The outcome of a sample.
    case pilot
    /// People in 24 hours that Meta allows the portfolio.
    case tier
    /// People a day of a number that is new.
    case warmUp
    /// Nothing is left to reserve: somebody must raise it.
    case budget
  }

  public enum State: Sendable {
    case open(until: Int64)
    case closed(until: Int64, Limit)
  }

  /// From when to when a limit was what decided.
  public struct Stretch: Hashable, Sendable {
    public let limit: Limit
    public let from: Int64
    public var until: Int64

    public init(limit: Limit, from: Int64, until: Int64) { (self.limit, self.from, self.until) = (limit, from, until) }
  }

  public private(set) var first: Int64?
  /// The last slot; nil when nobody is written to.
  public private(set) var last: Int64?
  public private(set) var sent = 0
  /// People whom the budget does not cover.
  public private(set) var uncovered = 0
  /// People whose turn did not come before the end.
  public private(set) var expired = 0
  /// Messages by the hour since 1970.
  public private(set) var byHour: [Int64: Int] = [:]
  public private(set) var stretches: [Stretch] = []

  static let hour: Int64 = 3_600_000_000_000
  static let day: Int64 = 24 * hour
  /// Nobody plans further ahead; what is left then counts as expired.
  public static let longest: Int64 = 366 * day

  private struct Run {
    let place: Int
    let opensAt: Int64
    let awaits: Limit
    var left: Int
  }

  /// Runs `groups`, in the order of the freeze, over `lanes` from `start`; nothing leaves at or after `end`.
  ///
  /// `dailyPeople` is the portfolio's limit in any 24 hours, of which `used` is used already; `most` what a budget covers.
  /// `state` says whether a place may be written to; it is asked once for each change.
  public init(
    _ groups: [Group], lanes: [Lane], start: Int64, end: Int64?, runLength: Int, dailyPeople: Int? = nil,
    used: [PeopleLimit.Used] = [], most: Int = .max, state: @escaping (_ place: Int, _ at: Int64) -> State
  ) {
    let total = groups.reduce(0) { $0 + $1.people }
    expired = total
    guard !lanes.isEmpty, total > 0 else { return }
    let over = min(end ?? .max, start + VirtualRun.longest)
    var free: [Run] = []
    for group in groups {
      var left = group.people
      while left > 0 {
        free.append(
          Run(place: group.place, opensAt: group.opensAt, awaits: group.awaits, left: min(runLength, left)))
        left -= runLength
      }
    }
    var hours = Hours(state)
    var tier = Tier(limit: dailyPeople, used)
    var ramps = lanes.map { Ramp($0.days) }
    var buckets = lanes.map { Bucket(interval: $0.step) }
    // What a lane began and its hours closed on: it goes on with it before anything new.
    var held = [[Run]](repeating: [], count: lanes.count)
    var at = [Int64](repeating: start, count: lanes.count)
    while sent < most, let lane = at.indices.filter({ at[$0] < over }).min(by: { at[$0] < at[$1] }) {
      let now = at[lane]
      guard let (run, isHeld) = VirtualRun.pick(held[lane], free, at: now, &hours) else {
        guard let next = VirtualRun.opening(held[lane] + free, at: now, &hours) else {
          at[lane] = .max
          continue
        }
        at[lane] = next.at
        note(next.limit, from: now, until: min(next.at, over))
        continue
      }
      var work = isHeld ? held[lane].remove(at: run) : free.remove(at: run)
      let closes = min(hours.closes(work.place, at: now), over)
      let room = tier.room(at: now)
      let today = ramps[lane].room(at: now)
      if room.count == 0 || today.count == 0 {
        if isHeld { held[lane].insert(work, at: run) } else { free.insert(work, at: run) }
        let (until, limit) = room.count == 0 ? (room.until, Limit.tier) : (today.until, Limit.warmUp)
        at[lane] = until
        note(limit, from: now, until: min(until, over))
        continue
      }
      let ends = min(closes, today.until)
      let slots = buckets[lane].reserve(upTo: min(work.left, room.count, today.count, most - sent), before: ends, at: now)
      at[lane] = slots.count == 0 ? ends : max(buckets[lane].tat, now + 1)
      work.left -= slots.count
      if work.left > 0 { held[lane].append(work) }
      guard slots.count > 0 else { continue }
      tier.note(slots)
      ramps[lane].sent += slots.count
      take(slots)
      note(lanes[lane].limit, from: slots.first, until: slots.end)
    }
    (expired, uncovered) = sent < most ? (total - sent, 0) : (0, total - sent)
  }

  /// The first run that is open, held ones before free ones.
  private static func pick(_ held: [Run], _ free: [Run], at now: Int64, _ hours: inout Hours) -> (Int, Bool)? {
    for (runs, isHeld) in [(held, true), (free, false)] {
      var closed: Set<Int> = []
      for (index, run) in runs.enumerated() where run.opensAt <= now && !closed.contains(run.place) {
        if hours.isOpen(run.place, at: now) { return (index, isHeld) }
        closed.insert(run.place)
      }
    }
    return nil
  }

  /// When the next of the closed runs opens, and what it waits for; nil when none is left.
  private static func opening(_ runs: [Run], at now: Int64, _ hours: inout Hours) -> (at: Int64, limit: Limit)? {
    var (next, places): ((at: Int64, limit: Limit)?, Set<Int>) = (nil, [])
    for run in runs {
      let candidate: (at: Int64, limit: Limit)
      if run.opensAt > now {
        candidate = (run.opensAt, run.awaits)
      } else {
        guard places.insert(run.place).inserted, case .closed(let until, let limit) = hours.state(run.place, at: now) else {
          continue
        }
        candidate = (max(until, now + 1), limit)
      }
      if candidate.at < next?.at ?? .max { next = candidate }
    }
    return next
  }

  private mutating func take(_ slots: Slots) {
    sent += slots.count
    first = min(first ?? .max, slots.first)
    last = max(last ?? .min, slots[slots.count - 1])
    var index = 0
    while index < slots.count {
      let hour = slots[index] / VirtualRun.hour
      // Those before the hour's end, in closed form.
      let fitting = ((hour + 1) * VirtualRun.hour - slots[index] - 1) / slots.step + 1
      let count = Int(min(Int64(slots.count - index), fitting))
      byHour[hour, default: 0] += count
      index += count
    }
  }

  /// Lanes overlap: only what lengthens the record is kept.
  private mutating func note(_ limit: Limit, from: Int64, until: Int64) {
    guard until > from else { return }
    if let index = stretches.indices.last, stretches[index].limit == limit, stretches[index].until >= from - 1 {
      stretches[index].until = max(stretches[index].until, until)
    } else if (stretches.last?.until ?? .min) < until {
      stretches.append(Stretch(limit: limit, from: max(from, stretches.last?.until ?? from), until: until))
    }
  }

  /// Each place's state for as long as it holds.
  private struct Hours {
    let ask: (Int, Int64) -> State
    var known: [Int: State] = [:]

    init(_ ask: @escaping (Int, Int64) -> State) { self.ask = ask }

    mutating func state(_ place: Int, at now: Int64) -> State {
      switch known[place] {
      case .open(let until)? where now < until: return .open(until: until)
      case .closed(let until, let limit)? where now < until: return .closed(until: until, limit)
      default:
        let state = ask(place, now)
        known[place] = state
        return state
      }
    }

    mutating func isOpen(_ place: Int, at now: Int64) -> Bool {
      if case .open = state(place, at: now) { true } else { false }
    }

    mutating func closes(_ place: Int, at now: Int64) -> Int64 {
      if case .open(let until) = state(place, at: now) { until } else { now }
    }
  }

  /// The people of the last 24 hours, in the buckets in which the gate counts them.
  private struct Tier {
    let limit: Int?
    private var buckets: [PeopleLimit.Used] = []
    /// The oldest bucket that counts.
    private var oldest = 0
    private var within = 0

    init(limit: Int?, _ used: [PeopleLimit.Used]) {
      self.limit = limit
      buckets = used.sorted { $0.until < $1.until }
      within = used.reduce(0) { $0 + $1.people }
    }

    /// How many may be written to from `now` on; none before `until`.
    mutating func room(at now: Int64) -> (count: Int, until: Int64) {
      guard let limit else { return (.max, now) }
      while oldest < buckets.count, buckets[oldest].until <= now {
        within -= buckets[oldest].people
        oldest += 1
      }
      let free = max(0, limit - within)
      return (free, free > 0 || oldest == buckets.count ? now + 1 : buckets[oldest].until)
    }

    mutating func note(_ slots: Slots) {
      guard limit != nil else { return }
      within += slots.count
      var index = 0
      while index < slots.count {
        let until = PeopleLimit.until(slots[index])
        // Those before the bucket's end, in closed form.
        let fitting = (until - PeopleLimit.day - PeopleLimit.onTheWay - slots[index] - 1) / slots.step + 1
        let count = Int(min(Int64(slots.count - index), fitting))
        add(until, count)
        index += count
      }
    }

    /// Lanes run ahead of each other by a stretch at most: its place is near the end.
    private mutating func add(_ until: Int64, _ count: Int) {
      var place = buckets.count
      while place > oldest, buckets[place - 1].until > until { place -= 1 }
      if place > oldest, buckets[place - 1].until == until {
        buckets[place - 1] = PeopleLimit.Used(until: until, people: buckets[place - 1].people + count)
      } else {
        buckets.insert(PeopleLimit.Used(until: until, people: count), at: place)
      }
    }
  }

  /// A number's days of warming up.
  private struct Ramp {
    let days: [PeopleLimit.Used]
    private var day = 0
    var sent = 0

    init(_ days: [PeopleLimit.Used]) { self.days = days }

    mutating func room(at now: Int64) -> (count: Int, until: Int64) {
      while day < days.count, days[day].until <= now { (day, sent) = (day + 1, 0) }
      return day < days.count ? (max(0, days[day].people - sent), days[day].until) : (.max, .max)
    }
  }
}
