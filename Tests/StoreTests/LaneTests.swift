import Domain
import Postgres
import Testing

@testable import Store

/// The fence: who lost the lane claims nothing and gates nothing; what it did hand over is always recorded.
@Suite struct `A lane's log` {
  /// A campaign of 20 people that sends; node 1 owns its lane and has claimed the first 10.
  private struct Stage {
    let store: TestStore
    let connection: Connection
    let lane: Gate.Lane
    let campaign: Campaign.ID
    let take: LaneLog.Take
    let recipients: [LaneLog.Recipient]

    init() async throws {
      store = try await TestStore()
      campaign = try await store.sending(people: 20)
      connection = TestStore.connection(store.url)
      lane = try #require(try await LiveCampaigns.numbers(on: connection).first).lane
      _ = try await LaneLog.takeover(lane.number, after: nil, node: 1, on: connection)
      take = try #require(
        try await LaneLog.takeRun(campaign, zones: ["Africa/Cairo"], number: lane.number, on: connection))
      recipients = try await LaneLog.claim(
        lane.number, k: 2, epoch: 1, node: 1, doneK: 0, take: take, hi: 10, slot0: 0, step: 1, on: connection)
    }

    func questions(_ seqs: ClosedRange<Int>) -> [Gate.Asked] {
      recipients.filter { seqs.contains(Int($0.seq)) }.map {
        Gate.Asked(
          campaign: campaign, template: Template.ID(1), seq: $0.seq, attempt: $0.attempt, contact: $0.contact,
          person: $0.person, marketing: true)
      }
    }

    /// Node 2 takes the lane: epoch 2.
    func overtake() async throws -> LaneLog.Head {
      let head = try await LaneLog.head(of: lane.number, on: connection)
      return try await LaneLog.takeover(lane.number, after: head, node: 2, on: connection)
    }

    func count(_ sql: String) async throws -> Int64 { try await store.pool.run(sql)[0].int64(0) }

    func isFenced(_ body: () async throws -> Void) async -> Bool {
      do {
        try await body()
        return false
      } catch let error as DatabaseError { return LaneLog.isFenced(error) } catch { return false }
    }

    func close() async {
      await connection.close()
      await store.close()
    }
  }

  @Test func `takes no claim and no release of an owner that was overtaken, at whatever place`() async throws {
    let stage = try await Stage()
    #expect(stage.recipients.map(\.seq) == Array(1...10))
    let head = try await stage.overtake()
    #expect(head.k == 3 && head.epoch == 2)
    _ = try await stage.store.pool.run(
      "insert into due (campaign_id, seq, attempt, due_at, reason) values ($1, 11, 1, now(), 1)",
      .int8(stage.campaign.rawValue))
    // The place that it believes is next is taken; the place that is free belongs to another epoch.
    for k in [3, 4] as [Int64] {
      #expect(
        await stage.isFenced {
          _ = try await LaneLog.claim(
            stage.lane.number, k: k, epoch: 1, node: 1, doneK: 0, take: stage.take, hi: 20, slot0: 0, step: 1,
            on: stage.connection)
        }, "claimed at \(k)")
      #expect(
        await stage.isFenced {
          _ = try await LaneLog.claimDue(
            stage.lane.number, k: k, epoch: 1, node: 1, doneK: 0, campaign: stage.campaign, zones: nil, limit: 10,
            slot0: 0, step: 1,
            on: stage.connection)
        }, "claimed what was due at \(k)")
      #expect(
        await stage.isFenced {
          try await LaneLog.release(stage.lane.number, k: k, epoch: 1, node: 1, doneK: 2, on: stage.connection)
        }, "released at \(k)")
    }
    #expect(try await LaneLog.head(of: stage.lane.number, on: stage.connection) == head)
    #expect(try await stage.count("select count(*) from due") == 1, "a refused claim leaves what was due where it was")
    await stage.close()
  }

  @Test func `lets the gate answer the owner of now alone`() async throws {
    let stage = try await Stage()
    let before = try await Gate.ask(stage.questions(1...5), lane: stage.lane, epoch: 1, on: stage.connection)
    #expect(before == Array(repeating: .pass, count: 5))
    _ = try await stage.overtake()
    // Touched before by itself, and never touched: neither may leave.
    for seqs in [1...5, 6...10] {
      var answer: [Gate.Verdict]?
      let refused = await stage.isFenced {
        answer = try await Gate.ask(stage.questions(seqs), lane: stage.lane, epoch: 1, on: stage.connection)
      }
      #expect(refused || answer == nil, "\(seqs) passed")
    }
    #expect(try await stage.count("select count(*) from touch") == 5)
    let after = try await Gate.ask(stage.questions(6...10), lane: stage.lane, epoch: 2, on: stage.connection)
    #expect(after == Array(repeating: .pass, count: 5))
    await stage.close()
  }

  @Test func `tells the next owner who may have been written to and who was not`() async throws {
    let stage = try await Stage()
    _ = try await Gate.ask(stage.questions(1...6), lane: stage.lane, epoch: 1, on: stage.connection)
    func fact(_ seq: Int32, _ outcome: Outcome) -> Facts.Fact {
      Facts.Fact(
        campaign: stage.campaign, seq: seq, attempt: 1, outcome: outcome, code: 0, at: .init(seconds: 1_700_000_000),
        wamid: outcome == .accepted ? "wamid.\(seq)" : nil)
    }
    try await Facts.record([fact(1, .accepted), fact(2, .accepted)], number: stage.lane.number, on: stage.connection)
    let head = try await stage.overtake()
    let swept = try await LaneLog.sweep(stage.lane.number, k: head.k, doneK: head.doneK, on: stage.connection)
    #expect(swept.unknown == 4 && swept.returned == 4)
    // What the old owner did hand over counts, however late it says so; it never takes a better word back.
    try await Facts.record([fact(3, .accepted), fact(1, .unknown)], number: stage.lane.number, on: stage.connection)
    let outcomes = try await stage.store.pool.run("select outcome from fact order by seq").map { $0.int16(0) }
    #expect(outcomes == [5, 5, 5, 1, 1, 1])
    #expect(try await stage.count("select count(*) from due where seq between 7 and 10 and attempt = 1") == 4)
    // A second sweep of the same rows changes nothing.
    let again = try await LaneLog.sweep(stage.lane.number, k: head.k, doneK: head.doneK, on: stage.connection)
    #expect(again.unknown == 0 && again.returned == 0)
    await stage.close()
  }
}
