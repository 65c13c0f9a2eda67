import Domain
import Money
import Postgres
import Reactor
import Store
import Testing

@Suite struct `A fold` {
  /// Found by a storm of a million receipts: after a kill one fold took a share of every stream that had some left, and
  /// kept a thousand of the receipts that were nobody's.
  @Test func `keeps every receipt of strangers, and takes no more of many streams than of one`() async throws {
    let books = try await Books()
    try await books.receive(
      (1...1200).map {
        Books.Receipt(campaign: Campaign.ID(1 << 40), seq: $0, number: "1", status: "delivered", at: 1_790_802_000)
      })
    try await books.foldAll()
    let kept = try await books.pool.run(
      "select count(distinct receipt ->> 'callback') from stray_receipt where reason = 'unknown_campaign'")[0].int64(0)
    #expect(kept == 1200)

    var cursors: [Int64: Int64] = [:]
    for stream in Int64(1)...6 {
      try await ReceiptLog.open(stream: stream, today: Books.today, on: books.connection)
      for k in Int64(1)...2 {
        try await ReceiptLog.append(
          [[UInt8](repeating: 0x20, count: 1000)], with: [], stream: stream, k: k, day: Books.today, at: .now,
          on: books.connection)
      }
      cursors[stream] = 0
    }
    cursors[77] = 1
    var seen: [String] = []
    while true {
      let next = try await ReceiptLog.next(after: cursors, limit: 64, bytes: 2500, on: books.connection)
      if next.isEmpty { break }
      #expect(next.count <= 3, "a kilobyte each, and the one that passes the bound")
      for batch in next {
        #expect(cursors[batch.stream] == batch.k - 1, "none of a stream is passed over")
        cursors[batch.stream] = batch.k
        seen.append("\(batch.stream) \(batch.k)")
      }
    }
    #expect(seen.count == 12 && Set(seen).count == 12)
    await books.close()
  }
}
