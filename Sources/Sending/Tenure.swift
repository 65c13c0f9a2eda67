import Domain
import Store

/// Who may send on a lane: the state of one node towards one lane. Pure; `now` is nanoseconds of this node's boot clock.
///
///     observing --owner released--> claiming --row appended--> quarantined --time--> owning
///     observing --owner silent----> claiming
///     unowned ----owner was I-----> claiming
///     yielding ---nobody took it--> claiming       (released, and another node should have it)
///     any ------fenced------------> observing
struct Tenure: Sendable {
  enum State: Equatable, Sendable {
    /// Somebody else owns it: their beat as last seen, and since when it has stood still.
    case observing(node: Int64, beat: Int64, since: Int64)
    /// Nobody owns it, and it should be another's: since when it has been left to them.
    case yielding(since: Int64)
    case quarantined(LaneLog.Head, until: Int64)
    case owning(LaneLog.Head)
    case unowned
  }

  enum Action: Equatable, Sendable {
    /// Append a takeover after this row.
    case takeOver(after: LaneLog.Head?)
    case sweep(LaneLog.Head)
    case none
  }

  let me: Int64
  let nodeTimeout: Int64
  let quarantine: Int64
  let yieldFor: Int64
  private(set) var state: State = .unowned

  init(me: Int64, nodeTimeout: Int64, quarantine: Int64, yieldFor: Int64 = 0) {
    (self.me, self.nodeTimeout, self.quarantine, self.yieldFor) = (me, nodeTimeout, quarantine, yieldFor)
  }

  /// The log's newest row and the newest beat of its node were read. Silence counts only over successful reads: a
  /// database that stalls must not look like a death. `isMine`: of the nodes that live, this one should have the lane;
  /// the others leave it to that one for a moment.
  mutating func observed(head: LaneLog.Head?, beat: Int64?, isMine: Bool = true, at now: Int64) -> Action {
    switch state {
    case .owning, .quarantined: return due(at: now)
    case .unowned, .observing, .yielding: break
    }
    guard let head, head.kind != LaneLog.Kind.release.rawValue else { return free(after: head, isMine, at: now) }
    // Our own row of a tenure we lost, e.g. with the database: nobody else will end it, and our own beats go on.
    if head.node == me { return .takeOver(after: head) }
    let beat = beat ?? -1
    if case .observing(head.node, beat, let since) = state {
      return now - since >= nodeTimeout + (isMine ? 0 : yieldFor) ? .takeOver(after: head) : .none
    }
    state = .observing(node: head.node, beat: beat, since: now)
    return .none
  }

  private mutating func free(after head: LaneLog.Head?, _ isMine: Bool, at now: Int64) -> Action {
    if isMine { return .takeOver(after: head) }
    if case .yielding(let since) = state { return now - since >= yieldFor ? .takeOver(after: head) : .none }
    state = .yielding(since: now)
    return .none
  }

  /// Our takeover row stands. After a release nobody's sends are under way: no quarantine.
  mutating func tookOver(_ head: LaneLog.Head, after: LaneLog.Head?, at now: Int64) {
    let clean = after == nil || after!.kind == LaneLog.Kind.release.rawValue
    state = .quarantined(head, until: clean ? now : now + quarantine)
  }

  mutating func due(at now: Int64) -> Action {
    if case .quarantined(let head, let until) = state, now >= until { return .sweep(head) }
    return .none
  }

  mutating func swept() {
    if case .quarantined(let head, _) = state { state = .owning(head) }
  }

  mutating func fenced() { state = .unowned }
}
