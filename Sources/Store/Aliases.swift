import Domain
import JSON
import Postgres

/// Other names of a person: a `wa_id` that Meta answered beside the phone we wrote to (Brazil's ninth digit, Mexico's 1),
/// a user id that came with a phone. A word said under one of them holds for all (`record_consent`).
///
/// Learning is a commit of its own and short: it keeps out whoever records a word of the same people.
public enum Aliases {
  /// Pairs learnt in one commit.
  static let most = 200

  public struct Pair: Hashable, Sendable {
    public let alias: PersonKey
    public let person: PersonKey
    public init(_ alias: PersonKey, of person: PersonKey) { (self.alias, self.person) = (alias, person) }
  }

  /// A name that came with a message of ours: whose it is, its recipient's row knows.
  public struct Named: Hashable, Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let alias: PersonKey

    public init(campaign: Campaign.ID, seq: Int32, alias: PersonKey) {
      (self.campaign, self.seq, self.alias) = (campaign, seq, alias)
    }
  }

  public static func learn(_ pairs: [Pair], business: Business.ID, on connection: Connection)
    async throws(DatabaseError)
  {
    var rest = pairs.filter { $0.alias != $0.person }[...]
    while !rest.isEmpty {
      let part = rest.prefix(most)
      _ = try await connection.run(
        "select learn_aliases($1, $2, $3)", .int8(business.rawValue), .uuids(part.map(\.alias)), .uuids(part.map(\.person)))
      rest = rest.dropFirst(most)
    }
  }

  public static func learn(_ named: [Named], business: Business.ID, on connection: Connection)
    async throws(DatabaseError)
  {
    var rest = named[...]
    while !rest.isEmpty {
      let part = rest.prefix(most)
      _ = try await connection.run(
        "select learn_recipients($1, $2, $3, $4)", .int8(business.rawValue), .int8s(part.map(\.campaign.rawValue)),
        .int4s(part.map(\.seq)), .uuids(part.map(\.alias)))
      rest = rest.dropFirst(most)
    }
  }

  /// Whose contact has Meta's id, by an import or an earlier message.
  public static func person(ofUser userID: String, business: Business.ID, on connection: Connection)
    async throws(DatabaseError) -> PersonKey?
  {
    try await connection.run(
      "select person_key from contact where business_id = $1 and user_id = $2", .int8(business.rawValue), .text(userID)
    ).first?.personKey(0)
  }

  /// Whether anybody of these names is a contact, or another name of somebody.
  public static func isKnown(phone: PhoneNumber?, userID: String?, keys: [PersonKey], business: Business.ID, on connection: Connection)
    async throws(DatabaseError) -> Bool
  {
    try await connection.run(
      """
      select exists (select from contact where business_id = $1 and phone = $2)
        or exists (select from contact where business_id = $1 and user_id = $3)
        or exists (select from person_alias where business_id = $1 and alias = any($4))
      """, .int8(business.rawValue), phone.map { .int8($0.digits) } ?? .null, userID.map { .text($0) } ?? .null,
      .uuids(keys))[0].bool(0)
  }

  // MARK: A stop of nobody

  /// How far back a message may lie that somebody answers.
  static let answerDays = 40

  /// Looks for the message that an unmatched stop answered, by its id, and learns whose name it was. No index is kept for
  /// it, because each message would pay for it; so it reads the facts of the last weeks, and only for such a stop.
  /// Answers whether it was found.
  public static func match(_ task: Int64, on pool: Pool) async throws -> Bool {
    let rows = try await pool.run(
      """
      select business_id, person_key, evidence->>'context' from consent_task
      where task_id = $1 and done_at is null and kind = 'stop_unmatched'
      """, .int8(task))
    guard let row = rows.first, let context = row.optionalText(2) else { return false }
    let campaigns = try await pool.run(
      """
      select campaign_id from campaign where business_id = $1 and launched_at > now() - make_interval(days => $2)
      order by campaign_id desc
      """, .int8(row.int64(0)), .int4(Int32(answerDays)))
    for campaign in campaigns.map({ $0.int64(0) }) {
      let found = try await pool.run(
        "select seq from fact where campaign_id = $1 and wamid = $2 limit 1", .int8(campaign), .text(context))
      guard let place = found.first else { continue }
      _ = try await pool.run(
        "select learn_recipients($1, $2, $3, $4)", .int8(row.int64(0)), .int8s([campaign]), .int4s([place.int32(0)]),
        .uuids([row.personKey(1)]))
      _ = try await pool.run(
        "update consent_task set done_at = now(), done_by = 'system' where task_id = $1 and done_at is null", .int8(task))
      return true
    }
    return false
  }
}
