import Domain
import Postgres

/// The lane log's statements: claim, takeover, release, and what a new owner must know. Each is an append.
///
/// A claim's epoch is read from row k-1 of the same number and epoch; a stale owner reads null there, and the column is
/// not null: being fenced is an error (`23502`), never zero rows. Two owners appending the same k: one gets `23505`.
public enum LaneLog {
  public enum Kind: Int16, Sendable { case range = 1, due = 2, takeover = 3, release = 4, givenBack = 5 }

  /// The newest row of a lane.
  public struct Head: Sendable, Equatable {
    public let k: Int64
    public let epoch: Int32
    public let kind: Int16
    public let node: Int64
    public let doneK: Int64
  }

  /// A recipient as a claim hands it out: everything a hand-over needs, frozen at launch.
  public struct Recipient: Sendable {
    public let seq: Int32
    public let attempt: Int16
    public let contact: Contact.ID
    public let phone: PhoneNumber
    public let person: PersonKey
    public let values: [String]
    /// How often it was refused and put off before, in this attempt.
    public var times: Int16 = 0
  }

  /// A lane's hold on a run, with the position up to which it has claimed.
  public struct Take: Sendable, Equatable {
    public let campaign: Campaign.ID
    public let run: Int32
    public let take: Int16
    /// The next position to claim.
    public var cursor: Int32
    public let hi: Int32
    public let zone: String

    public init(campaign: Campaign.ID, run: Int32, take: Int16, cursor: Int32, hi: Int32, zone: String) {
      (self.campaign, self.run, self.take, self.cursor, self.hi, self.zone) = (campaign, run, take, cursor, hi, zone)
    }
  }

  public static func isFenced(_ error: DatabaseError) -> Bool {
    guard case .rejected(let state, _) = error else { return false }
    return state == .notNullViolation || state == .uniqueViolation
  }

  public static func head(of number: Number.ID, on connection: Connection) async throws(DatabaseError) -> Head? {
    let rows = try await connection.run(
      "select k, epoch, kind, node, done_k from lane_log where number_id = $1 order by k desc limit 1",
      .int8(number.rawValue))
    guard let row = rows.first else { return nil }
    return Head(k: row.int64(0), epoch: row.int32(1), kind: row.int16(2), node: row.int64(3), doneK: row.int64(4))
  }

  /// Takes the lane over: the next row with the next epoch. Throws a fenced error when somebody else appended first.
  public static func takeover(_ number: Number.ID, after head: Head?, node: Int64, on connection: Connection)
    async throws(DatabaseError) -> Head
  {
    let next = Head(
      k: (head?.k ?? 0) + 1, epoch: (head?.epoch ?? 0) + 1, kind: Kind.takeover.rawValue, node: node,
      doneK: head?.doneK ?? 0)
    _ = try await connection.run(
      "insert into lane_log (number_id, k, epoch, kind, node, done_k) values ($1, $2, $3, 3, $4, $5)",
      .int8(number.rawValue), .int8(next.k), .int4(next.epoch), .int8(node), .int8(next.doneK))
    return next
  }

  public static func release(_ number: Number.ID, k: Int64, epoch: Int32, node: Int64, doneK: Int64, on connection: Connection)
    async throws(DatabaseError)
  {
    _ = try await connection.run(
      """
      insert into lane_log (number_id, k, epoch, kind, node, done_k)
      select $1, $2, (select epoch from lane_log where number_id = $1 and k = $2 - 1 and epoch = $3), 4, $4, $5
      """, .int8(number.rawValue), .int8(k), .int4(epoch), .int8(node), .int8(doneK))
  }

  /// Claims the positions `lo...hi` of a take and reads their recipients, in one commit.
  public static func claim(
    _ number: Number.ID, k: Int64, epoch: Int32, node: Int64, doneK: Int64, take: Take, hi: Int32, slot0: Int64, step: Int64,
    reserving reservation: Allotments.Reservation? = nil, on connection: Connection
  ) async throws(DatabaseError) -> [Recipient] {
    if let reservation {
      return try await claim(
        number, k: k, epoch: epoch, node: node, doneK: doneK, take: take, hi: hi, slot0: slot0, step: step, reservation,
        on: connection)
    }
    let rows = try await connection.batch([
      Statement(
        """
        insert into lane_log (number_id, k, epoch, kind, node, done_k, campaign_id, run_no, take, lo, hi, slot0, step)
        select $1, $2, (select epoch from lane_log where number_id = $1 and k = $2 - 1 and epoch = $3), 1, $4, $5, $6, $7,
          $8, $9, $10, $11, $12
        """,
        [
          .int8(number.rawValue), .int8(k), .int4(epoch), .int8(node), .int8(doneK), .int8(take.campaign.rawValue),
          .int4(take.run), .int2(take.take), .int4(take.cursor), .int4(hi), .int8(slot0), .int8(step),
        ]),
      recipientsStatement(take.campaign, take.cursor, hi),
    ])
    return recipients(rows[1])
  }

