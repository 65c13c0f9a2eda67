import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promises 2 and 4 while a campaign runs.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `A running campaign` {
  @Test func `leaves out whoever says stop before their turn, by every way`() async throws {
    let world = try await World(people: 300)
    try await world.startNode()
    let campaign = try await world.launch(pace: 50)
    try await world.until("it sends") { try await world.journal().count > 10 }
    // Their turns are at least two seconds away at 50 a second.
    let ways: [(Int, String, String)] = [
      (250, "text", #""text": "إلغاء الاشتراك""#), (260, "text", #""text": "STOP""#), (270, "opt_out", ""),
      (280, "text", #""text": "ايقاف""#),
    ]
    for (index, action, extra) in ways {
      let more = extra.isEmpty ? "" : ", " + extra
      try await world.sandboxPost("people/\(action)", #"{"phone": "\#(world.phone(index).e164)"\#(more)}"#)
    }
    // By the record itself, as the API does it.
    _ = try await world.pool.batch([
      Consents.recording(
        [
          Consents.Word(
            person: world.installation.personKeys.key(of: world.phone(290)), scope: .marketing, event: .stop, source: .api,
            evidence: .object([:]), at: .now)
        ], business: world.installation.business)
    ])
    let forgotten = world.phone(295)
    let erasure = try await Erasure.begin(
      #require(Person(phone: forgotten, userID: nil)), keys: world.installation.personKeys,
      of: world.installation.business, by: "test", at: .now, on: world.pool)
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let written = Set(try await world.offers().map(\.to))
    let late = [250, 260, 270, 280, 290, 295].filter { written.contains(world.phone($0)) }
    #expect(late.isEmpty, "written to after their stop")
    let states = try await world.states(campaign)
    #expect(states[.skipped] == 6)
    #expect(states.values.reduce(0, +) == 300)
    try await world.until("erased") {
      try await Erasure.read(erasure.id, of: world.installation.business, on: world.pool)?.doneAt != nil
    }
    let left = try await world.pool.run(
      "select count(*) from recipient r where phone = $1 or not exists (select from contact c where c.phone = r.phone)",
      .int8(forgotten.digits))
    #expect(left[0].int64(0) == 1, "a row without a person")
    try await world.end()
  }

  /// A campaign's own pause is also seen by its lane's next look at the campaigns; the others by the gate alone.
  @Test(arguments: [PauseScope.campaign, .template, .number, .business])
  func `stops on a pause within the gate's bound, and goes on where it stopped`(scope: PauseScope) async throws {
    let world = try await World(people: 300)
    try await world.startNode()
    let campaign = try await world.launch(pace: 100)
    try await world.until("it sends") { try await world.journal().count > 50 }
    let id =
      switch scope {
      case .campaign: campaign.rawValue
      case .template: world.template.rawValue
      case .number: world.number.rawValue
      default: world.installation.business.rawValue
      }
    _ = try await world.pool.batch([
      Pauses.opening(
        scope, id, business: world.installation.business, cause: .operator, reason: "", actor: "test")
    ])
    let paused = BootInstant.now
    try await world.desk.sleep(for: .seconds(2))
    let last = try #require(try await world.journal().last)
    let delay = Duration.nanoseconds(last.at - paused.nanoseconds)
    #expect(delay < .milliseconds(300), "the last message left \(delay) after the pause")
    let before = try await world.journal().count
    #expect(before < 300)
    _ = try await world.pool.run(
      "insert into pause_end (pause_id, reason, actor) select pause_id, 'go on', 'test' from pause")
    try await world.until("sent") { try await world.campaignState(campaign).rawValue >= CampaignState.settling.rawValue }
    let arrivals = try await world.journal()
    #expect(arrivals.count == 300)
    #expect(Set(arrivals.map(\.to)).count == 300)
    try await world.end()
  }

  @Test func `keeps everybody's reason when it is cancelled`() async throws {
    let world = try await World(people: 300)
    try await world.startNode()
    let campaign = try await world.launch(pace: 100)
    try await world.until("it sends") { try await world.journal().count > 50 }
    let done = try await Campaigns.cancel(
      campaign, of: world.installation.business, by: "test", reason: "enough", on: world.pool)
    #expect(done)
    try await world.until("everybody has a state") {
      let states = try await world.states(campaign)
      return (states[.queued] ?? 0) + (states[.accepted] ?? 0) == 0
    }
    let states = try await world.states(campaign)
    #expect(states.values.reduce(0, +) == 300)
    #expect(states[.skipped] == 300 - (try await world.journal().count))
    try await world.end()
  }
}
