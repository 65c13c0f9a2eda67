import Domain
import JSON
import Postgres
import Reactor
import Store
import Testing

/// What is kept of people only for a time.
@Suite struct `What people wrote and said` {
  @Test func `is dropped by whole days after a month, unless a day is not folded yet`() async throws {
    let store = try await TestStore()
    let connection = TestStore.connection(store.url)
    let today = CivilDate(daysSince1970: Int(Instant.now.seconds / 86_400))
    func ago(_ days: Int) -> CivilDate { CivilDate(daysSince1970: today.daysSince1970 - days) }
    for (k, day) in [(1, 40), (2, 39), (3, 1), (4, 0)] {
      _ = try await store.pool.run("select ensure_days($1)", .date(ago(day)))
      try await ReceiptLog.append(
        [Array("{}".utf8)], with: [], stream: 5, k: Int64(k), day: ago(day), at: .now, on: connection)
    }
    func days() async throws -> [CivilDate] {
      try await store.pool.run("select distinct day from receipt_batch order by 1").map { $0.date(0) }
    }
    // Folded is the first of the old days.
    _ = try await store.pool.run(
      "insert into fold_log (k, stream, upto, day) values (1, 5, 1, $1)", .date(ago(40)))
    try await ReceiptLog.purge(olderThan: 30, on: store.pool)
    #expect(try await days() == [ago(39), ago(1), ago(0)])
    // A reader does not make receipts wait: the day is left for the next time.
    _ = try await store.pool.run("insert into fold_log (k, stream, upto, day) values (2, 5, 4, $1)", .date(today))
    try await store.pool.transaction { tx in
      _ = try await tx.run("select count(*) from receipt_batch")
      try await ReceiptLog.purge(olderThan: 30, on: store.pool)
      try await ReceiptLog.append(
        [Array("{}".utf8)], with: [], stream: 5, k: 5, day: today, at: .now, on: connection)
    }
    #expect(try await days().count == 3)
    try await ReceiptLog.purge(olderThan: 30, on: store.pool)
    #expect(try await days() == [ago(1), ago(0)])
    await connection.close()
    await store.close()
  }

  @Test func `proves an erased person's words for three years, and the stop for ever`() async throws {
    let store = try await TestStore()
    let (gone, recent, other) = (PersonKey(high: 1, low: 1), PersonKey(high: 1, low: 2), PersonKey(high: 1, low: 3))
    for person in [gone, recent, other] {
      let word = Consents.Word(
        person: person, scope: .marketing, event: .stop, source: .text, evidence: ["matched": "stop"], at: .now)
      _ = try await store.pool.batch([Consents.recording([word], business: store.business)])
    }
    _ = try await store.pool.run("update consent set recorded_at = now() - interval '5 years'")
    _ = try await store.pool.run(
      """
      insert into erasure (business_id, person_key, by, at, done_at)
      values ($1, $2, 'test', now() - interval '4 years', now()), ($1, $3, 'test', now() - interval '2 years', now())
      """, .int8(store.business.rawValue), .uuid(gone), .uuid(recent))
    try await Erasure.expireProofs(on: store.pool)
    let bare = try await store.pool.run("select person_key from consent where evidence = '{}'").map { $0.personKey(0) }
    #expect(bare == [gone])
    #expect(try await store.pool.run("select count(*) from suppression where active")[0].int64(0) == 3)
    await store.close()
  }
}
