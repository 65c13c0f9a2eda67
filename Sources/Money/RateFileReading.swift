import Domain

/// The state of reading one file of prices: what was found, and what is wrong with it.
struct RateFileReading {
  private let options: RateFile.Options
  private let markets: MarketMap
  private var faults: [RateFile.Fault] = []
  private var prices: [Price] = []

  private struct Price {
    let line: Int
    let from: CivilDate
    let to: CivilDate?
    let market: Market
    let category: Category
    let currency: Currency
    let above: Int
    let amount: Amount
    let source: String
  }

  private enum Column: Hashable {
    case market, currency, from, to, category, rate, above, source
    case price(Category)
  }

  init(_ options: RateFile.Options, _ markets: MarketMap) { (self.options, self.markets) = (options, markets) }

  mutating func read(_ bytes: [UInt8]) throws(RateFile.Refusal) -> RateFile {
    guard let table = CSVTable(bytes) else {
      fault(0, "the file is not UTF-8 text", "Save it as CSV (UTF-8).")
      throw RateFile.Refusal(faults)
    }
    guard let header = table.rows.firstIndex(where: { $0.cells.contains { RateFileReading.column($0) == .market } })
    else {
      fault(
        table.rows.first?.line ?? 0, "no header with a column Market",
        "The header of Meta's card is Market,Currency,Marketing,Utility,Authentication,Authentication-International,"
          + "Service.")
      throw RateFile.Refusal(faults)
    }
    let columns = columns(table.rows[header])
    let said = statedDay(table.rows[..<header])
    if let said, let asked = options.effectiveFrom, said != asked {
      fault(0, "the file says it is effective from \(said), the request says \(asked)", "Give one of the two.")
    }
    let day = options.effectiveFrom ?? said
    if !faults.isEmpty { throw RateFile.Refusal(faults) }
    for row in table.rows[(header + 1)...] { read(row, columns, day) }
    if prices.isEmpty, faults.isEmpty { fault(table.rows[header].line, "no prices below the header", "See the file.") }
    checkPeriods()
    let cards = cards()
    if !faults.isEmpty { throw RateFile.Refusal(faults) }
    return RateFile(
      cards: cards,
      tiers: prices.filter { $0.above > 0 }.map {
        RateFile.TierRow(
          effectiveFrom: $0.from, market: $0.market, category: $0.category, currency: $0.currency, above: $0.above,
          amount: $0.amount)
      })
  }

  private mutating func fault(_ line: Int, _ reason: String, _ remedy: String) {
    faults.append(RateFile.Fault(line: line, reason: reason, remedy: remedy))
  }

  // MARK: The header

  private static let words: [String: Column] = [
    "market": .market, "markets": .market, "region": .market, "marketregion": .market, "countrymarket": .market,
    "currency": .currency, "billingcurrency": .currency, "effectivefrom": .from, "effectivedate": .from,
    "effective": .from, "validfrom": .from, "effectiveto": .to, "effectiveuntil": .to, "validto": .to,
    "category": .category, "rate": .rate, "price": .rate, "amount": .rate, "unitrate": .rate, "above": .above,
    "source": .source, "marketing": .price(.marketing), "utility": .price(.utility),
    "authentication": .price(.authentication), "auth": .price(.authentication), "service": .price(.service),
    "authenticationinternational": .price(.authenticationInternational),
    "authinternational": .price(.authenticationInternational),
    "internationalauthentication": .price(.authenticationInternational),
    "international": .price(.authenticationInternational),
  ]

  /// A column's name by its letters alone: Meta's own header breaks a line inside `Authentication-International`.
  private static func column(_ name: String) -> Column? {
    var letters = name.lowercased().filter { $0.isASCII && $0.isLetter }
    if let column = words[letters] { return column }
    for ending in ["permessage", "messages", "message", "templates", "template", "rates", "rate", "price"]
    where letters.hasSuffix(ending) {
      letters.removeLast(ending.count)
      if let column = words[letters] { return column }
    }
    return nil
  }

  private mutating func columns(_ header: CSVTable.Row) -> [Column?] {
    var found: [Column?] = []
    for name in header.cells {
      let column = RateFileReading.column(name)
      if column == nil, !name.isEmpty {
        fault(header.line, "the column \"\(name.prefix(40))\" is not known", "Known are the columns of Meta's cards.")
      } else if let column, found.contains(column) {
        fault(header.line, "the column \"\(name.prefix(40))\" stands there twice", "Leave one of them.")
      }
      found.append(column)
    }
    let isLong = found.contains(.category) || found.contains(.rate)
    let hasPrices = found.contains { if case .price? = $0 { true } else { false } }
    if isLong, hasPrices {
      fault(header.line, "the header mixes a column per category with a line per price", "Use one of the two shapes.")
    } else if isLong {
      for (column, name) in [(Column.category, "category"), (.rate, "rate")] where !found.contains(column) {
        fault(header.line, "the header lacks the column \(name)", "Add it.")
      }
    } else if !hasPrices {
      fault(header.line, "the header has no column of prices", "Meta's are Marketing, Utility, Authentication.")
    } else if found.contains(.to) || found.contains(.above) {
      fault(header.line, "effective_to and above belong to the shape with a line per price", "Use that shape.")
    }
    return found
  }

