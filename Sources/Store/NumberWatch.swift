import Domain
import JSON
import Postgres

/// The looks at numbers that the guard takes: when each is due, what was seen, what follows.
public enum NumberWatch {
  public struct Due: Sendable {
    public let number: Number.ID
    public let phoneNumberID: String
    public let sealedToken: [UInt8]
    public let isSending: Bool
  }

  /// Takes the look that is due longest and sets the number's next one, so that of several guards one looks. Nil when
  /// none is due.
  public static func take(whileSending: Duration, idle: Duration, on pool: Pool) async throws(DatabaseError) -> Due? {
    let rows = try await pool.run(
      """
      with due as (
        select number_id from number where watch_due <= now() order by watch_due limit 1 for update skip locked
      ), live as (
        select d.number_id, exists (select from campaign c where c.state = 5 and d.number_id = any(c.numbers)) as sending
        from due d
      )
      update number n set watch_due = now() + make_interval(secs => case when l.sending then $1 else $2 end)
      from live l, token t where n.number_id = l.number_id and t.token_id = n.token_id
      returning n.number_id, n.phone_number_id, t.sealed, l.sending
      """, .numeric(Amount(billionths: Int128(whileSending.nanoseconds))),
      .numeric(Amount(billionths: Int128(idle.nanoseconds))))
    return rows.first.map {
      Due(number: Number.ID($0.int64(0)), phoneNumberID: $0.text(1), sealedToken: $0.bytes(2), isSending: $0.bool(3))
    }
  }

  /// A campaign begins to send: its numbers are looked at soon, whatever their idle period says. One whose look is due at
  /// infinity is never looked at.
  public static func hasten(within period: Duration, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      update number n set watch_due = now()
      where n.watch_due > now() + make_interval(secs => $1) and n.watch_due < 'infinity'
        and n.number_id in (select unnest(numbers) from campaign where state = 5)
      """, .numeric(Amount(billionths: Int128(period.nanoseconds))))
  }

  /// Puts off the next look, e.g. while Meta's budget of calls is nearly used up.
  public static func postpone(_ number: Number.ID, by delay: Duration, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      "update number set watch_due = greatest(watch_due, now() + make_interval(secs => $2)) where number_id = $1",
      .int8(number.rawValue), .numeric(Amount(billionths: Int128(delay.nanoseconds))))
  }

  /// Takes over what a look showed and opens the pauses that follow, in one commit. The observation is kept when it differs
  /// from the last, and once an hour.
  ///
  /// A colour stops a campaign once: after an operator's resume it may go on at the same colour, until the colour gets
  /// worse or comes back; and so does Meta's flag, under which it still sends. Urgent messages and answers to people are no
  /// campaign: a code for a login does not wait because offers were disliked. `stops`: what Meta's status asks for.
  public static func record(
    _ seen: Numbers.Observation, of number: Number.ID, stops: GuardRule?, on pool: Pool
  ) async throws(DatabaseError) {
    var statements = [
      Statement(
        """
        insert into number_observation (number_id, source, observation)
        select $1, 'poll', $2::jsonb where not exists (
          select from (select observation, at from number_observation where number_id = $1 and source = 'poll'
            order by at desc limit 1) o where o.observation = $2::jsonb and o.at > now() - interval '1 hour')
        """, [.int8(number.rawValue), .jsonb(seen.raw.rendered())]),
      PeopleCounts.noting(seen.tier, of: number),
      Statement(
        """
        update number set status = $2, status_since = case when status = $2 then status_since else now() end,
          quality_since = case when quality = $3 then quality_since else now() end,
          quality = $3, tier = coalesce(nullif($4, ''), tier), throughput = $5, per_second = $6, observed_at = now(),
          verified_name = coalesce(nullif($7, ''), verified_name)
        where number_id = $1
        """,
        [
          .int8(number.rawValue), .text(seen.status), .text(seen.quality), .text(seen.tier), .text(seen.throughput),
          .int4(seen.perSecond), .text(seen.verifiedName),
        ]),
    ]
    let evidence = seen.raw.rendered()
    if let rule: GuardRule = ["YELLOW": .qualityYellow, "RED": .qualityRed][seen.quality] {
      let stopsAt = rule == .qualityRed ? ["YELLOW", "RED"] : ["YELLOW"]
      statements.append(
        Statement(
          """
          select guard_pause(c.business_id, 7::int2, c.campaign_id, $2, $3, $4::jsonb)
          from campaign c join number n on n.number_id = $1
          where c.state in (3, 4, 5) and c.kind in (1, 2) and $1 = any(c.numbers)
            and coalesce(c.spec -> 'guard' ->> 'pause_at', 'YELLOW') = any($5)
            and not guard_told(7::int2, c.campaign_id, $2, n.quality_since)
          """,
          [
            .int8(number.rawValue), .text(rule.rawValue), .text(rule.sentence), .jsonb(evidence), .texts(stopsAt),
          ]))
    }
    if let stops {
      statements.append(
        Statement(
          """
          select guard_pause(business_id, 5::int2, number_id, $2, $3, $4::jsonb) from number where number_id = $1
            and ($2 <> 'number_flagged' or not guard_told(5::int2, number_id, $2, status_since))
          """,
          [.int8(number.rawValue), .text(stops.rawValue), .text(stops.sentence), .jsonb(evidence)]))
    }
    _ = try await pool.batch(statements)
  }

  /// A campaign begins to send: what is known of its numbers' colours holds for it at once, not from the next look on.
  /// For the caller's batch, after the campaign's state has changed.
  public static func judgeColours(of campaign: Campaign.ID) -> Statement {
    Statement(
      """
      select guard_pause(c.business_id, 7::int2, c.campaign_id, r.rule, r.reason,
        jsonb_build_object('quality', n.quality, 'phone_number_id', n.phone_number_id, 'since', n.quality_since))
      from campaign c join number n on n.number_id = any(c.numbers)
        join unnest($2::text[], $3::text[], $4::text[]) r (colour, rule, reason) on r.colour = n.quality
      where c.campaign_id = $1 and c.state = 5 and c.kind in (1, 2)
        and (n.quality = 'RED' or coalesce(c.spec -> 'guard' ->> 'pause_at', 'YELLOW') = 'YELLOW')
        and not guard_told(7::int2, c.campaign_id, r.rule, n.quality_since)
      """,
      [
        .int8(campaign.rawValue), .texts(["YELLOW", "RED"]),
        .texts([GuardRule.qualityYellow.rawValue, GuardRule.qualityRed.rawValue]),
        .texts([GuardRule.qualityYellow.sentence, GuardRule.qualityRed.sentence]),
      ])
  }

  /// Meta says by itself that it sends again: the pause its status opened is over.
  public static func lift(_ number: Number.ID, on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run(
      """
      insert into pause_end (pause_id, reason, actor)
      select pause_id, 'Meta''s status allows sending again', 'qafila' from open_pause
      where scope = 5 and scope_id = $1 and rule = 'number_stopped' on conflict do nothing
      """, .int8(number.rawValue))
  }

  public struct Seen: Sendable {
    public let at: Instant
    public let source: String
    public let observation: [UInt8]
  }

  /// What was seen of a number, the newest first.
  public static func history(_ number: Number.ID, limit: Int, on pool: Pool) async throws(DatabaseError) -> [Seen] {
    try await pool.run(
      "select at, source, observation from number_observation where number_id = $1 order by at desc limit $2",
      .int8(number.rawValue), .int4(Int32(limit))
    ).map { Seen(at: $0.instant(0), source: $0.text(1), observation: $0.jsonb(2)) }
  }
}
