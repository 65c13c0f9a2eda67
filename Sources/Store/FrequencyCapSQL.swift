/// When a person's frequency cap clears, as an SQL expression; null when it leaves room now.
///
/// The touch log holds what may have been handed over. A message counts once however often it was tried, at its latest
/// try; the message asked about never counts against itself. With `messages` in the window, room comes when the
/// `messages`-th newest leaves it.
enum FrequencyCapSQL {
  static func clears(contact: String, campaign: String, seq: String, messages: String, days: String) -> String {
    """
    (select m.at + \(days) * interval '1 day' from (
        select max(t.at) as at from touch t
        where t.contact_id = \(contact) and t.at > now() - \(days) * interval '1 day'
          and (t.campaign_id, t.seq) is distinct from (\(campaign), \(seq))
          and coalesce(t.marketing, (select c.category in (1, 6) and c.kind = 1 from campaign c
            where c.campaign_id = t.campaign_id), false)
        group by t.campaign_id, t.seq
      ) m order by m.at desc offset greatest(\(messages), 1) - 1 limit 1)
    """
  }
}
