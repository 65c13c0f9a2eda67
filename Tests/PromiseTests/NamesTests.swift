import CloudAPI
import Crypto
import Domain
import Intake
import JSON
import Postgres
import Reactor
import Store
import Testing

/// Promise 2 where a stop does not come from the phone that was written to.
@Suite(.serialized) struct `A stop by another name` {
  /// Everybody is written to by a fast campaign first; the stops must keep a slow one, which runs already, away from them.
  @Test(.timeLimit(.minutes(4))) func `silences the phone that was written to`() async throws {
    let world = try await World(people: 100, numbers: 2)
    let node = try await world.startNode()
    // Meta knows this one without the ninth digit, and says so when it takes the message.
    let brazilian = PhoneNumber(digits: 5_531_987_654_321)!
    let knownAs = PhoneNumber(digits: 553_187_654_321)!
    _ = try await world.pool.run(
      "update contact set phone = $1, person_key = $2, country = 'BR' where phone = $3", .int8(brazilian.digits),
      .uuid(world.installation.personKeys.key(of: brazilian)), .int8(world.phone(60).digits))
    _ = try await world.launch(pace: 100, from: world.numbers[0])
    let slow = try await world.launch(pace: 20, name: "second", from: world.numbers[1])
    let (chatty, hidden, stranger) = (world.phone(70), world.phone(80), world.phone(95))

    try await world.until("the slow one sends") {
      try await world.pool.run("select count(*) from fact where campaign_id = $1", .int8(slow.rawValue))[0].int64(0) > 0
    }

    // One wrote before by both names, and later hides the phone.
    try await node.hear(.text("شكرا"), from: chatty, userID: "EG.70", id: "m1")
    try await node.hear(.text("إلغاء الاشتراك"), from: nil, userID: "EG.70", id: "m2")
    try await world.until("the fast campaign wrote to all") { try await world.facts(of: stranger) > 0 }
    try await node.hear(.text("STOP"), from: knownAs, id: "m3")
    // One hides the phone from the start: the receipt of our message names the id alone.
    try await node.receive(
      World.receipt(
        of: try await world.callback(of: hidden), user: "EG.80"))
    let id = world.installation.personKeys.key(of: UserID("EG.80")!)
    try await world.until("the receipt is folded") {
      try await world.pool.run("select count(*) from person_alias where alias = $1", .uuid(id))[0].int64(0) > 0
    }
    try await node.hear(.text("الغاء"), from: nil, userID: "EG.80", id: "m4")
    // Of one nothing is known but which message they answer.
    let answered = try await world.pool.run(
      "select wamid from fact f join recipient r using (campaign_id, seq) where r.phone = $1", .int8(stranger.digits))
    try await node.hear(.text("STOP"), from: nil, userID: "EG.95", id: "m5", context: answered[0].text(0))

    try await world.until("sent") { try await world.campaignState(slow).rawValue >= CampaignState.settling.rawValue }
    let skipped = try await world.pool.run(
      "select r.phone from skip s join recipient r using (campaign_id, seq) where campaign_id = $1 order by 1",
      .int8(slow.rawValue))
    #expect(
      skipped.map { PhoneNumber(digits: $0.int64(0)) } == [chatty, hidden, stranger, brazilian],
      "each was silenced, and nobody else")
    #expect(try await world.states(slow)[.skipped] == 4)
    let tasks = try await world.pool.run("select done_by from consent_task where kind = 'stop_unmatched'")
    #expect(tasks.map { $0.optionalText(0) } == ["system"], "the one of nobody known was found out")
    try await world.end()
  }
}

extension World {
  fileprivate func facts(of phone: PhoneNumber) async throws -> Int64 {
    try await pool.run(
      "select count(*) from fact f join recipient r using (campaign_id, seq) where r.phone = $1", .int8(phone.digits)
    )[0].int64(0)
  }

  fileprivate func callback(of phone: PhoneNumber) async throws -> String {
    let row = try await pool.run(
      "select campaign_id, seq from fact f join recipient r using (campaign_id, seq) where r.phone = $1 limit 1",
      .int8(phone.digits))[0]
    return MessageKey(campaign: Campaign.ID(row.int64(0)), seq: Int64(row.int32(1)), attempt: 1)
      .callbackData(installation: installation.name)
  }

  /// A receipt of a message whose recipient hides the phone.
  fileprivate static func receipt(of callback: String, user: String) -> [UInt8] {
    let body: JSONValue = [
      "object": "whatsapp_business_account",
      "entry": [
        [
          "id": "102290129340398",
          "changes": [
            [
              "field": "messages",
              "value": [
                "messaging_product": "whatsapp",
                "metadata": ["display_phone_number": "201001234567", "phone_number_id": "106540352242922"],
                "statuses": [
                  [
                    "id": "wamid.hidden", "status": "delivered", "timestamp": .string(String(Instant.now.seconds)),
                    "recipient_user_id": .string(user), "biz_opaque_callback_data": .string(callback),
                  ]
                ],
              ],
            ]
          ],
        ]
      ],
    ]
    return body.rendered()
  }
}

extension World.Node {
  fileprivate func receive(_ body: [UInt8]) async throws {
    try #require(await intake.receive(body, signature: Saying.signature.sign(body)) == 200)
  }
}
