import Reactor

/// A bar on standard error for work of a known size: only on a terminal, at most ten times a second.
final class Progress: Sendable {
  private let label: String
  private let total: Int
  private let shownAt = Lock(BootInstant(nanoseconds: 0))

  init(label: String, total: Int) { (self.label, self.total) = (label, total) }

  func show(_ done: Int, isLast: Bool = false) {
    guard Terminal.isErrorTerminal else { return }
    let isDue = shownAt.with { at in
      guard isLast || BootInstant.now - at > .milliseconds(100) else { return false }
      at = .now
      return true
    }
    if isDue { Terminal.redraw(Progress.line(label, done, total, isLast ? "…" : "")) }
  }

  func end() { Terminal.endRedraw() }

  /// `Sending  [████████░░░░░░░░]  52 %  104,000/200,000  …`
  static func line(_ label: String, _ done: Int, _ total: Int, _ tail: String) -> String {
    let share = total > 0 ? min(1, Double(done) / Double(total)) : 0
    let numbers = "\(Int(share * 100)) %  \(grouped(done))/\(grouped(total))" + (tail.isEmpty ? "" : "  " + tail)
    let room = max(10, min(40, Terminal.columns - label.count - numbers.count - 8))
    let filled = Int(share * Double(room))
    return label + "  [" + String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled) + "]  "
      + numbers
  }

  /// 1,234,567
  static func grouped(_ value: Int) -> String {
    var text = ""
    for (index, digit) in String(value).reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