  /// The same with the money or messages that it reserves. Who is skipped since the reservation was counted is the gate's
  /// matter, and their part comes back.
  private static func claim(
    _ number: Number.ID, k: Int64, epoch: Int32, node: Int64, doneK: Int64, take: Take, hi: Int32, slot0: Int64, step: Int64,
    _ reservation: Allotments.Reservation, on connection: Connection
  ) async throws(DatabaseError) -> [Recipient] {
    let runs = reservation.runs
    let rows = try await connection.batch([
      Statement(
        """
        insert into lane_log (number_id, k, epoch, kind, node, done_k, campaign_id, run_no, take, lo, hi, slot0, step,
          reserved, pools, people, prices, counts)
        select $1, $2, (select epoch from lane_log where number_id = $1 and k = $2 - 1 and epoch = $3), 1, $4, $5, $6, $7,
          $8, $9, $10, $11, $12, $13, $14, $15, $16, $17
        """,
        [
          .int8(number.rawValue), .int8(k), .int4(epoch), .int8(node), .int8(doneK), .int8(take.campaign.rawValue),
          .int4(take.run), .int2(take.take), .int4(take.cursor), .int4(hi), .int8(slot0), .int8(step),
          .numeric(reservation.reserved), .int8s(reservation.pools), .int4(Int32(reservation.people)),
          .optionalNumerics(runs.prices), .int4s(runs.counts),
        ]),
      recipientsStatement(take.campaign, take.cursor, hi),
    ])
    return recipients(rows[1])
  }

  /// The recipients of a range; also used when a claim's commit was in doubt and turned out to be ours.
  public static func recipients(_ campaign: Campaign.ID, _ lo: Int32, _ hi: Int32, on connection: Connection)
    async throws(DatabaseError) -> [Recipient]
  { recipients(try await connection.run(recipientsStatement(campaign, lo, hi))) }

  private static func recipientsStatement(_ campaign: Campaign.ID, _ lo: Int32, _ hi: Int32) -> Statement {
    Statement(
      """
      select seq, 1::int2, contact_id, phone, person_key, vars from recipient
      where campaign_id = $1 and seq between $2 and $3
        and not exists (select from skip s where s.campaign_id = $1 and s.seq = recipient.seq)
      order by seq
      """, [.int8(campaign.rawValue), .int4(lo), .int4(hi)])
  }

  /// `times`: the column of how often each was put off, where the claim has one.
  private static func recipients(_ rows: Rows, times: Int? = nil) -> [Recipient] {
    rows.map { row in
      guard let phone = PhoneNumber(digits: row.int64(3)) else {
        preconditionFailure("recipient \(row.int32(0)) holds what is no E.164 number")
      }
      return Recipient(
        seq: row.int32(0), attempt: row.int16(1), contact: Contact.ID(row.int64(2)), phone: phone, person: row.personKey(4),
        values: row.texts(5), times: times.map { row.optionalInt16($0) ?? 0 } ?? 0)
    }
  }

