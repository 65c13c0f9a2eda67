/// Send times reserved in one go: `first`, `first + step`, and so on, `count` of them.
public struct Slots: Hashable, Sendable {
  public let first: Int64
  public let step: Int64
  public let count: Int

  public init(first: Int64, step: Int64, count: Int) { (self.first, self.step, self.count) = (first, step, count) }

  /// The time of the slot at `index`, from 0.
  public subscript(_ index: Int) -> Int64 { first + Int64(index) * step }

  /// The time from which the slot after the last is free.
  public var end: Int64 { first + Int64(count) * step }
}

/// A token bucket of burst one in its GCRA form: its whole state is the theoretical arrival time, the earliest instant
/// of the next slot.
///
/// Burst one, because a bucket of capacity R lets 2R - 1 sends into one window. All times are nanoseconds of one clock
/// of the caller's choice; a `now` that goes back reserves nothing earlier. Costs one comparison, allocates nothing.
public struct Bucket: Hashable, Sendable {
  /// May change between reservations: slots already given keep their times, later ones follow at the new interval.
  public var interval: EmissionInterval
  /// The earliest instant of the next slot.
  public var tat: Int64

  public init(interval: EmissionInterval, tat: Int64 = 0) { (self.interval, self.tat) = (interval, tat) }

  /// Takes the next `n` slots, none before `now`; unused time before `now` is lost, never saved up.
  public mutating func reserve(_ n: Int, at now: Int64) -> Slots {
    precondition(n >= 0, "cannot reserve \(n) slots")
    let first = max(now, tat)
    let slots = Slots(first: first, step: interval.nanoseconds, count: n)
    if n > 0 { tat = slots.end }
    return slots
  }

  /// Takes the next slots that lie before `horizon`, at most `n`; none when the bucket is reserved beyond it.
  public mutating func reserve(upTo n: Int, before horizon: Int64, at now: Int64) -> Slots {
    let first = max(now, tat)
    let fitting = horizon > first ? (horizon - first - 1) / interval.nanoseconds + 1 : 0
    return reserve(Int(min(Int64(n), fitting)), at: now)
  }
}
