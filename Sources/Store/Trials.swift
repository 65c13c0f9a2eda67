import Domain
import JSON
import Postgres

/// Test sends: a campaign of the kind `test` whose few recipients are named, written in one commit and sending at once.
public enum Trials {
  public struct Person: Sendable {
    public let phone: PhoneNumber
    public let key: PersonKey
    public let country: String
    public let values: [String]

    public init(phone: PhoneNumber, key: PersonKey, country: String, values: [String]) {
      (self.phone, self.key, self.country, self.values) = (phone, key, country, values)
    }
  }

  /// Of those phones that are contacts, their attributes as JSON.
  public static func attributes(of phones: [PhoneNumber], business: Business.ID, on pool: Pool)
    async throws(DatabaseError)
    -> [PhoneNumber: [UInt8]]
  {
    let rows = try await pool.run(
      "select phone, attributes from contact where business_id = $1 and phone = any($2)", .int8(business.rawValue),
      .int8s(phones.map(\.digits)))
    return rows.reduce(into: [:]) { known, row in
      if let phone = PhoneNumber(digits: row.int64(0)) { known[phone] = row.jsonb(1) }
    }
  }

  /// Starts the test. Who is not a contact yet becomes one, without consent: marketing never reaches them by that.
  public static func start(
    _ draft: Campaigns.Draft, template: Templates.Entry, people: [Person], of parent: Campaign.ID,
    business: Business.ID,
    by actor: String, on pool: Pool
  ) async throws -> Campaign.ID {
    let frozen = try FrozenCampaign(draft.spec, template)
    return try await pool.transaction { tx in
      let id = try await tx.run(
        """
        insert into campaign (campaign_id, business_id, kind, parent_id, name, state, spec, frozen, account_id,
          template_id, category, numbers, start_at, recipients, excluded, created_by, launched_by, launched_at,
          prepared_at)
        values (next_campaign_id(), $1, 2, $2, $3, 5, $4, $5, $6, $7, $8, $9, now(), $10, 0, $11, $11, now(), now())
        returning campaign_id
        """, .int8(business.rawValue), .int8(parent.rawValue), .text(draft.spec.name), .jsonb(draft.spec.json.rendered()),
        .jsonb(frozen.json), .int8(draft.account.rawValue),
        .int8(draft.template.rawValue), .int2(draft.category.rawValue), .int8s(draft.numbers.map(\.rawValue)),
        .int8(Int64(people.count)), .text(actor))[0].int64(0)
      _ = try await tx.batch([
        Statement(
          """
          insert into contact (business_id, phone, person_key, country)
          select $1, p, k, c from unnest($2::int8[], $3::uuid[], $4::text[]) x (p, k, c) on conflict do nothing
          """,
          [
            .int8(business.rawValue), .int8s(people.map(\.phone.digits)), .uuids(people.map(\.key)),
            .texts(people.map(\.country)),
          ]),
        Statement(
          """
          insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
          select $2, c.contact_id, c.phone, n, 0, c.person_key,
            coalesce((select array_agg(v order by i) from jsonb_array_elements_text(j) with ordinality e (v, i)), '{}')
          from unnest($3::int8[], $4::jsonb[]) with ordinality x (p, j, n)
          join contact c on c.business_id = $1 and c.phone = p
          """,
          [
            .int8(business.rawValue), .int8(id), .int8s(people.map(\.phone.digits)),
            .jsonbs(people.map { JSONValue.array($0.values.map { .string($0) }).rendered() }),
          ]),
        Statement(
          "insert into run (campaign_id, run_no, lo, hi, zone) values ($1, 1, 1, $2, 'Etc/UTC')",
          [.int8(id), .int4(Int32(people.count))]),
        Campaigns.event(Campaign.ID(id), "launched", actor: actor, evidence: ["test_of": .string(parent.description)]),
        Audit.entry(business: business, actor: actor, action: "campaign_tested", subject: parent.description),
      ])
      return Campaign.ID(id)
    }
  }
}
