/// How many messages may be unanswered at once: as many as keep Meta busy, not a queue of ours in front of it.
///
/// More in flight than the path carries makes answers later, not more; each costs a connection, and each is one more that
/// a silence makes unknown. So the window grows while it is what holds sending back and answers stay quick, and shrinks
/// when even the quickest answer of a round has waited. A round is as many answers as the window holds. A lane that its
/// pace holds back never changes it.
///
/// Times are nanoseconds of the sender's clock.
public struct AnswerWindow: Hashable, Sendable {
  /// A round whose quickest answer took longer than twice the quickest known, and this, has queued.
  static let grace: Int64 = 2_000_000
  /// The quickest known is forgotten after one to two of these: Meta may be farther away than it was.
  static let memory: Int64 = 10_000_000_000

  public let least: Int
  public let most: Int
  public private(set) var limit: Int
  private var answers = 0
  private var wasFull = false
  private var roundsQuickest = Int64.max
  private var quickest = Int64.max
  private var quickestBefore = Int64.max
  private var since = Int64.min

  /// `most` bounds what a silence makes unknown; `least` is always allowed, and where the window begins.
  public init(least: Int, most: Int) {
    precondition(least > 0 && most >= least, "a window from \(least) to \(most)")
    (self.least, self.most, limit) = (least, most, least)
  }

  /// Whether one more may be handed over beside so many.
  public mutating func permits(beside inFlight: Int) -> Bool {
    if inFlight < limit { return true }
    wasFull = true
    return false
  }

  /// An answer came so long after its hand-over.
  public mutating func answered(after latency: Int64, at now: Int64) {
    if since == .min || now - since > AnswerWindow.memory {
      (quickestBefore, quickest, since) = (quickest, .max, now)
    }
    quickest = min(quickest, latency)
    roundsQuickest = min(roundsQuickest, latency)
    answers += 1
    guard answers >= limit else { return }
    if roundsQuickest > 2 * min(quickest, quickestBefore) + AnswerWindow.grace {
      limit = max(least, limit - limit / 4)
    } else if wasFull {
      limit = min(most, limit + limit / 8 + 1)
    }
    (answers, wasFull, roundsQuickest) = (0, false, .max)
  }
}
