import Domain
import Governor
import JSON
import Money
import Reactor
import Schedule
import Store

/// What a campaign would come to now: people by reason, time, cost, and what to mind.
struct Forecast: Sendable {
  let json: JSONObject
  let audience: Int
  let recipients: Int
  let missing: Int
  /// Recipients without a known price.
  let unpriced: Int

  init(_ checked: CampaignCheck.Checked, _ services: APIServices, _ language: Language, now: Instant = .now) async throws {
    let groups = try await Freeze.counts(checked.plan, on: services.pool)
    audience = groups.reduce(0) { $0 + $1.people }
    guard audience > 0 else {
      throw Problem(
        422, "audience_empty", "The audience holds nobody.", detail: "Nobody in the audience meets \"where\".",
        field: "audience.where", remedy: "Check the attributes' names and values, or leave \"where\" out.")
    }
    let written = groups.filter { $0.reason == nil }
    recipients = written.reduce(0) { $0 + $1.people }
    missing = groups.reduce(0) { $0 + ($1.reason == .parameterMissing ? $1.people : 0) }
    var object: JSONObject = [
      "audience": .count(audience), "recipients": .count(recipients), "excluded": .count(audience - recipients),
      "excluded_by_reason": .object(Forecast.reasons(groups)),
      "recipients_by_country": .object(Forecast.countries(written)),
    ]
    let calendars = try await Calendars.blackouts(of: checked.plan.business, on: services.pool)
    let others = try await Campaigns.sending(from: checked.numbers.map(\.id), on: services.pool)
    let pricing = try await RateCards.prices(on: services.pool).pricing
    let cost = ForecastCost(
      checked, written, pricing: pricing, start: ForecastTime.start(checked.draft.spec.schedule, now: now))
    unpriced = cost.unpriced
    let budget = ForecastBudget(checked, written, dearest: cost.dearest)
    let time = ForecastTime(
      checked, written, calendars: calendars, others: others, covered: budget.covers,
      people: try await PeopleCounts.used(of: checked.plan.business, on: services.pool),
      headroomPercent: services.tierHeadroomPercent, now: now)
    for field in time.json.fields { object.append(field.key, field.value) }
    if let pilot = Forecast.pilot(checked, recipients: recipients) { object.append("pilot", pilot) }
    object.append("cost", .object(cost.json))
    if let json = budget.json(exhausted: time.exhausted) { object.append("budget", json) }
    let warnings = ForecastWarning.all(checked, time: time, cost: cost, recipients: recipients, others: others)
    object.append(
      "warnings",
      .array(warnings.map { ["code": .string($0.code), "text": .string(language == .arabic ? $0.arabic : $0.english)] }))
    json = object
  }

  /// The sample that it would try first; nil without one.
  private static func pilot(_ checked: CampaignCheck.Checked, recipients: Int) -> JSONValue? {
    guard let pilot = checked.plan.pilot, recipients > pilot.above else { return nil }
    let ends = CampaignSpec.Guarding.steps(of: pilot.size).filter { $0 < recipients } + [recipients]
    let wait = checked.draft.spec.guarding.pilotInUse.wait.nanoseconds / 1_000_000_000
    return ["size": .count(pilot.size), "wait_seconds": .count(Int(wait)), "steps": .array(ends.map { .count($0) })]
  }

  private static func reasons(_ groups: [Freeze.Count]) -> JSONObject {
    var reasons: [ExclusionReason: Int] = [:]
    for group in groups { if let reason = group.reason { reasons[reason, default: 0] += group.people } }
    var object = JSONObject()
    for reason in ExclusionReason.allCases {
      if let count = reasons[reason] { object.append(reason.word, .count(count)) }
    }
    return object
  }

  private static func countries(_ written: [Freeze.Count]) -> JSONObject {
    var countries: [String: Int] = [:]
    for group in written { countries[group.country, default: 0] += group.people }
    var object = JSONObject()
    for (country, count) in countries.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      object.append(country.isEmpty ? "unknown" : country, .count(count))
    }
    return object
  }
}

/// What it would cost at the list rates of the day it starts: everybody delivered, at the dearest price until the last
/// message expires, is the highest it can come to.
struct ForecastCost: Sendable {
  let json: JSONObject
  let standing: RateBook.Standing
  let unpriced: Int
  /// What each group's messages reserve, by its place in the list; absent where no price is known.
  let dearest: [Int: Amount]

  init(_ checked: CampaignCheck.Checked, _ written: [Freeze.Count], pricing: Pricing, start: Instant) {
    let account = checked.numbers[0]
    let day = Zones.named(account.zone)?.day(of: start) ?? CivilDate(daysSince1970: Int(start.seconds / 86_400))
    guard let currency = Currency(account.currency) else {
      (standing, dearest, unpriced) = (.missing, [:], written.reduce(0) { $0 + $1.people })
      json = ["currency": .string(account.currency), "card": .string(RateBook.Standing.missing.word), "unpriced_people": .count(unpriced)]
      return
    }
    let category = checked.draft.category
    var reserved = DearestPrices(pricing, category: category, currency: currency, day: day)
    var dearest: [Int: Amount] = [:]
    var groups: [Estimate.Group] = []
    var markets: [Market: (people: Int, rate: Amount?)] = [:]
    for (index, group) in written.enumerated() {
      guard let phone = ForecastCost.phone(group.prefix) else {
        groups.append(Estimate.Group(people: group.people, rate: nil, dearest: nil))
        continue
      }
      let market = pricing.markets.market(of: phone, on: day)
      let rate = pricing.book.rate(market, category, in: currency, on: day)?.amount
      dearest[index] = reserved.price(of: phone)
      groups.append(Estimate.Group(people: group.people, rate: rate, dearest: dearest[index]))
      markets[market, default: (0, rate)].people += group.people
    }
    self.dearest = dearest
    let estimate = Estimate(groups)
    standing = pricing.book.standing(of: currency, on: day)
    unpriced = estimate.unpriced
    let rates = markets.sorted { $0.key.rawValue < $1.key.rawValue }.map { market, group -> JSONValue in
      [
        "market": .string(market.word), "people": .count(group.people),
        "rate": group.rate.map { .string($0.text()) } ?? .null,
      ]
    }
    json = [
      "currency": .string(currency.code), "low": .string(estimate.low.text()),
      "expected": .string(estimate.expected.text()), "high": .string(estimate.high.text()),
      "unpriced_people": .count(estimate.unpriced), "rates_of": .string(day.description), "card": .string(standing.word),
      "rates": .array(rates),
    ]
  }

  /// A phone that begins with these digits: enough of them decide the market.
  private static func phone(_ prefix: String) -> PhoneNumber? {
    guard !prefix.isEmpty else { return nil }
    return PhoneNumber(e164: prefix + String(repeating: "0", count: max(0, 11 - prefix.count)))
  }
}
