/// What a window law makes of the times at which messages arrived.
struct Pace {
  /// Messages of the fullest sliding second.
  let highest: Int
  let count: Int
  /// What the law allows between the first and the last of them: slots of ceil((W + D) / R), with D = 100 ms.
  let allowed: Double

  init(_ times: [Int64], perSecond: Int) throws {
    let times = times.sorted()
    guard let first = times.first, let last = times.last, last > first else { throw BenchError("nothing arrived") }
    var (highest, start) = (0, 0)
    for end in times.indices {
      while times[end] - times[start] >= 1_000_000_000 { start += 1 }
      highest = max(highest, end - start + 1)
    }
    (self.highest, count) = (highest, times.count)
    let slot = 1_100_000_000 / Double(perSecond)
    allowed = (Double(last - first) / slot).rounded(.down) + 1
  }

  func print(_ name: String, perSecond: Int) {
    Line(name: name + ".highest_second", value: Double(highest), unit: "messages", floor: Double(perSecond)).print()
    Line(name: name + ".slots_used", value: Double(count), unit: "messages", floor: allowed).print()
  }
}
