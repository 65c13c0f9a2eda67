import Domain
import Governor
import Postgres
import Reactor
import Testing

@testable import Sending
@testable import Store

/// What a node thinks of the others, in virtual time; seconds.
@Suite struct `A node among others` {
  static let second: Int64 = 1_000_000_000

  /// The lane of the first hundred that is `node`'s among both.
  static func lane(of node: Int64, beside other: Int64) -> Int64 {
    (1...100).first { Rendezvous.owner(of: $0, among: [node, other]) == node }!
  }

  @Test func `counts who beats, and nobody who is silent, leaves, or died before it was seen`() {
    var peers = Peers(me: 1, nodeTimeout: 2 * Self.second)
    let lane = Self.lane(of: 2, beside: 1)
    var now = Self.second
    func owner(livingFor: Int64 = 0, without: Int64? = nil) -> Int64 {
      peers.owner(of: lane, livingFor: livingFor * Self.second, without: without, at: now)
    }
    peers.observed([.init(node: 2, seq: 7)], at: now)
    #expect(owner() == 1, "a row of the dead is no life")
    now += Self.second
    peers.observed([.init(node: 2, seq: 8)], at: now)
    #expect(owner() == 2 && owner(livingFor: 5) == 1 && owner(without: 2) == 1)
    for seq in Int64(9)...13 {
      now += Self.second
      peers.observed([.init(node: 2, seq: seq)], at: now)
    }
    #expect(owner(livingFor: 5) == 2)
    // An older answer that comes last is no beat.
    now += 2 * Self.second
    peers.observed([.init(node: 2, seq: 12)], at: now)
    #expect(owner() == 1, "silent")
    peers.observed([.init(node: 2, seq: 14)], at: now)
    #expect(owner() == 2 && owner(livingFor: 5) == 1, "its life begins anew")
    peers.observed([.init(node: 2, seq: 15, leaves: true)], at: now)
    #expect(owner() == 1)
  }

  @Test func `leaves a free lane to whose it is, and takes it when nobody does`() {
    var tenure = Tenure(me: 1, nodeTimeout: 2_000, quarantine: 1_600, yieldFor: 1_000)
    let released = LaneLog.Head(k: 7, epoch: 3, kind: 4, node: 2, doneK: 5)
    #expect(tenure.observed(head: released, beat: 1, isMine: true, at: 0) == .takeOver(after: released))
    #expect(tenure.observed(head: released, beat: 1, isMine: false, at: 0) == .none)
    #expect(tenure.observed(head: released, beat: 1, isMine: false, at: 999) == .none)
    #expect(tenure.observed(head: released, beat: 1, isMine: false, at: 1_000) == .takeOver(after: released))
    // Another takes it: its silence counts from then.
    let taken = LaneLog.Head(k: 8, epoch: 4, kind: 3, node: 2, doneK: 5)
    #expect(tenure.observed(head: taken, beat: 1, isMine: true, at: 1_500) == .none)
    #expect(tenure.observed(head: taken, beat: 1, isMine: false, at: 4_499) == .none)
    #expect(tenure.observed(head: taken, beat: 1, isMine: true, at: 4_499) == .takeOver(after: taken))
    #expect(tenure.observed(head: taken, beat: 1, isMine: false, at: 4_500) == .takeOver(after: taken))
  }

  @Test func `gives its lanes over one at a time, and ever more rarely to who does not take them`() {
    var moves = Moves(every: Self.second, stay: 10 * Self.second)
    var given: [(lane: Int64, at: Int64)] = []
    // Lanes 1 to 4 are another's; 5 is mine. The other takes 1 and 2 alone; 3 and 4 come back after a second.
    var (owned, away): ([Int64: Bool], [Int64: Int64]) = (Dictionary((1...5).map { ($0, false) }) { $1 }, [:])
    for tick in 0..<4 * 3600 {
      let now = Int64(tick) * Self.second / 4
      for (lane, at) in away where now - at >= Self.second {
        owned[lane] = true
        away[lane] = nil
      }
      guard let lane = moves.next(owned, at: now, isOthers: { $0 != 5 }) else { continue }
      given.append((lane, now))
      owned[lane] = nil
      if lane > 2 { away[lane] = now }
    }
    #expect(zip(given.dropFirst(), given).allSatisfy { $0.at - $1.at >= Self.second })
    #expect(given.first?.at == 10 * Self.second && !given.contains { $0.lane == 5 })
    #expect(given.count { $0.lane == 1 } == 1 && given.count { $0.lane == 2 } == 1)
    // After 10, 20, 40, 80, 160, 320 seconds, then every 640: ten times in the hour.
    #expect(given.count { $0.lane == 3 } == 10 && given.count { $0.lane == 4 } == 10, "\(given)")
  }
}

/// A node that joins while messages leave gets its share of the numbers, and costs nobody a message.
@Suite(.serialized) struct `Nodes that share the numbers` {
  @Test func `end with each lane where it belongs, with nobody twice, nobody lost, nobody in doubt`() async throws {
    let world = try await World(people: 2400, numbers: 6)
    let campaign = try await world.launch(pace: 400)
    let quick: (inout SenderSettings) -> Void = {
      ($0.moveTo, $0.moveEvery, $0.stayFor) = (.milliseconds(200), .milliseconds(100), .milliseconds(500))
    }
    try await world.startNode(quick)
    try await world.until("all lanes are the first one's") { try await world.summary("accepted") > 100 }
    try await world.startNode(quick)
    try await world.until("both share") { try await misplaced(world) == 0 }
    try await world.until("all are sent") {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let arrivals = try await world.journal()
    #expect(arrivals.count == 2400 && Set(arrivals.map(\.to)).count == 2400)
    #expect(try await world.pool.run("select count(*) from fact where outcome <> 5")[0].int64(0) == 0, "nobody in doubt")
    let most = try await world.pool.run(
      "select coalesce(max(n), 0) from (select count(*) n from lane_log where kind = 3 group by number_id) l")[0].int64(0)
    #expect(most <= 2, "a lane moved to and fro")
    try await world.end()
  }

  /// Lanes whose owner is not the node that they belong to; all of them while only one node is known.
  private func misplaced(_ world: World) async throws -> Int {
    let nodes = try await world.pool.run("select distinct node from node_beat").map { $0.int64(0) }
    let lanes = try await world.pool.run(
      "select distinct on (number_id) number_id, case when kind = 4 then 0 else node end from lane_log order by number_id, k desc")
    guard nodes.count == 2 else { return lanes.count }
    return lanes.count { Rendezvous.owner(of: $0.int64(0), among: nodes) != $0.int64(1) }
  }
}
