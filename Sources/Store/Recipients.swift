import Domain
import Postgres

/// One row per person of a campaign's audience, with what became of them.
public enum Recipients {
  public struct Entry: Sendable {
    /// 0 for those who were excluded.
    public let seq: Int64
    public let contact: Contact.ID
    public let phone: PhoneNumber?
    public let state: RecipientState
    /// A word of its state's list of reasons, or Meta's code.
    public let reason: String?
    public let attempt: Int16?
    public let number: Number.ID?
    public let handedAt: Instant?
    public let sentAt: Instant?
    public let deliveredAt: Instant?
    public let readAt: Instant?
    public let failedAt: Instant?
    public let dueAt: Instant?
    public let cost: Amount?
    public let audience: Audience.ID?
  }

  /// Where a page ended: recipients come first, then those who were excluded.
  public enum Cursor: Sendable, Equatable {
    case recipient(seq: Int64)
    case exclusion(contact: Int64, audience: Int64)

    public init?(_ text: String) {
      let parts = text.split(separator: ".").map { Int64($0) }
      switch (parts.count, parts.first ?? nil, parts.last ?? nil) {
      case (1, let seq?, _): self = .recipient(seq: seq)
      case (2, let contact?, let audience?): self = .exclusion(contact: contact, audience: audience)
      default: return nil
      }
    }

    public var text: String {
      switch self {
      case .recipient(let seq): String(seq)
      case .exclusion(let contact, let audience): "\(contact).\(audience)"
      }
    }
  }

  /// Rows looked at for one page at most, in windows: a rare state in a large campaign takes several pages.
  static let scan = (window: Int64(5000), windows: 20)

  /// The people after `cursor` whose state is one of `states` (nil: all). With nobody left the next cursor is nil; a
  /// page may be short of `limit`, or empty, and still have one.
  public static func page(
    of id: Campaign.ID, after cursor: Cursor?, states: Set<RecipientState>?, limit: Int, on pool: Pool
  ) async throws(DatabaseError) -> (entries: [Entry], next: Cursor?) {
    var entries: [Entry] = []
    var from: Int64 = 0
    var exclusionsFrom = (contact: Int64(0), audience: Int64(0))
    switch cursor {
    case nil: break
    case .recipient(let seq): from = seq
    case .exclusion(let contact, let audience): (from, exclusionsFrom) = (.max, (contact, audience))
    }
    let wanted = states.map { $0.subtracting([.excluded]) }
    if from < .max, wanted?.isEmpty != true {
      let top = try await pool.run(
        "select coalesce(max(seq), 0)::int8 from recipient where campaign_id = $1", .int8(id.rawValue))[0]
        .int64(0)
      for _ in 0..<scan.windows where from < top && entries.count < limit {
        let upto = from + scan.window
        let rows = try await pool.run(
          recipients, .int8(id.rawValue), .int8(from), .int8(upto), wanted.map { .int2s($0.map(\.rawValue)) } ?? .null,
          .int8(Int64(limit - entries.count)))
        entries += rows.map(recipient)
        from = entries.count == limit ? entries[limit - 1].seq : upto
      }
      if from < top { return (entries, .recipient(seq: from)) }
    }
    guard states?.contains(.excluded) ?? true else { return (entries, nil) }
    if entries.count == limit { return (entries, .exclusion(contact: 0, audience: 0)) }
    let rows = try await pool.run(
      """
      select x.contact_id, x.audience_id, x.reason, c.phone from exclusion x left join contact c using (contact_id)
      where x.campaign_id = $1 and (x.contact_id, x.audience_id) > ($2, $3)
      order by x.contact_id, x.audience_id limit $4
      """, .int8(id.rawValue), .int8(exclusionsFrom.contact), .int8(exclusionsFrom.audience),
      .int8(Int64(limit - entries.count)))
    for row in rows {
      entries.append(
        Entry(
          seq: 0, contact: Contact.ID(row.int64(0)), phone: row.optionalInt64(3).flatMap { PhoneNumber(digits: $0) },
          state: .excluded, reason: ExclusionReason(rawValue: row.int16(2))?.word, attempt: nil, number: nil,
          handedAt: nil,
          sentAt: nil, deliveredAt: nil, readAt: nil, failedAt: nil, dueAt: nil, cost: nil,
          audience: Audience.ID(row.int64(1))))
    }
    guard let last = entries.last, entries.count == limit else { return (entries, nil) }
    return (entries, .exclusion(contact: last.contact.rawValue, audience: last.audience?.rawValue ?? 0))
  }

  /// One of them; nil when there is none at this place.
  public static func one(of id: Campaign.ID, seq: Int32, on pool: Pool) async throws(DatabaseError) -> Entry? {
    try await pool.run(
      recipients, .int8(id.rawValue), .int8(Int64(seq) - 1), .int8(Int64(seq)), .null, .int8(1)
    ).first.map(recipient)
  }

  private static let recipients = """
    select seq, contact_id, case when not \(Erasure.isErased("phone")) then phone end, state, hold_reason, skip_reason, code, attempt,
      number_id, handed_at, sent_at, delivered_at, read_at, failed_at, due_at, cost
    from (
      select distinct on (m.seq) m.seq, m.contact_id, m.phone, m.person_state as state, m.hold_reason, m.skip_reason,
        coalesce(nullif(m.failure, 0), m.refusal) code, m.attempt, m.number_id, m.handed_at, m.sent_at, m.delivered_at,
        m.read_at, m.failed_at, m.due_at, case when m.charge = 1 then r.amount end cost
      from message m left join rate r using (rate_id)
      where m.campaign_id = $1 and m.seq > $2 and m.seq <= $3 order by m.seq, m.attempt desc nulls last
    ) x where $4::int2[] is null or state = any($4) order by seq limit $5
    """

  private static func recipient(_ row: Row) -> Entry {
    let state = RecipientState(rawValue: row.int16(3)) ?? .queued
    let reason: String? =
      switch state {
      case .held: row.optionalInt16(4).flatMap { HoldReason(rawValue: $0)?.word }
      case .skipped: row.optionalInt16(5).flatMap { SkipReason(rawValue: $0)?.word }
      case .failed: row.optionalInt32(6).map { String($0) }
      default: nil
      }
    return Entry(
      seq: row.int64(0), contact: Contact.ID(row.int64(1)), phone: row.optionalInt64(2).flatMap { PhoneNumber(digits: $0) },
      state: state,
      reason: reason, attempt: row.optionalInt16(7), number: row.optionalInt64(8).map { Number.ID($0) },
      handedAt: row.optionalInstant(9), sentAt: row.optionalInstant(10), deliveredAt: row.optionalInstant(11),
      readAt: row.optionalInstant(12), failedAt: row.optionalInstant(13),
      dueAt: state == .held ? row.optionalInstant(14) : nil,
      cost: row.optionalAmount(15), audience: nil)
  }
}
