import Domain
import Postgres

/// What is known of an audience's people besides their phones, and how many of them a segment means.
public enum AudienceAttributes {
  /// Names that occur among the first and the last members of each audience; nil audiences: among all contacts.
  public static func names(in audiences: [Audience.ID]?, of business: Business.ID, on pool: Pool)
    async throws(DatabaseError) -> [String]
  {
    let rows: Rows
    if let audiences {
      rows = try await pool.run(
        """
        select distinct jsonb_object_keys(c.attributes) as name from unnest($2::int8[]) a (audience_id)
        cross join lateral (
          (select contact_id from audience_member m where m.audience_id = a.audience_id order by contact_id limit $3)
          union
          (select contact_id from audience_member m where m.audience_id = a.audience_id order by contact_id desc limit $3)
        ) m
        join contact c on c.contact_id = m.contact_id and c.business_id = $1 order by name
        """, .int8(business.rawValue), .int8s(audiences.map(\.rawValue)), .int8(looked))
    } else {
      rows = try await pool.run(
        """
        select distinct jsonb_object_keys(attributes) as name from (
          (select * from contact order by contact_id limit $2)
          union all
          (select * from contact order by contact_id desc limit $2)
        ) c where business_id = $1 order by name
        """, .int8(business.rawValue), .int8(looked))
    }
    return rows.map { $0.text(0) }
  }

  /// People looked at from each end of an audience.
  private static let looked: Int64 = 500

  /// Which of these names nobody has. Reads everybody only for a name that nobody has.
  public static func missing(_ names: [String], in audiences: [Audience.ID]?, of business: Business.ID, on pool: Pool)
    async throws(DatabaseError) -> [String]
  {
    guard !names.isEmpty else { return [] }
    let somebody =
      audiences == nil
      ? "select from contact c where c.business_id = $1 and c.attributes ? n"
      : """
      select from audience_member m join contact c using (contact_id)
      where m.audience_id = any($3) and c.business_id = $1 and c.attributes ? n
      """
    let rows = try await pool.run(
      Statement(
        "select n from unnest($2::text[]) n where not exists (\(somebody))",
        [.int8(business.rawValue), .texts(names)] + (audiences.map { [.int8s($0.map(\.rawValue))] } ?? [])))
    return rows.map { $0.text(0) }
  }

  public static func names(of ids: [Audience.ID], of business: Business.ID, on pool: Pool) async throws(DatabaseError)
    -> [Audience.ID: String]
  {
    guard !ids.isEmpty else { return [:] }
    let rows = try await pool.run(
      "select audience_id, name from audience where business_id = $1 and audience_id = any($2)",
      .int8(business.rawValue), .int8s(ids.map(\.rawValue)))
    return Dictionary(uniqueKeysWithValues: rows.map { (Audience.ID($0.int64(0)), $0.text(1)) })
  }

  /// People of the audiences, each once, whom all the segments mean, and those of them with a recorded marketing consent.
  public static func count(_ part: CampaignSpec.AudiencePart, now: Instant, on pool: Pool) async throws(DatabaseError)
    -> (people: Int, marketable: Int)
  {
    var arguments = Freeze.Arguments()
    let audiences = arguments.add(.int8s(part.ids.map(\.rawValue)))
    let conditions = part.segments.map { "and " + SegmentSQL.condition($0, now: now, &arguments) }
    let members =
      part.ids.count == 1
      ? "select contact_id from audience_member where audience_id = (\(audiences))[1]"
      : "select distinct contact_id from audience_member where audience_id = any(\(audiences))"
    let row = try await pool.run(
      Statement(
        """
        select count(*), count(*) filter (where c.opt_in_at is not null)
        from (\(members)) m join contact c using (contact_id) where true \(conditions.joined(separator: " "))
        """, arguments.values))[0]
    return (Int(row.int64(0)), Int(row.int64(1)))
  }
}
