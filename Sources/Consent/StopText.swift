/// A person's message, made ready for reading: folded, in words, cut into clauses, without what carries no meaning.
public struct StopText: Hashable, Sendable {
  /// Never empty words. Their order is the message's.
  public let words: [String]
  /// The signs that are read as words when a message has no others.
  public let signs: Set<Unicode.Scalar>
  /// Where each clause ends in `words`, and whether a question mark ended it.
  let clauses: [(end: Int, asks: Bool)]

  public init(_ text: String) {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    var signs: Set<Unicode.Scalar> = []
    var clauses: [(end: Int, asks: Bool)] = []
    func finish() {
      if !word.isEmpty {
        let plain = StopText.plain(word)
        // "stop stop stop" says it once.
        if plain != words.last { words.append(plain) }
      }
      word.removeAll()
    }
    for scalar in ArabicFolding.folded(text).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .lowercaseLetter, .otherLetter, .modifierLetter, .titlecaseLetter, .uppercaseLetter, .decimalNumber:
        // Letters drawn out for emphasis, "Stooop" or "لاااا", are written once; so are those of our lexicon.
        if word.last != scalar || scalar.properties.numericType != nil { word.append(scalar) }
      case _ where StopText.apostrophes.contains(scalar): break
      default:
        finish()
        if scalar.properties.isEmojiPresentation { signs.insert(scalar) }
        let asks = scalar == "?" || scalar == "؟"
        guard asks || StopText.ends.contains(scalar) else { continue }
        if let last = clauses.last, last.end == words.count {
          if asks { clauses[clauses.count - 1].asks = true }
        } else if !words.isEmpty {
          clauses.append((words.count, asks))
        }
      }
    }
    finish()
    if clauses.last?.end != words.count, !words.isEmpty { clauses.append((words.count, false)) }
    (self.words, self.signs, self.clauses) = (words, signs, clauses)
  }

  public var phrase: String { words.joined(separator: " ") }

  public static func == (a: StopText, b: StopText) -> Bool { a.words == b.words && a.signs == b.signs }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(words)
    hasher.combine(signs)
  }

  /// `don't` is one word in people's hands: they write `dont` as often.
  private static let apostrophes: Set<Unicode.Scalar> = ["'", "\u{2019}", "\u{2018}", "\u{02BC}", "`", "\u{00B4}"]
  private static let ends: Set<Unicode.Scalar> = [".", "!", ",", ";", "،", "؛", "…", "۔"]

  /// The plural's silent alef is left out as often as it is written: `وقفوا`, `وقفو`.
  private static func plain(_ word: String.UnicodeScalarView) -> String {
    var word = word
    if word.count > 3, word.last == "ا", word[word.index(word.endIndex, offsetBy: -2)] == "و" { word.removeLast() }
    return String(word)
  }
}
