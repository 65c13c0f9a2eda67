import CloudAPI
import Crypto
import Domain
import JSON
import Postgres
import Reactor
import Sandbox
import Store
import Testing

@testable import Sending

/// An urgent message leaves at once while a campaign fills the number, and the number's law holds over both.
@Suite(.serialized) struct `An urgent message` {
  @Test func `leaves within a second while a campaign takes all of the number's rate, and neither starves`() async throws {
    let world = try await World(people: 2000, perSecond: 80)
    _ = try await world.pool.run("update number set reserve_percent = 20")
    let template = try await world.utility()
    try await world.startNode()
    // At the number's very limit: without a share of their own, others would wait for its end.
    _ = try await world.launch(pace: 80)
    try await world.until("the campaign sends") { try await world.summary("accepted") > 80 }
    var asked: [String: Int64] = [:]
    let began = BootInstant.now.nanoseconds
    for index in 0..<60 {
      let id = try #require(try await world.urgent(template, "86\(index)", to: 10_000 + index))
      let key = MessageKey(campaign: id.campaign, seq: Int64(id.seq), attempt: 1)
      asked[key.callbackData(installation: world.installation.name)] = BootInstant.now.nanoseconds
      // The load: some twelve a second, within the share of sixteen.
      try await world.desk.sleep(for: .milliseconds(80))
    }
    try await world.until("all are taken") {
      try await world.journal().count { asked[$0.callback] != nil && $0.isAccepted } == 60
    }
    let journal = try await world.journal()
    let waits = journal.compactMap { arrival in asked[arrival.callback].map { arrival.at - $0 } }.sorted()
    #expect(waits.count == 60, "each once")
    // The first opened its standing campaign and the lane had to hear of it.
    #expect(waits[58] < 1_000_000_000, "p99 of \(waits.map { $0 / 1_000_000 }) ms")
    let ended = try #require(journal.last { asked[$0.callback] != nil }).at
    let bulk = journal.count { asked[$0.callback] == nil && $0.at >= began && $0.at < ended }
    let seconds = Double(ended - began) / 1e9
    #expect(Double(bulk) > 0.6 * 80 * seconds, "\(bulk) of the campaign in \(seconds) s")
    #expect(`A lane's queue`.fullestSecond(journal.filter(\.isAccepted).map(\.at).sorted()) <= 80)
    try await world.end()
  }

  @Test func `is like every other on the record: gate, touch, fact, receipts and charge, and a stop of everything holds`()
    async throws
  {
    let world = try await World(people: 3)
    let template = try await world.utility()
    try await world.startNode()
    let (phone, stopped) = (world.phone(1), world.phone(2))
    let id = try #require(try await world.urgent(template, "860198", to: 1))
    try await world.until("delivered") {
      let state = try await Urgent.read(id, of: world.installation.business, on: world.pool)?.person.state
      return state == .delivered || state == .read
    }
    let sent = try #require(try await Urgent.read(id, of: world.installation.business, on: world.pool))
    #expect(sent.kind == .urgent && sent.category == .utility && sent.wamid != nil && sent.person.phone == phone)
    let touches = try await world.pool.run("select count(*) from touch where campaign_id = $1", .int8(id.campaign.rawValue))
    #expect(touches[0].int64(0) == 1)
    try await world.until("charged") { try await world.sums(id.campaign).ledger > .zero }
    let sums = try await world.sums(id.campaign)
    #expect(sums.report == sums.ledger)
    // Said between the request and the gate: the gate has the last word.
    let word = Consents.Word(
      person: world.installation.personKeys.key(of: stopped), scope: .everything, event: .stop, source: .api,
      evidence: .object([:]), at: .now)
    _ = try await world.pool.batch([Consents.recording([word], business: world.installation.business)])
    let refused = try #require(try await world.urgent(template, "860199", to: 2))
    try await world.until("skipped") {
      try await Urgent.read(refused, of: world.installation.business, on: world.pool)?.person.state == .skipped
    }
    #expect(refused.campaign == id.campaign, "one standing campaign")
    #expect(try await !world.journal().contains { $0.to == stopped })
    // Plain text reaches whom wrote to us; the Sandbox, like Meta, takes it from nobody else.
    let person = world.installation.personKeys.key(of: phone)
    try await world.write("السلام عليكم", from: phone)
    try await world.until("the window is open") {
      try await ServiceWindows.until(person, number: world.number, on: world.pool) != nil
    }
    let text = try #require(try await world.urgent(nil, "وعليكم السلام", to: 1))
    try await world.until("answered") {
      try await Urgent.read(text, of: world.installation.business, on: world.pool)?.wamid != nil
    }
    #expect(text.campaign != id.campaign)
    let closed = try #require(try await world.urgent(nil, "مرحبا", to: 0))
    try await world.until("refused") {
      try await Urgent.read(closed, of: world.installation.business, on: world.pool)?.person.reason == "131047"
    }
    try await world.end()
  }
}

extension World {
  /// The Sandbox's utility template, as a synchronisation would store it.
  func utility() async throws -> Templates.Entry {
    let given = SandboxSettings.standardTemplates[2]
    let offer = SandboxSettings.standardTemplates[0]
    func seen(_ id: String, _ name: String, _ category: Domain.Category, _ json: JSONValue) -> Templates.Seen {
      Templates.Seen(
        metaID: id, name: name, language: "ar", status: "APPROVED", category: category, quality: "GREEN",
        parameterFormat: "POSITIONAL", components: json["components"]!.rendered())
    }
    _ = try await Templates.sync(
      [seen("1", "ramadan_offer", .marketing, offer), seen("3", "order_update", .utility, given)], account: account,
      business: installation.business, by: "test", on: pool)
    return try #require(try await Templates.named("order_update", account: account, on: pool).first)
  }

  func urgent(_ template: Templates.Entry?, _ value: String, to index: Int) async throws -> Urgent.ID? {
    let entry = try #require(try await Numbers.list(of: installation.business, on: pool).first { $0.id == number })
    return try await Urgent.send(
      Urgent.Message(
        number: entry, template: template, phone: phone(index), person: installation.personKeys.key(of: phone(index)),
        country: "EG", values: [value]), business: installation.business, by: "test", on: pool)
  }
}
