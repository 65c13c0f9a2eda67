import Domain
import Postgres

/// Raw signed bodies, kept before Meta gets its 200. One row per flush; the server compresses it (lz4).
public enum ReceiptLog {
  /// A flush as the folder reads it.
  public struct Batch: Sendable {
    public let stream: Int64
    public let k: Int64
    public let day: CivilDate
    public let bodies: [[UInt8]]
  }

  /// How far a stream is folded.
  public struct Fold: Sendable {
    public let stream: Int64
    public let k: Int64
    public let day: CivilDate
    public init(stream: Int64, k: Int64, day: CivilDate) { (self.stream, self.k, self.day) = (stream, k, day) }
  }

  public static func open(stream: Int64, today: CivilDate, on connection: Connection) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement("select ensure_days($1)", [.date(today)]),
      Statement("insert into receipt_stream (stream) values ($1)", [.int8(stream)]),
    ])
  }

  public static func ensureDays(_ today: CivilDate, on connection: Connection) async throws(DatabaseError) {
    _ = try await connection.run("select ensure_days($1)", .date(today))
  }

  /// Commits the bodies, the consent they carry, and what they say of accounts, together.
  public static func append(
    _ bodies: [[UInt8]], with heard: [Statement], stream: Int64, k: Int64, day: CivilDate, at: Instant,
    on connection: Connection
  ) async throws(DatabaseError) {
    let statements = [
      Statement(
        "insert into receipt_batch (stream, k, day, received_at, bodies, count) values ($1, $2, $3, $4, $5, $6)",
        [
          .int8(stream), .int8(k), .date(day), .timestamptz(at), .bytea(packed(bodies)), .int4(Int32(bodies.count)),
        ])
    ]
    _ = try await connection.batch(statements + heard)
  }

  /// The person behind a message key, for a stop that names no phone.
  public static func person(of key: MessageKey, on connection: Connection) async throws(DatabaseError) -> PersonKey? {
    let rows = try await connection.run(
      "select person_key from recipient where campaign_id = $1 and seq = $2", .int8(key.campaign.rawValue),
      .int4(Int32(clamping: key.seq)))
    return rows.first?.personKey(0)
  }

  /// The category of the message that somebody answers: the one named by `context` among their last ten, else the
  /// newest; nil when nothing was ever sent to this phone.
  public static func categoryAnswered(
    by phone: PhoneNumber, context: String?, business: Business.ID, on connection: Connection
  ) async throws(DatabaseError) -> Category? {
    let rows = try await connection.run(
      """
      select c.category, f.wamid is not distinct from $3
      from contact p cross join lateral (
        select campaign_id, seq, attempt, n from touch t where t.contact_id = p.contact_id order by n desc limit 10
      ) t join campaign c on c.campaign_id = t.campaign_id
      left join fact f on f.campaign_id = t.campaign_id and f.seq = t.seq and f.attempt = t.attempt
      where p.business_id = $1 and p.phone = $2 order by t.n desc
      """, .int8(business.rawValue), .int8(phone.digits), context.map { .text($0) } ?? .null)
    let answered = context == nil ? rows.first : rows.first { $0.bool(1) } ?? rows.first
    return answered.flatMap { Category(rawValue: $0.int16(0)) }
  }

  /// Streams that may hold unfolded batches, with the position each was folded up to.
  public static func cursors(on connection: Connection) async throws(DatabaseError) -> (k: Int64, folded: [Int64: Int64]) {
    let rows = try await connection.run(
      """
      select s.stream, coalesce((select max(upto) from fold_log f where f.stream = s.stream), 0),
        coalesce((select max(k) from fold_log), 0)
      from receipt_stream s
      """)
    return (
      rows.first?.int64(2) ?? 0, Dictionary(uniqueKeysWithValues: rows.map { ($0.int64(0), $0.int64(1)) })
    )
  }

  /// The next batches of each stream after its cursor, and of streams just begun, in order: at most `limit` a stream, and
  /// no further one once `bytes` of bodies are there, over all streams: after an outage many have some. They take turns.
  public static func next(after cursors: [Int64: Int64], limit: Int, bytes: Int, on connection: Connection)
    async throws(DatabaseError) -> [Batch]
  {
    let streams = cursors.keys.sorted()
    let rows = try await connection.run(
      """
      select x.stream, x.k, x.day, x.bodies from (
      -- The length is known without unpacking.
      select b.*, sum(octet_length(b.bodies)) over (order by b.turn, b.stream) - octet_length(b.bodies) as before from (
        select * from unnest($1::int8[], $2::int8[])
        union all
        -- A process that has begun to receive since the cursors were read.
        select r.stream, 0 from receipt_stream r where r.started_at > now() - interval '1 minute' and r.stream <> all($1)
      ) s (stream, k)
      cross join lateral (
        select *, row_number() over (order by n.k) as turn from (
          select stream, k, day, bodies from receipt_batch r where r.stream = s.stream and r.k > s.k order by r.k limit $3
        ) n
      ) b
      ) x where x.before < $4 order by x.stream, x.k
      """, .int8s(streams), .int8s(streams.map { cursors[$0]! }), .int4(Int32(limit)), .int8(Int64(bytes)))
    return rows.map(batch)
  }

  /// What was received in a time, folded or not, in the order of streams and their places.
  public static func received(
    from: Instant, to: Instant, after place: (stream: Int64, k: Int64), limit: Int, on connection: Connection
  ) async throws(DatabaseError) -> [Batch] {
    func day(_ instant: Instant) -> CivilDate { CivilDate(daysSince1970: Int(instant.seconds / 86_400)) }
    let rows = try await connection.run(
      """
      select stream, k, day, bodies from receipt_batch
      where received_at >= $1 and received_at < $2 and day between $3 and $4 and (stream, k) > ($5, $6)
      order by stream, k limit $7
      """, .timestamptz(from), .timestamptz(to), .date(day(from)), .date(day(to)), .int8(place.stream), .int8(place.k),
      .int4(Int32(limit)))
    return rows.map(batch)
  }

  private static func batch(_ row: Row) -> Batch {
    Batch(stream: row.int64(0), k: row.int64(1), day: row.date(2), bodies: unpacked(row.bytes(3)))
  }

  // MARK: What is kept of people

  /// Rewrites every body stored on a day that mentions one of the words; a body that can't be read is emptied. Answers how
  /// many were rewritten. A batch at a time, so that nobody waits for it.
  public static func rewrite(
    mentioning words: [String], on day: CivilDate, pool: Pool, _ body: ([UInt8]) -> [UInt8]?
  ) async throws -> Int {
    let needles = words.map { Array($0.utf8) }
    let found = try await pool.run(
      Statement(
        "select stream, k from receipt_batch where day = $1 and \(mentions(needles, from: 2)) order by 1, 2",
        [.date(day)] + needles.map { .bytea($0) }))
    var count = 0
    for place in found {
      let key: [Value] = [.int8(place.int64(0)), .int8(place.int64(1)), .date(day)]
      let rows = try await pool.run(
        Statement("select bodies from receipt_batch where stream = $1 and k = $2 and day = $3", key))
      guard let row = rows.first else { continue }
      let bodies = unpacked(row.bytes(0)).map { bytes -> [UInt8] in
        guard needles.contains(where: { contains(bytes, $0) }) else { return bytes }
        count += 1
        return body(bytes) ?? Array("{}".utf8)
      }
      // Two erasures may meet in a batch: what the other wrote is not overwritten, the job comes again.
      let done = try await pool.run(
        Statement(
          "update receipt_batch set bodies = $4 where stream = $1 and k = $2 and day = $3 and bodies = $5",
          key + [.bytea(packed(bodies)), .bytea(row.bytes(0))]))
      if done.affected == 0 { throw Overtaken() }
    }
    return count
  }

  /// Bodies stored since a day that mention one of the words, the oldest first, out of at most `limit` batches.
  public static func bodies(mentioning words: [String], since day: CivilDate, limit: Int, on pool: Pool)
    async throws(DatabaseError) -> [[UInt8]]
  {
    let needles = words.map { Array($0.utf8) }
    let rows = try await pool.run(
      Statement(
        """
        select bodies from receipt_batch where day >= $1 and \(mentions(needles, from: 3)) order by received_at limit $2
        """, [.date(day), .int4(Int32(limit))] + needles.map { .bytea($0) }))
    return rows.flatMap { unpacked($0.bytes(0)) }.filter { body in needles.contains { contains(body, $0) } }
  }

  /// A batch was rewritten by somebody else meanwhile.
  struct Overtaken: Error {}

  private static func mentions(_ needles: [[UInt8]], from parameter: Int) -> String {
    "(" + needles.indices.map { "position($\($0 + parameter)::bytea in bodies) > 0" }.joined(separator: " or ") + ")"
  }

  private static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
    guard let first = needle.first, bytes.count >= needle.count else { return false }
    return bytes.indices.dropLast(needle.count - 1).contains { at in
      bytes[at] == first && bytes[at..<at + needle.count].elementsEqual(needle)
    }
  }

  /// Drops whole days of raw receipts, which hold what people wrote, once they are older than `days` and folded.
  public static func purge(olderThan days: Int, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("select drop_receipt_days($1)", .int4(Int32(days)))
  }

  // Per body: 4 bytes length, big-endian, and the bytes.

  private static func packed(_ bodies: [[UInt8]]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(bodies.reduce(0) { $0 + $1.count + 4 })
    for body in bodies {
      let length = UInt32(body.count)
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> UInt32(shift))) }
      bytes += body
    }
    return bytes
  }

  static func unpacked(_ bytes: [UInt8]) -> [[UInt8]] {
    var bodies: [[UInt8]] = []
    var at = 0
    while at + 4 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      precondition(at + 4 + length <= bytes.count, "a stored receipt batch ends inside a body")
      bodies.append(Array(bytes[at + 4..<at + 4 + length]))
      at += 4 + length
    }
    return bodies
  }
}