  /// `Cost per message in USD, effective July 1, 2026`, as the lines above Meta's header say it.
  private func statedDay(_ rows: ArraySlice<CSVTable.Row>) -> CivilDate? {
    let months = [
      "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
      "december",
    ]
    for row in rows {
      let words = row.cells.joined(separator: " ").lowercased().split { !$0.isLetter && !$0.isNumber }
      guard let place = words.firstIndex(of: "effective") else { continue }
      for start in place + 1..<max(place + 1, min(words.count - 2, place + 3)) {
        guard let month = months.firstIndex(of: String(words[start])), let day = Int(words[start + 1]),
          let year = Int(words[start + 2])
        else { continue }
        return CivilDate(year: year, month: month + 1, day: day)
      }
    }
    return nil
  }

  // MARK: Lines

  private mutating func read(_ row: CSVTable.Row, _ columns: [Column?], _ day: CivilDate?) {
    var cells: [Column: String] = [:]
    for (place, cell) in row.cells.enumerated() {
      if place >= columns.count {
        if !cell.isEmpty { return fault(row.line, "more cells than the header has columns", "Quote cells with commas.") }
      } else if let column = columns[place] {
        cells[column] = cell
      }
    }
    let name = cells[.market] ?? ""
    guard let market = Market(name: name) else {
      let nearest = NearestWord.to(name, among: Market.allCases.map(\.name))
      return fault(
        row.line, "the market \"\(name.prefix(40))\" is not known",
        nearest.map { "Did you mean \"\($0)\"?" } ?? "Write a market as Meta's cards name it.")
    }
    guard let currency = currency(row.line, cells[.currency]), let from = from(row.line, cells[.from], day) else {
      return
    }
    var to: CivilDate?
    if let text = cells[.to], !text.isEmpty {
      guard let last = CivilDate(text), last >= from else {
        return fault(row.line, "effective_to \"\(text.prefix(20))\" is no day from \(from) on", "Write YYYY-MM-DD.")
      }
      to = last
    }
    let source = cells[.source].flatMap { $0.isEmpty ? nil : String($0.prefix(300)) } ?? options.source
    func add(_ category: Category, _ above: Int, _ amount: Amount) -> Price {
      Price(
        line: row.line, from: from, to: to, market: market, category: category, currency: currency, above: above,
        amount: amount, source: source)
    }
    if let word = cells[.category] {
      guard case .price(let category)? = RateFileReading.column(word) else {
        return fault(
          row.line, "the category \"\(word.prefix(40))\" is not known",
          "Write marketing, utility, authentication, authentication_international or service.")
      }
      guard let above = above(row.line, cells[.above]), let amount = amount(row.line, category, cells[.rate] ?? "")
      else { return }
      prices.append(add(category, above, amount))
    } else {
      for case (.price(let category)?, let cell) in zip(columns, row.cells) {
        if let amount = amount(row.line, category, cell) { prices.append(add(category, 0, amount)) }
      }
    }
  }

  private mutating func currency(_ line: Int, _ cell: String?) -> Currency? {
    let text = (cell ?? "").filter { $0 != "$" && $0 != " " }
    if text.isEmpty, let asked = options.currency { return asked }
    // Meta's dollar card writes $US.
    guard let currency = Currency(text == "US" ? "USD" : text) else {
      fault(line, "no currency", "Add a column currency, or name it in the request.")
      return nil
    }
    guard Currency.billable.contains(currency.code) else {
      fault(line, "Meta does not bill in \(currency)", "It bills in \(Currency.billable.sorted().joined(separator: ", ")).")
      return nil
    }
    if let asked = options.currency, asked != currency {
      fault(line, "the line is in \(currency), the request says \(asked)", "Load each currency by itself.")
      return nil
    }
    return currency
  }

  private mutating func from(_ line: Int, _ cell: String?, _ day: CivilDate?) -> CivilDate? {
    guard let cell, !cell.isEmpty else {
      if day == nil { fault(line, "no day from which the price holds", "Name it in the request: effective_from.") }
      return day
    }
    guard let own = CivilDate(cell) else {
      fault(line, "\"\(cell.prefix(20))\" is no day", "Write YYYY-MM-DD.")
      return nil
    }
    if let asked = options.effectiveFrom, asked != own {
      fault(line, "the line holds from \(own), the request says \(asked)", "Leave effective_from out of the request.")
      return nil
    }
    return own
  }

