/// A person's message, made ready for comparing with phrases: folded, in words, without what carries no meaning.
public struct StopText: Hashable, Sendable {
  /// Never empty words. Their order is the message's.
  public let words: [String]
  /// The signs that are read as words when a message has no others.
  public let signs: Set<Unicode.Scalar>

  public init(_ text: String) {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    var signs: Set<Unicode.Scalar> = []
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
        // Letters drawn out for emphasis, "Stooop" or "لاااا", are written once; so are those of our phrases.
        if word.last != scalar || scalar.properties.numericType != nil { word.append(scalar) }
      case _ where StopText.apostrophes.contains(scalar): break
      default:
        finish()
        if scalar.properties.isEmojiPresentation { signs.insert(scalar) }
      }
    }
    finish()
    (self.words, self.signs) = (words, signs)
  }

  public var phrase: String { words.joined(separator: " ") }

  /// `don't` is one word in people's hands: they write `dont` as often.
  private static let apostrophes: Set<Unicode.Scalar> = ["'", "\u{2019}", "\u{2018}", "\u{02BC}", "`", "\u{00B4}"]

  /// The plural's silent alef is left out as often as it is written: `وقفوا`, `وقفو`.
  private static func plain(_ word: String.UnicodeScalarView) -> String {
    var word = word
    if word.count > 3, word.last == "ا", word[word.index(word.endIndex, offsetBy: -2)] == "و" { word.removeLast() }
    return String(word)
  }
}
