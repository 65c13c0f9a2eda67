import Domain
import Governor
import JSON
import Postgres
import Reactor
import Schedule

/// A number's ramp as operators write it, and as it is kept.
extension WarmUp {
  /// `{"start": 50, "growth": 1.5, "until": 10000}`.
  public init(json: JSONValue, at path: String) throws(Problem) {
    let fields = try Fields(json, at: path, known: ["start", "growth", "until"])
    let people = Int64(1)...Int64(WarmUp.mostPeople)
    guard let start = try fields.integer("start", in: people) else {
      throw .missing(fields.path(to: "start"), remedy: "Write how many people the first day has, e.g. 50.")
    }
    guard let until = try fields.integer("until", in: people) else {
      throw .missing(fields.path(to: "until"), remedy: "Write at how many people a day it ends, e.g. 10000.")
    }
    let written = try fields.required("growth", "Write how many times as many people each day has, e.g. 1.5.")
    guard let growth = WarmUp.hundredths(written), (101...1000).contains(growth) else {
      throw .invalid(
        fields.path(to: "growth"), "The people grow from day to day.",
        remedy: "Write a number from 1.01 to 10 with two decimals at most, e.g. 1.5.")
    }
    guard start <= until, let ramp = WarmUp(start: Int(start), growth: growth, until: Int(until)) else {
      throw .invalid(fields.path(to: "until"), "It ends with fewer people than it starts.", remedy: "Write at least \(start).")
    }
    self = ramp
  }

  private static func hundredths(_ value: JSONValue) -> Int? {
    guard case .number(let text) = value, let amount = Amount(text), amount.billionths % 10_000_000 == 0 else { return nil }
    return Int(exactly: amount.billionths / 10_000_000)
  }

  public var json: JSONValue {
    let factor = Amount(billionths: Int128(growth) * 10_000_000).text()
    return ["start": .number(String(start)), "growth": .number(factor), "until": .number(String(until))]
  }

  /// Nil where none is set.
  static func stored(_ json: [UInt8]?, _ from: CivilDate?) -> (ramp: WarmUp, from: CivilDate)? {
    guard let json, let from else { return nil }
    do {
      return (try WarmUp(json: JSONValue(parsing: json), at: "warm_up"), from)
    } catch {
      preconditionFailure("a number's warm-up cannot be read: \(error)")
    }
  }

  /// What holds at an instant: today's people and until when; nil when the ramp is over or not yet begun elsewhere.
  public static func today(_ warmUp: (ramp: WarmUp, from: CivilDate)?, at now: Instant, in zone: Zone)
    -> (people: Int, until: Instant)?
  {
    guard let warmUp else { return nil }
    let day = zone.day(of: now)
    guard let people = warmUp.ramp.people(onDay: day.daysSince1970 - warmUp.from.daysSince1970) else { return nil }
    return (people, zone.first(of: CivilDate(daysSince1970: day.daysSince1970 + 1), secondsOfDay: 0))
  }
}

extension Numbers {
  /// Sets a number's ramp, from today on, or takes it away; with its record. Whom it wrote to today counts for today.
  public static func setWarmUp(
    _ ramp: WarmUp?, of number: Entry, in zone: Zone, business: Business.ID, by actor: String, now: Instant = .now,
    on pool: Pool
  ) async throws(DatabaseError) {
    let today = zone.day(of: now)
    let tomorrow = CivilDate(daysSince1970: today.daysSince1970 + 1)
    var statements = [
      Statement(
        "update number set warm_up = $2, warm_up_from = $3 where number_id = $1",
        [
          .int8(number.id.rawValue), ramp.map { .jsonb($0.json.rendered()) } ?? .null, ramp == nil ? .null : .date(today),
        ]),
      Statement("select people_wait_over($1)", [.int8(number.portfolio.rawValue)]),
      Audit.entry(
        business: business, actor: actor, action: ramp == nil ? "warm_up_removed" : "warm_up_set",
        subject: number.phoneNumberID, detail: ["warm_up": ramp?.json ?? .null]),
    ]
    if ramp != nil {
      statements.append(
        Statement(
          "select begin_warm_up($1, $2, $3)",
          [
            .int8(number.id.rawValue), .timestamptz(zone.first(of: today, secondsOfDay: 0)),
            .timestamptz(zone.first(of: tomorrow, secondsOfDay: 0)),
          ]))
    }
    _ = try await pool.batch(statements)
  }
}