  /// Takes up to `limit` due rows of a campaign out of the due table and into a claim, in one statement: a crash finds
  /// them in one of the two. Nothing is appended when nothing is due; then the answer is empty and k is still free.
  /// `zones`: only people whose run has one of them; nil takes everybody. `staying`: the campaign has people who stay with
  /// the number that wrote to them before. A later attempt is dropped when an earlier one was taken by Meta after all, as
  /// its receipt says.
  public static func claimDue(
    _ number: Number.ID, k: Int64, epoch: Int32, node: Int64, doneK: Int64, campaign: Campaign.ID, zones: [String]?,
    staying: Bool = false, limit: Int, slot0: Int64, step: Int64, on connection: Connection
  ) async throws(DatabaseError) -> [Recipient] {
    let rows = try await connection.run(
      """
      with picked as materialized (
        select d.campaign_id, d.seq from due d where d.campaign_id = $6 and d.due_at <= now()
          and ($10::text[] is null or exists (select from run r
            where r.campaign_id = $6 and d.seq between r.lo and r.hi and r.zone = any($10)))
          and (not $11 or not exists (select from run r
            where r.campaign_id = $6 and d.seq between r.lo and r.hi and r.number_id <> $1
              and r.number_id not in (select number_id from lost_number)))
        order by d.due_at limit $7 for update of d skip locked
      ), taken as (
        delete from due d using picked p where d.campaign_id = p.campaign_id and d.seq = p.seq
        returning d.seq, d.attempt, d.times
      ), listed as (
        select array_agg(seq order by seq) seqs, array_agg(attempt order by seq) attempts,
          array_agg(times order by seq) times
        from taken t where attempt = 1 or not exists (select from standing s where s.campaign_id = $6 and s.seq = t.seq
          and s.attempt < t.attempt and s.standing <> 20)
      ), logged as (
        insert into lane_log (number_id, k, epoch, kind, node, done_k, campaign_id, seqs, attempts, times, slot0, step)
        select $1, $2, (select epoch from lane_log where number_id = $1 and k = $2 - 1 and epoch = $3), 2, $4, $5, $6,
          seqs, attempts, times, $8, $9
        from listed where seqs is not null
        returning seqs, attempts, times
      )
      select r.seq, u.attempt, r.contact_id, r.phone, r.person_key, r.vars, u.times
      from logged, unnest(logged.seqs, logged.attempts, logged.times) u (seq, attempt, times)
      join recipient r on r.campaign_id = $6 and r.seq = u.seq order by r.seq
      """,
      .int8(number.rawValue), .int8(k), .int4(epoch), .int8(node), .int8(doneK), .int8(campaign.rawValue),
      .int4(Int32(limit)), .int8(slot0), .int8(step), zones.map { .texts($0) } ?? .null, .bool(staying))
    return recipients(rows, times: 6)
  }

  /// After a claim whose commit is in doubt: what the row `k` of `node` claimed, or nil when it is not there.
  public static func adopted(_ number: Number.ID, k: Int64, node: Int64, on connection: Connection)
    async throws(DatabaseError) -> [Recipient]?
  {
    let found = try await connection.run(
      "select campaign_id, kind, lo, hi, seqs, attempts from lane_log where number_id = $1 and k = $2 and node = $3",
      .int8(number.rawValue), .int8(k), .int8(node))
    guard let row = found.first else { return nil }
    let campaign = Campaign.ID(row.int64(0))
    if row.int16(1) == Kind.range.rawValue {
      return try await recipients(campaign, row.int32(2), row.int32(3), on: connection)
    }
    return recipients(
      try await connection.run(
        """
        select r.seq, u.attempt, r.contact_id, r.phone, r.person_key, r.vars, u.times
        from lane_log l, unnest(l.seqs, l.attempts, l.times) u (seq, attempt, times), recipient r
        where l.number_id = $1 and l.k = $2 and r.campaign_id = $3 and r.seq = u.seq order by r.seq
        """, .int8(number.rawValue), .int8(k), .int8(campaign.rawValue)), times: 6)
  }

  /// What a new owner does first, after the old one's last legal moment has passed: everything claimed and not known to
  /// be finished is settled. Gated without a fact: `unknown`, because it may have been handed over. Not gated: back to the
  /// queue at once. Answers how many of each.
  public static func sweep(_ number: Number.ID, k: Int64, doneK: Int64, on connection: Connection)
    async throws(DatabaseError) -> (unknown: Int, returned: Int)
  {
    let rows = try await connection.run(
      """
      with claimed as materialized (
        select l.campaign_id, s.seq, 1::int2 as attempt, 0::int2 as times
        from lane_log l, generate_series(l.lo, l.hi) s (seq)
        where l.number_id = $1 and l.k > $3 and l.k < $2 and l.kind = 1
        union
        select l.campaign_id, u.seq, u.attempt, coalesce(u.times, 0)
        from lane_log l, unnest(l.seqs, l.attempts, l.times) u (seq, attempt, times)
        where l.number_id = $1 and l.k > $3 and l.k < $2 and l.kind = 2
      ), open as materialized (
        select c.*, r.contact_id from claimed c join recipient r on r.campaign_id = c.campaign_id and r.seq = c.seq
        where not exists (select from fact f where f.campaign_id = c.campaign_id and f.seq = c.seq and f.attempt >= c.attempt)
          and not exists (select from skip s where s.campaign_id = c.campaign_id and s.seq = c.seq)
          and not exists (select from due d where d.campaign_id = c.campaign_id and d.seq = c.seq)
      ), judged as materialized (
        select o.*, exists (select from touch t where t.contact_id = o.contact_id and t.campaign_id = o.campaign_id
          and t.seq = o.seq and t.attempt = o.attempt) as touched
        from open o
      ), doubted as (
        insert into fact (campaign_id, number_id, at, seq, code, attempt, outcome)
        select campaign_id, $1, clock_timestamp(), seq, 0, attempt, 1 from judged where touched
        on conflict do nothing returning 1
      ), back as (
        insert into due (campaign_id, seq, attempt, due_at, reason, times)
        select campaign_id, seq, max(attempt), now(), 1, max(times) from judged where not touched group by 1, 2
        on conflict do nothing returning 1
      )
      select (select count(*) from doubted), (select count(*) from back)
      """, .int8(number.rawValue), .int8(k), .int8(doneK))
    return (Int(rows[0].int64(0)), Int(rows[0].int64(1)))
  }

