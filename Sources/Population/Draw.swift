/// Deterministic chance (splitmix64).
public struct Draw: Sendable {
  private var state: UInt64

  public init(_ seed: UInt64, _ a: UInt64, _ b: UInt64) {
    state = Draw.mix(seed ^ Draw.mix(a &+ 0x9E37_79B9_7F4A_7C15) ^ Draw.mix(b &+ 0x5851_F42D_4C95_7F2D))
  }

  public mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    return Draw.mix(state)
  }
  /// In [0, 1).
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  public mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
  /// In the range, skewed to its small end.
  public mutating func skewed(_ range: ClosedRange<Double>) -> Double {
    let u = unit()
    return range.lowerBound + (range.upperBound - range.lowerBound) * u * u * u
  }

  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
