import Domain

/// When people may be written to: a window's hours on its days, less the blackouts of calendars, by the clocks of where
/// they are. Pure; the zone says where, and its country decides the weekend and which blackouts hold.
public struct Opening: Sendable {
  /// The days on which the window opens.
  public enum Days: Hashable, Sendable {
    case listed(Weekdays)
    /// All but the weekend of the zone's country.
    case workdays
  }

  /// Why nobody may be written to.
  public enum Closure: Hashable, Sendable {
    case hours
    case blackout(kind: String, calendar: String)
  }

  public enum State: Hashable, Sendable {
    case open(until: Instant)
    /// Nobody may be written to before then.
    case closed(until: Instant, because: Closure)
  }

  /// Nil: at any hour.
  public let window: Window?
  public let days: Days
  public let calendars: [BlackoutCalendar]
  /// Hand-overs end so long before the window closes, so that what Meta delivers late is not delivered at night.
  public let margin: Duration

  public init(
    window: Window?, days: Days = .listed(.all), calendars: [BlackoutCalendar] = [], margin: Duration = .zero
  ) {
    (self.window, self.days, self.calendars, self.margin) = (window, days, calendars, margin)
  }

  public var isAlwaysOpen: Bool { window == nil && calendars.allSatisfy { $0.blackouts.isEmpty } }

  /// How far it looks for the next opening: a campaign closed for longer than this asks again.
  static let daysAhead = 400

  public func state(at instant: Instant, in zone: Zone) -> State { state(at: instant, in: [zone]) }

  /// The state for people who may be in any of several zones: open when it is open in all of them.
  public func state(at instant: Instant, in zones: [Zone]) -> State {
    precondition(!zones.isEmpty, "people are somewhere")
    let last = instant + .seconds(86_400 * Opening.daysAhead)
    var candidate = instant
    var first: Closure?
    while true {
      var (closes, opens) = (Instant(nanoseconds: .max), candidate)
      for zone in zones {
        switch plain(at: candidate, in: zone) {
        case .open(let until): closes = min(closes, until)
        case .closed(let until, let closure):
          first = first ?? closure
          opens = max(opens, until)
        }
      }
      if opens == candidate {
        return first.map { .closed(until: candidate, because: $0) } ?? .open(until: closes)
      }
      candidate = opens
      if candidate > last { return .closed(until: candidate, because: first ?? .hours) }
    }
  }

  /// One zone; a closed answer may end where the next closure begins.
  private func plain(at instant: Instant, in zone: Zone) -> State {
    let country = ZoneCountries.country(of: zone.name)
    var until = Instant(nanoseconds: .max)
    if let window = window.map({ self.window($0, in: country) }) {
      switch window.state(at: instant, in: zone) {
      case .closed(let opens): return .closed(until: opens, because: .hours)
      case .open(let closes):
        // A window shorter than the margin never opens; whoever makes the campaign is told before.
        guard closes - margin > instant else { return .closed(until: closes, because: .hours) }
        until = closes - margin
      }
    }
    let today = zone.day(of: instant).daysSince1970
    for calendar in calendars {
      for blackout in calendar.blackouts where blackout.concerns(country) {
        // Yesterday's may pass midnight; a week ahead is as far as a window's own answer reaches.
        let span: ClosedRange<Int>
        switch blackout.days {
        case .dates(let first, let last):
          let (low, high) = (max(today - 1, first.daysSince1970), min(today + 8, last.daysSince1970))
          guard low <= high else { continue }
          span = low...high
        case .weekly: span = today - 1...today + 8
        }
        for day in span {
          guard let hours = blackout.hours(startingOn: CivilDate(daysSince1970: day), in: zone), hours.to > instant else {
            continue
          }
          if hours.from <= instant {
            return .closed(until: hours.to, because: .blackout(kind: blackout.kind, calendar: calendar.name))
          }
          until = min(until, hours.from)
          break
        }
      }
    }
    // Without a window the calendars were read for eight days ahead only.
    return .open(until: min(until, instant + .seconds(7 * 86_400)))
  }

  private func window(_ window: Window, in country: String?) -> Window {
    guard days == .workdays else { return window }
    let rest = Weekdays.weekend(ofCountry: country ?? "")
    return Window(start: window.start, end: window.end, days: Weekdays.all.subtracting(rest)) ?? window
  }
}

/// Remembers what an opening said, for as long as it holds: whoever asks for each message pays once for each change.
public struct OpeningMemory: Sendable {
  public let opening: Opening
  private var states: [String: Opening.State] = [:]

  public init(_ opening: Opening) { self.opening = opening }

  /// How long somebody of these runs may be written to between two instants. Beyond `most` changes the rest counts as the
  /// part before it did.
  public mutating func openTime(
    of runs: [String], from start: Instant, until end: Instant, most: Int = 2000, _ named: (String) -> Zone?
  ) -> Duration {
    guard start < end, !runs.isEmpty else { return .zero }
    if opening.isAlwaysOpen { return end - start }
    var (at, open): (Instant, Int64) = (start, 0)
    for _ in 0..<most where at < end {
      var (isOpen, next) = (false, end)
      for zones in runs {
        switch state(of: zones, at: at, named) {
        case .open(let until):
          isOpen = true
          next = min(next, until)
        case .closed(let until, _): next = min(next, until)
        }
      }
      if isOpen { open += (next - at).nanoseconds }
      at = next
    }
    guard at < end else { return .nanoseconds(open) }
    let (seen, all) = (Int128((at - start).nanoseconds), Int128((end - start).nanoseconds))
    return .nanoseconds(Int64(Int128(open) * all / seen))
  }

  /// The state for a run's zones: one or several IANA names, comma between. A zone the system does not know stays
  /// closed: better late than at night.
  public mutating func state(of zones: String, at now: Instant, _ named: (String) -> Zone?) -> Opening.State {
    if let known = states[zones] {
      switch known {
      case .open(let until) where now < until: return known
      case .closed(let until, _) where now < until: return known
      default: break
      }
    }
    let names = zones.split(separator: ",")
    let known = names.compactMap { named(String($0)) }
    guard known.count == names.count, !known.isEmpty else {
      return .closed(until: now + .seconds(3600), because: .hours)
    }
    let state = opening.state(at: now, in: known)
    states[zones] = state
    return state
  }
}
