import Domain
import JSON
import Postgres

/// What Meta tells of accounts, numbers and templates, taken into the record: kept with time and source, applied, and
/// answered with a pause where sending must stop. The statements belong to the commit that stores the webhook, so that a
/// pause holds from the moment of its 200.
public enum Notices {
  public struct Notice: Sendable {
    /// Meta's id of the account the webhook names.
    public let wabaID: String
    public let meaning: Meaning
    /// Tells a repetition from news; nil where Meta gave no time, which is always taken as news.
    public let digest: [UInt8]?

    public init(wabaID: String, meaning: Meaning, digest: [UInt8]?) {
      (self.wabaID, self.meaning, self.digest) = (wabaID, meaning, digest)
    }
  }

  public enum Meaning: Sendable, Equatable {
    /// Only APPROVED is sendable. `name` and `language` find the template where its id has changed.
    case templateStatus(TemplateName, status: String, detail: String)
    case templateQuality(TemplateName, quality: String)
    /// In force now. A dearer category than the campaign was launched with stops it.
    case templateCategory(TemplateName, Category)
    /// `display`: the number as Meta writes it, digits only.
    case numberFlagged(display: String)
    case numberThroughput(display: String, perSecond: Int32)
    case tier(String)
    /// Meta forbids business-initiated messages of the account.
    case accountStopped(event: String)
    /// Kept, nothing follows.
    case seen(event: String)
  }

  public struct TemplateName: Sendable, Equatable {
    public let metaID: String
    public let name: String
    public let language: String
    public init(metaID: String, name: String, language: String) {
      (self.metaID, self.name, self.language) = (metaID, name, language)
    }
  }

  /// For the caller's batch, in order.
  public static func statements(_ notices: [Notice]) -> [Statement] {
    let digests = notices.compactMap(\.digest)
    let seen = Statement(
      "insert into notice_seen (digest) select distinct d from unnest($1::bytea[]) d on conflict do nothing",
      [.byteas(digests)])
    return notices.flatMap(statements) + (digests.isEmpty ? [] : [seen])
  }

  /// Which of these were applied before. Two copies in one moment may both pass; a pause is not opened twice for that.
  public static func known(_ digests: [[UInt8]], on connection: Connection) async throws(DatabaseError) -> Set<[UInt8]> {
    let rows = try await connection.run("select digest from notice_seen where digest = any($1)", .byteas(digests))
    return Set(rows.map { $0.bytes(0) })
  }

  /// Meta repeats for 7 days; after two weeks nothing can come again.
  public static func forget(on pool: Pool) async throws(DatabaseError) {
    _ = try await pool.run("delete from notice_seen where at < now() - interval '14 days'")
  }

