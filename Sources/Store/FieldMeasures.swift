import Domain
import JSON

extension Fields {
  static func whole(_ value: JSONValue, in range: ClosedRange<Int64>, at path: String) throws(Problem) -> Int64 {
    guard let number = value.int64Value, range.contains(number) else {
      throw .invalid(
        path, "Here a whole number is expected.",
        remedy: "Write a number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A share within `range`, in billionths; nil when absent.
  func share(_ name: String, in range: ClosedRange<Int128>) throws(Problem) -> Amount? {
    guard let value = self[name] else { return nil }
    let (least, most) = (Amount(billionths: range.lowerBound), Amount(billionths: range.upperBound))
    guard case .number(let text) = value, let share = Amount(text), share >= least, share <= most else {
      throw .invalid(
        path(to: name), "Here a share is expected.", remedy: "Write a number from \(least.text()) to \(most.text()).")
    }
    return share
  }

  /// A span of time, as "30m", "2h", "1d" or in ISO 8601's form "PT30M"; nil when absent.
  func duration(_ name: String, in range: ClosedRange<Duration>) throws(Problem) -> Duration? {
    guard let value = self[name] else { return nil }
    guard let text = value.stringValue, let span = Fields.span(text), range.contains(span) else {
      throw .invalid(
        path(to: name), "Here a span of time is expected.",
        remedy: "Write e.g. \"PT30M\", \"30m\" or \"2h\", from \(Fields.text(of: range.lowerBound)) to "
          + "\(Fields.text(of: range.upperBound)).")
    }
    return span
  }

  /// Nil when it is none. Whole numbers of days, hours, minutes and seconds, the larger first, each once.
  static func span(_ text: String) -> Duration? {
    var rest = Substring(text.uppercased())
    if rest.first == "P" { rest.removeFirst() }
    let units: [(Character, Int64)] = [("D", 86_400), ("H", 3600), ("M", 60), ("S", 1)]
    var (seconds, next): (Int64, Int) = (0, 0)
    while !rest.isEmpty {
      if rest.first == "T" { rest.removeFirst() }
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard digits.count <= 6, let count = Int64(digits), let unit = rest.dropFirst(digits.count).first,
        let place = units.indices.first(where: { $0 >= next && units[$0].0 == unit })
      else { return nil }
      seconds += count * units[place].1
      next = place + 1
      rest = rest.dropFirst(digits.count + 1)
    }
    return next > 0 ? .seconds(seconds) : nil
  }

  /// In ISO 8601's form, which reads back to the same.
  static func text(of span: Duration) -> String {
    var seconds = span.nanoseconds / 1_000_000_000
    var text = seconds % 86_400 == 0 && seconds > 0 ? "P" : "PT"
    for (unit, size) in [("D", Int64(86_400)), ("H", 3600), ("M", 60), ("S", 1)] where seconds >= size {
      if unit == "D", text == "PT" { continue }
      text += "\(seconds / size)\(unit)"
      seconds %= size
    }
    return text == "PT" ? "PT0S" : text
  }
}
