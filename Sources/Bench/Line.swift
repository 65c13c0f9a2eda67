/// One figure as it is printed: its value, and the floor and their ratio where there is one.
struct Line {
  let name: String
  let value: Double
  let unit: String
  var floor: Double?

  func print() {
    let ratio = floor.map { $0 == 0 ? "null" : Line.text(value / $0) } ?? "null"
    Bench.put(
      "{\"name\":\"\(name)\",\"value\":\(Line.text(value)),\"unit\":\"\(unit)\",\"floor\":\(floor.map(Line.text) ?? "null"),"
        + "\"ratio\":\(ratio)}\n", 1)
  }

  /// Three decimals at most.
  static func text(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? String(Int64(rounded)) : String(rounded)
  }
}

extension [Double] {
  var median: Double {
    let sorted = sorted()
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2
  }
}
