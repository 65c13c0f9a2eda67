import Domain

/// The shipped phrases, written as patterns and read once, at first use.
///
/// A pattern is words; `/` separates alternatives of one place, `?` at its end makes it optional, `_` joins words that
/// go together, and `@name` stands for a list defined before. A line `verdict language: pattern` gives a pattern its
/// verdict; `cancel` is a stop when it answers marketing and a question otherwise; `verdict=letters` asks unless
/// spelled so. Where two patterns meet, the one written first holds. All are in our own words, collected by dialect.
struct StopPhrases: Sendable {
  struct Entry: Hashable, Sendable {
    let verdict: StopVerdict
    let language: StopLanguage?
    /// Whether a lone "cancel" could also mean an order or an appointment.
    var isCancel = false
    /// Letters that the message must really have; without them it is a question. For words that folding makes alike.
    var spelling: String?

    func verdict(of text: String, answering category: Category?) -> StopVerdict {
      if let spelling, !text.contains(spelling) { return .ask }
      guard isCancel else { return verdict }
      switch category {
      case .marketing, .marketingLite: return .stop
      case .utility, .authentication, .service, .authenticationInternational, .referralConversion, nil: return .ask
      }
    }
  }

  static let shipped = StopPhrases([arabic, latin])

  /// The most words a message that is a phrase has. Patterns with every optional place filled could be longer; people
  /// are not.
  static let longest = 12

  /// One place of a pattern: what may stand there, by the first word. Lists used by many patterns are shared, not
  /// copied: unfolded into plain phrases the patterns would be millions.
  private struct Place: Sendable {
    let choices: Choices
    let isOptional: Bool
  }

  private typealias Choices = [String: [[String]]]

  private struct Pattern: Sendable {
    let places: [Place]
    let entry: Entry

    /// Whether the places from `index` on can take all the words.
    func matches(_ words: ArraySlice<String>, from index: Int = 0) -> Bool {
      guard index < places.count else { return words.isEmpty }
      let place = places[index]
      if let first = words.first, let choices = place.choices[first] {
        for choice in choices where words.starts(with: choice) {
          if matches(words.dropFirst(choice.count), from: index + 1) { return true }
        }
      }
      return place.isOptional && matches(words, from: index + 1)
    }

    /// The words a match can begin with.
    var beginnings: Set<String> {
      var beginnings: Set<String> = []
      for place in places {
        beginnings.formUnion(place.choices.keys)
        if !place.isOptional { break }
      }
      return beginnings
    }
  }

  private var patterns: [Pattern] = []
  /// The patterns that can begin with a word, in their order.
  private var byBeginning: [String: [Int]] = [:]

  init(_ tables: [String]) {
    for table in tables {
      var lists: [Substring: Choices] = [:]
      for line in table.split(separator: "\n") where !line.hasPrefix("#") {
        if line.hasPrefix("@") {
          guard let equals = line.firstIndex(of: "=") else { preconditionFailure("no list: \(line)") }
          let name = Substring(line[..<equals].dropFirst().filter { $0 != " " })
          lists[name] = StopPhrases.choices(line[line.index(after: equals)...].split(separator: " "), lists)
        } else {
          add(line, lists)
        }
      }
    }
  }

  /// What the words say, when all of them together are a phrase.
  func entry(for words: ArraySlice<String>) -> Entry? {
    guard words.count <= StopPhrases.longest, let first = words.first else { return nil }
    for index in byBeginning[first] ?? [] where patterns[index].matches(words) { return patterns[index].entry }
    return nil
  }

  private mutating func add(_ line: Substring, _ lists: [Substring: Choices]) {
    guard let colon = line.firstIndex(of: ":") else { preconditionFailure("no pattern: \(line)") }
    let head = line[..<colon].split(separator: " ")
    precondition(head.count == 2, "a pattern has a verdict and a language: \(line)")
    let places = line[line.index(after: colon)...].split(separator: " ").map { word in
      let isOptional = word.hasSuffix("?")
      let alternatives = (isOptional ? word.dropLast() : word).split(separator: "/")
      return Place(choices: StopPhrases.choices(alternatives, lists), isOptional: isOptional)
    }
    precondition(places.contains { !$0.isOptional }, "a pattern that matches nothing said: \(line)")
    let pattern = Pattern(places: places, entry: StopPhrases.entry(head[0], head[1]))
    for word in pattern.beginnings { byBeginning[word, default: []].append(patterns.count) }
    patterns.append(pattern)
  }

  /// A place of one list alone shares that list's storage.
  private static func choices(_ alternatives: [Substring], _ lists: [Substring: Choices]) -> Choices {
    var choices: Choices = [:]
    for alternative in alternatives {
      if alternative.hasPrefix("@") {
        guard let list = lists[alternative.dropFirst()] else { preconditionFailure("no list \(alternative)") }
        if choices.isEmpty { choices = list } else { choices.merge(list) { $0 + $1 } }
      } else {
        let words = StopText(String(alternative.map { $0 == "_" ? " " : $0 })).words
        guard let first = words.first else { preconditionFailure("no words: \(alternative)") }
        choices[first, default: []].append(words)
      }
    }
    return choices
  }

  private static func entry(_ head: Substring, _ language: Substring) -> Entry {
    let parts = head.split(separator: "=")
    let spelling = parts.count > 1 ? String(parts[1]) : nil
    let language = StopLanguage(rawValue: String(language))
    switch parts[0] {
    case "stop": return Entry(verdict: .stop, language: language, spelling: spelling)
    case "stop+": return Entry(verdict: .stopPlus, language: language, spelling: spelling)
    case "ask": return Entry(verdict: .ask, language: language, spelling: spelling)
    case "start": return Entry(verdict: .start, language: language, spelling: spelling)
    case "cancel": return Entry(verdict: .ask, language: language, isCancel: true, spelling: spelling)
    default: preconditionFailure("no verdict: \(head)")
    }
  }
}
