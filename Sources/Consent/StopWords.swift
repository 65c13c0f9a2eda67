import Domain

/// What a message asks of consent.
public enum StopVerdict: String, CaseIterable, Sendable {
  case stop
  /// A stop, and a task for whoever answers for privacy: remove my number, I will report you.
  case stopPlus
  /// Hold marketing and ask once, with two buttons.
  case ask
  case start
  case none
}

/// The language in which a stop is confirmed.
public enum StopLanguage: String, CaseIterable, Sendable {
  case arabic = "ar"
  case english = "en"
  case french = "fr"
  case turkish = "tr"
  case urdu = "ur"
  case hindi = "hi"
  case tagalog = "tl"
}

/// A verdict with what it rests on.
public struct StopReading: Hashable, Sendable {
  public let verdict: StopVerdict
  /// The words that matched, folded, and nothing else of the message: all that the evidence may keep.
  public let matched: String
  /// Nil when the matched words are of no language or of several.
  public let language: StopLanguage?
  /// A bare "cancel": what it means depends on what it answers.
  public let isLoneCancel: Bool

  public init(verdict: StopVerdict, matched: String, language: StopLanguage?, isLoneCancel: Bool = false) {
    (self.verdict, self.matched, self.language) = (verdict, matched, language)
    self.isLoneCancel = isLoneCancel
  }

  public static let none = StopReading(verdict: .none, matched: "", language: nil)
}

/// Reads consent out of a person's message: a business's own phrases first, then a grammar over a lexicon.
///
/// An own phrase must be the whole message, apart from courtesy at its ends, signs, and spelling that folds together.
/// What the grammar finds may stand anywhere in a message, except for words that are too weak to mean it inside a
/// sentence.
public struct StopWords: Sendable {
  public static let shipped = StopWords(lexicon: .shipped)

  private let lexicon: StopLexicon
  private var own: [String: StopVerdict] = [:]

  init(lexicon: StopLexicon) { self.lexicon = lexicon }

  /// A business's own phrases go before the shipped rule; `none` silences one. Phrases without a letter or digit are
  /// ignored.
  public func adding(_ own: [(phrase: String, verdict: StopVerdict)]) -> StopWords {
    var words = self
    for (phrase, verdict) in own {
      let key = StopText(phrase).phrase
      guard !key.isEmpty else { continue }
      words.own[key] = verdict
    }
    return words
  }

  public func verdict(_ text: String, answering category: Category?) -> StopVerdict {
    read(text, answering: category).verdict
  }

  /// Reads a message, or the label of a button that has no payload. `answering` is the category of the message of ours
  /// that it answers, nil when that is not known.
  ///
  /// Costs a pass over the text and some thousand short comparisons for each word that is in no list; novels are not
  /// read.
  public func read(_ text: String, answering category: Category?) -> StopReading {
    guard text.utf8.count <= StopWords.longestMessage else { return .none }
    let message = StopText(text)
    if message.words.isEmpty { return StopWords.reading(ofSigns: message.signs) }
    if let verdict = own[message.phrase] {
      return StopReading(verdict: verdict, matched: message.phrase, language: nil)
    }
    var tokens = lexicon.tokens(of: message)
    if let reading = ownPhrase(in: tokens, of: message) { return reading }
    StopWords.settleNever(&tokens, message, text)
    let grammar = StopGrammar(
      tokens: tokens, asks: message.clauses.map(\.asks), words: { Array(message.words[tokens[$0].words]) })
    guard let finding = grammar.read() else { return .none }
    let words = tokens[finding.span.lowerBound].words.lowerBound..<tokens[finding.span.upperBound].words.upperBound
    let languages = tokens[finding.span].filter { ![.other, .thin, .polite].contains($0.role) }.compactMap(\.language)
    var verdict = finding.verdict
    if finding.isCancel {
      switch category {
      case .marketing, .marketingLite: verdict = .stop
      case .utility, .authentication, .service, .authenticationInternational, .referralConversion, nil: break
      }
    }
    return StopReading(
      verdict: verdict, matched: message.words[words].joined(separator: " "), language: languages.first,
      isLoneCancel: finding.isCancel)
  }

  /// Bytes. A word of consent in a longer text than this is not looked for.
  static let longestMessage = 2000

  /// An own phrase with courtesy around it.
  private func ownPhrase(in tokens: [StopToken], of message: StopText) -> StopReading? {
    guard !own.isEmpty else { return nil }
    var rest = tokens[...]
    while let last = rest.last, last.role == .polite || last.role == .thin { rest = rest.dropLast() }
    while let first = rest.first {
      let phrase = message.words[first.words.lowerBound..<rest.last!.words.upperBound].joined(separator: " ")
      if let verdict = own[phrase] { return StopReading(verdict: verdict, matched: phrase, language: nil) }
      guard first.role == .polite || first.role == .thin else { return nil }
      rest = rest.dropFirst()
    }
    return nil
  }

  /// ابدأ is "begin", ابدا is "never": only the hamza tells them apart, and folding takes it away.
  private static func settleNever(_ tokens: inout [StopToken], _ message: StopText, _ text: String) {
    for index in tokens.indices
    where message.words[tokens[index].words.lowerBound] == "ابدا" && tokens[index].words.count == 1 {
      if text.unicodeScalars.contains("أ"), text.contains("ابدأ") || text.contains("إبدأ") {
        tokens[index].role = .begin
      } else if tokens.count == 1 {
        tokens[index].role = .doubt
      }
    }
  }

  private static func reading(ofSigns signs: Set<Unicode.Scalar>) -> StopReading {
    if signs.contains("🛑") { return StopReading(verdict: .stop, matched: "🛑", language: nil) }
    for sign: Unicode.Scalar in ["🚫", "⛔"] where signs.contains(sign) {
      return StopReading(verdict: .ask, matched: String(sign), language: nil)
    }
    return .none
  }
}
