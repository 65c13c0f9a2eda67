import Domain

/// Set-based: each statement passes over the stage once, in the order of the key it writes.
enum UploadSQL {
  static let makeMerging =
    "create aggregate pg_temp.merge_attributes (jsonb) (sfunc = jsonb_concat, stype = jsonb, initcond = '{}')"
  static let dropMerging = "drop aggregate pg_temp.merge_attributes (jsonb)"

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
        max(consent_at) as consent_at, min(user_id) as user_id
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
        or (s.user_id is not null and c.user_id is null
          and not exists (select from contact o where o.business_id = $1 and o.user_id = s.user_id))
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

  /// Contacts known by an id alone that the file gives a phone.
  static let findAlone = """
    create temporary table import_alone as
      select distinct on (s.phone) c.contact_id, c.person_key as alias, s.phone, s.person_key, s.country
      from (
        select distinct on (user_id) user_id, phone, person_key, country from import_stage
        where user_id is not null order by user_id, line
      ) s join contact c on c.business_id = $1 and c.user_id = s.user_id and c.phone is null
      order by s.phone, c.contact_id
    """

  /// Makes one contact of each of them: of those whose phone is a contact too, that one, with what both had; of the
  /// others the one there is, with the phone.
  static let absorb = [
    """
    with twice as (
      select a.contact_id as alone, p.contact_id as kept
      from import_alone a join contact p on p.business_id = $1 and p.phone = a.phone
    ), lists as (
      select m.audience_id, b.alone, b.kept from twice b join audience a on a.business_id = $1
      join audience_member m on m.audience_id = a.audience_id and m.contact_id = b.alone
    ), joined as (
      insert into audience_member (audience_id, contact_id) select audience_id, kept from lists order by 1, 2
      on conflict do nothing
    ), left_lists as (
      delete from audience_member m using lists l where m.audience_id = l.audience_id and m.contact_id = l.alone
    ), gone as (
      delete from contact c using twice b where c.contact_id = b.alone
      returning b.kept, c.attributes, c.opt_in_at, c.opt_in_source, c.opt_in_upload
    )
    update contact p set attributes = g.attributes || p.attributes, updated_at = now(),
      opt_in_at = case when g.opt_in_at > coalesce(p.opt_in_at, '-infinity') then g.opt_in_at else p.opt_in_at end,
      opt_in_source =
        case when g.opt_in_at > coalesce(p.opt_in_at, '-infinity') then g.opt_in_source else p.opt_in_source end,
      opt_in_upload =
        case when g.opt_in_at > coalesce(p.opt_in_at, '-infinity') then g.opt_in_upload else p.opt_in_upload end
    from gone g where p.contact_id = g.kept
    """,
    """
    update contact c set phone = a.phone, person_key = a.person_key, country = a.country, updated_at = now()
    from import_alone a where c.contact_id = a.contact_id and c.business_id = $1
    """,
  ]

  /// A contact's first user id, unless somebody else has it.
  static let attachUserIDs = """
    update contact c set user_id = s.user_id, updated_at = now()
    from (
      select distinct on (user_id) user_id, phone from import_stage where user_id is not null order by user_id, line
    ) s
    where c.business_id = $1 and c.phone = s.phone and c.user_id is null
      and not exists (select from contact o where o.business_id = $1 and o.user_id = s.user_id)
    """

  /// One row of those with the same user id.
  static let mergeUsers = """
    create temporary table import_person on commit drop as
      select min(line) as line, user_id, min(person_key::text)::uuid as person_key, min(country) as country,
        pg_temp.merge_attributes(attributes order by line) as attributes,
        (array_agg(opt_in_source order by consent_at desc nulls last, line desc)
          filter (where opt_in_source is not null))[1] as opt_in_source,
        max(consent_at) as consent_at, count(*) as rows
      from import_user group by user_id
    """

  /// The same as for phones, in one statement: these are few.
  static let takeUsers = """
    with known as (
      select s.*, c.contact_id, not c.attributes @> s.attributes or coalesce(\(newerConsent), false) as differs
      from import_person s join contact c on c.business_id = $1 and c.user_id = s.user_id
    ), changed as (
      update contact c set
        attributes = c.attributes || s.attributes,
        opt_in_at = case when \(newerConsent) then coalesce(s.consent_at, $2) else c.opt_in_at end,
        opt_in_source = case when \(newerConsent) then s.opt_in_source else c.opt_in_source end,
        opt_in_upload = case when \(newerConsent) then $3 else c.opt_in_upload end,
        updated_at = now()
      from known s where s.differs and c.contact_id = s.contact_id
    ), made as (
      insert into contact (business_id, user_id, person_key, country, attributes, opt_in_at, opt_in_source,
        opt_in_upload)
      select $1, user_id, person_key, country, attributes,
        case when opt_in_source is not null then coalesce(consent_at, $2) end, opt_in_source,
        case when opt_in_source is not null then $3 end
      from import_person s where not exists (select from known k where k.user_id = s.user_id)
      order by user_id
      returning contact_id
    ), member as (
      insert into audience_member (audience_id, contact_id)
      select $4, contact_id from (select contact_id from known union select contact_id from made) x
      on conflict do nothing returning 1
    )
    select (select coalesce(sum(rows), 0)::int8 from import_person), (select count(*) from import_person),
      (select count(*) from known), (select count(*) from known where differs), (select count(*) from member)
    """

  /// The proof of each consent this import set, in the ledger: a start, from an import. A stop that stands is not
  /// undone by it, whatever the file's date: a list is what a business says of people, not what they said, so nothing
  /// of it reaches `suppression`.
  static let recordConsents = recording("import_stage s join contact c on c.business_id = $1 and c.phone = s.phone")
  static let recordUserConsents = recording(
    "import_user s join contact c on c.business_id = $1 and c.user_id = s.user_id")

  private static func recording(_ people: String) -> String {
    """
    insert into consent (business_id, person_key, scope, event, source, evidence, source_at)
    select distinct on (c.person_key) $1, c.person_key, 1, 2, 7,
      jsonb_strip_nulls(jsonb_build_object('import', $2::text, 'line', s.line, 'from', c.opt_in_source,
        'text', left(s.attributes->>'consent_text', 500))),
      c.opt_in_at
    from \(people)
    where s.opt_in_source is not null and c.opt_in_upload = $2
    order by c.person_key, s.line
    """
  }

  /// The next thousand rows of a stage after a line, as stops; how many, and the last line of them, null with the end.
  static func recordStops(_ stage: String) -> String {
    """
    with part as materialized (
      select line, person_key, least(coalesce(consent_at, $4), clock_timestamp()) as at from \(stage)
      where line > $2 order by line limit 1000
    )
    select record_consent($1, array_agg(person_key), array_agg($3::int2), array_agg(\(ConsentEvent.stop.rawValue)::int2),
      array_agg(\(ConsentSource.upload.rawValue)::int2), array_agg(jsonb_build_object('import', $5::text, 'line', line)),
      array_agg(at)), max(line)
    from part
    """
  }

  static let keepRejects = """
    insert into upload_reject (upload_id, line, reason, remedy, raw)
    select $1, line, reason, remedy, raw from import_reject order by line
    on conflict do nothing
    """
}
