/// The words of consent by what they do, written as data and read once, at first use.
///
/// A line is `role trait… language: word word …`; `_` joins words that go together. Traits: `firm`, `not` (negated
/// inside), `offer`, `told`, and for Arabic `stem`, which stands for every form of a verb, `act` for a verb's noun, and
/// `noun`, which takes article, prepositions and possessives.
struct StopLexicon: Sendable {
  static let shipped = StopLexicon([arabic, arabicThings, latin, turkishAndUrdu])

  struct Entry: Sendable {
    var token: StopToken
    var words: [String]
  }

  /// Fixed phrases and single words by their first word, the longest first.
  private var phrases: [String: [Entry]] = [:]
  private var stems: [String: StopToken] = [:]
  private var nouns: [String: StopToken] = [:]
  /// Long Latin words, for typing mistakes.
  private var long: [(word: [Character], token: StopToken)] = []

  init(_ tables: [String]) {
    for line in tables.joined(separator: "\n").split(separator: "\n") where !line.hasPrefix("#") { add(line) }
    for key in phrases.keys { phrases[key]!.sort { $0.words.count > $1.words.count } }
  }

  private mutating func add(_ line: Substring) {
    guard let colon = line.firstIndex(of: ":") else { preconditionFailure("no entry: \(line)") }
    let head = line[..<colon].split(separator: " ").map(String.init)
    guard head.count >= 2, let role = StopRole(rawValue: head[0]) else { preconditionFailure("no role: \(line)") }
    var token = StopToken(role: role, language: StopLanguage(rawValue: head[head.count - 1]), words: 0..<0)
    let traits = head.dropFirst().dropLast()
    token.isFirm = traits.contains("firm")
    token.isNegated = traits.contains("not")
    token.isOffer = traits.contains("offer")
    token.isStatement = traits.contains("told")
    for item in line[line.index(after: colon)...].split(separator: " ") {
      let words = StopText(String(item.map { $0 == "_" ? " " : $0 })).words
      guard let first = words.first else { preconditionFailure("no words: \(item)") }
      if traits.contains("stem") {
        stems[first] = token
      } else if traits.contains("noun") {
        nouns[first] = token
      } else {
        if token.language == .arabic { token.isImperfect = first.hasPrefix("ت") }
        for article in traits.contains("act") ? ["", "ال", "ب", "بال", "ل", "لال", "و", "وال"] : []
        where !article.isEmpty {
          phrases[article + first, default: []].append(
            Entry(token: token, words: [article + first] + words.dropFirst()))
        }
        phrases[first, default: []].append(Entry(token: token, words: words))
        if words.count == 1, first.count >= 7, first.utf8.count == first.count { long.append((Array(first), token)) }
      }
    }
  }

  /// The message's words as tokens; what nobody knows is `other`.
  func tokens(of text: StopText) -> [StopToken] {
    var tokens: [StopToken] = []
    let words = text.words
    let isFranco = words.contains { Franco.isMarked($0) }
    var clause = 0
    var at = 0
    while at < words.count {
      while clause < text.clauses.count - 1, at >= text.clauses[clause].end { clause += 1 }
      let rest = words[at..<text.clauses[clause].end]
      var token = (isFranco ? Franco.exact(words[at]) : nil) ?? phrase(rest) ?? single(words[at], isFranco: isFranco)
      let length = max(1, token.words.count)
      token.words = at..<at + length
      token.clause = clause
      tokens.append(token)
      at += length
    }
    return tokens
  }

  private func phrase(_ rest: ArraySlice<String>) -> StopToken? {
    guard let first = rest.first else { return nil }
    for entry in phrases[first] ?? [] where rest.starts(with: entry.words) {
      var token = entry.token
      token.words = 0..<entry.words.count
      return token
    }
    return nil
  }

  private func single(_ word: String, isFranco: Bool) -> StopToken {
    if let verb = ArabicForms.verb(word, stems) { return verb }
    if let noun = ArabicForms.noun(word, nouns) { return noun }
    if word.hasPrefix("و") || word.hasPrefix("ف"), word.count > 2 {
      let rest = String(word.dropFirst())
      if let token = phrase([rest]) { return token }
    }
    if isFranco, let token = Franco.token(word) { return token }
    if word.count >= 7 {
      let typed = Array(word)
      for (known, token) in long where abs(known.count - typed.count) <= 1 && known[0] == typed[0] {
        if StopLexicon.isOneMistake(typed, known) { return token }
      }
    }
    return StopToken(role: .other, language: nil, words: 0..<1)
  }

  /// One letter too many, missing, other, or two swapped.
  static func isOneMistake(_ a: [Character], _ b: [Character]) -> Bool {
    var start = 0
    while start < min(a.count, b.count), a[start] == b[start] { start += 1 }
    var (endA, endB) = (a.count, b.count)
    while endA > start, endB > start, a[endA - 1] == b[endB - 1] { (endA, endB) = (endA - 1, endB - 1) }
    let (left, right) = (endA - start, endB - start)
    if left == 2, right == 2 { return a[start] == b[start + 1] && a[start + 1] == b[start] }
    return left <= 1 && right <= 1
  }
}
