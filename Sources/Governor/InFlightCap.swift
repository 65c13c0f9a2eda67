/// Bounds what a silent Meta can make unknown: the messages handed over without an answer, and those whose answer was
/// lost and whose receipt has not come.
///
/// The window law bounds neither: at 1,000 a second, thirty seconds of silence would be 30,000 unknown people.
public struct InFlightCap: Hashable, Sendable {
  /// What became of a message that was in flight.
  public enum Ending: Hashable, Sendable {
    /// Meta answered, or the bytes surely never left.
    case answered
    /// The answer was lost.
    case unknown
  }

  public let limit: Int
  public let unsettledLimit: Int
  public private(set) var inFlight = 0
  /// Unknown messages that no receipt has settled.
  public private(set) var unsettled = 0

  /// `limit` is what one second of the number's rate holds, as a rule.
  public init(limit: Int, unsettledLimit: Int = 100, unsettled: Int = 0) {
    precondition(limit > 0 && unsettledLimit > 0 && unsettled >= 0, "the caps are positive")
    (self.limit, self.unsettledLimit, self.unsettled) = (limit, unsettledLimit, unsettled)
  }

  /// Whether the lane is held until receipts settle what is unknown. What is in flight when the hold begins may still
  /// end unknown, so there are never more than `unsettledLimit + limit - 1` of them.
  public var holds: Bool { unsettled >= unsettledLimit }

  public var permits: Bool { inFlight < limit && !holds }

  /// A message is handed over now. The caller has asked `permits`.
  public mutating func handedOver() { inFlight += 1 }

  public mutating func ended(_ ending: Ending) {
    precondition(inFlight > 0, "an ending without a message in flight")
    inFlight -= 1
    if ending == .unknown { unsettled += 1 }
  }

  /// Receipts settled so many unknown messages, or they ended as unresolved. A receipt may come twice or for a message
  /// that another node counted, so the count stops at zero.
  public mutating func settled(_ count: Int = 1) { unsettled = max(0, unsettled - count) }
}
