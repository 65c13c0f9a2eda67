import Domain

/// How long Meta tries to deliver a message of a template; what could not be delivered by then is dropped, without a word.
/// It is the template's (`message_send_ttl_seconds`, set when it is made), a send can't name one.
public struct TimeToLive: Hashable, Sendable {
  public let duration: Duration
  /// Set for this template, not its category's.
  public let isOwn: Bool

  public init(_ seconds: Int?, of category: Category) {
    if let seconds, seconds > 0 {
      (duration, isOwn) = (.seconds(seconds), true)
    } else {
      (duration, isOwn) = (category == .authentication ? .seconds(600) : .seconds(30 * 86_400), false)
    }
  }

  /// What Meta takes for a template of this category on the Cloud API; nil where it takes none: marketing lives 30 days
  /// (elsewhere, through the Marketing Messages API, 12 hours at least).
  public static func bounds(of category: Category) -> ClosedRange<Int>? {
    switch category {
    case .authentication: 30...900
    case .utility: 30...43_200
    default: nil
    }
  }

  /// Whether whoever makes the campaign could choose a shorter one.
  public static func isChoosable(of category: Category) -> Bool { bounds(of: category) != nil }
}

extension Opening {
  /// Whether a message that leaves at the last moment of the opening of `instant`, or of the next, may be delivered when
  /// nobody may be written to.
  public func spills(_ life: Duration, from instant: Instant, in zones: [Zone]) -> Bool {
    var at = instant
    if case .closed(let opens, _) = state(at: at, in: zones) { at = opens }
    guard case .open(let last) = state(at: at, in: zones) else { return false }
    // Hand-overs may end before the hours do.
    let hours = Opening(window: window, days: days, calendars: calendars)
    var closes = last
    if case .open(let until) = hours.state(at: last, in: zones) { closes = until }
    // Calendars are read for eight days ahead: what is open by then is no end.
    guard case .closed = hours.state(at: closes, in: zones) else { return false }
    return last + life > closes
  }
}
