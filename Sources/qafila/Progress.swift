import Reactor

/// A bar on standard error for bytes on their way: only on a terminal, at most ten times a second.
final class Progress: Sendable {
  private let label: String
  /// Nil: nobody knows the end, so there is no bar and no time left.
  private let total: Int?
  private let startedAt = BootInstant.now
  private let shownAt = Lock(BootInstant(nanoseconds: 0))

  init(label: String, total: Int?) { (self.label, self.total) = (label, total) }

  func show(_ done: Int, isLast: Bool = false) {
    guard Terminal.isErrorTerminal else { return }
    let isDue = shownAt.with { at in
      guard isLast || BootInstant.now - at > .milliseconds(100) else { return false }
      at = .now
      return true
    }
    guard isDue else { return }
    if isLast { return Terminal.redraw("\(label)  \(Progress.megabytes(done)) sent; being stored …") }
    let pace = Progress.pace(done, total, after: BootInstant.now - startedAt)
    guard let total else { return Terminal.redraw("\(label)  \(Progress.megabytes(done))  \(pace)") }
    Terminal.redraw(Progress.line(label, done, total, pace))
  }

  func end() { Terminal.endRedraw() }

  /// `12.3 MB/s  0:42 left`
  static func pace(_ done: Int, _ total: Int?, after elapsed: Duration) -> String {
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    guard seconds > 0.5, done > 0 else { return "" }
    let rate = Double(done) / seconds
    let text = "\(megabytes(Int(rate)))/s"
    guard let total, total > done else { return text }
    let left = Int((Double(total - done) / rate).rounded(.up))
    let clock = left < 3600 ? "\(left / 60)" : "\(left / 3600):\(twoDigits(left / 60 % 60))"
    return "\(text)  \(clock):\(twoDigits(left % 60)) left"
  }

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

  /// `12.3 MB`, of a million bytes.
  private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10) MB" }

  private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
