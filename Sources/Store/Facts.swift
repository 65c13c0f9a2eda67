import Domain
import Postgres

/// Appends how hand-overs ended. Facts are never fenced: the result of a send that was made is always accepted.
public enum Facts {
  public struct Fact: Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let attempt: Int16
    public let outcome: Outcome
    /// Meta's error code; 0 for none.
    public let code: Int32
    public let at: Instant
    public let wamid: String?

    public init(
      campaign: Campaign.ID, seq: Int32, attempt: Int16, outcome: Outcome, code: Int32, at: Instant, wamid: String?
    ) {
      (self.campaign, self.seq, self.attempt, self.outcome) = (campaign, seq, attempt, outcome)
      (self.code, self.at, self.wamid) = (code, at, wamid)
    }
  }

  /// A recipient that goes back to wait: refused before acceptance, so the same attempt may be made again.
  public struct Return: Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let attempt: Int16
    public let dueAt: Instant
    public let reason: HoldReason
    public let times: Int16

    public init(
      campaign: Campaign.ID, seq: Int32, attempt: Int16, dueAt: Instant, reason: HoldReason, times: Int16
    ) {
      (self.campaign, self.seq, self.attempt) = (campaign, seq, attempt)
      (self.dueAt, self.reason, self.times) = (dueAt, reason, times)
    }
  }

  /// A recipient that will not be written to any more.
  public struct Skip: Sendable {
    public let campaign: Campaign.ID
    public let seq: Int32
    public let reason: SkipReason

    public init(campaign: Campaign.ID, seq: Int32, reason: SkipReason) {
      (self.campaign, self.seq, self.reason) = (campaign, seq, reason)
    }
  }

  /// A message that Meta surely did not take: its touch is taken back, so that neither a crash nor a limit on people
  /// counts it as sent.
  public struct Refused: Sendable {
    public let contact: Contact.ID
    public let campaign: Campaign.ID
    public let seq: Int32
    public let attempt: Int16

    public init(contact: Contact.ID, campaign: Campaign.ID, seq: Int32, attempt: Int16) {
      (self.contact, self.campaign, self.seq, self.attempt) = (contact, campaign, seq, attempt)
    }
  }

  /// A pause that a refusal causes; not repeated while the same cause is open over the same scope.
  public struct Halt: Sendable, Equatable {
    public let business: Business.ID
    public let scope: PauseScope
    public let scopeID: Int64
    public let rule: String
    public let reason: String
    public let evidence: [UInt8]

    public init(
      business: Business.ID, scope: PauseScope, scopeID: Int64, rule: String, reason: String, evidence: [UInt8]
    ) {
      (self.business, self.scope, self.scopeID) = (business, scope, scopeID)
      (self.rule, self.reason, self.evidence) = (rule, reason, evidence)
    }
  }

  /// One commit of everything given; sorted by key, so that two flushes never wait for each other in a circle. A later
  /// truth replaces an earlier one (`unknown < unresolved < rejected < accepted`), never the reverse; sending the same
  /// facts again after a lost link changes nothing.
  public static func record(
    _ facts: [Fact], returns: [Return] = [], skips: [Skip] = [], halts: [Halt] = [], refused: [Refused] = [],
    holds: [MarketingHolds.Hold] = [], retries: Int = 0, words: [Consents.Word] = [], business: Business.ID? = nil,
    number: Number.ID, on connection: Connection
  ) async throws(DatabaseError) {
    var statements: [Statement] = []
    if !facts.isEmpty {
      let sorted = facts.sorted { ($0.campaign, $0.seq, $0.attempt) < ($1.campaign, $1.seq, $1.attempt) }
      statements.append(
        Statement(
          """
          insert into fact as f (campaign_id, number_id, at, seq, code, attempt, outcome, wamid)
          select c, $1, a, s, e, t, o, w
          from unnest($2::int8[], $3::int4[], $4::int2[], $5::int2[], $6::int4[], $7::timestamptz[], $8::text[])
            x (c, s, t, o, e, a, w)
          on conflict (campaign_id, seq, attempt) do update
            set outcome = excluded.outcome, code = excluded.code, at = excluded.at, wamid = excluded.wamid,
              number_id = excluded.number_id
            where f.outcome < excluded.outcome
          """,
          [
            .int8(number.rawValue), .int8s(sorted.map(\.campaign.rawValue)), .int4s(sorted.map(\.seq)),
            .int2s(sorted.map(\.attempt)), .int2s(sorted.map(\.outcome.rawValue)), .int4s(sorted.map(\.code)),
            .timestamps(sorted.map(\.at)), .optionalTexts(sorted.map(\.wamid)),
          ]))
    }
    var tally = Tallies.Batch()
    for fact in facts {
      switch fact.outcome {
      case .rejected: tally.add(.refused, code: fact.code, of: fact.campaign, from: number)
      case .accepted: tally.add(.accepted, of: fact.campaign, from: number)
      case .heldByMeta:
        tally.add(.accepted, of: fact.campaign, from: number)
        tally.add(.held, of: fact.campaign, from: number)
      case .unknown, .unresolved: break
      }
    }
    if !tally.isEmpty { statements.append(tally.statement) }
    let lost = Dictionary(grouping: facts.filter { $0.code == Undeliverable.code }, by: \.campaign)
    for campaign in lost.keys.sorted() {
      statements.append(Undeliverable.noting(lost[campaign]!.map { ($0.seq, $0.at) }, of: campaign))
    }
    if !returns.isEmpty {
      let sorted = returns.sorted { ($0.campaign, $0.seq) < ($1.campaign, $1.seq) }
      statements.append(
        Statement(
          """
          insert into due (campaign_id, seq, attempt, due_at, reason, times)
          select * from unnest($1::int8[], $2::int4[], $3::int2[], $4::timestamptz[], $5::int2[], $6::int2[])
          on conflict (campaign_id, seq) do nothing
          """,
          [
            .int8s(sorted.map(\.campaign.rawValue)), .int4s(sorted.map(\.seq)), .int2s(sorted.map(\.attempt)),
            .timestamps(sorted.map(\.dueAt)), .int2s(sorted.map(\.reason.rawValue)), .int2s(sorted.map(\.times)),
          ]))
    }
    if !skips.isEmpty {
      let sorted = skips.sorted { ($0.campaign, $0.seq) < ($1.campaign, $1.seq) }
      statements.append(
        Statement(
          """
          insert into skip (campaign_id, seq, reason) select * from unnest($1::int8[], $2::int4[], $3::int2[])
          on conflict do nothing
          """,
          [
            .int8s(sorted.map(\.campaign.rawValue)), .int4s(sorted.map(\.seq)), .int2s(sorted.map(\.reason.rawValue)),
          ]))
    }
    for halt in halts {
      statements.append(
        Statement(
          """
          insert into pause (business_id, scope, scope_id, cause, rule, reason, evidence, actor)
          select $1, $2, $3, 'error', $4, $5, $6, 'qafila'
          where not exists (select from open_pause where scope = $2 and scope_id = $3 and rule = $4)
          """,
          [
            .int8(halt.business.rawValue), .int2(halt.scope.rawValue), .int8(halt.scopeID), .text(halt.rule),
            .text(halt.reason), .jsonb(halt.evidence),
          ]))
    }
    if !refused.isEmpty {
      statements.append(
        Statement(
          """
          delete from touch t using unnest($1::int8[], $2::int8[], $3::int4[], $4::int2[]) x (p, c, s, a)
          where t.contact_id = x.p and t.campaign_id = x.c and t.seq = x.s and t.attempt = x.a
          """,
          [
            .int8s(refused.map(\.contact.rawValue)), .int8s(refused.map(\.campaign.rawValue)), .int4s(refused.map(\.seq)),
            .int2s(refused.map(\.attempt)),
          ]))
    }
    statements += MarketingHolds.statements(holds, retries: retries, byReceipt: false)
    if let business, !words.isEmpty { statements.append(Consents.recording(words, business: business)) }
    guard !statements.isEmpty else { return }
    _ = try await connection.batch(statements)
  }
}
