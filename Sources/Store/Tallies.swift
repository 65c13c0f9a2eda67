import Domain
import Postgres

/// Outcomes of campaigns as deltas: appended with whatever recorded them, added up by the guard.
public enum Tallies {
  public enum Kind: Int16, Word {
    case delivered = 1, read = 2, failed = 3, refused = 4, optedOut = 5, accepted = 6, replied = 7, clicked = 8, held = 9
    public var word: String { self == .optedOut ? "opted_out" : "\(self)" }
  }

  struct Key: Hashable {
    let campaign: Campaign.ID
    let number: Number.ID
    let kind: Kind
    let code: Int32
  }

  /// The deltas of one commit, each kind once.
  public struct Batch: Sendable {
    private(set) var counts: [Key: Int64] = [:]
    public init() {}
    public var isEmpty: Bool { counts.isEmpty }

    public mutating func add(_ kind: Kind, code: Int32 = 0, of campaign: Campaign.ID, from number: Number.ID) {
      counts[Key(campaign: campaign, number: number, kind: kind, code: code), default: 0] += 1
    }

    /// A message's standing moved: whatever it reached for the first time counts once.
    public mutating func moved(
      _ old: Standings.State, to new: Standings.State, of campaign: Campaign.ID, from number: Number.ID
    ) {
      let (reached, reaches) = (old.standing.reachedPhone, new.standing.reachedPhone)
      if !reached, reaches { add(.delivered, of: campaign, from: number) }
      if old.standing.rawValue < Standing.read.rawValue, new.standing.rawValue >= Standing.read.rawValue {
        add(.read, of: campaign, from: number)
      }
      if old.standing != .failed, new.standing == .failed { add(.failed, code: new.code, of: campaign, from: number) }
    }

    /// For the caller's batch.
    public var statement: Statement {
      let keys = counts.keys.sorted {
        ($0.campaign, $0.number, $0.kind.rawValue, $0.code) < ($1.campaign, $1.number, $1.kind.rawValue, $1.code)
      }
      return Statement(
        """
        insert into outcome_tally (campaign_id, number_id, count, code, kind)
        select * from unnest($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::int2[])
        """,
        [
          .int8s(keys.map(\.campaign.rawValue)), .int8s(keys.map(\.number.rawValue)), .int8s(keys.map { counts[$0]! }),
          .int4s(keys.map(\.code)), .int2s(keys.map(\.kind.rawValue)),
        ])
    }
  }

  /// Who said stop, as the webhook names them.
  public enum Stopper: Hashable, Sendable {
    /// The stop button carried the message's key.
    case message(MessageKey)
    /// A text: it answers the newest message within a week.
    case phone(PhoneNumber)
  }

  /// Counts stops for the campaigns they answer, for the caller's batch, before the stops themselves are recorded: who
  /// said it already counts no more.
  public static func stops(_ stoppers: [Stopper], business: Business.ID) -> Statement {
    var (campaigns, seqs, phones): ([Int64], [Int32], [Int64]) = ([], [], [])
    for stopper in stoppers {
      switch stopper {
      case .message(let key):
        campaigns.append(key.campaign.rawValue)
        seqs.append(Int32(clamping: key.seq))
      case .phone(let phone): phones.append(phone.digits)
      }
    }
    return Statement(
      """
      with stops as (
      select campaign_id, number_id, count(distinct person_key) n from (
        select f.campaign_id, f.number_id, r.person_key from unnest($1::int8[], $2::int4[]) u (campaign_id, seq)
        join recipient r on r.campaign_id = u.campaign_id and r.seq = u.seq
        join lateral (
          select f.campaign_id, f.number_id from fact f where f.campaign_id = u.campaign_id and f.seq = u.seq
          order by f.attempt desc limit 1) f on true
        union all
        select t.campaign_id, t.number_id, c.person_key from unnest($3::int8[]) p (phone)
        join contact c on c.business_id = $4 and c.phone = p.phone
        join lateral (
          select t.campaign_id, t.number_id, t.at from touch t where t.contact_id = c.contact_id order by t.n desc limit 1
        ) t on t.at > now() - interval '7 days'
      ) x
      where not exists (select from suppression s where s.business_id = $4 and s.person_key = x.person_key
        and s.scope = 1 and s.active)
      group by campaign_id, number_id
      ), timed as (
        insert into campaign_stop (campaign_id, count) select campaign_id, sum(n) from stops group by 1
      )
      insert into outcome_tally (campaign_id, number_id, count, kind) select campaign_id, number_id, n, 5 from stops
      """, [.int8s(campaigns), .int4s(seqs), .int8s(phones), .int8(business.rawValue)])
  }
}

extension Standing {
  /// Delivered, read or played.
  var reachedPhone: Bool { rawValue >= Standing.delivered.rawValue }
}