  private static func statements(_ notice: Notice) -> [Statement] {
    switch notice.meaning {
    case .templateStatus(let template, let status, let detail):
      let observed: JSONValue = ["status": .string(status), "detail": .string(detail)]
      let change = Statement(
        found(template, notice.wabaID) + """
          update template t set status = $5 from found f where t.template_id = f.template_id
          """, key(template, notice.wabaID) + [.text(status)])
      let follows = status == "APPROVED" ? approved(template, notice) : stopped(template, observed, notice)
      return [observe(template, observed, notice), change] + follows
    case .templateQuality(let template, let quality):
      return [
        observe(template, ["quality": .string(quality)], notice),
        Statement(
          found(template, notice.wabaID) + "update template t set quality = $5 from found f where t.template_id = f.template_id",
          key(template, notice.wabaID) + [.text(quality)]),
      ]
    case .templateCategory(let template, let category):
      let observed: JSONValue = ["category": .string(category.word)]
      return [
        observe(template, observed, notice),
        Statement(
          found(template, notice.wabaID) + "select template_dearer(template_id, $5, $6, $7::jsonb) from found",
          key(template, notice.wabaID) + [
            .int2(category.rawValue), .text(GuardRule.templateCategory.sentence), .jsonb(observed.rendered()),
          ]),
        Statement(
          found(template, notice.wabaID) + "update template t set category = $5 from found f where t.template_id = f.template_id",
          key(template, notice.wabaID) + [.int2(category.rawValue)]),
      ]
    case .numberFlagged(let display):
      let observed: JSONValue = ["event": "FLAGGED"]
      return [
        observe(display, observed, notice),
        Statement(
          """
          with n as (
            -- The next look finds it flagged as well: that is no news then.
            update number set status = 'FLAGGED', status_since = case when status = 'FLAGGED' then status_since else now() end
            from account a where a.account_id = number.account_id and a.waba_id = $1 and number.phone = $2
            returning number.business_id, number.number_id
          )
          select guard_pause(n.business_id, 5::int2, n.number_id, 'number_flagged', $3, $4::jsonb) from n
          """,
          [
            .text(notice.wabaID), .int8(Int64(display) ?? 0), .text(GuardRule.numberFlagged.sentence),
            .jsonb(observed.rendered()),
          ]),
      ]
    case .numberThroughput(let display, let perSecond):
      return [
        observe(display, ["per_second": .number(String(perSecond))], notice),
        Statement(
          """
          update number n set per_second = $3, throughput = case when $3 > 80 then 'HIGH' else 'STANDARD' end
          from account a where a.account_id = n.account_id and a.waba_id = $1 and n.phone = $2
          """, [.text(notice.wabaID), .int8(Int64(display) ?? 0), .int4(perSecond)]),
      ]
    case .tier(let tier):
      return [
        observe(["tier": .string(tier)], notice),
        Statement(
          """
          select note_tier(n.number_id, $2) from account a
          cross join lateral (select number_id from number n where n.account_id = a.account_id limit 1) n
          where a.waba_id = $1
          """, [.text(notice.wabaID), .text(tier)]),
      ]
    case .accountStopped(let event):
      let observed: JSONValue = ["event": .string(event)]
      return [
        observe(observed, notice),
        Statement(
          """
          select guard_pause(a.business_id, 3::int2, a.account_id, 'account_restricted', $2, $3::jsonb)
          from account a where a.waba_id = $1
          """,
          [.text(notice.wabaID), .text(GuardRule.accountRestricted.sentence), .jsonb(observed.rendered())]),
      ]
    case .seen(let event): return [observe(["event": .string(event)], notice)]
    }
  }

  private static func approved(_ template: TemplateName, _ notice: Notice) -> [Statement] {
    [
      Statement(
        found(template, notice.wabaID) + "select template_approved(template_id) from found", key(template, notice.wabaID))
    ]
  }

  private static func stopped(_ template: TemplateName, _ observed: JSONValue, _ notice: Notice) -> [Statement] {
    [
      Statement(
        found(template, notice.wabaID) + "select template_stopped(template_id, $5, $6::jsonb) from found",
        key(template, notice.wabaID) + [.text(GuardRule.templatePaused.sentence), .jsonb(observed.rendered())])
    ]
  }

  // MARK: Who is meant

  private static func found(_ template: TemplateName, _ wabaID: String) -> String {
    """
    with found as (
      select t.template_id, t.business_id from template t join account a using (account_id)
      where a.waba_id = $1 and (t.meta_id = $2 or (t.name = $3 and t.language = $4)) order by (t.meta_id = $2) desc limit 1
    )\u{20}
    """
  }

  private static func key(_ template: TemplateName, _ wabaID: String) -> [Value] {
    [.text(wabaID), .text(template.metaID), .text(template.name), .text(template.language)]
  }

  private static func observe(_ template: TemplateName, _ observed: JSONValue, _ notice: Notice) -> Statement {
    Statement(
      found(template, notice.wabaID) + """
        insert into template_observation (template_id, source, observation) select template_id, 'webhook', $5 from found
        on conflict do nothing
        """, key(template, notice.wabaID) + [.jsonb(observed.rendered())])
  }

  private static func observe(_ display: String, _ observed: JSONValue, _ notice: Notice) -> Statement {
    Statement(
      """
      insert into number_observation (number_id, source, observation)
      select n.number_id, 'webhook', $3 from number n join account a using (account_id) where a.waba_id = $1 and n.phone = $2
      on conflict do nothing
      """, [.text(notice.wabaID), .int8(Int64(display) ?? 0), .jsonb(observed.rendered())])
  }

  private static func observe(_ observed: JSONValue, _ notice: Notice) -> Statement {
    Statement(
      """
      insert into account_observation (business_id, account_id, source, observation)
      select business_id, account_id, 'webhook', $2 from account where waba_id = $1
      """, [.text(notice.wabaID), .jsonb(observed.rendered())])
  }
}
