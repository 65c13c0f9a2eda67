import Domain
import Governor
import Simulation
import Testing

@testable import Sending
@testable import Store

/// Who gets how much of one number, in virtual time: campaigns by weight, urgent messages ahead within their share.
@Suite struct `A lane's shares` {
  /// A lane in which campaigns want all they can get, each from its second `from` to its second `until`.
  private struct Road {
    struct Campaign {
      var plan: CampaignPlan
      var from = 0
      var until = Int.max
      /// Urgent messages come so many at once, at these instants.
      var arrivals: [(at: Int64, count: Int)] = []
      var next: Int32 = 1
    }
    var campaigns: [Campaign]
    let perSecond: Int
    var sent: [(campaign: Int64, at: Int64)] = []
    /// Of urgent messages, from their coming to their hand-over.
    var waits: [Int64] = []

    mutating func run(seconds: Int) {
      var queue = LaneQueue(perSecond: perSecond, limits: .init(), seed: 1)
      queue.adopt(campaigns.map(\.plan), perSecond: perSecond)
      let start: Int64 = 1_000_000_000
      var (now, claim): (Int64, Int64) = (start, 0)
      var came: [Int32: Int64] = [:]
      while now < start + Int64(seconds) * 1_000_000_000 {
        let second = Int((now - start) / 1_000_000_000)
        if (now - start) % 20_000_000 == 0 {
          for index in campaigns.indices {
            let plan = campaigns[index].plan
            var count = 0
            if plan.isUrgent {
              while let first = campaigns[index].arrivals.first, start + first.at <= now {
                campaigns[index].arrivals.removeFirst()
                count += first.count
              }
            } else if let want = queue.want(plan.campaign, at: now) {
              if (campaigns[index].from..<campaigns[index].until).contains(second) { count = want.count }
              if count == 0 { queue.tried(plan.campaign, found: false) }
            }
            guard count > 0 else { continue }
            claim += 1
            // Everybody is somebody else: the pair limit is no matter here.
            let first = campaigns[index].next + Int32(index) * 1_000_000
            if plan.isUrgent { for seq in first..<first + Int32(count) { came[seq] = now } }
            queue.claimed(
              `A lane's queue`.recipients(from: first, count), claim: claim, campaign: plan.campaign, at: now)
            campaigns[index].next += Int32(count)
          }
        }
        if (now - start) % 50_000_000 == 0 {
          let asked = queue.toAsk(at: now)
          _ = queue.judged(asked, asked.map { _ in .pass }, askedAt: now)
        }
        pacing: while true {
          switch queue.next(at: now) {
          case .handOver(let message, _):
            queue.left(message, at: now)
            queue.answered(handedOver: now, at: now)
            sent.append((message.campaign.rawValue, now - start))
            if let at = came[message.recipient.seq] { waits.append(now - at) }
          case .hold, .wait, .idle: break pacing
          }
        }
        now += 1_000_000
      }
    }

    func rate(_ campaign: Int64, _ seconds: Range<Int>) -> Double {
      let window = Int64(seconds.lowerBound) * 1_000_000_000..<Int64(seconds.upperBound) * 1_000_000_000
      return Double(sent.count { $0.campaign == campaign && window.contains($0.at) }) / Double(seconds.count)
    }
  }

  private static func plan(_ campaign: Int64, weight: Int = 1, pace: Int = 80, urgent: Bool = false) throws -> CampaignPlan {
    var plan = try `A lane's queue`.plan(campaign, pace: pace, reserve: 20)
    (plan.weight, plan.isUrgent) = (weight, urgent)
    return plan
  }

  @Test func `go by weight, what one does not want goes to the others, and nobody starves`() throws {
    var road = Road(
      campaigns: [
        .init(plan: try Self.plan(1, weight: 3)), .init(plan: try Self.plan(2)),
        // Comes later and ends before the others.
        .init(plan: try Self.plan(3, weight: 4), from: 20, until: 40),
      ], perSecond: 80)
    road.run(seconds: 60)
    // What the law leaves of 80: T = ceil((1 s + 100 ms) / 80).
    let full = 80 / 1.1
    func near(_ rate: Double, _ part: Double) -> Bool { abs(rate - full * part) < full * 0.03 }
    let rates = [5..<20, 25..<40, 45..<60].map { seconds in (1...3).map { road.rate(Int64($0), seconds) } }
    #expect(near(rates[0][0], 0.75) && near(rates[0][1], 0.25) && rates[0][2] == 0, "\(rates[0])")
    #expect(near(rates[1][0], 3 / 8) && near(rates[1][1], 1 / 8) && near(rates[1][2], 0.5), "\(rates[1])")
    #expect(near(rates[2][0], 0.75) && near(rates[2][1], 0.25) && rates[2][2] == 0, "\(rates[2])")
    #expect(`A lane's queue`.fullestSecond(road.sent.map(\.at)) <= 80)
  }

  @Test func `let urgent messages go first within the number's share, and no further`() throws {
    let bulk = Road.Campaign(plan: try Self.plan(1))
    // Twelve a second, one by one and ten at once: within 20 % of 80 and a second's worth.
    var calm = Road(
      campaigns: [
        bulk, .init(plan: try Self.plan(2, urgent: true), arrivals: (0..<200).map { (Int64($0) * 83_000_000, 1) }),
        .init(plan: try Self.plan(3, urgent: true), arrivals: [(at: 20_000_000_000, count: 10)]),
      ], perSecond: 80)
    calm.run(seconds: 25)
    #expect(calm.waits.count == 210)
    #expect(calm.waits.max()! < 400_000_000, "\(calm.waits.max()! / 1_000_000) ms")
    // While the ten leave, the campaign waits.
    let ten = try #require(calm.sent.firstIndex { $0.campaign == 3 })...(try #require(calm.sent.lastIndex { $0.campaign == 3 }))
    #expect(calm.sent[ten].count { $0.campaign == 1 } <= 1)
    #expect(`A lane's queue`.fullestSecond(calm.sent.map(\.at)) <= 80)
    // A hundred a second for ten seconds: more than the number can send at all.
    var flood = Road(
      campaigns: [
        bulk, .init(plan: try Self.plan(2, urgent: true), arrivals: (0..<100).map { (Int64($0) * 100_000_000, 10) }),
      ], perSecond: 80)
    flood.run(seconds: 12)
    let (campaign, urgent) = (flood.rate(1, 2..<10), flood.rate(2, 2..<10))
    #expect(campaign > 25 && urgent > 30, "the campaign \(campaign), urgent \(urgent) a second")
    #expect(`A lane's queue`.fullestSecond(flood.sent.map(\.at)) <= 80)
  }
}