  /// The takes this number holds and has not finished, with their cursors from the log.
  public static func openTakes(_ number: Number.ID, on connection: Connection) async throws(DatabaseError) -> [Take] {
    let rows = try await connection.run(
      """
      select t.campaign_id, t.run_no, t.take, greatest(t.from_seq, coalesce(c.hi + 1, t.from_seq)), r.hi, r.zone
      from run_take t
      join campaign g on g.campaign_id = t.campaign_id and g.state = 5
      join run r on r.campaign_id = t.campaign_id and r.run_no = t.run_no
      left join lateral (
        select max(l.hi) hi from lane_log l where l.number_id = t.number_id and l.kind = 1
          and l.campaign_id = t.campaign_id and l.run_no = t.run_no and l.take = t.take
      ) c on true
      where t.number_id = $1 and coalesce(c.hi, t.from_seq - 1) < r.hi
        and not exists (select from run_take n where n.campaign_id = t.campaign_id and n.run_no = t.run_no and n.take > t.take)
      order by t.campaign_id, t.run_no
      """, .int8(number.rawValue))
    return rows.map {
      Take(
        campaign: Campaign.ID($0.int64(0)), run: $0.int32(1), take: $0.int16(2), cursor: $0.int32(3), hi: $0.int32(4),
        zone: $0.text(5))
    }
  }

