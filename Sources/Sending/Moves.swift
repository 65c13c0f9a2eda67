/// When a lane that should be another node's is given over: rarely, and less and less where nobody takes it. Pure; `now`
/// is nanoseconds of this node's boot clock.
struct Moves: Sendable {
  /// One at a time, so far apart: a node that joins gets its share lane by lane.
  let every: Int64
  /// A lane stays where it came to for so long; twice as long each time it came back because nobody took it.
  let stay: Int64
  static let mostDoublings = 6

  private var lastMove: Int64?
  private var came: [Int64: Int64] = [:]
  private var returns: [Int64: Int] = [:]
  /// Given over and not seen here since.
  private var gone: Set<Int64> = []

  init(every: Int64, stay: Int64) { (self.every, self.stay) = (every, stay) }

  /// Which of the lanes owned now goes; nil for none. Each with whether it came back without another's having had it;
  /// `isOthers`: whether it should be another node's.
  mutating func next(_ owned: [Int64: Bool], at now: Int64, isOthers: (Int64) -> Bool) -> Int64? {
    came = came.filter { owned[$0.key] != nil }
    for (lane, cameBack) in owned where came[lane] == nil {
      came[lane] = now
      guard gone.remove(lane) != nil else { continue }
      returns[lane] = cameBack ? min(Moves.mostDoublings, (returns[lane] ?? 0) + 1) : nil
    }
    if let lastMove, now - lastMove < every { return nil }
    // Who has been here longest goes first.
    let due = came.filter { now - $0.value >= stay << Int64(returns[$0.key] ?? 0) && isOthers($0.key) }
    guard let lane = due.min(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else { return nil }
    lastMove = now
    gone.insert(lane)
    return lane
  }
}
