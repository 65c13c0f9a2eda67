import Domain
import Governor
import Simulation
import Testing

/// How one number's rate is divided: by weight among those who have something to send, and ahead of them all within the
/// reserve.
@Suite struct `A number's rate` {
  private static let number = EmissionInterval(limit: 80, per: .seconds(1))

  private static func rates(_ parts: [(weight: Int, perSecond: Int)]) -> [Double] {
    FairShare.steps(
      parts.map { FairShare.Part(weight: $0.weight, own: EmissionInterval(perSecond: $0.perSecond)) }, number: number
    ).map { 1e9 / Double($0.nanoseconds) }
  }

  @Test func `is divided by weight, and what one does not want the others get by theirs`() {
    func near(_ a: [Double], _ b: [Double]) -> Bool { zip(a, b).allSatisfy { abs($0 - $1) < 0.01 } }
    #expect(near(Self.rates([(1, 80)]), [80]))
    #expect(near(Self.rates([(1, 80), (1, 80)]), [40, 40]))
    #expect(near(Self.rates([(3, 80), (1, 80)]), [60, 20]))
    #expect(near(Self.rates([(3, 80), (1, 5)]), [75, 5]), "a slow one keeps its pace and no more")
    #expect(near(Self.rates([(1, 80), (1, 10), (2, 80)]), [70.0 / 3, 10, 140.0 / 3]))
    #expect(Self.rates([]) == [])
  }

  @Test(arguments: 1...20)
  func `is never divided into more than there is, and leaves nobody without`(seed: UInt64) {
    var chance = SplitMix64(seed: seed)
    for _ in 0..<200 {
      let parts = (0..<Int(chance.below(40)) + 1).map { _ in
        FairShare.Part(
          weight: Int(chance.below(10)) + 1, own: EmissionInterval(nanoseconds: chance.below(20_000_000_000) + 1_000_000))
      }
      let steps = FairShare.steps(parts, number: Self.number)
      let sum = steps.reduce(0) { $0 + Double(Self.number.nanoseconds) / Double($1.nanoseconds) }
      #expect(sum <= 1.000_000_001)
      for (part, step) in zip(parts, steps) { #expect(step >= part.own) }
      // All of it is used where they want it.
      let wanted = parts.reduce(0) { $0 + min(1, Double(Self.number.nanoseconds) / Double($1.own.nanoseconds)) }
      #expect(sum >= min(1, wanted) - 0.000_001)
      // Nobody gets less than their weight's part unless they want less.
      let weights = parts.reduce(0) { $0 + $1.weight }
      for (part, step) in zip(parts, steps) {
        let fair = Double(Self.number.nanoseconds) * Double(weights) / Double(part.weight)
        #expect(Double(step.nanoseconds) <= max(fair, Double(part.own.nanoseconds)) * 1.000_001)
      }
    }
  }

  @Test(arguments: 1...5)
  func `goes to urgent messages first only as far as their share, in every window`(seed: UInt64) throws {
    var chance = SplitMix64(seed: seed)
    var reserve = try #require(ReservedShare(percent: 20, of: 80))
    var (now, went): (Int64, [Int64]) = (0, [])
    while went.count < 2000 {
      now += chance.below(40_000_000)
      if reserve.permits(at: now) {
        reserve.went(at: now)
        went.append(now)
      }
    }
    for window in [1, 3, 10] as [Int64] {
      var law = WindowLaw(window: window * 1_000_000_000)
      for at in went { law.send(at: at) }
      #expect(law.fullest <= 16 * Int(window) + 17, "the share and a second's worth at once")
    }
    #expect(ReservedShare(percent: 0, of: 80) == nil)
  }
}
