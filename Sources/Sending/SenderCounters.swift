import Reactor

/// What a node's lanes did since it started, for `/metrics`. Counts only: nobody's number, no campaign's name.
public final class SenderCounters: Sendable {
  public struct Counts: Sendable {
    public var claimed = 0
    public var gated = 0
    public var gateFailures = 0
    /// Urgent messages that found no room among the people of the day, each time.
    public var crowded = 0
    public var handedOver = 0
    public var accepted = 0
    public var refused = 0
    public var unknown = 0
    public var notSent = 0
    public var recorded = 0
    /// The longest a message left after its slot, and the longest a gate's answer took; nanoseconds.
    public var worstLateness: Int64 = 0
    public var worstGate: Int64 = 0
    /// The most messages that one number wrote in any sliding second at our socket, over all its campaigns.
    public var fullestSecond = 0
  }

  private let counts = Lock(Counts())
  public init() {}
  public var now: Counts { counts.with { $0 } }

  func claimed(_ count: Int) { counts.with { $0.claimed += count } }
  func gated(_ count: Int, took: Int64) {
    counts.with {
      $0.gated += count
      $0.worstGate = max($0.worstGate, took)
    }
  }
  func crowded(_ count: Int) { if count > 0 { counts.with { $0.crowded += count } } }
  func gateFailed() { counts.with { $0.gateFailures += 1 } }
  func handedOver(late: Int64) {
    counts.with {
      $0.handedOver += 1
      $0.worstLateness = max($0.worstLateness, late)
    }
  }
  func filled(second count: Int) { counts.with { $0.fullestSecond = max($0.fullestSecond, count) } }
  func accepted() { counts.with { $0.accepted += 1 } }
  func refused() { counts.with { $0.refused += 1 } }
  func unknown() { counts.with { $0.unknown += 1 } }
  func notSent() { counts.with { $0.notSent += 1 } }
  func recorded(_ count: Int) { counts.with { $0.recorded += count } }
}
