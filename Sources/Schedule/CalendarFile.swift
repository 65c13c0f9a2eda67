import Domain

/// Reads a calendar: CSV with the header `date,country,from,to,kind`.
///
/// `date` is a day (`2027-03-10`), the first and last day of several (`2027-02-08/2027-03-09`), or a day of every week
/// (`fri`). `country` is an ISO 3166 code or `*`. Without `from` and `to` the whole day is meant. Lines that are empty or
/// begin with `#` are passed over.
public enum CalendarFile {
  public static let mostLines = 5000
  /// A year has 366 days: a longer line is a slip of the pen.
  static let longestSpan = 366

  /// The first line that can't be used, and what to write instead.
  public struct Malformed: Error, Equatable, Sendable {
    public let line: Int
    public let reason: String
    public let remedy: String
  }

  public static func blackouts(_ text: some StringProtocol) throws(Malformed) -> [Blackout] {
    var blackouts: [Blackout] = []
    var hasHeader = false
    for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = trimmed(raw)
      if line.isEmpty || line.hasPrefix("#") { continue }
      let cells = line.split(separator: ",", omittingEmptySubsequences: false).map { trimmed($0) }
      if !hasHeader {
        guard cells.map({ $0.lowercased() }) == ["date", "country", "from", "to", "kind"] else {
          throw Malformed(line: index + 1, reason: "The header is missing.", remedy: "Write date,country,from,to,kind.")
        }
        hasHeader = true
        continue
      }
      guard blackouts.count < mostLines else {
        throw Malformed(line: index + 1, reason: "The calendar is too long.", remedy: "At most \(mostLines) lines.")
      }
      blackouts.append(try blackout(cells, line: index + 1))
    }
    guard hasHeader else {
      throw Malformed(line: 1, reason: "The calendar is empty.", remedy: "Write date,country,from,to,kind and lines.")
    }
    return blackouts
  }

  private static func blackout(_ cells: [String], line: Int) throws(Malformed) -> Blackout {
    guard cells.count == 5 else {
      throw Malformed(line: line, reason: "It has \(cells.count) cells.", remedy: "Write five: date,country,from,to,kind.")
    }
    let days = try days(cells[0], line: line)
    let country = cells[1].uppercased()
    guard country == "*" || country.utf8.count == 2 && country.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
      throw Malformed(line: line, reason: "\(cells[1]) is no country.", remedy: "Write an ISO code, e.g. EG, or *.")
    }
    let from = Window.minutes(cells[2].isEmpty ? "00:00" : cells[2])
    let to = Window.minutes(cells[3].isEmpty ? "24:00" : cells[3])
    guard let from, let to else {
      throw Malformed(line: line, reason: "A time is none.", remedy: "Write hours and minutes, e.g. 11:30,13:30.")
    }
    guard !cells[4].isEmpty, cells[4].count <= 60 else {
      throw Malformed(line: line, reason: "The kind is missing or too long.", remedy: "Write e.g. public_holiday.")
    }
    guard
      let blackout = Blackout(
        days: days, country: country == "*" ? nil : country, start: from % 1440, end: to % 1440, kind: cells[4])
    else {
      throw Malformed(
        line: line, reason: "It begins and ends at the same time.", remedy: "Leave both times out for the whole day.")
    }
    return blackout
  }

  private static func days(_ cell: String, line: Int) throws(Malformed) -> Blackout.Days {
    if let weekdays = Weekdays(words: [cell.lowercased()]) { return .weekly(weekdays) }
    let parts = cell.split(separator: "/", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let first = CivilDate(parts[0]), let last = CivilDate(parts[parts.count - 1])
    else {
      throw Malformed(
        line: line, reason: "\(cell) is no date.", remedy: "Write 2027-03-10, 2027-02-08/2027-03-09, or fri.")
    }
    guard first <= last, last.daysSince1970 - first.daysSince1970 < longestSpan else {
      throw Malformed(
        line: line, reason: "\(cell) ends before it starts, or is longer than a year.",
        remedy: "Write the first day, then the last.")
    }
    return .dates(first, through: last)
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let blanks: Set<Character> = [" ", "\t", "\r", "\u{FEFF}", "\""]
    var rest = text[...]
    while let first = rest.first, blanks.contains(first) { rest.removeFirst() }
    while let last = rest.last, blanks.contains(last) { rest.removeLast() }
    return String(rest)
  }
}
