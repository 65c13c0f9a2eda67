import Consent
import Domain
import JSON
import Postgres
import Reactor

/// Messages owed to people who wrote to us: one queue behind which the sending may change. What is queued in the commit
/// that stored their message becomes, moments later, a recipient of the number's standing campaign of confirmations, so
/// that it has a key, a slot, a fact, receipts and a line in the reports like every other message.
public enum Replies {
  public struct Owed: Sendable {
    public let person: PersonKey
    public let phone: PhoneNumber
    public let phoneNumberID: String
    public let kind: ReplyKind
    public let language: StopLanguage
    public let saidAt: Instant

    public init(
      person: PersonKey, phone: PhoneNumber, phoneNumberID: String, kind: ReplyKind, language: StopLanguage,
      saidAt: Instant
    ) {
      (self.person, self.phone, self.phoneNumberID) = (person, phone, phoneNumberID)
      (self.kind, self.language, self.saidAt) = (kind, language, saidAt)
    }
  }

  /// Replies to one person in 24 hours.
  public static let mostADay = 3
  /// Meta lets us answer for 24 hours; a reply that would leave later is not sent.
  static let window = "23 hours"

  /// For the caller's batch, before the words themselves are recorded: who had stopped already is not told again.
  public static func owing(_ owed: [Owed], business: Business.ID) -> Statement {
    Statement(
      "select owe_replies($1, $2, $3, $4, $5, $6, $7, $8)",
      [
        .int8(business.rawValue), .uuids(owed.map(\.person)), .int8s(owed.map(\.phone.digits)),
        .texts(owed.map(\.phoneNumberID)), .int2s(owed.map(\.kind.rawValue)), .texts(owed.map(\.language.rawValue)),
        .timestamps(owed.map(\.saidAt)), .int4(Int32(mostADay)),
      ])
  }

  /// Puts waiting replies on their way; answers how many were taken from the queue. Any number of nodes may do it.
  public static func queue(
    of business: Business.ID, installation: String, limit: Int, country: (PhoneNumber) -> String, on pool: Pool
  ) async throws -> Int {
    let setting = try await ReplySetting.read(of: business, on: pool)
    return try await pool.transaction { tx in
      let rows = try await tx.run(
        """
        select r.reply_id, r.phone, r.person_key, r.kind, r.language, n.number_id, n.account_id, n.phone_number_id,
          r.said_at < clock_timestamp() - interval '\(window)'
        from reply r left join number n on n.phone_number_id = r.phone_number_id and n.business_id = r.business_id
        where r.business_id = $1 and r.ended_at is null order by r.reply_id limit $2 for update of r skip locked
        """, .int8(business.rawValue), .int4(Int32(limit)))
      for row in rows {
        let kind = ReplyKind(rawValue: row.int16(3)) ?? .confirmation
        let refusal: String? =
          if row.optionalInt64(5) == nil { "no_number" } else if row.bool(8) { "late" } else if row.optionalInt64(1) == nil {
            "erased"
          } else if kind == .confirmation ? !setting.confirms : !setting.asks { "off" } else { nil }
        if let refusal {
          _ = try await tx.run(
            "update reply set ended_at = clock_timestamp(), end_reason = $2 where reply_id = $1", .int8(row.int64(0)),
            .text(refusal))
          continue
        }
        let phone = PhoneNumber(digits: row.int64(1))!
        let number = Number.ID(row.int64(5))
        guard
          let campaign = try await standing(
            number, account: row.int64(6), label: row.text(7), business: business, in: tx)
        else { continue }
        let texts = setting.texts(in: StopLanguage(rawValue: row.text(4)) ?? .arabic)
        try await add(
          row.int64(0), kind, texts, to: phone, person: row.personKey(2), country: country(phone), campaign: campaign,
          business: business, installation: installation, in: tx)
      }
      return rows.count
    }
  }

