/// What becomes of one message that Meta took, in milliseconds before scaling: a pure function of the seed, the phone and
/// how many messages the person got before.
public struct Fate: Sendable {
  /// From the acceptance.
  public let sentAfter: Double
  /// Instead of all else, by receipt: Meta's code, and from the acceptance.
  public let failure: (code: Int32, after: Double)?
  /// From `sent`; nil: never.
  public let deliveredAfter: Double?
  /// From the delivery; nil: never, or it does not show.
  public let readAfter: Double?
  /// The receipt of the delivery does not come; `read` comes at its time.
  public let skipsDelivered: Bool

  /// How the person stands with us when the message comes.
  public struct Person: Sendable {
    public var received: UInt32
    /// Offers within the last day, this one counted.
    public var offers: UInt16
    public var isBlocking: Bool
    public var stoppedNatively: Bool
    public var isUnitedStates: Bool

    public init(
      received: UInt32, offers: UInt16, isBlocking: Bool = false, stoppedNatively: Bool = false,
      isUnitedStates: Bool = false
    ) {
      (self.received, self.offers, self.isBlocking) = (received, offers, isBlocking)
      (self.stoppedNatively, self.isUnitedStates) = (stoppedNatively, isUnitedStates)
    }
  }

  public init(
    of phone: Int64, _ nature: Nature, _ person: Person, isOffer: Bool, seed: UInt64, skippedDeliveredRate: Double,
    _ model: PeopleModel
  ) {
    var draw = Draw(seed, UInt64(bitPattern: phone), 16 + UInt64(person.received))
    sentAfter = draw.skewed(model.sentDelay)
    if let code = Fate.failure(nature, person, isOffer, &draw, model) {
      failure = (code, draw.skewed(model.failedDelay))
      (deliveredAfter, readAfter, skipsDelivered) = (nil, nil, false)
      return
    }
    failure = nil
    guard nature.isReachable, !person.isBlocking else {
      (deliveredAfter, readAfter, skipsDelivered) = (nil, nil, false)
      return
    }
    deliveredAfter = draw.skewed(nature.isOnline ? model.deliveredDelay : model.offlineDelay)
    let skips = draw.unit() < skippedDeliveredRate
    skipsDelivered = nature.isReader && skips
    readAfter = skipsDelivered ? 0 : nature.isReader ? draw.skewed(model.readDelay) : nil
  }

  /// The failure that comes by receipt after a 200, nil when none does.
  private static func failure(
    _ nature: Nature, _ person: Person, _ isOffer: Bool, _ draw: inout Draw, _ model: PeopleModel
  ) -> Int32? {
    let cap = draw.unit()
    guard nature.isOnWhatsApp else { return 131_026 }
    guard isOffer else { return nil }
    if person.stoppedNatively { return 131_050 }
    if person.isUnitedStates { return 131_049 }
    if nature.isHeldOut { return 130_472 }
    let chance = model.marketingCap * Double(1 << UInt64(min(10, max(1, person.offers) - 1)))
    return cap < chance ? 131_049 : nil
  }
}

/// What a person does about a delivered offer.
public enum Reaction: Sendable {
  case none, block, stop, reply

  /// With the milliseconds from the delivery, before scaling.
  public static func of(
    _ phone: Int64, _ nature: Nature, received: UInt32, offers: UInt16, hasStopped: Bool, seed: UInt64,
    _ model: PeopleModel
  ) -> (Reaction, after: Double) {
    var draw = Draw(seed, UInt64(bitPattern: phone), 1 << 40 + UInt64(received))
    let (block, stop, reply) = (draw.unit(), draw.unit(), draw.unit())
    let after = draw.skewed(model.reactionDelay)
    var blockRate = nature.isStranger ? model.strangerBlockRate : model.blockRate
    for _ in 1..<max(2, Int(min(offers, 8))) where offers > 1 { blockRate *= model.frequencyAnger }
    if hasStopped { blockRate = max(blockRate, model.betrayedBlockRate) }
    if block < blockRate { return (.block, after) }
    if stop < (nature.isStranger ? model.strangerStopRate : model.stopRate), !hasStopped { return (.stop, after) }
    return (reply < model.replyRate ? .reply : .none, after)
  }
}
