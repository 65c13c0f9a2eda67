import CloudAPI
import Crypto
import Domain
import Intake
import Postgres
import Reactor
import Store
import Testing

/// What is answered 200 is on disk; what can't be stored now is answered 503, and Meta comes again.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `Intake under pressure` {
  private static let key = MACKey(Array(World.secret.utf8))

  private static func intake(_ world: World, _ change: (inout Intake.Settings) -> Void) -> (Intake, Reactor) {
    let doors = Reactor(name: "doors")
    doors.start()
    var settings = Intake.Settings()
    change(&settings)
    let intake = Intake(
      settings: settings, appSecrets: [World.secret], verifyToken: "x", installation: world.installation,
      database: ConnectionSettings(url: world.url), on: doors, log: { _, _ in })
    return (intake, doors)
  }

  private static func post(_ intake: Intake, _ number: Int) async -> Int {
    let body = Array(#"{"object":"whatsapp_business_account","entry":[],"n":\#(number)}"#.utf8)
    return await intake.receive(body, signature: "sha256=" + Crypto.hex(key.hmacSHA256(body)))
  }

  private static func stored(_ world: World) async throws -> Int {
    Int(try await world.pool.run("select coalesce(sum(count), 0)::int8 from receipt_batch")[0].int64(0))
  }

  /// Posts 1 and 2, each on its way in a lane of its own when this returns. Somebody must hold the table.
  private static func occupyLanes(of intake: Intake, _ world: World) async throws -> [Task<Int, Never>] {
    var tasks: [Task<Int, Never>] = []
    for number in 1...2 {
      tasks.append(Task { await post(intake, number) })
      try await world.until("\(number) on their way") {
        try await world.pool.run(
          """
          select count(*) from pg_stat_activity
          where application_name = 'qafila-intake' and wait_event_type = 'Lock' and datname = current_database()
          """)[0].int64(0) == number
      }
    }
    return tasks
  }

  @Test func `answers 503 beyond what may wait, at once, and 200 to those that waited`() async throws {
    let world = try await World(people: 1)
    let (intake, doors) = Self.intake(world) { $0.waitingBodies = 5 }
    #expect(await Self.post(intake, 0) == 200)
    // Nothing can be stored while somebody else holds the table.
    let answers = Lock([Int]())
    try await world.pool.transaction { other in
      _ = try await other.run("lock table receipt_batch in access exclusive mode")
      // Each lane has a batch on its way to the table, and then as many come as may wait.
      let first = try await Self.occupyLanes(of: intake, world)
      let waiting = (3..<8).map { number in Task { await Self.post(intake, number) } }
      try await world.until("all wait") { await intake.waitingBodies == 5 }
      #expect(await Self.post(intake, 8) == 503)
      for task in first + waiting {
        Task {
          let answer = await task.value
          answers.with { $0.append(answer) }
        }
      }
    }
    try await world.until("all are answered") { answers.with { $0.count } == 7 }
    #expect(answers.with { $0 } == [200, 200, 200, 200, 200, 200, 200])
    #expect(try await Self.stored(world) == 8)
    #expect(await Self.post(intake, 9) == 200)
    await intake.close()
    doors.stop()
    try await world.end()
  }

  @Test func `commits words of consent in the order they came, by one lane`() async throws {
    let world = try await World(people: 1)
    let (intake, doors) = Self.intake(world) { _ in }
    #expect(await Self.post(intake, 0) == 200)
    let answers = Lock([Task<Int, Never>]())
    try await world.pool.transaction { other in
      _ = try await other.run("lock table receipt_batch in access exclusive mode")
      let plain = Task { await Self.post(intake, 1) }
      try await world.until("one lane is on its way") {
        try await world.pool.run(
          """
          select count(*) from pg_stat_activity
          where application_name = 'qafila-intake' and wait_event_type = 'Lock' and datname = current_database()
          """)[0].int64(0) == 1
      }
      // The other lane is free, and takes neither: the first would overtake the second, or wait for its people.
      var words: [Task<Int, Never>] = []
      for (index, saying) in [Saying.preference(.stop), .preference(.resume)].enumerated() {
        let body = saying.body(from: world.phone(1), id: "w\(index)", at: Instant(seconds: 1_800_000_000 + Int64(index)))
        words.append(Task { await intake.receive(body, signature: Saying.signature.sign(body)) })
        // Two tasks begin in any order.
        try await world.until("the word waits") { await intake.waitingBodies == index + 1 }
      }
      let all = [plain] + words
      answers.with { $0 = all }
    }
    for task in answers.with({ $0 }) { #expect(await task.value == 200) }
    #expect(try await Self.stored(world) == 4)
    let events = try await world.pool.run("select event from consent order by consent_id").map { $0.int16(0) }
    #expect(events == [ConsentEvent.stop.rawValue, ConsentEvent.start.rawValue])
    await intake.close()
    doors.stop()
    try await world.end()
  }

  @Test func `bears as many bytes as may wait and no more`() async throws {
    let world = try await World(people: 1)
    // One body alone reaches it: the first two are on their way in a lane each, the third waits, the fourth is too much.
    let (intake, doors) = Self.intake(world) { $0.waitingBytes = 1 }
    #expect(await Self.post(intake, 0) == 200)
    let waiting = Lock([Task<Int, Never>]())
    try await world.pool.transaction { other in
      _ = try await other.run("lock table receipt_batch in access exclusive mode")
      let first = try await Self.occupyLanes(of: intake, world)
      let third = Task { await Self.post(intake, 3) }
      try await world.until("the third waits") { await intake.waitingBodies == 1 }
      #expect(await Self.post(intake, 4) == 503)
      waiting.with { $0 = first + [third] }
    }
    for task in waiting.with({ $0 }) { #expect(await task.value == 200) }
    #expect(try await Self.stored(world) == 4)
    await intake.close()
    doors.stop()
    try await world.end()
  }

  @Test func `never answers 200 to what a crashing database has not kept`() async throws {
    let world = try await World(people: 1, ownCluster: true)
    let (intake, doors) = Self.intake(world) { $0.flushBodies = 8 }
    let (taken, refused, isOver) = (Lock(Set<Int>()), Lock(0), Lock(false))
    let posting = Task {
      await withTaskGroup(of: Void.self) { group in
        for worker in 0..<16 {
          group.addTask {
            var number = worker
            while !isOver.with({ $0 }) {
              if await Self.post(intake, number) == 200 {
                taken.with { _ = $0.insert(number) }
              } else {
                refused.with { $0 += 1 }
              }
              number += 16
            }
          }
        }
      }
    }
    for round in 1...3 {
      try await world.until("it takes") { taken.with { $0.count } > round * 200 }
      try world.crashDatabase()
    }
    try await world.until("it takes again") { taken.with { $0.count } > 1000 }
    isOver.with { $0 = true }
    await posting.value
    #expect(refused.with { $0 } > 0)
    let blobs = try await world.pool.run("select encode(bodies, 'escape') from receipt_batch")
    var kept: Set<Int> = []
    for blob in blobs {
      for part in blob.text(0).split(separator: "\"n\":").dropFirst() {
        kept.insert(Int(part.prefix { $0.isNumber }) ?? -1)
      }
    }
    #expect(taken.with { $0 }.subtracting(kept).isEmpty, "each 200 is on disk")
    await intake.close()
    doors.stop()
    try await world.end()
  }
}
