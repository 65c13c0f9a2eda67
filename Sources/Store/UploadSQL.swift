/// Set-based: each statement passes over the stage once, in the order of the key it writes.
enum UploadSQL {
  static let findRepeated = """
    create temporary table import_repeated on commit drop as
      select phone from import_stage group by phone having count(*) > 1
    """

  /// Later rows win; consent of the row that says the latest time.
  static let merge = """
    create temporary table import_merged on commit drop as
      select min(line) as line, phone, min(person_key::text)::uuid as person_key, min(country) as country,
        bool_and(suspect) as suspect, pg_temp.merge_attributes(attributes order by line) as attributes,
        (array_agg(opt_in_source order by consent_at desc nulls last, line desc)
          filter (where opt_in_source is not null))[1] as opt_in_source,
        max(consent_at) as consent_at
      from import_stage join import_repeated using (phone)
      group by phone
    """

  private static let newerConsent = """
    s.opt_in_source is not null and (c.opt_in_at is null or s.consent_at > c.opt_in_at)
    """

  /// Attributes are flat texts: the stored ones contain the row's exactly when merging would change nothing.
  static let findKnown = """
    insert into import_known (phone, contact_id, differs)
    select s.phone, c.contact_id,
      not c.attributes @> s.attributes or (c.suspect and not s.suspect) or (c.country = '' and s.country <> '')
        or coalesce(\(newerConsent), false)
    from import_stage s join contact c on c.business_id = $1 and c.phone = s.phone
    """

  static let update = """
    update contact c set
      attributes = c.attributes || s.attributes,
      suspect = c.suspect and s.suspect,
      country = case when c.country = '' then s.country else c.country end,
      opt_in_at = case when \(newerConsent) then coalesce(s.consent_at, $1) else c.opt_in_at end,
      opt_in_source = case when \(newerConsent) then s.opt_in_source else c.opt_in_source end,
      opt_in_upload = case when \(newerConsent) then $2 else c.opt_in_upload end,
      updated_at = now()
    from import_known k join import_stage s using (phone)
    where k.differs and c.contact_id = k.contact_id
    """

  static let addKnown = """
    insert into audience_member (audience_id, contact_id)
    select $1, contact_id from import_known k
    where not exists (select from audience_member m where m.audience_id = $1 and m.contact_id = k.contact_id)
    order by contact_id
    on conflict do nothing
    """

  /// Those who are new, and with them in the audience.
  static let create = creating(conflict: "", memberConflict: "")

  /// The same where somebody else may store one of them meanwhile.
  static let createOrMerge = creating(
    conflict: """
      on conflict (business_id, phone) do update set
        attributes = c.attributes || excluded.attributes, updated_at = now(),
        opt_in_at = coalesce(c.opt_in_at, excluded.opt_in_at),
        opt_in_source = case when c.opt_in_at is null then excluded.opt_in_source else c.opt_in_source end,
        opt_in_upload = case when c.opt_in_at is null then excluded.opt_in_upload else c.opt_in_upload end
      """, memberConflict: "on conflict do nothing")

  private static func creating(conflict: String, memberConflict: String) -> String {
    """
    with made as (
      insert into contact as c (business_id, phone, person_key, country, suspect, attributes, opt_in_at, opt_in_source,
        opt_in_upload)
      select $1, phone, person_key, country, suspect, attributes,
        case when opt_in_source is not null then coalesce(consent_at, $2) end, opt_in_source,
        case when opt_in_source is not null then $3 end
      from import_stage s
      where not exists (select from import_known k where k.phone = s.phone)
      order by phone
      \(conflict)
      returning contact_id
    ), member as (
      insert into audience_member (audience_id, contact_id)
      select $4, contact_id from made \(memberConflict) returning 1
    )
    select count(*) from member
    """
  }

  static let keepRejects = """
    insert into upload_reject (upload_id, line, reason, remedy, raw)
    select $1, line, reason, remedy, raw from import_reject order by line
    on conflict do nothing
    """
}
