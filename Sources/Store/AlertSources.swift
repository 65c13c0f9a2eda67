import Domain
import Postgres

/// Derives alerts from the tables of events: campaigns, pauses, observations, budgets, consents. An event becomes one alert,
/// with its deliveries in the same transaction; nothing of it is written where the event happens, so that no hot path pays.
///
/// Rows become visible in another order than their times tell, so each round looks back by `lateness` and leaves out what
/// it knows. A transaction that writes an event and stays open for longer than that would be missed; ours take milliseconds.
public enum AlertSources {
  public static let lateness: Duration = .seconds(120)
  /// Events of one source in a round; the rest comes in the next.
  public static let limit: Int32 = 500

  /// Derives what is new; answers how many alerts were made. One node at a time does it.
  public static func derive(on pool: Pool) async throws -> Int {
    try await pool.transaction { tx in
      let rows = try await tx.run(
        """
        select c.upto - make_interval(secs => $1), clock_timestamp() from alert_cursor c for update
        """, .numeric(Amount(billionths: Int128(lateness.nanoseconds))))
      let (from, now) = (rows[0].instant(0), rows[0].instant(1))
      var made = 0
      var isBehind = false
      for source in sources {
        let count = try await tx.run(deriving(source), .timestamptz(from), .int4(limit))[0].int64(0)
        made += Int(count)
        if count >= Int64(limit) { isBehind = true }
      }
      // Behind, the place stays: the next round leaves out what this one made.
      if !isBehind { _ = try await tx.run("update alert_cursor set upto = $1", .timestamptz(now)) }
      return made
    }
  }

  private static func deriving(_ source: String) -> String {
    """
    with found (business_id, source, event, at, data) as (
      select * from (\(source)) s
      where s.at > $1 and not exists (select from alert a where a.source = s.source)
      order by s.at limit $2
    ), fresh as (
      insert into alert (business_id, source, event, at, data) select * from found order by at
      on conflict (source) do nothing returning alert_id, business_id, event
    ), told as (
      insert into delivery (endpoint_id, alert_id)
      select e.endpoint_id, f.alert_id from fresh f join endpoint e on e.business_id = f.business_id
        and e.removed_at is null and f.event = any(e.events)
    )
    select count(*) from fresh
    """
  }

  /// Who or what a pause stands over, as others know it.
  private static let subject = """
    case p.scope when 2 then (select meta_id from portfolio where portfolio_id = p.scope_id)
      when 3 then (select waba_id from account where account_id = p.scope_id)
      when 5 then (select phone_number_id from number where number_id = p.scope_id)
      when 6 then (select name from template where template_id = p.scope_id)
      else p.scope_id::text end
    """

  private static let scope = """
    (array['business', 'portfolio', 'account', 'token', 'number', 'template', 'campaign'])[p.scope]
    """

