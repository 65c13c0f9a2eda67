import CloudAPI
import Domain
import HTTPClient
import JSON
import Money
import Population
import Postgres
import Reactor
import Reports
import Sandbox
import Store
import Testing

/// Promise 5 against an independent bill: the Sandbox charges by its own arithmetic and loses receipts.
@Suite(.serialized) struct `Lost receipts` {
  @Test func `of a month are named by the reconciliation: to the message, and to the last digit of the bill`() async throws {
    var people = PeopleModel.obliging
    people.readers = 0.7
    let world = try await World(people: 300, people: people)
    // The number as the Sandbox's bill names it; a zone whose offset is the Sandbox's in every season.
    _ = try await world.pool.batch([
      Statement("update number set phone = 201090000000"), Statement("update account set zone = 'Africa/Tripoli'"),
    ])
    try await world.sandboxPost("faults", #"{"receipts_lost_rate": 0.3}"#)
    try await world.startNode()
    let from = CivilDate(daysSince1970: Int((Instant.now.seconds + 7200) / 86_400))
    let campaign = try await world.launch(pace: 100)
    // A day passes with every ten messages that are delivered: a month.
    var days = 0
    try await world.until("all are delivered, over a month") {
      let delivered = try await world.summary("delivered")
      if delivered / 10 > days {
        days = delivered / 10
        try await world.sandboxPost("calendar", #"{"days_ahead": \#(days)}"#)
      }
      let rest = try await world.summary("events_to_come")
      return delivered == 300 && rest == 0 && days == 30
    }
    let to = CivilDate(daysSince1970: from.daysSince1970 + days)
    let graph = GraphClient(world.client, url: "http://127.0.0.1:\(world.sandboxPort)", version: "v26.0")
    let bill = try await graph.pricing(
      ofAccount: "102290129340398", from: Instant(seconds: Int64(from.daysSince1970) * 86_400 - 7200),
      to: Instant(seconds: Int64(to.daysSince1970 + 1) * 86_400 - 7200), token: World.token
    ).map { point in
      Reconciling.Point(
        key: .init(
          day: CivilDate(daysSince1970: Int((point.start.seconds + 7200) / 86_400)), number: point.phone?.digits ?? 0,
          country: point.country ?? "", category: point.category, type: point.type ?? .regular),
        volume: point.volume, cost: point.cost)
    }
    #expect(bill.reduce(0) { $0 + $1.volume } == 300)
    #expect(Set(bill.map(\.key.day)).count > 20)

    // Of whom neither the delivery nor the reading was told: those are the missing ones, message by message.
    let untold = try await world.untold()
    #expect(untold.count > 10)
    var waiting: Set<Int64> = []
    try await world.until("all that was told is folded") {
      waiting = Set(
        try await world.pool.run(
          """
          select r.phone from recipient r join fact f using (campaign_id, seq)
          left join standing s using (campaign_id, seq, attempt) where r.campaign_id = $1 and coalesce(s.standing, 0) < 20
          """, .int8(campaign.rawValue)
        ).map { $0.int64(0) })
      return waiting == untold
    }
    let account = try await Statements.accounts(of: world.installation.business, on: world.pool)[0]
    let found = try await Reconciling.run(account, from: from, to: to, meta: bill, on: world.pool)
    // Egypt's marketing rate of the quarter; the bill's arithmetic is the Sandbox's own.
    let price = Amount("0.0644")!
    let missing = Int64(untold.count)
    #expect(found.meta.volume == 300 && found.meta.cost == price * 300)
    #expect(found.volume == 300 - missing)
    let row = try await world.pool.run("select count(*) from standing where charge = 3")[0]
    let unpriced = row.int64(0)
    #expect(found.cost == price * Int(found.volume - unpriced))
    // Some were read whose price got lost with their first receipts: told apart, and not taken for strangers.
    var expected: [Reconciliation.Part] = [.init(.receiptMissing, volume: missing, amount: price * Int(missing))]
    if found.parts.contains(where: { $0.reason == .otherDay }) { expected.append(.init(.otherDay, volume: 0, amount: .zero)) }
    if unpriced > 0 { expected.append(.init(.unpriced, volume: 0, amount: price * Int(unpriced))) }
    #expect(found.parts == expected)
    #expect(found.parts.reduce(.zero) { $0 + ($1.amount ?? .zero) } == found.meta.cost! - found.cost)
    let event = try await world.pool.run("select count(*) from audit where action = 'reconciliation_differs'")[0]
    #expect(event.int64(0) == 1, "beyond the threshold, so it is on the record")
    try await expectTemplates(world, graph, found, from: from, to: to)
    try await world.end()
  }

  /// Meta's insights count the same deliveries by template, and the links that no webhook tells.
  private func expectTemplates(
    _ world: World, _ graph: GraphClient, _ found: Reconciliations.Result, from: CivilDate, to: CivilDate
  ) async throws {
    let account = try await Statements.accounts(of: world.installation.business, on: world.pool)[0]
    let waba = account.wabaID
    for known in try await graph.templates(ofAccount: waba, token: World.token) {
      _ = try await world.pool.run(
        "update template set meta_id = $1 where name = $2 and language = $3", .text(known.id), .text(known.name),
        .text(known.language))
    }
    func points() async throws -> [TemplatePoint]? {
      try await graph.templateFigures(
        ofAccount: waba, templates: try await TemplateFigures.used(by: account.id, since: from, on: world.pool),
        from: Instant(seconds: Int64(from.daysSince1970 - 1) * 86_400),
        to: Instant(seconds: Int64(to.daysSince1970 + 1) * 86_400), token: World.token)
    }
    #expect(try await points() == nil, "nobody enabled them")
    try await graph.enableInsights(ofAccount: waba, token: World.token)
    let phone = try await world.pool.run("select phone from recipient limit 1")[0].int64(0)
    try await world.sandboxPost("people/open_link", #"{"phone": "+\#(phone)"}"#)
    let days = try #require(try await points()).map { point in
      TemplateFigures.Day(
        metaID: point.templateID, day: CivilDate(daysSince1970: Int(point.start.seconds / 86_400)), sent: point.sent,
        delivered: point.delivered, read: point.read, cost: point.cost,
        clicks: .array(
          point.clicks.map { ["type": .string($0.type), "button": .string($0.button), "count": .number(String($0.count))] }))
    }
    #expect(days.count > 20)
    for _ in 1...2 {
      try await TemplateFigures.keep(
        days, of: account.id, from: CivilDate(daysSince1970: from.daysSince1970 - 1), to: to, on: world.pool)
    }
    let lines = try await TemplateFigures.lines(of: world.installation.business, from: nil, to: nil, on: world.pool)
    let line = try #require(lines.first)
    #expect(lines.count == 1 && line.sent == 300 && line.delivered == 300 && line.cost == found.meta.cost)
    #expect(line.ourDelivered == found.volume && line.ourCost == found.cost)
    #expect(line.clicks.filter { $0.type == "url_button" }.map(\.count) == [1])
  }
}

extension World {
  /// Phones of delivered messages of which the Sandbox told neither the delivery nor the reading.
  fileprivate func untold() async throws -> Set<Int64> {
    let body = try await client.send(
      HTTPRequest("GET", "http://127.0.0.1:\(sandboxPort)/sandbox/journal", headers: [], timeout: .seconds(60))
    ).get().body
    var phones: Set<Int64> = []
    for line in body.split(separator: UInt8(ascii: "\n")) {
      let value = try JSONValue(parsing: Array(line))
      guard value["delivered"]?.boolValue == true, value["told"]?.boolValue != true else { continue }
      if let phone = value["to"]?.stringValue.flatMap({ PhoneNumber(e164: $0) }) { phones.insert(phone.digits) }
    }
    return phones
  }
}
