import CloudAPI
import Crypto
import Domain
import Postgres
import Reactor
import Store
import Testing

/// For a day after somebody wrote to a number they may be answered without a template.
@Suite(.serialized) struct `A service window` {
  @Test func `is open for a day from the 200 on, for the number that was written to, by the latest message`() async throws {
    let world = try await World(people: 3, numbers: 2)
    let node = try await world.startNode()
    let (phone, other) = (world.phone(1), world.phone(2))
    let key = world.installation.personKeys.key(of: phone)
    func until(_ number: Int = 0) async throws -> Instant? {
      try await ServiceWindows.until(key, number: world.numbers[number], on: world.pool)
    }
    #expect(try await until() == nil)
    let said = Instant(seconds: Instant.now.seconds - 3600)
    try await node.hear(.text("السلام عليكم"), from: phone, id: "m1", at: said)
    #expect(try await until() == said + .seconds(86_400))
    #expect(try await until(1) == nil, "another number may not answer")
    // A button is a message; an older one that comes late shortens nothing.
    try await node.hear(.label("شكرا"), from: phone, id: "m2", at: said + .seconds(60))
    try await node.hear(.text("مساء الخير"), from: phone, id: "m0", at: said - .seconds(600))
    #expect(try await until() == said + .seconds(86_460))
    // WhatsApp's own control is no message.
    try await node.hear(.preference(.stop), from: other, id: "p1")
    let theirs = world.installation.personKeys.key(of: other)
    #expect(try await ServiceWindows.until(theirs, number: world.number, on: world.pool) == nil)
    // Nor does a clock that runs ahead open more than a day.
    try await node.hear(.text("هل من أحد؟"), from: phone, id: "m3", at: .now + .seconds(7200))
    #expect(try #require(try await until()) <= .now + .seconds(86_400))
    try await world.end()
  }
}