  private mutating func above(_ line: Int, _ cell: String?) -> Int? {
    guard let cell, !cell.isEmpty else { return 0 }
    if let above = Int(cell), above >= 0, above <= 1_000_000_000_000 { return above }
    fault(line, "above \"\(cell.prefix(20))\" is no number of messages", "Write a whole number, without separators.")
    return nil
  }

  /// Nil and no fault for "Meta lists none here".
  private mutating func amount(_ line: Int, _ category: Category, _ cell: String) -> Amount? {
    if ["", "n/a", "na", "-", "–", "—"].contains(cell.lowercased()) { return nil }
    guard let amount = Amount(cell) else {
      let shown = cell.prefix(30)
      if cell.contains(",") {
        fault(line, "\(category.word) \"\(shown)\" has a comma", "Write a point before the decimals: 0.0644.")
      } else if cell.contains(where: { "eExX".contains($0) || $0.isLetter }) || cell.utf8.count > 24 {
        fault(line, "\(category.word) \"\(shown)\" is a floating-point form", "Write the price as a decimal: 0.0644.")
      } else if let point = cell.firstIndex(of: "."), cell[point...].utf8.count > Amount.decimals + 1 {
        fault(
          line, "\(category.word) \"\(shown)\" has more than \(Amount.decimals) decimals, as a float leaves them",
          "Write the price as Meta prints it.")
      } else {
        fault(line, "\(category.word) \"\(shown)\" is no price", "Write it as a decimal: 0.0644.")
      }
      return nil
    }
    if amount < .zero {
      fault(line, "\(category.word) \(amount) is negative", "A price is positive; empty or n/a where Meta lists none.")
      return nil
    }
    if amount == .zero {
      // Meta's cards of the time before service was charged say 0 there.
      if category != .service {
        fault(line, "\(category.word) is 0, which would be free", "Leave the cell empty or n/a where Meta lists none.")
      }
      return nil
    }
    return amount
  }

  // MARK: Cards

  /// A price holds until the next begins: two at once for the same message are refused, and so is a hole.
  private mutating func checkPeriods() {
    struct Key: Hashable {
      let (currency, market, category, above): (Currency, Market, Category, Int)
    }
    let groups = Dictionary(grouping: prices) {
      Key(currency: $0.currency, market: $0.market, category: $0.category, above: $0.above)
    }
    for (key, group) in groups {
      let sorted = group.sorted { ($0.from, $0.line) < ($1.from, $1.line) }
      let name = "\(key.market.name), \(key.category.word), \(key.currency)"
      for (first, second) in zip(sorted, sorted.dropFirst()) {
        if first.from == second.from {
          fault(second.line, "\(name) from \(second.from) stands on line \(first.line) already", "Leave one of them.")
        } else if let to = first.to, to >= second.from {
          fault(
            second.line, "\(name) from \(second.from) overlaps line \(first.line), which holds to \(to)",
            "End the earlier one the day before.")
        } else if let to = first.to, to.daysSince1970 + 1 < second.from.daysSince1970 {
          fault(second.line, "\(name) has no price between \(to) and \(second.from)", "Close the gap.")
        }
      }
      if let last = sorted.last, let to = last.to {
        fault(
          last.line, "\(name) ends on \(to) and nothing follows",
          "Leave effective_to of the newest price empty: it holds until the next begins.")
      }
    }
  }

  private mutating func cards() -> [RateCard] {
    struct Key: Hashable {
      let (currency, from): (Currency, CivilDate)
    }
    guard faults.isEmpty else { return [] }
    let groups = Dictionary(grouping: prices.filter { $0.above == 0 }) { Key(currency: $0.currency, from: $0.from) }
    return groups.sorted { ($0.key.currency.code, $0.key.from) < ($1.key.currency.code, $1.key.from) }.map { key, group in
      let rates = group.sorted { ($0.market.rawValue, $0.category.rawValue) < ($1.market.rawValue, $1.category.rawValue) }
        .map {
          Rate(
            effectiveFrom: key.from, market: $0.market, category: $0.category, currency: key.currency,
            amount: $0.amount, source: $0.source)
        }
      func card(_ isComplete: Bool) -> RateCard {
        RateCard(
          currency: key.currency, effectiveFrom: key.from, isComplete: isComplete, source: options.source, rates: rates)
      }
      let missing = RateFile.missing(from: card(true), markets: markets)
      if options.isComplete == true, !missing.isEmpty {
        fault(
          0, "the card \(key.currency) of \(key.from) is not complete: it lacks \(missing.map(\.name).joined(separator: ", "))",
          "Load it as a partial card; what it lacks is then looked up in the card before it.")
      }
      return card(options.isComplete ?? missing.isEmpty)
    }
  }
}
