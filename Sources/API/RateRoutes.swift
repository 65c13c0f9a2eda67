import Domain
import HTTPServer
import JSON
import Money
import Postgres
import Reactor
import Schedule
import Store

/// Meta's prices: what is there, loading a card, and whether the cards can be trusted today.
struct RateRoutes: Sendable {
  let services: APIServices
  init(_ services: APIServices) { self.services = services }

  func add(to router: inout Router) {
    router.add("GET", "/v1/rates", .key(.read), rates)
    router.add("POST", "/v1/rates", .key(.manageMoney), load)
    router.add("GET", "/v1/rates/cards", .key(.read), cards)
    router.add("GET", "/v1/rates/check", .key(.read), check)
  }

  private func rates(_ call: Call) async throws -> HTTPResponse {
    let day = try call.day("on")
    let market = call.query("market")
    let entries = try await Rates.list(currency: try call.currency()?.code, on: services.pool)
    let shown =
      day.map { day in
        // Of each price the newest that holds on that day.
        Dictionary(grouping: entries.filter { $0.effectiveFrom <= day }) {
          "\($0.currency).\($0.market.rawValue).\($0.category.rawValue)"
        }
        .values.compactMap { $0.max { $0.effectiveFrom < $1.effectiveFrom } }
        .sorted {
          ($0.currency, $0.market.rawValue, $0.category.rawValue) < (
            $1.currency, $1.market.rawValue, $1.category.rawValue
          )
        }
      } ?? entries
    return .page(
      shown.filter { market == nil || $0.market.word == market }.map { entry in
        [
          "market": .string(entry.market.word),
          "market_name": .string(call.language == .arabic ? entry.market.arabicName : entry.market.name),
          "category": .string(entry.category.word), "amount": .string(entry.amount.text()),
          "currency": .string(entry.currency),
          "effective_from": .string(entry.effectiveFrom.description), "source": .string(entry.source),
        ]
      }, next: nil)
  }

  private func cards(_ call: Call) async throws -> HTTPResponse {
    .page(
      try await Rates.cards(currency: try call.currency()?.code, on: services.pool).map { card in
        [
          "currency": .string(card.currency), "effective_from": .string(card.effectiveFrom.description),
          "complete": .bool(card.isComplete), "revision": .count(card.revision), "prices": .count(card.prices),
          "tiers": .count(card.tiers), "source": .string(card.source), "loaded_by": .string(card.loadedBy),
          "loaded_at": .time(card.loadedAt),
        ]
      }, next: nil)
  }

  // MARK: Loading

  private static let known = ["effective_from", "currency", "complete", "source", "replace", "dry_run"]

  /// The file is the body. It is read whole and refused whole, with every line at fault.
  private func load(_ call: Call) async throws -> HTTPResponse {
    try call.checkQuery(RateRoutes.known)
    let complete: Bool? = call.query("complete") == nil ? nil : try call.flag("complete")
    let options = RateFile.Options(
      effectiveFrom: try call.day("effective_from"), currency: try call.currency(), isComplete: complete,
      source: String((call.query("source") ?? "a file loaded by \(call.caller.actor)").prefix(300)))
    let isTrial = try call.flag("dry_run")
    let replaces = try call.flag("replace")
    let markets = try await RateCards.prices(on: services.pool).pricing.markets
    let file: RateFile
    do throws(RateFile.Refusal) {
      file = try RateFile.read(call.body, options, markets: markets)
    } catch {
      throw RateRoutes.problem(error)
    }
    let outcomes: [Rates.Loaded]
    do {
      outcomes = try await Rates.load(
        file, replaces: replaces, business: call.caller.business, by: call.caller.actor, dryRun: isTrial,
        on: services.pool)
    } catch let overlap as Rates.Overlap {
      throw RateRoutes.problem(overlap)
    }
    let items = zip(file.cards, outcomes).map { card, outcome -> JSONValue in
      [
        "currency": .string(card.currency.code), "effective_from": .string(card.effectiveFrom.description),
        "complete": .bool(card.isComplete), "prices": .count(card.rates.count), "outcome": .string("\(outcome)"),
        "missing_markets": .array(RateFile.missing(from: card, markets: markets).map { .string($0.word) }),
      ]
    }
    return .json(
      isTrial ? 200 : 201,
      ["loaded": .bool(!isTrial), "cards": .array(items), "tiers": .count(file.tiers.count)])
  }