  private static let sources = [
    // Pauses of campaigns stand here too: an error's has no event of its own.
    """
    select p.business_id, 'pause:' || p.pause_id as source,
      case p.scope when 7 then 'campaign.paused' else 'sending.paused' end, p.at,
      jsonb_strip_nulls(jsonb_build_object('scope', \(scope), 'id', \(subject), 'name', c.name, 'reason', p.reason,
        'rule', nullif(p.rule, ''), 'cause', p.cause, 'by', p.actor, 'pause', p.pause_id::text))
    from pause p left join campaign c on p.scope = 7 and c.campaign_id = p.scope_id
    where p.at > $1 and p.cause <> 'cancelled'
    """,
    """
    select p.business_id, 'pause_end:' || p.pause_id as source,
      case p.scope when 7 then 'campaign.resumed' else 'sending.resumed' end, e.at,
      jsonb_strip_nulls(jsonb_build_object('scope', \(scope), 'id', \(subject), 'name', c.name, 'reason', e.reason,
        'by', e.actor, 'pause', p.pause_id::text, 'still_paused',
        exists (select from open_pause o where o.scope = p.scope and o.scope_id = p.scope_id)))
    from pause_end e join pause p using (pause_id) left join campaign c on p.scope = 7 and c.campaign_id = p.scope_id
    where e.at > $1
    """,
    """
    select c.business_id, 'campaign_event:' || e.event_id as source, 'campaign.' || e.event, e.at,
      jsonb_strip_nulls(jsonb_build_object('id', c.campaign_id::text, 'name', c.name, 'reason', nullif(e.reason, ''),
        'rule', e.evidence -> 'rule', 'by', e.actor))
    from campaign_event e join campaign c using (campaign_id)
    where e.at > $1 and e.event in ('slowed', 'cancelled', 'failed') and c.kind <> 2
    """,
    """
    select business_id, 'campaign_sent:' || campaign_id as source, 'campaign.sent', sent_at as at,
      jsonb_build_object('id', campaign_id::text, 'name', name, 'recipients', recipients, 'excluded', excluded)
    from campaign where sent_at > $1 and kind = 1
    """,
    """
    select business_id, 'campaign_finished:' || campaign_id as source, 'campaign.finished', ended_at as at,
      jsonb_build_object('id', campaign_id::text, 'name', name, 'recipients', recipients, 'excluded', excluded)
    from campaign where ended_at > $1 and state = 9 and kind = 1
    """,
    observed("quality", "number.quality_changed"),
    observed("tier", "number.tier_changed"),
    """
    select t.business_id, 'template_quality:' || t.template_id || ':' || (extract(epoch from o.at) * 1000000)::int8 as source,
      'template.quality_changed', o.at,
      jsonb_build_object('id', t.meta_id, 'name', t.name, 'language', t.language, 'from', b.was,
        'to', upper(o.observation ->> 'quality'))
    from template_observation o join template t using (template_id)
    left join lateral (select upper(b.observation ->> 'quality') as was from template_observation b
      where b.template_id = o.template_id and b.at < o.at and b.observation ? 'quality' order by b.at desc limit 1) b on true
    where o.at > $1 and o.observation ? 'quality' and b.was is distinct from upper(o.observation ->> 'quality')
    """,
    """
    select business_id, 'audit:' || audit_id as source, 'budget.threshold', at,
      detail || jsonb_build_object('scope', split_part(subject, ' ', 1), 'id', split_part(subject, ' ', 2))
    from audit where at > $1 and action = 'budget_threshold'
    """,
    """
    select business_id, 'audit:' || audit_id as source, 'reconciliation.differs', at,
      detail || jsonb_build_object('id', subject)
    from audit where at > $1 and action = 'reconciliation_differs'
    """,
    // Nobody needs to be told what was in a file that they loaded themselves.
    """
    select c.business_id, 'consent:' || c.consent_id as source, 'contact.opted_out', c.recorded_at as at,
      jsonb_build_object('person', left(replace(c.person_key::text, '-', ''), 16), 'scope', case c.scope when 1 then 'marketing' else 'everything' end,
        'source', (array['button', 'text', 'native_preference', '131050', 'api', 'cli', 'import', 'operator',
          'unanswered'])[c.source], 'said_at', c.source_at)
    from consent c
    where c.recorded_at > $1 and c.event = 1 and c.source <> 7 and exists (select from endpoint e
      where e.business_id = c.business_id and e.removed_at is null and 'contact.opted_out' = any(e.events))
    """,
  ]

  /// A field of a number's observations differs from the observation before.
  private static func observed(_ field: String, _ event: String) -> String {
    """
    select n.business_id, 'number_\(field):' || n.number_id || ':' || (extract(epoch from o.at) * 1000000)::int8 as source,
      '\(event)', o.at,
      jsonb_build_object('id', n.phone_number_id, 'label', n.label, 'from', b.was, 'to', upper(o.observation ->> '\(field)'))
    from number_observation o join number n using (number_id)
    join lateral (select upper(b.observation ->> '\(field)') as was from number_observation b
      where b.number_id = o.number_id and b.at < o.at and b.observation ? '\(field)' order by b.at desc limit 1) b on true
    where o.at > $1 and o.observation ? '\(field)' and b.was <> upper(o.observation ->> '\(field)')
    """
  }
}
