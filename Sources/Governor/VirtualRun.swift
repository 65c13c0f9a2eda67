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

    public init(step: EmissionInterval, limit: Limit) { (self.step, self.limit) = (step, limit) }
  }

  /// People who are taken together: one eligibility class, one opening day.
  public struct Group: Sendable {
    /// Whoever asks for the hours knows what it means.
    public let place: Int
    public let people: Int
    /// Not before this: a campaign that drips over days.
    public let opensAt: Int64

    public init(place: Int, people: Int, opensAt: Int64 = .min) {
      (self.place, self.people, self.opensAt) = (place, people, opensAt)
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
    /// People in 24 hours that Meta allows the portfolio.
    case tier
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
    var left: Int
  }

  /// Runs `groups`, in the order of the freeze, over `lanes` from `start`; nothing leaves at or after `end`.
  ///
  /// `dailyPeople` is the portfolio's limit in any 24 hours, `most` what a budget covers. `state` says whether a place may be written to; it is asked
  /// once for each change.
  public init(
    _ groups: [Group], lanes: [Lane], start: Int64, end: Int64?, runLength: Int, dailyPeople: Int? = nil,
    most: Int = .max, state: @escaping (_ place: Int, _ at: Int64) -> State
  ) {
    let total = groups.reduce(0) { $0 + $1.people }
    expired = total
    guard !lanes.isEmpty, total > 0 else { return }
    let over = min(end ?? .max, start + VirtualRun.longest)
    var free: [Run] = []
    for group in groups {
      var left = group.people
      while left > 0 {
        free.append(Run(place: group.place, opensAt: group.opensAt, left: min(runLength, left)))
        left -= runLength
      }
    }
    var hours = Hours(state)
    var tier = Tier(limit: dailyPeople)
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
      if room.count == 0 {
        if isHeld { held[lane].insert(work, at: run) } else { free.insert(work, at: run) }
        at[lane] = room.until
        note(.tier, from: now, until: min(room.until, over))
        continue
      }
      var slots = buckets[lane].reserve(upTo: min(work.left, room.count, most - sent), before: closes, at: now)
      if slots.count > 1, room.step > slots.step {
        // Yesterday's people leave the 24 hours one by one: no faster than they were written to.
        buckets[lane].tat = slots.first
        let fitting = Int(min(Int64(slots.count), (closes - slots.first - 1) / room.step + 1))
        slots = Slots(first: slots.first, step: room.step, count: fitting)
        buckets[lane].tat = slots.end
      }
      at[lane] = slots.count == 0 ? closes : max(buckets[lane].tat, now + 1)
      work.left -= slots.count
      if work.left > 0 { held[lane].append(work) }
      guard slots.count > 0 else { continue }
      tier.note(slots)
      take(slots)
      note(room.step > lanes[lane].step.nanoseconds ? .tier : lanes[lane].limit, from: slots.first, until: slots.end)
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
        candidate = (run.opensAt, .drip)
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

  /// The people of the last 24 hours, as stretches of slots.
  private struct Tier {
    let limit: Int?
    private var sent: [Slots] = []
    /// The oldest stretch of the window, and how many of it have left the window.
    private var (oldest, gone) = (0, 0)
    private var within = 0

    init(limit: Int?) { self.limit = limit }

    /// How many may be written to from `now` on, at which least step; none before `until`.
    mutating func room(at now: Int64) -> (count: Int, step: Int64, until: Int64) {
      guard let limit else { return (.max, 0, now) }
      while oldest < sent.count {
        let stretch = sent[oldest]
        let left = now - VirtualRun.day - stretch[gone]
        guard left >= 0 else { break }
        let leaving = min(stretch.count - gone, Int(min(Int64(stretch.count), left / stretch.step + 1)))
        (gone, within) = (gone + leaving, within - leaving)
        if gone == stretch.count { (oldest, gone) = (oldest + 1, 0) }
      }
      let free = max(0, limit - within)
      guard oldest < sent.count else { return (free, 0, now) }
      let stretch = sent[oldest]
      let leaves = stretch[gone] + VirtualRun.day
      if free == 0 { return (0, 0, leaves) }
      // One leaves at each of its steps from now on: at that step the rest of the stretch may follow at once.
      let following = stretch.count - gone
      return leaves <= now + stretch.step && following > free ? (free + following, stretch.step, now) : (free, 0, now)
    }

    mutating func note(_ slots: Slots) {
      guard limit != nil else { return }
      sent.append(slots)
      within += slots.count
    }
  }
}
