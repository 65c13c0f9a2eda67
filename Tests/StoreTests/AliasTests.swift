import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

@Suite struct `Names of one person` {
  static let keys = (1...4).map { PersonKey(high: 7, low: UInt64($0)) }

  private func suppressed(_ store: TestStore) async throws -> Set<PersonKey> {
    Set(
      try await store.pool.run("select person_key from suppression where active and scope = 1").map { $0.personKey(0) })
  }

  private func say(_ event: ConsentEvent, as key: PersonKey, _ at: Instant, _ store: TestStore) async throws {
    let word = Consents.Word(
      person: key, scope: .marketing, event: event, source: .text, evidence: .object([:]), at: at)
    _ = try await store.pool.batch([Consents.recording([word], business: store.business)])
  }

  /// A chain: the phone we write to, the number Meta knows, an id, and somebody who is none of them.
  private func link(_ store: TestStore) async throws {
    let connection = TestStore.connection(store.url)
    let keys = Self.keys
    try await Aliases.learn(
      [Aliases.Pair(keys[1], of: keys[0]), Aliases.Pair(keys[2], of: keys[1])], business: store.business, on: connection)
    await connection.close()
  }

  @Test(arguments: 0..<3) func `share a stop, whichever it came by, learnt before it or after`(said: Int) async throws {
    for learnsFirst in [true, false] {
      let store = try await TestStore()
      if learnsFirst { try await link(store) }
      try await say(.stop, as: Self.keys[said], .now, store)
      if !learnsFirst { try await link(store) }
      #expect(try await suppressed(store) == Set(Self.keys[0..<3]))
      // What is shown of any of them is what was said by any.
      let shown = try await Consents.person(Self.keys[(said + 1) % 3], of: store.business, on: store.pool)
      #expect(shown.suppressed.count == 1 && shown.history.count == 1)
      await store.close()
    }
  }

  @Test func `let the later word hold, also where it was said before they were one`() async throws {
    let store = try await TestStore()
    let now = Instant.now
    try await say(.stop, as: Self.keys[0], now - .seconds(60), store)
    try await say(.start, as: Self.keys[2], now - .seconds(30), store)
    try await say(.stop, as: Self.keys[3], now - .seconds(60), store)
    try await link(store)
    #expect(try await suppressed(store) == [Self.keys[3]])
    try await say(.stop, as: Self.keys[1], now - .seconds(40), store)
    #expect(try await suppressed(store) == [Self.keys[3]], "an older stop undoes no newer start")
    try await say(.stop, as: Self.keys[1], now - .seconds(20), store)
    #expect(try await suppressed(store) == Set(Self.keys))
    await store.close()
  }

  /// The two meet in the same moment, over and over: the stop never falls between them.
  @Test func `share a stop that comes while they are being learnt`() async throws {
    let store = try await TestStore()
    let connection = TestStore.connection(store.url)
    for round in 0..<50 {
      let pair = (PersonKey(high: 8, low: UInt64(round)), PersonKey(high: 9, low: UInt64(round)))
      async let learning: Void = Aliases.learn([Aliases.Pair(pair.1, of: pair.0)], business: store.business, on: connection)
      try await say(.stop, as: pair.1, .now, store)
      try await learning
      #expect(try await suppressed(store).contains(pair.0), "round \(round)")
    }
    await connection.close()
    await store.close()
  }
}