  static func problem(_ refusal: RateFile.Refusal) -> Problem {
    let lines = refusal.faults.map { ($0.line > 0 ? "line \($0.line): " : "") + $0.reason }
    let more = refusal.count - refusal.faults.count
    return Problem(
      422, "rates_refused", "The file of rates cannot be loaded.",
      detail: lines.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "") + ". Nothing was loaded.",
      field: refusal.faults.first.flatMap { $0.line > 0 ? "line \($0.line)" : nil },
      remedy: refusal.faults.first?.remedy)
  }

  private static func problem(_ overlap: Rates.Overlap) -> Problem {
    Problem(
      409, "rates_overlap", "A card of this day is there with other prices.",
      detail: "\(overlap.currency) from \(overlap.effectiveFrom), loaded by \(overlap.loadedBy), differs: "
        + "\(overlap.example). Nothing was loaded.",
      field: "effective_from",
      remedy: "Check the day; or give replace=true: the new one then holds, and what the old one charged is corrected.")
  }

  // MARK: Checking

  private func check(_ call: Call) async throws -> HTTPResponse {
    let book = try await RateCards.prices(on: services.pool).pricing.book
    let now = Instant.now
    return .page(
      try await Rates.inUse(by: call.caller.business, on: services.pool).map { used in
        let day = Zones.named(used.zone)?.day(of: now) ?? Pricing.day(of: now, offset: 0)
        let standing = book.standing(of: used.currency, on: day)
        var object: JSONObject = [
          "currency": .string(used.currency.code), "state": .string(standing.word),
          "text": .string(RateSentences.text(standing, used.currency, call.language)),
          "unpriced": .count(used.unpriced),
        ]
        switch standing {
        case .confirmed(let from), .stale(let from, _):
          object.append("card_from", .string(from.description))
        case .missing: object.append("card_from", .null)
        }
        return .object(object)
      }, next: nil)
  }
}

/// What a currency's cards are worth, for people.
enum RateSentences {
  static func text(_ standing: RateBook.Standing, _ currency: Currency, _ language: Language) -> String {
    switch (standing, language) {
    case (.confirmed(let from), .english): "The \(currency) card of \(from) holds this quarter."
    case (.confirmed(let from), .arabic): "بطاقة أسعار \(currency) بتاريخ \(from) سارية لهذا الربع."
    case (.stale(let from, let quarter), .english):
      "Meta may have changed prices on \(quarter); the newest \(currency) card is of \(from). Finance: load the card of "
        + "this quarter, or the same prices again from \(quarter)."
    case (.stale(let from, let quarter), .arabic):
      "قد تكون ميتا غيّرت الأسعار في \(quarter)، وأحدث بطاقة \(currency) لدينا بتاريخ \(from). على المالية تحميل بطاقة هذا "
        + "الربع، أو الأسعار نفسها بتاريخ \(quarter)."
    case (.missing, .english):
      "There is no \(currency) card: messages stay unpriced, never zero, until finance loads it."
    case (.missing, .arabic):
      "لا توجد بطاقة أسعار \(currency): تبقى الرسائل دون سعر، لا بسعر صفر، حتى تحمّلها المالية."
    }
  }
}

extension Call {
  func day(_ name: String) throws(Problem) -> CivilDate? {
    guard let text = query(name) else { return nil }
    guard let date = CivilDate(text) else {
      throw Problem.invalid(name, "This is not a day.", remedy: "Write YYYY-MM-DD.")
    }
    return date
  }

  func currency() throws(Problem) -> Currency? {
    guard let text = query("currency") else { return nil }
    guard let currency = Currency(text) else {
      throw Problem.invalid("currency", "This is not a currency.", remedy: "Write three letters, e.g. USD.")
    }
    return currency
  }

  /// Refuses parameters that the route does not know.
  func checkQuery(_ known: [String]) throws(Problem) {
    for (name, _) in request.query where !known.contains(name) {
      throw Problem.unknownField(name, nearest: NearestWord.to(name, among: known), known: known)
    }
  }
}