  /// The number's campaign of confirmations of this month, locked: who adds to it is alone. Nil in the moment in which
  /// somebody cancels it.
  private static func standing(
    _ number: Number.ID, account: Int64, label: String, business: Business.ID, in tx: borrowing Transaction
  ) async throws -> Campaign.ID? {
    let find = Statement(
      """
      select campaign_id from campaign where kind = 4 and numbers = array[$1::int8] and state = 5
        and campaign_id >> 32 = \(Urgent.month) for update
      """, [.int8(number.rawValue)])
    if let row = try await tx.run(find).first { return Campaign.ID(row.int64(0)) }
    _ = try await tx.run(
      """
      insert into campaign (campaign_id, business_id, kind, name, state, spec, frozen, account_id, category, numbers,
        start_at, recipients, excluded, created_by, launched_by, launched_at, prepared_at)
      values (next_campaign_id(), $1, 4, $2, 5, '{}', '{"reply": true}', $3, $4, array[$5::int8], now(), 0, 0, 'system',
        'system', now(), now())
      on conflict do nothing
      """, .int8(business.rawValue), .text("Confirmations of \(label)"), .int8(account),
      .int2(Category.service.rawValue), .int8(number.rawValue))
    return try await tx.run(find).first.map { Campaign.ID($0.int64(0)) }
  }

  private static func add(
    _ reply: Int64, _ kind: ReplyKind, _ texts: ReplyTexts, to phone: PhoneNumber, person: PersonKey, country: String,
    campaign: Campaign.ID, business: Business.ID, installation: String, in tx: borrowing Transaction
  ) async throws {
    let seq = try await tx.run(
      "update campaign set recipients = recipients + 1 where campaign_id = $1 returning recipients",
      .int8(campaign.rawValue))[0].int64(0)
    let key = MessageKey(campaign: campaign, seq: seq, attempt: 1).callbackData(installation: installation)
    let values =
      switch kind {
      case .confirmation: [texts.confirmation]
      case .question:
        [texts.question, ReplyAnswer.stop.prefix + key, texts.stopButton, ReplyAnswer.keep.prefix + key, texts.keepButton]
      }
    _ = try await tx.batch([
      // Who is not a contact yet becomes one, without consent: marketing never reaches them by that.
      Statement(
        """
        insert into contact (business_id, phone, person_key, country) values ($1, $2, $3, $4) on conflict do nothing
        """, [.int8(business.rawValue), .int8(phone.digits), .uuid(person), .text(country)]),
      Statement(
        """
        insert into recipient (campaign_id, contact_id, phone, seq, class, person_key, vars)
        select $3, contact_id, phone, $4, 0, person_key, $5 from contact where business_id = $1 and phone = $2
        """,
        [
          .int8(business.rawValue), .int8(phone.digits), .int8(campaign.rawValue), .int4(Int32(clamping: seq)),
          .texts(values),
        ]),
      // Due at once: a run for each would make finding the next free one cost more with every message.
      Statement(
        "insert into due (campaign_id, seq, attempt, due_at, reason, times) values ($1, $2, 1, now(), 1, 0)",
        [.int8(campaign.rawValue), .int4(Int32(clamping: seq))]),
      Statement(
        """
        update reply set ended_at = clock_timestamp(), end_reason = 'queued', campaign_id = $2, seq = $3
        where reply_id = $1
        """, [.int8(reply), .int8(campaign.rawValue), .int4(Int32(clamping: seq))]),
    ])
  }

  /// Doubts that nobody cleared in `patience` become stops; answers how many.
  public static func endDoubts(of business: Business.ID, patience: Duration, on pool: Pool) async throws -> Int {
    let rows = try await pool.run(
      Statement(
        """
        select s.person_key, s.scope, c.consent_id from consent c
        join suppression s on s.business_id = c.business_id and s.person_key = c.person_key and s.scope = c.scope
          and s.consent_id = c.consent_id and s.active
        where c.event = 3 and c.business_id = $1 and c.recorded_at < clock_timestamp() - make_interval(secs => $2)
        order by c.recorded_at limit 1000
        """, [.int8(business.rawValue), .numeric(Amount(billionths: Int128(patience.nanoseconds)))]))
    guard !rows.isEmpty else { return 0 }
    let words = rows.map { row in
      Consents.Word(
        person: row.personKey(0), scope: ConsentScope(rawValue: row.int16(1)) ?? .marketing, event: .stop,
        source: .unanswered, evidence: ["hold": .string(String(row.int64(2)))], at: .now)
    }
    _ = try await pool.batch([Consents.recording(words, business: business)])
    return words.count
  }
}

/// What the buttons of our question carry before the message's key.
public enum ReplyAnswer: Sendable {
  case stop, keep
  public var prefix: String {
    switch self {
    // The same as a campaign's stop button: whoever presses it stops.
    case .stop: "stop:"
    case .keep: "keep:"
    }
  }
}
