/// The most messages that left in any sliding second. It shares no code with the laws that it watches; about 50 ns a
/// message. Instants are nanoseconds of the boot clock, in order.
struct FullestSecond: Sendable {
  private(set) var highest = 0
  private var instants: [Int64] = []
  /// The first of `instants` that lies in the last second.
  private var first = 0

  /// Notes a message; true when its second is fuller than any before.
  mutating func note(at now: Int64) -> Bool {
    while first < instants.count, now - instants[first] >= 1_000_000_000 { first += 1 }
    if first > 1024, first * 2 > instants.count {
      instants.removeFirst(first)
      first = 0
    }
    instants.append(now)
    guard instants.count - first > highest else { return false }
    highest = instants.count - first
    return true
  }
}
