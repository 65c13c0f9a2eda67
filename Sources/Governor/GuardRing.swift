import Domain

/// The last R send instants of a number: refuses the send that would put R + 1 into one window, whatever the governor
/// said.
///
/// It shares no code with the bucket, so that a bug there costs time and not the number. Instants are nanoseconds of a
/// clock that never goes back (the boot clock); one that does is taken as the newest known, so the ring errs towards
/// silence. Memory is R words, taken once; each call is a comparison or a store.
public struct GuardRing: Sendable {
  public let limit: Int
  /// In nanoseconds.
  public let window: Int64
  /// The instants of the last `limit` sends; `oldest` is the next to be replaced. Empty places are far in the past.
  private var instants: [Int64]
  private var oldest = 0
  private var newest = Int64.min

  public init(limit: Int, window: Duration) {
    precondition(limit > 0, "a limit is positive, not \(limit)")
    precondition(window > .zero, "a window is positive")
    self.limit = limit
    self.window = window.nanoseconds
    instants = Array(repeating: .min, count: limit)
  }

  /// The same memory under another law: the newest sends stay known, so a lower limit holds at once.
  public func under(limit: Int, window: Duration) -> GuardRing {
    var ring = GuardRing(limit: limit, window: window)
    for instant in (instants[oldest...] + instants[..<oldest]).filter({ $0 != .min }).suffix(limit) { ring.note(at: instant) }
    return ring
  }

  /// Whether a send at `now` keeps the law. It notes nothing.
  public func permits(at now: Int64) -> Bool { now >= earliest(after: .min) && now >= newest }

  /// The first instant, not before `now`, at which a send keeps the law.
  public func earliest(after now: Int64) -> Int64 {
    let replaced = instants[oldest]
    // `.min` marks an empty place: adding the window to it could not overflow, but would mean nothing.
    return replaced == .min ? max(now, newest) : max(now, replaced + window, newest)
  }

  /// Records a send. The caller has asked `permits`; a send that was not permitted is recorded all the same, because it
  /// happened.
  public mutating func note(at now: Int64) {
    newest = max(newest, now)
    instants[oldest] = newest
    oldest = oldest + 1 == limit ? 0 : oldest + 1
  }
}
