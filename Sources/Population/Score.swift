/// The share of blocks among deliveries; see `PeopleModel.qualityMemory`.
public struct Score: Sendable {
  public private(set) var value = 0.0
  public private(set) var deliveries = 0

  public init() {}

  public mutating func delivered(_ model: PeopleModel) {
    deliveries += 1
    value *= 1 - 1 / min(Double(deliveries), model.qualityMemory)
  }
  public mutating func blocked(_ model: PeopleModel) {
    value += 1 / min(Double(max(1, deliveries)), model.qualityMemory)
  }
  public mutating func reset() { self = Score() }

  public func colour(_ model: PeopleModel) -> String {
    guard deliveries >= model.qualityEvidence else { return "GREEN" }
    return value >= model.redAt ? "RED" : value >= model.yellowAt ? "YELLOW" : "GREEN"
  }
}
