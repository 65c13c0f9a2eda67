import Governor
import Testing

/// Over random clusters: lanes are spread evenly, and only those move that have to.
@Suite struct `A rendezvous` {
  /// Nodes as they name themselves, at random, and lanes as the database numbers them, in a row.
  static func nodes(_ count: Int, seed: UInt64) -> [Int64] {
    var chance = SplitMix64(seed: seed)
    return (0..<count).map { _ in Int64(chance.next() >> 1) }
  }

  @Test(arguments: 1...40) func `gives each node its part, whatever the order`(seed: Int) {
    let nodes = Self.nodes(2 + seed % 7, seed: UInt64(seed))
    var parts: [Int64: Int] = [:]
    for lane in Int64(1)...2000 {
      let owner = Rendezvous.owner(of: lane, among: nodes)!
      #expect(Rendezvous.owner(of: lane, among: nodes.reversed()) == owner)
      parts[owner, default: 0] += 1
    }
    let even = 2000.0 / Double(nodes.count)
    // Five standard deviations of chance.
    let bound = 5 * (even * (1 - 1 / Double(nodes.count))).squareRoot()
    for node in nodes { #expect(abs(Double(parts[node] ?? 0) - even) < bound, "\(parts)") }
  }

  @Test(arguments: 1...40) func `moves to a node that joins what becomes its own, and nothing else`(seed: Int) {
    let nodes = Self.nodes(2 + seed % 7, seed: UInt64(seed))
    let joined = Self.nodes(nodes.count + 1, seed: UInt64(seed)).last!
    var moved = 0
    for lane in Int64(1)...2000 {
      let (before, after) = (Rendezvous.owner(of: lane, among: nodes)!, Rendezvous.owner(of: lane, among: nodes + [joined])!)
      // The same read backwards: when a node leaves, its lanes move and nobody else's.
      #expect(after == before || after == joined, "lane \(lane)")
      if after != before { moved += 1 }
    }
    #expect(moved > 0)
  }

  @Test func `has nobody for a lane where there is no node`() {
    #expect(Rendezvous.owner(of: 1, among: []) == nil && Rendezvous.owner(of: 1, among: [7]) == 7)
  }
}
