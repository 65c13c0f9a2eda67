import Crypto
import Domain
import Migrations
import Money
import Postgres
import Simulation
import Store
import Testing

@Suite struct `A migration` {
  @Test func `is applied once, however often it is asked for`() async throws {
    let url = try await TestDatabase.shared.fresh()
    let first = TestStore.connection(url)
    #expect(try await Migrator.migrate(first) == Migrations.all.map(\.name))
    #expect(try await Migrator.migrate(first) == [])
    #expect(try await first.run("select count(*) from schema_migration")[0].int64(0) == Int64(Migrations.all.count))
    await first.close()
  }

  @Test func `is applied by one of several at once`() async throws {
    let url = try await TestDatabase.shared.fresh()
    let applied = try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<3 {
        group.addTask {
          let connection = TestStore.connection(url)
          let names = try await Migrator.migrate(connection)
          await connection.close()
          return names
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(applied == Migrations.all.map(\.name))
  }

  @Test func `refuses when an applied file reads differently, and changes nothing`() async throws {
    let store = try await TestStore()
    _ = try await store.pool.run("update schema_migration set sha256 = '\\x00'")
    let connection = TestStore.connection(store.url)
    await #expect(throws: MigrationError.changed("0001_foundation")) { try await Migrator.migrate(connection) }
    await #expect(throws: MigrationError.changed("0001_foundation")) { try await Migrator.check(store.pool) }
    await connection.close()
    await store.close()
  }

  @Test func `refuses a database that a newer version made`() async throws {
    let store = try await TestStore()
    _ = try await store.pool.run("insert into schema_migration (name, sha256) values ('9999_later', '\\x00')")
    await #expect(throws: MigrationError.newer("9999_later")) { try await Migrator.check(store.pool) }
    await store.close()
  }

  @Test func `is missed by a check before it is applied`() async throws {
    let pool = Pool(ConnectionSettings(url: try await TestDatabase.shared.fresh()), size: 1, on: TestStore.reactor)
    await #expect(throws: MigrationError.behind(Migrations.all.map(\.name))) { try await Migrator.check(pool) }
    await pool.close()
  }

  @Test func `loads the shipped rates and leaves what was loaded before`() async throws {
    let store = try await TestStore()
    let rows = try await Rates.list(currency: nil, on: store.pool)
    #expect(rows.count == SeedRates.cards.reduce(0) { $0 + $1.rates.count })
    let egypt = rows.last { $0.currency == "USD" && $0.market == .egypt && $0.category == .marketing }
    #expect(egypt?.amount == Amount("0.0644"))
    _ = try await store.pool.run("update rate_card set source = 'mine'")
    let connection = TestStore.connection(store.url)
    _ = try await Migrator.migrate(connection)
    await connection.close()
    #expect(try await Rates.list(currency: nil, on: store.pool).allSatisfy { $0.source == "mine" })
    let book = try await RateCards.prices(on: store.pool).pricing.book
    let day = CivilDate(year: 2026, month: 10, day: 2)!
    #expect(book.rate(.saudiArabia, .marketing, in: Currency("USD")!, on: day)?.amount == Amount("0.0576"))
    await store.close()
  }
}

@Suite struct `An installation` {
  @Test func `keeps its name and its pepper`() async throws {
    let store = try await TestStore()
    let again = try await Installation.open(store.pool, sealKey: TestStore.sealKey)
    #expect(again.name == store.installation.name && again.name.count == 8)
    let phone = PhoneNumber(digits: 201_001_234_567)!
    #expect(again.personKeys.key(of: phone) == store.installation.personKeys.key(of: phone))
    await store.close()
  }

  @Test func `does not open under another seal key`() async throws {
    let store = try await TestStore()
    let other = SealKey(secret: "another secret of more than thirty-two characters")!
    await #expect(throws: InstallationError.wrongSealKey) { try await Installation.open(store.pool, sealKey: other) }
    await store.close()
  }
}
