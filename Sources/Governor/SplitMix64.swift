/// Sebastiano Vigna's SplitMix64: one word of state, so that every choice follows from a seed that can be printed.
///
/// Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Hashable, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in `0..<bound`. The bias is below one in 2^32 for bounds up to 2^31; allocates nothing.
  public mutating func below(_ bound: Int64) -> Int64 {
    precondition(bound > 0, "nothing lies below \(bound)")
    return Int64(next().multipliedFullWidth(by: UInt64(bound)).high)
  }
}
