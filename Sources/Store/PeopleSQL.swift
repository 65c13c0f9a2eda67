/// The gate's part about limits of people, where the portfolio or the number has one.
///
/// Whoever must be counted is let through as far as there is room. The room is asked for under the portfolio's lock, which
/// holds until the commit that books them: two lanes never find the same place free. A person counted already takes no
/// place, nor one whose service window is open.
enum PeopleSQL {
  static let columns = ", p.open, p.known, p.met"

  /// A window that closes while the message is on its way is not open any more.
  static let joins = """
    left join lateral (
      select exists (select from service_window s where s.number_id = $1 and s.person_key = a.person_key
          and s.until > clock_timestamp() + interval '30 seconds') as open,
        exists (select from reach r where r.contact_id = a.contact_id and r.portfolio_id = $11
          and r.until > clock_timestamp()) as known,
        exists (select from reach r where r.contact_id = a.contact_id and r.number_id = $1
          and r.day_until > clock_timestamp()) as met
    ) p on true
    """

  /// `parameters`: the first of three, the portfolio's limit, the number's for today, the end of today.
  static func judging(capped: Bool, parameters: Int) -> String {
    """
    , room as materialized (
      select r.people, r.today from people_room($11, $1, $\(parameters)::int4, $\(parameters + 1)::int4,
        $\(parameters + 2)::timestamptz, exists (select from looked where look = 0 and not mine and not open)) r
    ), placed as materialized (
      select *, look = 0 and not mine and not open as counted,
        count(*) filter (where look = 0 and not mine and not open and not known) over (order by i) as place,
        count(*) filter (where look = 0 and not mine and not open and not met) over (order by i) as place_today
      from looked
    ), judged as materialized (
      select p.*, case when not p.counted then p.look when not p.known and p.place > r.people then 5
        when not p.met and p.place_today > r.today then 6 else 0 end as verdict
      from placed p cross join room r
    )
    """
  }

  static func booking(parameters: Int) -> String {
    """
    , booked as materialized (
      select people_book($11, $1, $\(parameters + 2)::timestamptz, coalesce(array_agg(t.campaign_id), '{}'),
        coalesce(array_agg(t.seq), '{}'), coalesce(array_agg(t.attempt), '{}'), coalesce(array_agg(t.contact_id), '{}')) as count
      from touched t join judged j using (campaign_id, seq) where j.counted
    )
    """
  }
}
