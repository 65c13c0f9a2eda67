/// Calls `body` with every sequence of the events, from the empty one to those of `length`: small machines are proved
/// by all their histories. Five events of length six are 19,531 sequences.
public func everySequence<Event>(of events: [Event], upTo length: Int, _ body: ([Event]) throws -> Void) rethrows {
  var places: [Int] = []
  while true {
    try body(places.map { events[$0] })
    if places.count < length, !events.isEmpty {
      places.append(0)
      continue
    }
    while let last = places.popLast() {
      guard last + 1 < events.count else { continue }
      places.append(last + 1)
      break
    }
    if places.isEmpty { return }
  }
}
