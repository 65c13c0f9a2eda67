/// How long a lane rests while Meta is in trouble of its own: a breath that doubles with each refusal of a message handed
/// over after the breath before, and is short again after an answer.
///
/// Twenty refusals of one burst are one trouble. Times are nanoseconds of one clock.
public struct Breather: Hashable, Sendable {
  static let first: Int64 = 250_000_000
  static let longest: Int64 = 60_000_000_000

  /// Nothing leaves before.
  public private(set) var until = Int64.min
  private var length: Int64 = 0
  private var begunAt = Int64.min

  public init() {}

  /// Meta refused for a reason of its own; `least` is what it is known to need (a number's upgrade takes a minute).
  public mutating func troubled(handedOver: Int64, least: Int64 = 0, at now: Int64) {
    if length == 0 || handedOver >= begunAt {
      length = min(Breather.longest, max(Breather.first, length * 2))
      begunAt = now
    }
    until = max(until, now + max(length, least))
  }

  /// Meta took a message that was handed over after the last breath.
  public mutating func answered(handedOver: Int64) { if length > 0, handedOver >= until { length = 0 } }
}
