import CloudAPI
import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 2 where it is tight: stops that come while a message is on its way through expansion, claim and gate.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A stop in the middle` {
  /// From the 200, or the commit that the API answers, to the last message that may still leave.
  static let bound: Duration = .milliseconds(300)

  enum Source: CaseIterable {
    case text, label, englishLabel, payload, otherName, preference, refusal, api, cli, file, byOperator
  }

  struct Stop {
    let seq: Int32
    let phone: PhoneNumber
    let source: Source
    /// When it held for certain: after the answer.
    let answeredAt: (boot: Int64, wall: Instant)
  }

  @Test func `by any way and at any step keeps every later message from leaving, from two nodes`() async throws {
    let world = try await World(people: 700, numbers: 2)
    let first = try await world.startNode(replies: true)
    let second = try await world.startNode(replies: true)
    let door = try await Door(world)
    let pace = 100
    // So many stops would end any campaign whose guard may act on them.
    let unguarded = #", "guard": {"max_opt_out": 1}"#
    let campaign = try await world.launch(pace: pace, from: world.numbers[0], more: unguarded)
    // The same people, from the other number, half a second behind.
    try await world.until("it sends") { try await world.journal().count > pace / 2 }
    _ = try await world.launch(pace: pace, name: "second", from: world.numbers[1], more: unguarded)
    let rows = try await world.pool.run(
      "select seq, phone from recipient where campaign_id = $1 and seq > 150 and seq % 2 = 0 order by seq",
      .int8(campaign.rawValue))
    var chance = SystemRandomNumberGenerator()
    var waiting = rows.map { row in
      (seq: row.int32(0), phone: PhoneNumber(digits: row.int64(1))!, ahead: Int64.random(in: 0...1000, using: &chance))
    }
    var stops: [Stop] = []
    var position = (seq: Int32(0), at: Int64(0))
    var hasTakenOver = false
    while !waiting.isEmpty {
      let now = BootInstant.now.nanoseconds
      if now - position.at > 100_000_000 {
        let reached = try await world.journal().compactMap {
          MessageKey(callbackData: $0.callback, installation: world.installation.name)
        }.filter { $0.campaign == campaign }.map(\.seq).max()
        position = (Int32(reached ?? 0), BootInstant.now.nanoseconds)
      }
      if !hasTakenOver, waiting.count < rows.count / 2 {
        // The first node leaves in the middle; the second goes on where it was.
        hasTakenOver = true
        first.sending.cancel()
        try await first.sending.value
      }
      let reached = Int64(position.seq) + (BootInstant.now.nanoseconds - position.at) * Int64(pace) / 1_000_000_000
      let due = waiting.filter { (Int64($0.seq) - reached) * 1000 / Int64(pace) <= $0.ahead }
      waiting.removeAll { item in due.contains { $0.seq == item.seq } }
      for item in due {
        let source = Source.allCases[stops.count % Source.allCases.count]
        try await say(source, item.phone, world, second, door)
        stops.append(
          Stop(
            seq: item.seq, phone: item.phone, source: source, answeredAt: (BootInstant.now.nanoseconds, .now)))
      }
      if due.isEmpty { try await world.desk.sleep(for: .milliseconds(2)) }
    }
    try await world.until("sent") {
      try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue
    }
    let arrivals = Dictionary(grouping: try await world.offers()) { $0.to?.digits ?? 0 }
    var worst: Int64 = 0
    for stop in stops {
      for arrival in arrivals[stop.phone.digits] ?? [] where arrival.at > stop.answeredAt.boot {
        let late = Duration.nanoseconds(arrival.at - stop.answeredAt.boot)
        worst = max(worst, arrival.at - stop.answeredAt.boot)
        #expect(late <= Self.bound, "\(stop.source), place \(stop.seq)")
      }
    }
    print("stops: \(stops.count), the largest delay \(Double(worst) / 1e6) ms")
    try await expectEveryStep(of: campaign, stops, world)
    #expect(try await world.states(campaign).values.reduce(0, +) == 700)
    let recorded = try await world.pool.run("select distinct source from consent where event = 1").map { $0.int16(0) }
    #expect(
      Set(recorded.compactMap { ConsentSource(rawValue: $0) })
        .isSuperset(of: [.text, .button, .nativePreference, .metaFailure, .api, .cli, .upload, .operator]))
    await door.close()
    try await world.end()
  }

  private func say(
    _ source: Source, _ phone: PhoneNumber, _ world: World, _ node: World.Node, _ door: Door
  ) async throws {
    let id = "wamid.\(phone.digits)"
    switch source {
    case .text: try await node.hear(.text("لا ترسلوا لي رسائل"), from: phone, id: id)
    // Meta's own suggestions for the button of a marketing template.
    case .label: try await node.hear(.label("إيقاف العروض"), from: phone, id: id)
    case .englishLabel: try await node.hear(.label("Stop promotions"), from: phone, id: id)
    // Of another message than the one that is on its way.
    case .payload: try await node.hear(.payload("stop:q:other:1:1:1"), from: phone, id: id)
    // They wrote before by both names; the stop comes by Meta's id alone.
    case .otherName:
      try await node.hear(.text("شكرا"), from: phone, userID: "EG.\(phone.digits)", id: id + "0")
      try await node.hear(.text("STOP"), from: nil, userID: "EG.\(phone.digits)", id: id)
    case .preference: try await node.hear(.preference(.stop), from: phone, id: id)
    case .refusal: try await node.hear(.refused(wamid: id), from: phone, id: id)
    case .api: try await door.post("/v1/opt-outs", #"{"phone": "\#(phone.e164)"}"#, as: .marketer)
    case .cli: try await door.post("/v1/opt-outs", #"{"phone": "\#(phone.e164)", "source": "cli"}"#, as: .marketer)
    case .file: try await door.post("/v1/opt-outs/import", "phone\n\(phone.e164)\n", type: "text/csv", as: .marketer)
    case .byOperator: try await door.post("/v1/opt-outs", #"{"phone": "\#(phone.e164)"}"#, as: .operate)
    }
  }

  /// Not all stops fell into one step: some came before the claim, some between claim and gate, some after the gate.
  private func expectEveryStep(of campaign: Campaign.ID, _ stops: [Stop], _ world: World) async throws {
    let claims = try await world.pool.run(
      "select lo, hi, at from lane_log where campaign_id = $1 and kind = 1", .int8(campaign.rawValue)
    ).map { (range: $0.int32(0)...$0.int32(1), at: $0.instant(2)) }
    let touched = Dictionary(
      try await world.pool.run("select seq, at from touch where campaign_id = $1", .int8(campaign.rawValue)).map {
        ($0.int32(0), $0.instant(1))
      }, uniquingKeysWith: min)
    var steps = (beforeClaim: 0, beforeGate: 0, afterGate: 0)
    for stop in stops {
      let claim = claims.filter { $0.range.contains(stop.seq) }.map(\.at).min()
      if claim.map({ stop.answeredAt.wall < $0 }) ?? true {
        steps.beforeClaim += 1
      } else if let gate = touched[stop.seq], gate < stop.answeredAt.wall {
        steps.afterGate += 1
      } else {
        steps.beforeGate += 1
      }
    }
    print("steps: \(steps)")
    #expect(steps.beforeClaim > 0 && steps.beforeGate > 0 && steps.afterGate > 0)
  }
}