  /// Gives a run back from its cursor on: this number has no part in the campaign's pace any more, another takes the rest.
  /// The lane's own log goes first, in the same commit: a stale owner, whose cursor is old, fails there.
  public static func giveBack(
    _ take: Take, _ number: Number.ID, k: Int64, epoch: Int32, node: Int64, doneK: Int64, on connection: Connection
  ) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement(
        """
        insert into lane_log (number_id, k, epoch, kind, node, done_k, campaign_id, run_no, take)
        select $1, $2, (select epoch from lane_log where number_id = $1 and k = $2 - 1 and epoch = $3), 5, $4, $5, $6, $7, $8
        """,
        [
          .int8(number.rawValue), .int8(k), .int4(epoch), .int8(node), .int8(doneK), .int8(take.campaign.rawValue),
          .int4(take.run), .int2(take.take),
        ]),
      Statement(
        "insert into run_take (campaign_id, run_no, take, number_id, from_seq) values ($1, $2, $3, 0, $4)",
        [.int8(take.campaign.rawValue), .int4(take.run), .int2(take.take + 1), .int4(take.cursor)]),
    ])
  }

  /// The campaigns this number claimed for within the last `seconds`: a new owner keeps their slots' distance.
  public static func claimedLately(_ number: Number.ID, within seconds: Int, on connection: Connection)
    async throws(DatabaseError) -> Set<Campaign.ID>
  {
    let rows = try await connection.run(
      """
      select distinct campaign_id from (
        select campaign_id, at from lane_log where number_id = $1 order by k desc limit 20000
      ) l where campaign_id is not null and at > now() - make_interval(secs => $2)
      """, .int8(number.rawValue), .int4(Int32(seconds)))
    return Set(rows.map { Campaign.ID($0.int64(0)) })
  }

  /// Takes the first run of a campaign that nobody holds, among those of the open zones: the number's own people first,
  /// those of other numbers only when these are lost, which is then on the record. Nil when there is none, or when another
  /// lane was first (then asking again finds the next).
  public static func takeRun(_ campaign: Campaign.ID, zones: [String], number: Number.ID, on connection: Connection)
    async throws(DatabaseError) -> Take?
  {
    let rows = try await connection.run(
      """
      with free as (
        select r.run_no, coalesce(t.from_seq, r.lo) lo, r.hi, r.zone, coalesce(t.take, 0) + 1 as take,
          nullif(coalesce((select h.number_id from run_take h where h.campaign_id = $1 and h.run_no = r.run_no
            and h.number_id <> 0 order by h.take desc limit 1), r.number_id), $2) as moved_from
        from run r
        left join lateral (
          select take, number_id, from_seq from run_take t where t.campaign_id = $1 and t.run_no = r.run_no
          order by take desc limit 1
        ) t on true
        where r.campaign_id = $1 and r.zone = any($3)
          and (r.number_id is null or r.number_id = $2 or r.number_id in (select number_id from lost_number))
          and (r.opens_at is null or r.opens_at <= now()) and \(Pilots.isOpen)
          and (t.take is null or t.number_id = 0)
        order by r.wave, r.number_id is distinct from $2, r.run_no limit 1
      ), taken as (
        insert into run_take (campaign_id, run_no, take, number_id, from_seq, moved_from)
        select $1, run_no, take, $2, lo, moved_from from free on conflict do nothing returning run_no, moved_from
      ), told as (
        insert into campaign_event (campaign_id, event, actor, reason, evidence)
        select $1, 'people_moved', 'qafila', 'Their number cannot send them; another one does.',
          jsonb_build_object('people', f.hi - f.lo + 1, 'first', f.lo, 'last', f.hi,
            'from', (select phone_number_id from number where number_id = t.moved_from),
            'to', (select phone_number_id from number where number_id = $2))
        from free f join taken t using (run_no) where t.moved_from is not null
      )
      select f.run_no, f.lo, f.hi, f.zone, f.take::int2 from free f join taken using (run_no)
      """, .int8(campaign.rawValue), .int8(number.rawValue), .texts(zones))
    guard let row = rows.first else { return nil }
    return Take(campaign: campaign, run: row.int32(0), take: row.int16(4), cursor: row.int32(1), hi: row.int32(2), zone: row.text(3))
  }

  /// Whom this number wrote to lately, as far as it matters to the pair limit: those written to several times within
  /// `nanoseconds`, and everybody of the last seconds; oldest first.
  public static func recentTouches(_ number: Number.ID, within nanoseconds: Int64, on connection: Connection)
    async throws(DatabaseError) -> [(contact: Contact.ID, at: Instant)]
  {
    let rows = try await connection.run(
      """
      with recent as materialized (
        select contact_id, at from touch where at > now() - make_interval(secs => $2) and number_id = $1
      )
      select contact_id, at from recent where at > now() - interval '6 seconds'
        or contact_id in (select contact_id from recent group by 1 having count(*) > 1)
      order by at
      """, .int8(number.rawValue), .numeric(Amount(billionths: Int128(nanoseconds))))
    return rows.map { (Contact.ID($0.int64(0)), $0.instant(1)) }
  }

  /// Skips those of a run who said stop since the freeze, before anything of it is claimed. Answers how many.
  public static func skipStopped(_ take: Take, business: Business.ID, marketing: Bool, on connection: Connection)
    async throws(DatabaseError) -> Int
  {
    try await connection.run(
      """
      insert into skip (campaign_id, seq, reason)
      select r.campaign_id, r.seq, 1 from recipient r where r.campaign_id = $1 and r.seq between $2 and $3
        and exists (select from suppression s where s.business_id = $4 and s.person_key = r.person_key and s.active
          and (s.scope = 2 or (s.scope = 1 and $5)))
      order by r.seq on conflict do nothing
      """, .int8(take.campaign.rawValue), .int4(take.cursor), .int4(take.hi), .int8(business.rawValue), .bool(marketing)
    ).affected
  }

  // MARK: Liveness

  public struct Beat: Sendable {
    public let node: Int64
    public let seq: Int64
    /// It gives its lanes up: they belong to the others from now on.
    public let leaves: Bool

    public init(node: Int64, seq: Int64, leaves: Bool = false) { (self.node, self.seq, self.leaves) = (node, seq, leaves) }
  }

  public static func beat(_ beat: Beat, on connection: Connection) async throws(DatabaseError) {
    _ = try await connection.batch([
      Statement(
        "insert into node_beat (node, seq, leaves) values ($1, $2, $3)",
        [.int8(beat.node), .int8(beat.seq), .bool(beat.leaves)]),
      Statement("delete from node_beat where node = $1 and seq < $2", [.int8(beat.node), .int8(beat.seq - 8)]),
    ])
  }

  /// Each node's newest beat. Whether one is silent is for the observer to judge, on its own clock.
  public static func beats(on connection: Connection) async throws(DatabaseError) -> [Beat] {
    let rows = try await connection.run("select distinct on (node) node, seq, leaves from node_beat order by node, seq desc")
    return rows.map { Beat(node: $0.int64(0), seq: $0.int64(1), leaves: $0.bool(2)) }
  }
}
