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

  public init(verdict: StopVerdict, matched: String, language: StopLanguage?) {
    (self.verdict, self.matched, self.language) = (verdict, matched, language)
  }

  public static let none = StopReading(verdict: .none, matched: "", language: nil)
}

/// Reads consent out of a person's message, by exact phrases.
///
/// A phrase must be the whole message, apart from greetings and politeness at its ends, signs, and spelling that folds
/// together. So "stop the delivery" and "لا توقفوا العروض" are no stops, at the price of missing what is said at
/// length: that is the free-text rule's work, which is asked only when no phrase matches.
public struct StopWords: Sendable {
  /// A rule for what no phrase covers; nil leaves it at `none`.
  public typealias FreeTextRule = @Sendable (StopText, Category?) -> StopReading?

  public static let shipped = StopWords(phrases: StopPhrases.shipped)

  private let phrases: StopPhrases
  private var own: [String: StopVerdict] = [:]
  public var freeText: FreeTextRule?

  init(phrases: StopPhrases) { self.phrases = phrases }

  /// A business's own phrases go before the shipped ones; `none` silences one. Phrases without a letter or digit are
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
  /// Costs a pass over the text and a few look-ups; longer texts than a phrase can be are not looked up at all.
  public func read(_ text: String, answering category: Category?) -> StopReading {
    guard text.utf8.count <= StopWords.longestMessage else { return .none }
    let message = StopText(text)
    if message.words.isEmpty { return StopWords.reading(ofSigns: message.signs) }
    if let reading = phrase(in: message.words, of: text, answering: category) { return reading }
    return freeText?(message, category) ?? .none
  }

  /// Bytes. Long stories are the free-text rule's, and that reads no novels either.
  static let longestMessage = 2000

  private func phrase(in words: [String], of text: String, answering category: Category?) -> StopReading? {
    var rest = words[...]
    while !rest.isEmpty {
      let phrase = rest.joined(separator: " ")
      if let verdict = own[phrase] { return StopReading(verdict: verdict, matched: phrase, language: nil) }
      if let entry = phrases.entry(for: rest) {
        return StopReading(
          verdict: entry.verdict(of: text, answering: category), matched: phrase, language: entry.language)
      }
      guard let trimmed = Courtesy.trimmed(rest) else { return nil }
      rest = trimmed
    }
    return nil
  }

  private static func reading(ofSigns signs: Set<Unicode.Scalar>) -> StopReading {
    if signs.contains("🛑") { return StopReading(verdict: .stop, matched: "🛑", language: nil) }
    for sign: Unicode.Scalar in ["🚫", "⛔"] where signs.contains(sign) {
      return StopReading(verdict: .ask, matched: String(sign), language: nil)
    }
    return .none
  }
}
