import Consent
import Crypto
import Domain
import Expansion
import JSON
import Postgres
import Reactor
import Store
import Testing

/// What is owed to people who stop, and to those whose words leave a doubt.
@Suite(.serialized, .timeLimit(.minutes(4))) struct `Somebody who writes` {
  @Test func `stop is told so once, in their language, as a message of its own campaign`() async throws {
    let world = try await World(people: 2)
    let node = try await world.startNode(replies: true)
    let phone = world.phone(1)
    // Written to the Sandbox, because only to those who wrote may we answer freely.
    try await world.write("لو سمحتوا وقفوا الرسايل دي", from: phone)
    try await world.until("heard") { try await world.isStopped(phone) }
    try await node.hear(.text("STOP"), from: phone, id: "m2")
    // Meta delivers at least once.
    try await node.hear(.text("لو سمحتوا وقفوا الرسايل دي"), from: phone, id: "m1")
    try await world.until("it is accepted") { try await world.replies(phone).first?.wamid != nil }
    let replies = try await world.replies(phone)
    #expect(replies.count == 1)
    #expect(replies.first?.values == [ReplyTexts.shipped(.arabic).confirmation])
    #expect(try await world.journal().map(\.to) == [phone])
    #expect(try await world.isStopped(phone))
    try await world.end()
  }

  @Test func `what leaves a doubt is held at once and asked once, and the buttons decide`() async throws {
    let world = try await World(people: 3)
    let node = try await world.startNode(replies: true)
    let (keeper, stopper) = (world.phone(1), world.phone(2))
    for (place, phone) in [keeper, stopper].enumerated() {
      try await world.write("السلام عليكم", from: phone)
      try await node.hear(.text("كفاية"), from: phone, id: "m\(place)")
      #expect(try await world.isStopped(phone), "held with the 200")
      try await node.hear(.text("ارحمونا"), from: phone, id: "n\(place)")
    }
    try await world.until("both are asked") {
      let counts = (try await world.replies(keeper).count, try await world.replies(stopper).count)
      return counts == (1, 1)
    }
    let asked = try await world.replies(keeper)[0].values
    #expect(asked.count == 5 && asked[0] == ReplyTexts.shipped(.arabic).question)
    try await node.hear(.payload(try await world.replies(keeper)[0].values[3]), from: keeper, id: "k", at: .now + .seconds(2))
    #expect(try await !world.isStopped(keeper), "asked to go on")
    try await node.hear(.payload(try await world.replies(stopper)[0].values[1]), from: stopper, id: "s")
    try await world.until("confirmed") { try await world.replies(stopper).count == 2 }
    #expect(try await world.isStopped(stopper))
    try await world.until("all are at the Sandbox") { try await world.journal().count == 3 }
    try await world.end()
  }

  @Test func `nothing after a doubt has stopped`() async throws {
    let world = try await World(people: 2)
    let node = try await world.startNode(replies: true)
    let phone = world.phone(1)
    try await node.hear(.text("مش عايز"), from: phone, id: "m1")
    #expect(try await Replies.endDoubts(of: world.installation.business, patience: .seconds(3600), on: world.pool) == 0)
    #expect(try await Replies.endDoubts(of: world.installation.business, patience: .zero, on: world.pool) == 1)
    #expect(try await Replies.endDoubts(of: world.installation.business, patience: .zero, on: world.pool) == 0)
    let key = world.installation.personKeys.key(of: phone)
    let (stopped, history) = try await Consents.person(key, of: world.installation.business, on: world.pool)
    #expect(stopped.map(\.scope) == [.marketing])
    #expect(history.map(\.event) == [.stop, .hold] && history[0].source == .unanswered)
    try await world.end()
  }

  @Test func `a bare cancel stops offers after an offer, and asks after a confirmation`() async throws {
    let world = try await World(people: 3)
    let node = try await world.startNode(replies: true)
    _ = try await world.launch(pace: 100)
    try await world.until("everybody has an offer") { try await world.journal().count == 3 }
    try await node.hear(.text("إلغاء"), from: world.phone(1), id: "m1")
    #expect(try await world.lastEvent(world.phone(1)) == .stop)
    // The newest message of this person is ours about the stop.
    try await world.until("confirmed") { try await world.journal().count == 4 }
    try await node.hear(.text("إلغاء"), from: world.phone(1), id: "m2", at: .now + .seconds(2))
    try await node.hear(.text("إلغاء"), from: PhoneNumber(digits: 201_099_999_999)!, id: "m3")
    #expect(try await world.lastEvent(PhoneNumber(digits: 201_099_999_999)!) == .hold, "never written to")
    try await world.end()
  }

  @Test func `a business's own word is heard a moment after it was stored`() async throws {
    let world = try await World(people: 2)
    let node = try await world.startNode(replies: true)
    let phone = world.phone(1)
    try await node.hear(.text("كفتة زيادة"), from: phone, id: "m1")
    #expect(try await world.lastEvent(phone) == nil)
    let word = try #require(StopWordTable.New("كفتة زيادة", .stop))
    _ = try await world.pool.batch([StopWordTable.storing([word], of: world.installation.business, by: "test")])
    try await world.until("heard") {
      try await node.hear(.text("كُفتة زياده!"), from: phone, id: "m2")
      return try await world.lastEvent(phone) == .stop
    }
    try await world.end()
  }

  @Test func `a request to be forgotten leaves a task, and only the matched words`() async throws {
    let world = try await World(people: 2)
    let node = try await world.startNode(replies: true)
    let phone = world.phone(1)
    try await node.hear(.text("الطلب وصل تمام. امسحوا رقمي من عندكم"), from: phone, id: "m1")
    let tasks = try await ConsentTasks.open(of: world.installation.business, after: nil, limit: 10, on: world.pool)
    #expect(tasks.map(\.kind) == ["erasure"])
    let key = world.installation.personKeys.key(of: phone)
    let history = try await Consents.person(key, of: world.installation.business, on: world.pool).history
    let evidence = try JSONValue(parsing: history[0].evidence)
    #expect(evidence["matched"]?.stringValue == "امسحو رقمي")
    #expect(evidence["message"]?.stringValue == "m1")
    try await world.end()
  }
}

extension World {
  func isStopped(_ phone: PhoneNumber) async throws -> Bool {
    let key = installation.personKeys.key(of: phone)
    return try await !Consents.person(key, of: installation.business, on: pool).suppressed.isEmpty
  }

  /// Somebody writes to the business's number, by the Sandbox.
  func write(_ text: String, from phone: PhoneNumber) async throws {
    let order: JSONValue = ["phone": .string(phone.e164), "text": .string(text)]
    try await sandboxPost("people/text", String(decoding: order.rendered(), as: UTF8.self))
  }

  func lastEvent(_ phone: PhoneNumber) async throws -> ConsentEvent? {
    let key = installation.personKeys.key(of: phone)
    return try await Consents.person(key, of: installation.business, on: pool).history.first?.event
  }

  /// Messages of the standing campaign to this phone, the oldest first.
  func replies(_ phone: PhoneNumber) async throws -> [(values: [String], wamid: String?)] {
    try await pool.run(
      """
      select r.vars, f.wamid from recipient r join campaign c using (campaign_id)
      left join fact f on f.campaign_id = r.campaign_id and f.seq = r.seq
      where c.kind = 4 and r.phone = $1 order by r.seq
      """, .int8(phone.digits)
    ).map { ($0.texts(0), $0.optionalText(1)) }
  }
}
