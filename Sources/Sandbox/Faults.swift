import Domain
import Population

/// What goes wrong, as POST /sandbox/faults sets it. Each fault has its own chance, and may be limited to the next n
/// messages it strikes and to one number.
final class Faults {
  enum Kind: String, CaseIterable {
    /// The connection is closed before the message is looked at.
    case closeBefore = "close_before"
    /// The message is accepted, the connection closed without an answer.
    case closeAfter = "close_after"
    /// The same, but only on the second or a later request of a kept-alive connection.
    case closeAfterOnLaterRequest = "close_after_on_later_request"
    /// The message is not accepted, and the connection closed, on the second or a later request of it.
    case closeBeforeOnLaterRequest = "close_before_on_later_request"
    /// The message is accepted and answered with 500 and code 131000.
    case error131000AfterAcceptance = "error_131000_after_acceptance"
    /// No answer for `hang_ms`, then the connection is closed; the message was accepted.
    case hang
    /// Answered with an error of the given code instead of being looked at.
    case refuse
  }

  struct Rule {
    var rate: Double
    /// How many more messages it may strike; nil: no end.
    var left: Int?
  }

  struct Set {
    var rules: [Kind: Rule] = [:]
    var latency: Duration?
    var hang: Duration = .seconds(60)
    var refusal: GraphFault?
  }

  /// For all numbers, and for single ones by index: both apply, the number's first.
  var global = Set()
  var byLine: [Int: Set] = [:]
  /// Receipts: lost for good with this chance; silence keeps them back until it ends.
  var receiptsLostRate = 0.0
  var silence = false
  private var draw = Draw(0x5EED, 1, 2)

  func seed(_ seed: UInt64) { draw = Draw(seed, 7, 7) }

  var isQuiet: Bool { global.rules.isEmpty && byLine.isEmpty }

  /// The first fault that strikes, in the order of `Kind`.
  func strike(_ line: Int, ordinal: Int) -> (Kind, Set)? {
    guard !isQuiet else { return nil }
    for kind in Kind.allCases {
      switch kind {
      case .closeAfterOnLaterRequest, .closeBeforeOnLaterRequest: if ordinal < 2 { continue }
      default: break
      }
      if var set = byLine[line], Faults.hit(kind, &set, &draw) {
        byLine[line] = set
        return (kind, set)
      }
      if Faults.hit(kind, &global, &draw) { return (kind, global) }
    }
    return nil
  }

  func latency(_ line: Int, _ usual: Duration) -> Duration { byLine[line]?.latency ?? global.latency ?? usual }

  func losesReceipt() -> Bool { receiptsLostRate > 0 && draw.unit() < receiptsLostRate }

  private static func hit(_ kind: Kind, _ set: inout Set, _ draw: inout Draw) -> Bool {
    guard var rule = set.rules[kind], rule.rate >= 1 || draw.unit() < rule.rate else { return false }
    if let left = rule.left {
      rule.left = left - 1
      set.rules[kind] = left > 1 ? rule : nil
    }
    return true
  }
}
